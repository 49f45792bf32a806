"""What a strategy will do to real requests, before it does it (section 12).

Each question is answered by resolving, never by guessing, and changes nothing.
"""
