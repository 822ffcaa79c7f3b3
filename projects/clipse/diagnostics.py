"""What the doctor wants to know of captioned images before the first step: numbers only."""

from collections import Counter
from typing import Any

from cinelex.data.images.dataset import ONE_FRAME
from cinelex.data.studies.studies import numbered
from cinelex.metrics.failure_nulls import same_report_in_batch
from cinelex.projects.clipse.data import ClipseData, all_captions
from cinelex.projects.studies.sample_diagnostics import (
    leaked_videos,
    order_diagnostics,
    report_diagnostics,
    text_diagnostics,
    video_diagnostics,
)


def clipse_diagnostics(data: ClipseData, *, batch: int) -> dict[str, Any]:
    """Return the facts of a run's images, captions and labels, by name.

    An image's report is the first of its captions. ``data/same_label_in_batch``: other images of a
    random batch with an image's label, on average; plain InfoNCE has as many false negatives a row.

    Args:
        data: The images.
        batch: Images of the global batch.
    """
    train = data.train
    splits = [split for split in (data.validation, data.test) if split is not None]
    owned = [(index, image.path) for index, image in enumerate(train.images)]
    tested = [[image.path] for split in splits for image in split.images]
    first = numbered(" ".join(image.captions[0].split()) for image in train.images)
    labels = list(Counter(train.labels.tolist()).values())
    return {
        **report_diagnostics(first, batch=batch),
        "data/same_label_in_batch": same_report_in_batch(labels, batch=min(batch, len(train))),
        **leaked_videos(train.store, [path for _, path in owned], tested),
        **video_diagnostics(train.store, owned, sampling=ONE_FRAME),
        **text_diagnostics(train, data.sampler, all_captions(train.images), data.tokenizer),
        **order_diagnostics(data.sampler, samples=len(train)),
    }
