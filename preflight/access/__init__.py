"""IAM reasoning: who holds what, in three values, with the grants that prove it. Pure: no I/O."""
