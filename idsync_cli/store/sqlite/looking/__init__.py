"""What looking into a SQLite store asks: each question of the contract, and the query for it."""
