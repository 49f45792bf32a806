"""Questions to a SQLite store: each question of the contract, and the query for it."""
