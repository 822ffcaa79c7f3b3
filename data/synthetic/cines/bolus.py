"""When contrast agent fills and leaves every part of the tree, over the course of a cine."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cinelex.data.synthetic.cines.lumen import (
    ANTEGRADE,
    BINS,
    CATHETER,
    COLLATERAL,
    METAL,
    VEIN,
)


@dataclass(frozen=True)
class Bolus:
    """One injection; times are shares of the cine."""

    start: float
    """When the agent leaves the catheter."""
    slow: bool
    """TIMI 2: the front needs more than half of the cine, and nothing washes out in it."""

    def table(self, frames: int) -> Float[np.ndarray, "frame code"]:
        """Return the filling, 0 to 1, of every code (see `lumen`) in every frame.

        Exactly 0 before the front arrives and, with normal flow, in the last frame.
        """
        time = np.linspace(0, 1, frames)[:, None]
        way = np.linspace(0, 1, ANTEGRADE)[None, :]
        run, rise = (0.6, 0.14) if self.slow else (0.24, 0.08)
        leave, fall = (1.2, 0.2) if self.slow else (0.64, 0.2)
        arrive = self.start + run * way
        full = _smooth((time - arrive) / rise) * _smooth((leave + 0.14 * way + fall - time) / fall)
        late = 0.55 * _smooth((time - arrive - 0.16) / 0.2)
        late = late * _smooth((leave + 0.34 - time) / fall)
        table = np.zeros((frames, BINS))
        table[:, :ANTEGRADE] = full
        table[:, COLLATERAL : COLLATERAL + ANTEGRADE] = late
        table[:, CATHETER] = 0.45 + 0.55 * full[:, 0]
        table[:, METAL] = 1.0
        table[:, VEIN] = _smooth((time[:, 0] - (0.95 if self.slow else 0.7)) / 0.25)
        return table.astype(np.float32)


def _smooth(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Return the smooth step from 0 at x = 0 to 1 at x = 1, exactly flat outside."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
