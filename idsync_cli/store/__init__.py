"""Where profiles, identifiers and their history are kept."""
