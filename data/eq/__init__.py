"""Settings of a five-band equalizer and their words: file, codec, curves, splits, batches."""
