"""Peers, limits and methods, measured side by side; tests never time, these do."""
