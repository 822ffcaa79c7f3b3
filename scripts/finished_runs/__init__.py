"""Runs beside one another: listed, shown, compared, and ranked under one protocol."""
