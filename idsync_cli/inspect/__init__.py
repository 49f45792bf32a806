"""Questions to a store: its profiles, its health, what new rules would change."""
