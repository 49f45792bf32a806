"""The tables of a store, and how an earlier version's come to be these."""
