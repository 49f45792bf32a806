"""What idsync's speed is measured with; see README.md."""
