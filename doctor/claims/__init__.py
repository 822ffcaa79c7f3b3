"""A results write-up beside the run that it speaks of: which of its numbers the run has."""
