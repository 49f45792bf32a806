"""Convert: files that people have, as lines of requests (section 12)."""
