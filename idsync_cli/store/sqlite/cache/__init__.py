"""What is in memory of a store: what was read, and what was changed and is not written yet."""
