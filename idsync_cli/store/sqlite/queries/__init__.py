"""Questions that people and commands ask of a store, a file for each kind of question.

`profiles`: who is there. `history`: what changed, and by which request. `statistics`: how many.
`replays`: how far each replay got. `recorded`: what recorded MPIDs stand for. `rules`: which rules
the store was last used with.

They are asked of a session in which nothing waits to be written, and read the tables.

What happened, or was made, is listed oldest first: profiles by the request that made them, changes
by request and place, identifiers of a profile by the change that added them, replays by number.
Scopes are listed by name. What is counted is listed with the highest count first, and equal counts
by name or value.
"""
