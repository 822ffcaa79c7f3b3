"""The error whose message is written for the person who runs the program."""


class UserError(ValueError):
    """Something the user gave is wrong, and the message says what, where and what to do next.

    The command line prints ``str(error)`` as one line and exits with 2, so the message is one line
    that names the culprit and the remedy. It never quotes a report.
    """
