"""Captioned images whose pixels are in the store, ready to be sampled."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int64

from cinelex.core.errors import UserError
from cinelex.core.randomness import keyed_seed
from cinelex.data.batch import Sample
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

    def __len__(self) -> int:
        return len(self.images)

    def sample(self, index: int, *, epoch: int | None) -> Sample:
        """Return one image as training sees it in an epoch, or as evaluation does (None)."""
        image, captions = self.images[index], self.captions[index]
        key = keyed_seed(self.seed, "evaluation" if epoch is None else epoch, image.id)
        choice = 0 if epoch is None else keyed_seed(self.seed, epoch, image.id, "caption")
        draw = None if epoch is None else (key >> 10) / 2**53
        clip = self.store.clip(image.path, ONE_FRAME, draw=draw)
        return Sample(
            study_id=image.id,
            clips=torch.from_numpy(clip[None]),
            token_ids=torch.from_numpy(captions[choice % len(captions)]),
            report_group=int(self.labels[index]),
            patient_group=index,
            keys=torch.tensor([key]),
        )

    def caption_owners(self) -> Int64[np.ndarray, " caption"]:
        """Return the image of each caption of the split, in order."""
        return np.repeat(np.arange(len(self)), [len(texts) for texts in self.captions])
