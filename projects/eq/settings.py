"""How much each parameter of a setting counts."""

from jaxtyping import Float
from torch import Tensor

from cinelex.data.eq.codec import EqSettings
from cinelex.data.eq.parameters import GAIN_OF, MAX_GAIN_DB, places_of


def importance(settings: EqSettings) -> Float[Tensor, "setting parameter"]:
    """Return how much each parameter counts, in [0, 1]: gains 1, the others as their band's gain.

    A band without gain does nothing, whatever its frequency and its quality factor.
    """
    gains = settings.values[:, list(GAIN_OF)].abs() / MAX_GAIN_DB
    gains[:, list(places_of("gain"))] = 1.0
    return gains
