"""The explorer: a page over a store, and the JSON that it asks for (section 10).

Nothing here decides, counts or words anything: the page shows what commands show, as pieces that
`render` made, and their `--json`. Only who has the token sees any of it.
"""
