"""A closed form on trial: solved without what validates, and counted as much as that speaks for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.data.studies.dataset import StudyDataset
from cinelex.metrics.retrieval import rank_both_ways
from cinelex.models.closed_form import ClosedForm, Solution, both
from cinelex.models.study_model import StudyModel
from cinelex.projects.studies.encoding import encode_reports, encode_studies
from cinelex.projects.studies.floors import Texts

SHARES = (1.0, 0.75, 0.5, 0.25)
"""What it may count, from it alone on; of equally good ones the first is taken."""
MRR = "retrieval/mrr"
"""Mean reciprocal rank, the mean of both directions, at the share that is best."""

Rows = Float[Tensor, "study dim"]


@dataclass(frozen=True)
class Trial:
    """What a project knows of the closed form of the model that it trains."""

    form: ClosedForm | None = None
    """Of that model; None where it has none."""
    without: Solution | None = None
    """How it is solved without the studies that were taken from it to validate; None where none
    were."""
    again: Callable[[Any], tuple[Solution, Solution | None]] | None = None
    """Solves it with and without them on what a model's towers make now; None where they stand
    still."""

    @contextmanager
    def of(self, model: StudyModel) -> Iterator[None]:
        """Let a model, or a copy of it, know nothing of what validates."""
        form, without = model.closed_form, self.without
        if form is None:
            yield
            return
        if self.again is not None:
            every, without = self.again(model)
            for one in filter(None, (form, self.form)):
                one.set(*every)
        with form.solved_as(without):
            yield

    def choose(
        self, model: StudyModel, rows: Callable[[], Rows], score: Callable[[Rows], float]
    ) -> Mapping[str, float]:
        """Let the closed form count what finds held-out studies best; return what was found.

        The closed form alone is among the candidates, so that what is trained beside it never
        makes the held-out score worse.

        Args:
            model: What is looked at, in evaluation mode: the trained model, or a copy of it.
            rows: Returns the unit rows of held-out studies as the model now makes them.
            score: Of such rows; the higher the better.
        """
        form = model.closed_form
        if form is None:
            return {}
        shares = SHARES if form.chosen else (float(form.share),)
        with form.counting(0.0):
            own = rows()
        with form.counting(1.0):
            found = rows()
        scores = {share: score(both(own, found, share)) for share in (*shares, 1.0)}
        best = max(shares, key=lambda share: scores[share])
        with torch.no_grad():
            for one in filter(None, (form, self.form)):
                one.share.fill_(best)
        return {"closed_form/share": best, MRR: scores[best], f"{MRR}/closed_form": scores[1.0]}


def own_texts(dataset: StudyDataset) -> list[Texts]:
    """Return the tokens of the one text that each study has."""
    return [(tokens,) for tokens in dataset.token_ids]


def chosen_share(
    trial: Trial, model: StudyModel, dataset: StudyDataset, *, batch: int
) -> Mapping[str, float]:
    """Let a closed form count what finds these studies and their reports best; see `Trial`."""
    reports = encode_reports(model, dataset, batch=batch)
    own = torch.from_numpy(dataset.report_groups)

    def score(rows: Float[Tensor, "study dim"]) -> float:
        rankings = rank_both_ways(rows, reports, own).values()
        return fmean(float((1 / one.best).mean()) for one in rankings)

    return trial.choose(model, lambda: encode_studies(model, dataset, batch=batch), score)
