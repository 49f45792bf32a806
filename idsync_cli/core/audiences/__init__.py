"""What a profile's calculated attributes are, and which audiences it is in (section 9)."""
