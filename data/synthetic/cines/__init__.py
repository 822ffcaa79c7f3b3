"""A made-up study set with exact truth: coronary cines and reports, written as ordinary files.

`settings` says what a set is made of, `study_set` makes it, `plan` lists its studies and changes
single findings. Nothing is imported here, so that rendering processes start without torch.
"""
