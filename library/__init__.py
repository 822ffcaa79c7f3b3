"""A library of studies that one searches by a finding, by videos, or by a study like them."""
