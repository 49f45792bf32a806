"""Whether a store is sound: `examination.examine` looks at all of it, with a file for each check.

Only findings leave this package, never anything of SQLite's.
"""
