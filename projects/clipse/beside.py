"""How test images are found by closed forms, by metadata, and where nothing is to be seen."""

from collections.abc import Mapping
from statistics import fmean

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.config.schema import RunConfig
from cinelex.data.images.dataset import CaptionedImages
from cinelex.metrics.image_retrieval import Outcomes, rank_images_and_captions
from cinelex.models.video_text import VideoText
from cinelex.projects.clipse.results import EncodedImages
from cinelex.projects.studies.blind import blinded
from cinelex.projects.studies.encoding import encode_studies, encode_texts
from cinelex.projects.studies.floors import floor_rows
from cinelex.projects.studies.metadata import Metadata, metadata_of
from cinelex.projects.studies.trial import Trial


def floor_outcomes(
    model: VideoText,
    train: CaptionedImages,
    test: CaptionedImages,
    owner: Int[Tensor, " caption"],
    *,
    metadata: bool,
    batch: int,
    seed: int,
) -> dict[str, Outcomes]:
    """Return how a closed form ranks the test images and their captions, both ways."""
    gallery = [text for captions in test.captions for text in captions]
    told = (image_metadata(train, test), image_metadata(test, train)) if metadata else None
    found = floor_rows(
        model, train, train.captions, test, gallery, metadata=told, batch=batch, seed=seed
    )
    return {
        name: rank_images_and_captions(rows.study, rows.text, owner) for name, rows in found.items()
    }


def chosen_share(
    trial: Trial, model: VideoText, dataset: CaptionedImages, *, batch: int
) -> Mapping[str, float]:
    """Let a closed form count what finds these images and captions best; see `Trial`."""
    texts, owner = list(dataset.texts()), torch.from_numpy(dataset.caption_owners())
    pad_id, kept = dataset.tokenizer.pad_id, dataset.kept_texts
    captions = encode_texts(model, texts, pad_id=pad_id, kept=kept, batch=batch)

    def score(rows: Float[Tensor, "image dim"]) -> float:
        rankings = rank_images_and_captions(rows, captions, owner).rankings.values()
        return fmean(float((1 / one.best).mean()) for one in rankings)

    return trial.choose(model, lambda: encode_studies(model, dataset, batch=batch), score)


def image_metadata(dataset: CaptionedImages, other: CaptionedImages) -> Metadata:
    """Return what is known of images without looking; their order is that of the files' names."""
    names = sorted(image.path.as_posix() for image in (*dataset.images, *other.images))
    place = {name: number for number, name in enumerate(names)}
    videos = [[image.path] for image in dataset.images]
    order = [place[image.path.as_posix()] for image in dataset.images]
    return metadata_of(dataset.store, videos, order, {})


def blind_outcomes(
    config: RunConfig, model: VideoText, test: CaptionedImages, encoded: EncodedImages
) -> dict[str, Outcomes]:
    """Return how the test images are found when there is nothing to see in them."""
    settings = config.evaluation
    unseen = blinded(settings, test, frames=1, seed=config.seed)
    return {
        name: rank_images_and_captions(
            encode_studies(model, some, batch=settings.batch), encoded.caption, encoded.owner
        )
        for name, some in unseen.items()
    }
