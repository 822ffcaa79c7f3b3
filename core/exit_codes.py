"""How a process says why it ended, to whoever started it."""

SICK = 1
"""The doctor's finding says that the run cannot do what it is for."""
BAD_INPUT = 2
"""What the user gave was refused; it would be again."""
LOST_PEER = 69
"""Another process failed, or could not be found."""
HUNG = 70
"""The watchdog ended it."""
PREEMPTED = 75
"""SIGTERM or SIGUSR1, with everything saved: start the same command again."""
INTERRUPTED = 130
"""Ctrl-C, with everything saved."""
