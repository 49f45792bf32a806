"""idsync: identity resolution over an embedded store, with the reason for every answer."""

__version__ = "0.1.0"
