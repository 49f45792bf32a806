"""Questions that people and commands ask of a store, a file for each kind of question.

`profiles`: the profiles. `history`: what changed, and by which request. `statistics`: how many.
`replays`: how far each replay got. `recorded`: what recorded MPIDs stand for.

They read the tables, in a transaction in which nothing is waiting to be written.

Events are listed oldest first: profiles by the request that created them, changes by request and
place, identifiers of a profile by the change that added them, replays by number.
Scopes are listed by name. What is counted is listed with the highest count first, and equal counts
by name or value.
"""
