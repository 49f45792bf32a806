"""Replays beyond one machine, on Apache Spark (section 13); PySpark is imported when it is used."""
