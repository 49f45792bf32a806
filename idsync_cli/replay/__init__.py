"""Replays: the requests of files, answered in order, with how far they got."""
