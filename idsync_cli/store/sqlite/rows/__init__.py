"""The rows of the tables: how they are packed, summed up and written."""
