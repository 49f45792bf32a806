"""Two sides that answer the same requests, and where they part (section 12)."""
