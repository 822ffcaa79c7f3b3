"""Who says how alike two image-caption pairs are, as modules that travel with the trained one."""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.config.load import load_config
from cinelex.config.schema import AffinityConfig
from cinelex.core.checkpoint import Checkpoint, newest, steps_saved
from cinelex.core.distributed import is_main
from cinelex.core.errors import UserError, about
from cinelex.core.files import hash_file, write_whole
from cinelex.core.weights import load_weights
from cinelex.data.batch import Batch
from cinelex.data.text.saved import load_tokenizer
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.losses.affinity import Affinity, label_affinity, mixed_affinity
from cinelex.models.tfidf import TfidfRows
from cinelex.models.video_text import VideoText
from cinelex.models.video_text_outputs import VideoTextOutputs
from cinelex.projects.clipse.data import ClipseData
from cinelex.projects.interface.towers import keep_towers, read_towers
from cinelex.projects.studies.parts import build_video_text

Teacher = TfidfRows | VideoText
Pixels = Float[Tensor, "clip channel frame row column"]


@dataclass(frozen=True)
class Taught:
    """Unit rows of a teacher, without gradient; None where it is not asked."""

    study: Float[Tensor, "study dim"] | None
    report: Float[Tensor, "study width"] | None


def build_teacher(
    affinity: AffinityConfig, data: ClipseData, student: VideoText, *, folder: Path
) -> Teacher | None:
    """Return the teacher that the config names, without trainable parameters.

    Args:
        affinity: Who it is.
        data: The images of the run, for a teacher made of their tokens.
        student: The fresh model, for a teacher that follows it.
        folder: The run's folder; a trained run must use the same tokenizer.

    Raises:
        UserError: There is no such run, or it reads other tokens.
    """
    if affinity.source == "tfidf":
        texts = (token_ids.tolist() for captions in data.train.captions for token_ids in captions)
        return TfidfRows(texts, vocab=data.tokenizer.vocab_size)
    if affinity.source == "ema":
        return copy.deepcopy(student).requires_grad_(False).eval()
    if affinity.run is not None:  # which belongs to source: run
        return _trained(affinity.run, data, folder).requires_grad_(False).eval()
    return None


@torch.no_grad()
def ask(
    teacher: Teacher | None, batch: Batch, pixels: Pixels, *, alpha: float, pad_id: int
) -> Taught:
    """Return what the teacher makes of this rank's images and captions.

    Args:
        teacher: What `build_teacher` made; None knows nothing.
        batch: This rank's share.
        pixels: What the student sees of it.
        alpha: Share of the captions; where it is 1, the images are not encoded.
        pad_id: The tokenizer's padding.
    """
    attention_mask = batch.token_ids != pad_id
    if teacher is None:
        return Taught(None, None)
    if isinstance(teacher, TfidfRows):
        return Taught(None, teacher(batch.token_ids, attention_mask))
    teacher.eval()  # the student's train() reaches its companions
    report = teacher.encode_report(batch.token_ids, attention_mask).report
    if alpha == 1.0:
        return Taught(None, report)
    return Taught(teacher.encode_study(pixels, batch.owner, studies=batch.studies).study, report)


def affinity_of(
    affinity: AffinityConfig, taught: Taught, out: VideoTextOutputs, label: Int[Tensor, " study"]
) -> Affinity | None:
    """Return how alike all pairs of the global batch are; None where the config asks nobody.

    Args:
        affinity: Who is asked.
        taught: What the teacher says.
        out: What the student says.
        label: Equal numbers mean the same thing seen twice.
    """
    if affinity.source == "labels":
        return label_affinity(label)
    if affinity.source == "student":
        return mixed_affinity(out.study, out.report, alpha=affinity.alpha)
    if taught.report is None:
        return None
    return mixed_affinity(taught.study, taught.report, alpha=affinity.alpha)


def trained_teacher(run: Path) -> Checkpoint:
    """Return the newest checkpoint of the run that teaches, its hashes checked.

    Raises:
        UserError: It has none, or a damaged one.
    """
    with about("clipse.affinity.run"):
        found = newest(run / "checkpoints", strict=True)
        if found is None or not (run / "config.yaml").exists():
            raise UserError(f"no trained run at {run}; train it first")
    return found


def _trained(run: Path, data: ClipseData, folder: Path) -> VideoText:
    """Return a trained run's weights, averaged ones where it kept an average.

    What a run keeps of its teacher is enough to build it again; its weights then come with the
    student's checkpoint.

    Raises:
        UserError: There is no such run, or it has another tokenizer.
    """
    kept = folder / "teacher"
    if steps_saved(folder / "checkpoints") and (kept / "config.yaml").exists():
        return _bare(kept, data.tokenizer)
    found = trained_teacher(run)
    for file in sorted((folder / "tokenizer").iterdir()):
        other = run / "tokenizer" / file.name
        if not other.exists() or hash_file(other) != hash_file(file):
            raise UserError(
                f"clipse.affinity.run: {run} has other tokens than this run; a teacher must be "
                "trained on the same captions"
            )
    model = _bare(run, load_tokenizer(run / "tokenizer"))
    load_weights(found, model, but=("companions",))
    if is_main():
        write_whole(kept / "config.yaml", (run / "config.yaml").read_bytes())
        keep_towers(kept, model)
    return model


def _bare(run: Path, tokenizer: Tokenizer) -> VideoText:
    """Return the model of a run without its weights."""
    with about("clipse.affinity.run"):
        config = load_config(run / "config.yaml")
        return build_video_text(config, tokenizer, read_towers(run))
