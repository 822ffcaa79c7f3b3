"""Defects that rules of the second list name, but for those of tables of predictions."""

from pathlib import Path

from benchmarks.defect_code import patched, terms
from benchmarks.defect_models import blind_decoder
from benchmarks.doctor_document import Defect
from benchmarks.doctor_settings import FEW_STUDIES
from benchmarks.second_code import (
    DeadBranch,
    by_severity,
    each_frame_twice,
    initialised_last,
    keeping_everything,
    late_arrivals,
    normalised_twice,
    one_number,
    paces,
    screens,
    shown,
    shown_smaller,
    site_of_split,
    stalling,
    told,
    tower,
)
from benchmarks.training_defects import MASKED, MATCHING
from cinelex.data.video.videos import StoredVideos
from cinelex.models import embedding

PRISM = Path(__file__).parents[1] / "tests" / "models" / "tiny_transformers"
"""A pretrained tower of a few kilobytes, for 4 frames of 16 x 16 pixels."""
OWN_SIZE = ("data.size=16",)


def pretrained(options: str = "") -> tuple[str, ...]:
    """Return the overrides of a run with that tower, which cannot leave tokens out."""
    given = f"{{pretrained: {PRISM}{options}}}"
    return (
        f"model.video_encoder={{name: transformers, options: {given}}}",
        "loss_weights.masked_modeling=0",
    )


SECOND_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "pixels normalised twice",
        "",
        "N3",
        "fresh",
        overrides=(*pretrained(), *OWN_SIZE),
        code=tower(normalised_twice),
        says="standard deviations away",
    ),
    Defect(
        "mean and deviation of another tower",
        "",
        "N3",
        "fresh",
        overrides=(*pretrained(", mean: [0.1], std: [0.1]"), *OWN_SIZE),
        code=shown_smaller,
        says="standard deviations away",
    ),
    Defect(
        "weights initialised behind those of the checkpoint",
        "",
        "N4",
        "fresh",
        overrides=(*pretrained(), *OWN_SIZE),
        code=tower(initialised_last),
        says="tensors",
    ),
    Defect(
        "a rate reached by repeating frames",
        "",
        "N5",
        "fresh",
        code=shown(each_frame_twice),
        says="repeat the frame before",
    ),
    Defect(
        "clips of so many frames from machines of two rates",
        "",
        "N5",
        "fresh",
        code=patched(StoredVideos, "times_ms", paces),
        says="times as long",
    ),
    Defect(
        "a captioner that knows the texts alone",
        "20",
        "N7",
        "small",
        overrides=("loss_weights.facts=0",),  # heads on facts would tell it what they see
        code=blind_decoder,
        says="with blank video",
    ),
    Defect(
        "brightness by label: a machine for the sick",
        "",
        "N8",
        "small",
        overrides=("data.synthetic.seed=7",),
        code=by_severity,
        says="metadata alone",
    ),
    Defect(
        "screens of machines beside the beam",
        "",
        "N9",
        "fresh",
        overrides=("data.size=64",),
        code=shown(screens),
        says="outside the beam",
    ),
    Defect(
        "a test split from another site",
        "",
        "N10",
        "fresh",
        code=told(site_of_split),
        says="differ from those",
    ),
    Defect(
        "a split by time that studies came into late",
        "",
        "N10",
        "fresh",
        code=told(late_arrivals),
        says="mostly come after",
    ),
    Defect(
        "teacher that is its student",
        "8",
        "N13",
        "short",
        overrides=("masked_modeling.target=latent", "masked_modeling.ema={start: 0, end: 0}"),
        says="to the last bit",
    ),
    Defect(
        "a checkpoint of another grid",
        "",
        "N14",
        "fresh",
        overrides=pretrained(),
        says="tokens",
    ),
    Defect(
        "trained on beyond its best validation",
        "",
        "N15",
        "small",
        overrides=(*FEW_STUDIES, *MATCHING, "validate_every=10"),
        says="was best at step",
    ),
    Defect(
        "branch whose units are off",
        "",
        "N16",
        "short",
        overrides=(*MATCHING, "optimizer.weight_decay=0"),
        code=patched(embedding, "embedding_head", DeadBranch),
        says="did not change at all",
    ),
    Defect(
        "rate times decay above 1: weights turn round",
        "",
        "N16",
        "short",
        overrides=(
            *MATCHING,
            "optimizer.weight_decay=1.9",
            "optimizer.learning_rate=1",
            "optimizer.final_learning_rate=1",
        ),
        says="A step changes",
    ),
    Defect(
        "losses kept with their graph",
        "",
        "N17",
        "short",
        overrides=(*MATCHING, "log_every=1"),
        code=terms(keeping_everything()),
        says="Memory grew",
    ),
    Defect(
        "a disk that stalls",
        "",
        "N17",
        "short",
        overrides=(*MATCHING, "probe_every=0"),
        code=stalling,
        says="more than 5 times",
    ),
    Defect(
        "every number the same token",
        "",
        "N19",
        "small",
        overrides=(*MATCHING, "tokenizer.vocab_size=1001"),
        code=one_number,
        says="nearer to their report",
    ),
    Defect(
        "a learning rate at which nothing is learned",
        "",
        "N21",
        "small",
        overrides=(
            *MATCHING,
            "optimizer.learning_rate=1e-6",
            "optimizer.final_learning_rate=1e-6",
        ),
        says="beats the trained model",
    ),
)
"""In the order of their rules."""
SECOND_CONTROLS: tuple[Defect, ...] = (
    Defect(
        "no defect, pretrained tower",
        "",
        "",
        "fresh",
        overrides=(*pretrained(), *OWN_SIZE),
        code=shown_smaller,
    ),
    Defect(
        "no defect, latents of a teacher",
        "",
        "",
        "short",
        overrides=(*MASKED, "masked_modeling.target=latent"),
    ),
)
"""What has a defect above and stands under none of the first list, without it."""
