"""The unit in which pixels travel from the data to the losses."""

PIXEL_MEAN = 0.45
PIXEL_STD = 0.225
"""Standardised pixels are (level - PIXEL_MEAN) / PIXEL_STD, with levels in [0, 1].

Constants for all data (those of Kinetics for one channel): nothing is estimated from a batch.
"""
