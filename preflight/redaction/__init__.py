"""What may leave the building: a snapshot with pseudonyms in place of names, by which no verdict changes."""
