"""A made-up hospital with exact truth: a messy folder of DICOM files and a messy file of reports.

Its studies are those of a made-up study set, cine by cine, so that what the road from DICOM makes
of them can be compared with the same set as mp4 files. `settings` says what a hospital is made of,
`make` makes it. Nothing is imported here, so that the processes that write start without torch.
"""
