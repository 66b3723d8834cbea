"""What turns the outside world into a Snapshot."""
