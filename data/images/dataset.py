"""Captioned images whose pixels are in the store, ready to be sampled."""

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int, Int64
from torch import Tensor

from cinelex.core.errors import UserError
from cinelex.core.randomness import keyed_seed
from cinelex.data.batch import Sample
from cinelex.data.features.clips import clips_of, distinct
from cinelex.data.features.store import FeatureStore, text_key
from cinelex.data.images.captioned import CaptionedImage
from cinelex.data.studies.studies import numbered
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.data.video.sampling import Sampling
from cinelex.data.video.videos import StoredVideos

ONE_FRAME = Sampling(frames=1)


class CaptionedImages:
    """The images of one split, each a study of one video of one frame.

    Training draws one caption of an image for each epoch, from the key (seed, epoch, image), and
    for a video instead of an image also the frame; evaluation takes the first caption and the
    middle frame. A sample's ``report_group`` numbers the labels: images that share one are the
    same thing seen twice.
    """

    def __init__(
        self,
        images: Sequence[CaptionedImage],
        store: StoredVideos,
        tokenizer: Tokenizer,
        *,
        seed: int,
    ) -> None:
        """Encode all captions and number the labels.

        Raises:
            UserError: There is no image, or one is not in the store or has no caption.
        """
        if not images:
            raise UserError("the split has no image; check the split files")
        absent = sum(image.path not in store for image in images)
        if absent:
            raise UserError(f"{absent} images are not in the store; drop them first")
        bare = sum(not image.captions for image in images)
        if bare:
            raise UserError(f"{bare} images have no caption; check the caption file")
        self.images = list(images)
        self.store, self.tokenizer, self.seed = store, tokenizer, seed
        self.captions = [
            [np.array(tokenizer.encode(text)) for text in image.captions] for image in images
        ]
        self.labels: Int64[np.ndarray, " image"] = numbered(
            image.label or f"\0{image.id}" for image in images
        )
        self.patient_groups: Int64[np.ndarray, " image"] = numbered(
            image.patient or f"\0{image.id}" for image in images
        )
        """A number for each patient."""
        self.kept_clips: FeatureStore | None = None
        """What a frozen image tower made of every image."""
        self.pixels_evaluated = False
        """Whether evaluation reads pixels even where features are kept."""
        self.kept_texts: FeatureStore | None = None
        """What a frozen text tower made of every caption."""

    def __len__(self) -> int:
        return len(self.images)

    def sample(self, index: int, *, epoch: int | None) -> Sample:
        """Return one image as training sees it in an epoch, or as evaluation does (None)."""
        image, captions = self.images[index], self.captions[index]
        key = keyed_seed(self.seed, "evaluation" if epoch is None else epoch, image.id)
        choice = 0 if epoch is None else keyed_seed(self.seed, epoch, image.id, "caption")
        draw = None if epoch is None else ONE_FRAME.training_draw(key)
        token_ids = torch.from_numpy(captions[choice % len(captions)])
        return Sample(
            study_id=image.id,
            **clips_of(
                self.store,
                ONE_FRAME,
                [(image.path, draw)],
                kept=self.kept_clips,
                pixels=self.pixels_evaluated and epoch is None,
            ),
            token_ids=token_ids,
            text_features=self.kept_texts.read(text_key(token_ids)) if self.kept_texts else None,
            report_group=int(self.labels[index]),
            patient_group=index,
            keys=torch.tensor([key]),
        )

    def of_pixels(self) -> "CaptionedImages":
        """Return the same images with their pixels, whatever is kept of frozen towers."""
        plain = copy.copy(self)
        plain.kept_clips = plain.kept_texts = None
        return plain

    def texts(self) -> Iterator[Int[Tensor, " token"]]:
        """Yield the tokens of every caption."""
        return (torch.from_numpy(text) for captions in self.captions for text in captions)

    def cuts(self, *, training: bool) -> Iterator[tuple[Path, list[list[int]] | None]]:
        """Yield every image, or video, with the frames that may be asked for."""
        for image in self.images:
            found = self.store.possible(image.path, ONE_FRAME) if training else []
            seen = self.store.indices(image.path, ONE_FRAME, draw=None)
            yield image.path, None if found is None else distinct([*found, seen])

    def caption_owners(self) -> Int64[np.ndarray, " caption"]:
        """Return the image of each caption of the split, in order."""
        return np.repeat(np.arange(len(self)), [len(texts) for texts in self.captions])
