"""Who says how alike two image-caption pairs are, as modules that travel with the trained one."""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file
from torch import Tensor

from cinelex.config.load import load_config
from cinelex.config.schema import AffinityConfig
from cinelex.core.errors import UserError
from cinelex.core.files import hash_file
from cinelex.data.batch import Batch
from cinelex.data.text.saved import load_tokenizer
from cinelex.losses.affinity import label_affinity, mixed_affinity
from cinelex.models.tfidf import TfidfRows
from cinelex.models.video_text import VideoText, VideoTextOutputs
from cinelex.projects.clipse.data import ClipseData
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
def follow(teacher: Teacher, student: VideoText, *, momentum: float) -> None:
    """Move the teacher's weights towards the student's: t <- momentum t + (1 - momentum) s."""
    current = dict(student.named_parameters())
    for name, weight in teacher.named_parameters():
        weight.lerp_(current[name].detach(), 1 - momentum)
    buffers = dict(student.named_buffers())
    for name, value in teacher.named_buffers():
        value.copy_(buffers[name])


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
) -> Float[Tensor, "everyone everyone"] | None:
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


def _trained(run: Path, data: ClipseData, folder: Path) -> VideoText:
    """Return the newest weights of a trained run.

    Raises:
        UserError: It has none, or another tokenizer.
    """
    steps = sorted(run.glob("checkpoints/step-*"), key=lambda path: int(path.name[5:]))
    if not steps or not (run / "config.yaml").exists():
        raise UserError(f"clipse.affinity.run: no trained run at {run}; train it first")
    for file in sorted((folder / "tokenizer").iterdir()):
        other = run / "tokenizer" / file.name
        if not other.exists() or hash_file(other) != hash_file(file):
            raise UserError(
                f"clipse.affinity.run: {run} has other tokens than this run; a teacher must be "
                "trained on the same captions"
            )
    config = load_config(run / "config.yaml")
    model = build_video_text(config, load_tokenizer(run / "tokenizer"))
    weights = load_file(steps[-1] / "model.safetensors")
    own = {name: value for name, value in weights.items() if not name.startswith("companions.")}
    model.load_state_dict(own)
    return model
