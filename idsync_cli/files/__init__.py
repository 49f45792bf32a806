"""What people and programs write down: configurations, scenarios, requests, profiles."""
