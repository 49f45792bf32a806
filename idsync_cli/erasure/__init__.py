"""Erasures and other requests of data subjects, carried out over a store."""
