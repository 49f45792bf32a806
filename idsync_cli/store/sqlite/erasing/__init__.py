"""Erasures: the one place where the history is taken back, and the file is rewritten."""
