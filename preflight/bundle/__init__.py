"""What a customer attaches to a ticket: one file with what was seen, what was made of it, and how it was read."""
