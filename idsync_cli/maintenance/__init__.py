"""Looking after a store: whole copies, and putting one back."""
