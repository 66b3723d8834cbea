"""What changed between two looks at one project: verdicts, and facts in the words of their field. Pure."""
