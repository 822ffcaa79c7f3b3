"""The wiring of the system that wrote 1.6 MHz: targets z-scored, decoder physical, denormalised.

Five frequencies of the historical file, by their statistics alone: the 1,283 settings whose word,
in lower case, occurs at least five times. Gains and quality factors have statistics of that size.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cinelex.data.eq.parameters import PARAMETERS, places_of

MEAN_HZ = (155.0654817, 456.0988457, 1028.0867457, 3141.1388695, 6733.7132038)
STD_HZ = (132.5262220, 488.3879148, 643.8159129, 1331.2073021, 2790.2715087)
WROTE_HZ = (3070.64, 40503.91, 116914.95, 296006.75, 1625091.19)
"""What that system wrote; its report has 3070.6, 40503.9, 116915.2, 296006.5 and 1625089.8."""
SETTINGS = 512
LOW = torch.tensor([item.low for item in PARAMETERS], dtype=torch.float64)
HIGH = torch.tensor([item.high for item in PARAMETERS], dtype=torch.float64)


@dataclass(frozen=True)
class Historical:
    """What the wiring came to."""

    loss: Tensor
    """Squared error of each parameter."""
    written: Tensor
    """The thirteen numbers that it put out in the end."""
    mean: Tensor
    std: Tensor
    """Statistics of the physical targets."""

    @property
    def results(self) -> dict[str, object]:
        """Return it as an evaluation tells the doctor."""
        return {
            "tables": [
                {
                    "name": "parameters",
                    "rows": [
                        {
                            "name": item.name,
                            "unit": item.unit or "Q",
                            "low": item.low,
                            "high": item.high,
                            "least": float(self.written[place]),
                            "greatest": float(self.written[place]),
                            "target_mean": float(self.mean[place]),
                            "target_std": float(self.std[place]),
                            "loss": float(self.loss[place]) / len(PARAMETERS),
                        }
                        for place, item in enumerate(PARAMETERS)
                    ],
                }
            ]
        }


class PhysicalHead(nn.Module):
    """A decoder that knows nothing but one answer, bounded by the physical ranges."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(len(PARAMETERS), dtype=torch.float64))

    def forward(self) -> Tensor:
        return LOW + (HIGH - LOW) * self.logits.sigmoid()


def statistics() -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of the thirteen parameters."""
    mean = torch.zeros(len(PARAMETERS), dtype=torch.float64)
    std = torch.full_like(mean, 5.0)
    mean[list(places_of("frequency"))] = torch.tensor(MEAN_HZ, dtype=torch.float64)
    std[list(places_of("frequency"))] = torch.tensor(STD_HZ, dtype=torch.float64)
    mean[list(places_of("quality"))], std[list(places_of("quality"))] = 1.0, 0.9
    return mean, std


def train_historical(steps: int = 200) -> Historical:
    """Train the wiring to its floor, and denormalise what it writes."""
    mean, std = statistics()
    random = torch.Generator().manual_seed(0)
    z = torch.randn(SETTINGS, len(PARAMETERS), generator=random, dtype=torch.float64)
    z = (z - z.mean(dim=0)) / z.std(dim=0, correction=0)
    head = PhysicalHead()
    optimizer = torch.optim.Rprop(head.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        (head() - z).square().mean().backward()
        optimizer.step()
    with torch.no_grad():
        answer = head()
        return Historical((answer - z).square().mean(dim=0), answer * std + mean, mean, std)
