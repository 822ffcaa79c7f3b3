"""A made-up set of engravings with exact truth: line drawings with hatching, described in words."""
