"""The views of clips as a task of the project: what attention over clips reads is taught them."""

from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.config.schedule import active_weights
from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.data.batch import Batch
from cinelex.losses.views import Views
from cinelex.models.aggregators import ViewAttentionAggregator
from cinelex.models.video_text import VideoText
from cinelex.models.video_text_outputs import VideoTextOutputs
from cinelex.models.views import check_views
from cinelex.projects.studies.data import StudyData

VIEWS = "views"


class ViewTask:
    """Asks the attention over clips which view each shows, and says what its shares alone cost."""

    def __init__(self, data: StudyData, model: VideoText) -> None:
        """Keep what is read.

        Args:
            data: Its studies.
            model: Whose aggregator reads views.

        Raises:
            UserError: No video names a view, or there are more views than the aggregator tells
                apart.
        """
        assert isinstance(model.aggregator, ViewAttentionAggregator)
        self.data, self.loss, self.count = data, Views(), model.aggregator.views
        check_views(
            self.count,
            len(data.train.views),
            key="model.aggregator.options.views",
            asked_by=f"loss_weights.{VIEWS}",
        )

    def term(self, out: VideoTextOutputs, batch: Batch) -> Float[Tensor, ""]:
        """Return the loss of a batch."""
        assert out.views is not None
        assert batch.views is not None
        return self.loss(out.views, batch.views)

    def chance(self, batch: Batch) -> float:
        """Return what knowing nothing but the views' shares in training costs on a batch."""
        assert batch.views is not None
        logits = self._shares.log().to(batch.views.device)
        return float(self.loss(logits.expand(len(batch.views), -1), batch.views))

    @cached_property
    def _shares(self) -> Float[Tensor, " view"]:
        train = self.data.train
        counts = train.studies.view_counts()
        shown = torch.zeros(self.count)
        shown[: len(train.views)] = torch.tensor([float(counts[name]) for name in train.views])
        return shown / shown.sum()


def view_task_of(config: RunConfig, data: StudyData, model: VideoText) -> ViewTask | None:
    """Return the task; None where it has no weight.

    Raises:
        UserError: The data do not fit what the model is told of views, or asked of them.
    """
    check_views(config.model.views.count, len(data.train.views), key="model.views.count")
    check_view_attention(config, model)
    return ViewTask(data, model) if VIEWS in active_weights(config) else None


def check_view_attention(config: RunConfig, model: VideoText) -> None:
    """Refuse to ask for views what does not read them, or is told them.

    Raises:
        UserError: Names the keys.
    """
    if VIEWS not in active_weights(config):
        return
    reads = isinstance(model.aggregator, ViewAttentionAggregator)
    if not reads or config.model.aggregate != "clips":
        raise UserError(
            f"loss_weights.{VIEWS}: nothing here reads the view of a clip; set "
            "model.aggregator.name=view_attention and model.aggregate=clips, or the weight to 0"
        )
    if model.view_embedding is not None:
        raise UserError(
            f"loss_weights.{VIEWS}: clips that are told their view (model.views) teach nothing of "
            "it; set model.views.count=0 and model.views.angles=false, or the weight to 0"
        )
