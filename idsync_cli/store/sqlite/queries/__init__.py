"""Questions that people and commands ask of a store."""
