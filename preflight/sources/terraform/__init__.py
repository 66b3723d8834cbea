"""Terraform as a source of facts: a repository's HCL, or a plan in JSON. Offline: no network, no child process."""
