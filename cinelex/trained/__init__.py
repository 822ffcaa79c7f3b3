"""A trained run as one object: what a user of a model loads, and nothing that trains it."""
