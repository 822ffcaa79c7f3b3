"""Which studies a step sees: a pure function of the seed and the step."""

from functools import lru_cache

import numpy as np
from jaxtyping import Int64

from cinelex.core.errors import UserError
from cinelex.core.randomness import numpy_generator
from cinelex.data.orders import Arrange


class StudySampler:
    """Cuts every epoch's order of the studies into global batches.

    A study is in a global batch at most once, and in an epoch at most once. Where the batch does
    not divide the studies, each epoch leaves out the remainder; those left out are taken in turn
    from one shuffled list, so that over the epochs every study is left out equally often. What a
    step sees depends on nothing but (seed, studies, batch, step): no rank, worker or restart.
    """

    def __init__(
        self,
        *,
        studies: int,
        batch: int,
        seed: int,
        arrange: Arrange | None = None,
        steps_per_epoch: int | None = None,
    ) -> None:
        """Check the numbers.

        Args:
            studies: Studies in the split.
            batch: Studies in the global batch, over all ranks.
            seed: Decides every order.
            arrange: Which of the epoch's studies stand together; None leaves them shuffled.
            steps_per_epoch: Batches that ``arrange`` leaves in an epoch, where it leaves studies
                out; None is as many as fit.

        Raises:
            UserError: There are fewer studies than a batch takes.
        """
        if batch < 1:
            raise UserError(f"the batch must hold at least one study, got {batch}")
        if studies < batch:
            raise UserError(
                f"{studies} studies cannot fill a batch of {batch}; lower the batch size to at "
                f"most {studies}, or add studies"
            )
        self.studies = studies
        self.batch = batch
        self.seed = seed
        self.steps_per_epoch = steps_per_epoch or studies // batch
        self._arrange, self._leaves_out = arrange, steps_per_epoch is not None
        self._order = lru_cache(maxsize=2)(self._make_order)

    def batch_at(self, step: int) -> tuple[int, list[int]]:
        """Return the epoch of a step, counted from 0, and the studies of its global batch."""
        epoch, index = divmod(step, self.steps_per_epoch)
        order = self._order(epoch)
        return epoch, order[index * self.batch : (index + 1) * self.batch].tolist()

    def _make_order(self, epoch: int) -> Int64[np.ndarray, " study"]:
        remainder = 0 if self._leaves_out else self.studies % self.batch
        turns = numpy_generator(self.seed, "left out").permutation(self.studies)
        left_out = turns[(epoch * remainder + np.arange(remainder)) % self.studies]
        order = numpy_generator(self.seed, "order", epoch).permutation(self.studies)
        order = order[~np.isin(order, left_out)]
        if self._arrange is None:
            return order
        return self._arrange(order, numpy_generator(self.seed, "arrange", epoch))


def share(indices: list[int], *, rank: int, world_size: int) -> list[int]:
    """Return one rank's contiguous share of a global batch; shares differ by one study at most.

    Raises:
        UserError: The batch is smaller than the world.
    """
    if len(indices) < world_size:
        raise UserError(
            f"a global batch of {len(indices)} cannot be shared by {world_size} processes; raise "
            f"the batch size to at least {world_size}"
        )
    start = len(indices) * rank // world_size
    return indices[start : len(indices) * (rank + 1) // world_size]
