"""Fuzzing: what is read of others is broken at random."""
