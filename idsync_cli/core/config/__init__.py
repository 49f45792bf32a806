"""What is configured: strategies and the rules of a scope (sections 3 and 6)."""
