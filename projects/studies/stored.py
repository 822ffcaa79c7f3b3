"""How a run's frames are kept, and where cines are that were prepared."""

import pyarrow.compute as pc

from cinelex.config.schema import DataConfig
from cinelex.data.studies.manifest import Manifest
from cinelex.data.video.decode import Limits
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.ingest import IngestSettings
from cinelex.data.video.resize import Shape
from cinelex.data.video.sampling import Sampling
from cinelex.data.video.wanted import STORED


def ingest_settings(config: DataConfig, *, stored_frames: int | None) -> IngestSettings:
    """Return how the frames are to look."""
    return IngestSettings(
        shape=Shape(size=config.size, channels=config.channels),
        stored_frames=stored_frames,
        backend=config.decoder,
        device=config.decoder_device,
        limits=Limits(**config.limits.model_dump()),
        compression=config.compression,
    )


def prepared(config: DataConfig, manifest: Manifest) -> FrameStore | None:
    """Return the store of the cines that a manifest names by their keys; None if it names none."""
    if not pc.any(pc.starts_with(manifest.studies.video_names, STORED)).as_py():
        return None
    return FrameStore(
        config.store or manifest.path.parent / "store",
        kept=config.cache / "remote",
        most_bytes=int(config.store_kept_gb * 1e9),
    )


def sampling_of(config: DataConfig) -> Sampling:
    """Return how clips are cut."""
    cut = config.sampling
    return Sampling(
        frames=config.frames,
        seconds=cut.seconds,
        train_clips=cut.train_clips,
        evaluation_clips=cut.evaluation_clips,
        draws=cut.draws,
    )
