"""What is known of a store in memory, and was changed."""
