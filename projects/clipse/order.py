"""In which order training sees its images."""

from cinelex.config.schema import RunConfig
from cinelex.data.images.dataset import CaptionedImages
from cinelex.data.orders import ClassBalanced, Stratified, Topical
from cinelex.data.sampler import StudySampler
from cinelex.data.text.topics import topics


def sampler_of(config: RunConfig, train: CaptionedImages) -> StudySampler:
    """Return the order of the training images that the config names."""
    size, seed, kind = len(train), config.seed, config.clipse.sampler
    batch = min(config.batch, size)
    if kind == "random":
        return StudySampler(studies=size, batch=batch, seed=seed)
    if kind == "class_balanced":
        balanced = ClassBalanced(train.labels, batch)
        return StudySampler(
            studies=size, batch=batch, seed=seed, arrange=balanced, steps_per_epoch=balanced.steps()
        )
    texts = [" ".join(image.captions) for image in train.images]
    groups = topics(texts, count=min(config.clipse.topics, size), seed=seed)
    arrange = (Topical if kind == "topical" else Stratified)(groups, batch)
    return StudySampler(studies=size, batch=batch, seed=seed, arrange=arrange)
