"""What incoming data is, and what a profile has of it (section 9)."""
