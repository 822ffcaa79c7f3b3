"""Which settings a step sees: every descriptor its share, as a pure function of seed and step."""

from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Int64

from cinelex.core.errors import UserError
from cinelex.core.randomness import numpy_generator


class ClassBalancedSampler:
    """Fills every global batch with the descriptors in turn, however often each one occurs.

    Slot s of the run belongs to descriptor s mod C; it takes the next setting of that descriptor
    in an order that is shuffled anew whenever it has been gone through. No setting is in a batch
    twice: where the next one is there already, the one after it is taken, and where a descriptor
    has none left, any setting that is not there yet. A batch depends on nothing but (seed, labels,
    batch, step): no rank, worker or restart.
    """

    def __init__(
        self, labels: Bool[np.ndarray, "setting descriptor"], *, batch: int, seed: int
    ) -> None:
        """Find the settings of each descriptor.

        Raises:
            UserError: There are fewer settings than a batch takes, or a descriptor has none.
        """
        if len(labels) < batch:
            raise UserError(
                f"{len(labels)} settings cannot fill a batch of {batch}; lower batch to at most "
                f"{len(labels)}"
            )
        empty = int((~labels.any(axis=0)).sum())
        if empty:
            raise UserError(
                f"{empty} descriptors have no setting in the training split; raise "
                "eq.min_settings or change seed"
            )
        self.settings, self.batch, self.seed = len(labels), batch, seed
        self._members = [np.flatnonzero(column) for column in labels.T]
        self._order = lru_cache(maxsize=4 * labels.shape[1])(self._make_order)

    def batch_at(self, step: int) -> tuple[int, list[int]]:
        """Return the epoch of a step, counted from 0 in settings seen, and its global batch."""
        taken: dict[int, None] = {}
        for slot in range(step * self.batch, (step + 1) * self.batch):
            place, descriptor = divmod(slot, len(self._members))
            taken[self._free(descriptor, place, taken)] = None
        return step * self.batch // self.settings, list(taken)

    def _free(self, descriptor: int, place: int, taken: dict[int, None]) -> int:
        """Return the setting of a descriptor's turn, or the first after it that is free."""
        count = len(self._members[descriptor])
        epoch, start = divmod(place, count)
        order = self._order(descriptor, epoch)
        for step in range(count):
            setting = int(order[(start + step) % count])
            if setting not in taken:
                return setting
        everyone = self._order(-1, place)
        return next(int(setting) for setting in everyone if int(setting) not in taken)

    def _make_order(self, descriptor: int, epoch: int) -> Int64[np.ndarray, " setting"]:
        """Return one shuffle of a descriptor's settings; of all settings for descriptor -1."""
        members = self._members[descriptor] if descriptor >= 0 else np.arange(self.settings)
        return numpy_generator(self.seed, "balanced", descriptor, epoch).permutation(members)
