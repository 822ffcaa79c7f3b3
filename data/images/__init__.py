"""Images with several captions each: the usual data sets as distributed, and a made-up one."""
