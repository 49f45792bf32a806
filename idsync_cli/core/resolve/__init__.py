"""Who a request is answered with, and what changes (sections 4 and 5)."""
