"""What can be known about a project: one frozen model a fact, each known or Unknown with its reason."""
