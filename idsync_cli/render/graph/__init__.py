"""Graphs as text for other tools, as JSON, and as a picture on a page (section 12)."""
