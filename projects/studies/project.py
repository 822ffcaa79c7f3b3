"""What all projects of clips with texts share: how samples are read, augmented and named."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike
from torch import Tensor, nn

from cinelex.config.schedule import value_at
from cinelex.config.schema import RunConfig, Schedule
from cinelex.data.batch import Batch
from cinelex.data.loader import Samples, train_batches
from cinelex.data.sampler import StudySampler
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.text.terms import terms_of
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.data.video.transforms import Augmentation, augment, to_float
from cinelex.models.study_model import StudyModel
from cinelex.models.terms_and_sentences import TermsAndSentences
from cinelex.models.tfidf_text import TfidfText
from cinelex.projects.interface.project import Project
from cinelex.projects.studies.blind import Blind
from cinelex.projects.studies.captions import Written, search_of, write_choices
from cinelex.projects.studies.fitting import fitted
from cinelex.projects.studies.trial import Trial


@runtime_checkable
class ClipTextData(Protocol):
    """What a run reads, as far as these methods go."""

    @property
    def train(self) -> Samples:
        """The training samples."""

    @property
    def sampler(self) -> StudySampler:
        """Their order."""

    @property
    def tokenizer(self) -> Tokenizer:
        """From texts to tokens."""

    @property
    def hash(self) -> str:
        """Of everything that is read."""


DataT = TypeVar("DataT", bound=ClipTextData)
StudyModelT = TypeVar("StudyModelT", bound=StudyModel)


class ClipTextProject(Project[Batch, StudyModelT], Generic[DataT, StudyModelT]):
    """A project whose samples are clips and a text; what is learned from them, it adds."""

    def __init__(self, config: RunConfig, data: DataT) -> None:
        """Keep what is read.

        Args:
            config: The run.
            data: Its samples and its tokenizer.
        """
        self.config, self.data = fitted(config, studies=len(data.train)), data
        self.trial = Trial()
        self.augmentation = Augmentation(**config.data.augmentation.model_dump())

    def fit_text(self, model: StudyModelT, texts: Iterable[ArrayLike]) -> None:
        """Fit a text encoder that counts to the training reports; others learn as they train.

        Args:
            model: A fresh one.
            texts: Tokens of each training report.
        """
        if isinstance(model.text_encoder, TfidfText | TermsAndSentences):
            model.text_encoder.fit(list(texts), terms_of(self.data.tokenizer))

    def batches(self, start_step: int) -> Iterator[Batch]:
        """Yield this rank's training batches without end, beginning with that of ``start_step``."""
        return train_batches(
            self.data.train,
            self.data.sampler,
            start_step=start_step,
            workers=self.config.data.workers,
            groups=self.config.tokenizer.buckets,
        )

    def pixels(
        self, model: nn.Module, batch: Batch
    ) -> Float[Tensor, "clip channel frame row column"]:
        """Return the normalized clips of a batch, augmented while ``model`` trains."""
        pixels = to_float(batch.clips)
        return augment(pixels, batch.keys, self.augmentation) if model.training else pixels

    def attention_mask(self, batch: Batch) -> Bool[Tensor, "text token"]:
        """Return which tokens of a batch are no padding."""
        return batch.token_ids != self.data.tokenizer.pad_id

    def identities(self, batch: Batch) -> Sequence[str]:
        """Return the ids of the samples."""
        return batch.study_ids

    def counts(self, batch: Batch) -> Mapping[str, int]:
        """Return how many clips a batch has, and tokens that are no padding."""
        return {"clips": len(batch.owner), "tokens": int(self.attention_mask(batch).sum())}

    @torch.no_grad()
    def prepare_step(self, model: StudyModelT, step: int) -> Mapping[str, Tensor | float]:
        """Set a scheduled temperature; return the temperature of this step."""
        config = self.config
        if isinstance(config.temperature, Schedule):
            model.temperature.set(value_at(config.temperature, step=step, steps=config.steps))
        return {"temperature": model.temperature().detach()}

    def write(
        self, model: StudyModelT, dataset: StudyDataset | Blind, *, beside: bool = False
    ) -> Written | None:
        """Return captions of studies; None where the model has no decoder.

        Args:
            model: The trained module, in evaluation mode.
            dataset: The studies.
            beside: Also write what captions are to be compared with.
        """
        if model.caption_decoder is None:
            return None
        settings = self.config.evaluation
        most, search = settings.max_new_tokens, search_of(self.config)
        choices = write_choices(
            model, dataset, batch=settings.batch, max_tokens=most, search=search
        )
        others = [rest for _, *rest in choices] if search.n_best > 1 else ()
        return Written([best for best, *_ in choices], others=others)

    def columns(self, model: StudyModelT, dataset: StudyDataset) -> Mapping[str, Sequence[Any]]:
        """Return what else the model finds in studies, by the name of a column."""
        return {}

    def data_hash(self) -> str:
        """Return the hash of everything that the run reads."""
        return self.data.hash
