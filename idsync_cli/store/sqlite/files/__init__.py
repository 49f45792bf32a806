"""The files of a store: where they are, who may use them, and a quick check of them."""
