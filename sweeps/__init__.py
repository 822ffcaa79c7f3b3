"""Many runs of one config with other values, compared fairly."""
