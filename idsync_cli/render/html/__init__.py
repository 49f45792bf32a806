"""Pages that need nothing but themselves: what they are made of, and what every page shares."""
