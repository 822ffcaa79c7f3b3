"""Logs of any run, read as they were exported, and what can and cannot be claimed from them."""
