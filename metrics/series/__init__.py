"""What can be said of one series of numbers: trend, level, jumps, outliers, each with its error."""

import numpy as np
from jaxtyping import Float64

Points = Float64[np.ndarray, " point"]
Lags = Float64[np.ndarray, " lag"]
