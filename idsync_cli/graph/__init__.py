"""Which profiles and identifiers belong together, as a value that can be drawn (section 12)."""
