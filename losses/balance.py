"""How the weights of loss terms change while a model trains; by their names in a config.

Each returns a factor for every term, which multiplies what `loss_weights` says. With L the losses
times these weights, the model is trained on the sum of factor x L. State and parameters of a
balance are those of the module, so that a checkpoint holds them.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

Losses = Float[Tensor, " term"]
"""Of each term, one number: times its weight in `loss_weights`; 0 where that is 0 at this step."""
SMALLEST = 1e-8
"""A loss counts as no smaller where its logarithm is taken."""


class Balance(nn.Module, ABC):
    """What decides the factors."""

    reads: ClassVar[Literal["nothing", "losses", "norms", "gradients"]] = "losses"
    """What it has to be shown: the losses; their gradients' norms at the block that all terms
    share, as the probes measure them; or the gradients there, at every step."""
    learning_rate: float = 0.0
    """Of its parameters, which the run's optimizer moves, at every step alike."""

    @abstractmethod
    def factors(self, losses: Losses, gram: Float[Tensor, "term term"] | None) -> Losses:
        """Return the factors of a step, without gradient.

        Args:
            losses: Without gradient.
            gram: Products of the gradients of these losses at the shared block; None unless asked.
        """

    def cost(self, losses: Losses) -> Float[Tensor, ""] | None:
        """Return what its own parameters are to minimise at this step; None where it has none."""
        return None

    def after_update(self, losses: Losses, norms: Losses | None) -> None:
        """Learn from a step that was made.

        Args:
            losses: Of that step, before it.
            norms: Of the gradients of these losses times their factors, where they were measured.
        """
        return


class Fixed(Balance):
    """The weights in `loss_weights`, or their schedules, and nothing else."""

    reads = "nothing"

    def __init__(self, *, names: Sequence[str]) -> None:
        """Take any number of terms."""
        super().__init__()

    def factors(self, losses: Losses, gram: Float[Tensor, "term term"] | None) -> Losses:
        """Return ones."""
        return torch.ones_like(losses)


class Shares(Balance):
    """Each term's share of the gradient at the shared block goes to a target.

    A share is norm / sum of norms, of the weighted gradients. At each look of the probes

        log factor += rate x clamp(log target - log share, -1, 1)

    and the mean of the logarithms, over the terms with a gradient, is taken off: only the ratios
    of weights matter. Nothing is measured for it.
    """

    reads = "norms"
    log_factors: Tensor
    targets: Tensor

    def __init__(
        self,
        *,
        names: Sequence[str],
        targets: dict[str, float] | None = None,
        rate: float = 0.3,
        bound: float = 100.0,
    ) -> None:
        """Begin at the weights of the config.

        Args:
            names: The terms.
            targets: The wanted share of each term, in any unit; None wants equal ones.
            rate: Share of the way, in logarithms, that one look closes; above 0, at most 1.
            bound: No factor is above this, or below 1 / this.

        Raises:
            ValueError: Targets are not of these terms, or a number is out of its range.
        """
        super().__init__()
        wanted = dict.fromkeys(names, 1.0) if targets is None else targets
        if wanted.keys() != set(names):
            raise ValueError(f"targets must name {sorted(names)}, got {sorted(wanted)}")
        if not all(0 < share < math.inf for share in wanted.values()):
            raise ValueError(f"targets must be above 0, got {wanted}; weight 0 leaves one out")
        if not 0 < rate <= 1 or not bound > 1:
            raise ValueError(f"rate must be in (0, 1] and bound above 1, got {rate} and {bound}")
        self.rate, self.bound = rate, bound
        self.register_buffer("log_factors", torch.zeros(len(names)))
        shares = torch.tensor([wanted[name] for name in names])
        self.register_buffer("targets", shares, persistent=False)

    def factors(self, losses: Losses, gram: Float[Tensor, "term term"] | None) -> Losses:
        """Return them as the last look left them."""
        return self.log_factors.exp()

    def after_update(self, losses: Losses, norms: Losses | None) -> None:
        """Move the factors, where the probes looked and all norms are finite."""
        if norms is None:
            return
        there = norms > 0
        shares = norms / norms.sum()
        targets = torch.where(there, self.targets, 0.0)
        apart = (targets / targets.sum()).log() - shares.log()
        moved = self.log_factors + torch.where(there, self.rate * apart.clamp(-1, 1), 0.0)
        mean = torch.where(there, moved, 0.0).sum() / there.sum().clamp_min(1)
        limit = math.log(self.bound)
        moved = torch.where(there, moved - mean, moved).clamp(-limit, limit)
        self.log_factors = torch.where(norms.isfinite().all(), moved, self.log_factors)


class Uncertainty(Balance):
    """Each loss is divided by a variance that is learned, and pays for its logarithm.

        cost = sum of exp(-s) L + s, with s = log sigma^2 of each term, from 0

    It is least at s = log L: then every loss counts as 1, in its own unit. It is twice the form of
    the paper for regression, so that it begins as the fixed sum does.

    Source: Kendall, Gal & Cipolla 2018, arXiv:1705.07115, equation 7.
    """

    def __init__(self, *, names: Sequence[str], learning_rate: float = 1e-2) -> None:
        """Begin with variances of 1.

        Args:
            names: The terms.
            learning_rate: Of the logarithms of the variances.
        """
        super().__init__()
        self.learning_rate = learning_rate
        self.log_variances = nn.Parameter(torch.zeros(len(names)))

    def factors(self, losses: Losses, gram: Float[Tensor, "term term"] | None) -> Losses:
        """Return 1 / variance."""
        return (-self.log_variances.detach()).exp()

    def cost(self, losses: Losses) -> Float[Tensor, ""]:
        """Return the cost over the terms that are there, as a function of the variances."""
        each = (-self.log_variances).exp() * losses + self.log_variances
        return torch.where(losses > 0, each, 0.0).sum()


class Famo(Balance):
    """All losses fall alike, as shares of themselves: fast adaptive multitask optimization.

        factor = c z / L, with z = softmax(logits) and c = 1 / sum of z / L

    so that the model descends c x sum of z log L; the logits go down the gradient of
    sum of z x (log L before - log L now), by Adam: what fell least gets more.

    The paper takes both losses from one batch, which costs a forward pass a step. Here they are
    those of two steps in a row, each on its own batch: what a batch happens to be adds to one
    step's difference and is taken off the next. What is learned counts from the step after.

    Source: Liu et al. 2023, arXiv:2306.03792, Algorithm 1.
    """

    before: Tensor

    def __init__(
        self, *, names: Sequence[str], learning_rate: float = 0.025, decay: float = 1e-3
    ) -> None:
        """Begin with equal shares.

        Args:
            names: The terms; their losses are never below 0.
            learning_rate: Of the logits.
            decay: Pulls the logits back to 0.
        """
        super().__init__()
        self.learning_rate, self.decay = learning_rate, decay
        self.logits = nn.Parameter(torch.zeros(len(names)))
        self.register_buffer("before", torch.full((len(names),), math.nan))

    def _shares(self, there: Tensor) -> Losses:
        return self.logits.masked_fill(~there, -math.inf).softmax(0)

    def factors(self, losses: Losses, gram: Float[Tensor, "term term"] | None) -> Losses:
        """Return c z / L."""
        rates = self._shares(losses > 0).detach() / losses.clamp_min(SMALLEST)
        return rates / rates.sum()

    def cost(self, losses: Losses) -> Float[Tensor, ""]:
        """Return what the logits descend; the losses are constants in it."""
        there = losses > 0
        fell = self.before - losses.clamp_min(SMALLEST).log()
        fell = torch.where(there & self.before.isfinite(), fell, 0.0)
        return (self._shares(there) * fell).sum() + self.decay / 2 * self.logits.square().sum()

    def after_update(self, losses: Losses, norms: Losses | None) -> None:
        """Remember the losses."""
        now = losses.clamp_min(SMALLEST).log()
        self.before = torch.where(losses > 0, now, math.nan)


class UpGrad(Balance):
    """No term's gradient is worked against at the shared block.

    Each term's gradient there is projected onto what hurts no term, and the projections are added
    up: the factors are those of the gradients in that sum, 1 or more, and 1 where no two gradients
    are against each other. It costs a backward pass from each term to that block in every step,
    and a wait for the device: the projection is a quadratic program, solved on the CPU.

    Source: Quinton & Rey 2024, arXiv:2406.16232, equation 5 and proposition 1.
    """

    reads = "gradients"

    def __init__(self, *, names: Sequence[str]) -> None:
        """Keep nothing: every term has the same say."""
        super().__init__()

    def factors(self, losses: Losses, gram: Float[Tensor, "term term"] | None) -> Losses:
        """Return the factors of the projection; ones where a gradient is not finite."""
        from scipy.optimize import nnls  # here, because it takes half a second

        assert gram is not None
        trace = gram.trace().item()
        if not 0 < trace < math.inf:
            return torch.ones_like(losses)
        values, vectors = np.linalg.eigh((gram / trace).double().cpu().numpy())
        root = np.sqrt(values.clip(0))[:, None] * vectors.T
        # the projection of gradient n is v, at least its unit vector, with the least |root v|
        more = np.sum([nnls(root, -column)[0] for column in root.T], axis=0)
        return torch.from_numpy(1 + more).to(losses)
