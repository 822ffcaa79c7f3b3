"""Defects that show before the first step, or in a step or two."""

import torch

from benchmarks.defect_code import (
    denormalised_twice,
    evaluated,
    from_strings,
    in_physical_units,
    micro_batches_alone,
    order_restarts,
    patched,
    random_frames,
    same_order,
    shared_gradient_each_time,
    terms,
    without_head,
    zero_videos,
)
from benchmarks.defect_models import (
    first_view,
    no_positions,
    noisy,
    padded_mean,
    study_encoding,
    zero_bias,
)
from benchmarks.doctor_document import Defect
from benchmarks.doctor_settings import EQ
from benchmarks.rank_defects import (
    bypass,
    divided_twice,
    local_slice,
    mean_of_means,
    own_statistics,
)
from cinelex.data.studies import manifest as manifests
from cinelex.data.text import tokenizer as tokenizers
from cinelex.losses import captioning, contrastive
from cinelex.models import aggregators, trunks
from cinelex.models.trunks import freeze_share
from cinelex.runners import restore

STARTING_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "objective made of the swept weights",
        "5",
        "D1",
        "sweep",
        says="depends on",
        sweep="method: bayes\nmetric: {name: loss, goal: minimize}\n"
        "parameters:\n  loss_weights.captioning: {min: 0.1, max: 1.0}\n",
    ),
    Defect(
        "swept key that nothing reads",
        "4",
        "D1",
        "probe",
        overrides=("learn_temperature=false",),
        says="nothing reads",
        sweep="method: bayes\n"
        "metric: {name: retrieval/study_to_report/recall_at_1, goal: maximize}\n"
        "parameters:\n  optimizer.temperature_learning_rate: {min: 0.001, max: 0.01}\n",
    ),
    Defect(
        "projection in no optimizer group",
        "6",
        "D2",
        "fresh",
        code=without_head,
        says="in no optimizer group",
    ),
    Defect(
        "freeze ratio read as the share that trains",
        "31",
        "D2",
        "fresh",
        overrides=("model.video_frozen=0.9",),
        code=patched(
            trunks,
            "freeze_share",
            lambda module, share, whole=freeze_share: whole(module, 1 - share),
        ),
        says="were asked for",
    ),
    Defect("term from decoded strings", "7", "D3", "fresh", code=terms(from_strings)),
    Defect("temperature 10 as a divisor", "3", "D4", "config", overrides=("temperature=10",)),
    Defect(
        "sigmoid loss whose bias starts at 0",
        "",
        "D4",
        "fresh",
        overrides=("contrastive.name=siglip",),
        code=zero_bias,
        says="sigmoid",
    ),
    Defect(
        "encoder called around DDP",
        "1",
        "D6",
        "ranks",
        ranks=bypass,
        says="gradient",
    ),
    Defect(
        "gather that keeps the local slice",
        "2",
        "D6",
        "ranks",
        ranks=local_slice,
        says="gradient",
    ),
    Defect(
        "caption loss as a mean of rank means",
        "44",
        "D6",
        "ranks",
        ranks=mean_of_means,
        says="gradient",
    ),
    Defect(
        "mean over ranks divided twice",
        "11",
        "D6",
        "ranks",
        ranks=divided_twice,
        says="term",
    ),
    Defect(
        "pixel statistics of each rank's batch",
        "16",
        "D6",
        "ranks",
        code=own_statistics,
        says="term on two processes",
    ),
    Defect(
        "micro-batches trained as batches of their own",
        "34",
        "D6",
        "micro_batches",
        code=micro_batches_alone,
        says="term of a batch cut in two",
    ),
    Defect(
        "gradient of the temperature taken once a micro-batch",
        "42",
        "D6",
        "micro_batches",
        overrides=("learn_temperature=true",),
        code=shared_gradient_each_time,
        says="gradient of a batch cut in two",
    ),
    Defect(
        "similarities in bf16 at a low temperature",
        "46",
        "D6",
        "bf16",
        overrides=("temperature=0.01",),
        code=patched(contrastive, "similarity_matrix", lambda study, report: study @ report.T),
        says="gradient of the losses in bf16",
    ),
    Defect("masked decoder without positions", "32", "D7", "fresh", code=no_positions),
    Defect(
        "pads counted in the caption loss",
        "9",
        "D8",
        "fresh",
        code=patched(
            captioning.Captioning, "_weight_of", lambda self, target: torch.ones_like(target) * 1.0
        ),
        says="padding",
    ),
    Defect(
        "percentages split into digits",
        "",
        "D8",
        "fresh",
        overrides=("tokenizer.vocab_size=300",),
        code=patched(tokenizers, "_numbers", lambda texts: []),
        says="split into pieces",
    ),
    Defect(
        "duplicate reports, 80 %",
        "19",
        "D9",
        "fresh",
        overrides=("data.synthetic.duplicate_report_rate=0.8",),
        says="share theirs",
    ),
    Defect(
        "patients in two splits",
        "",
        "D9",
        "fresh",
        overrides=("data.synthetic.patient_leak=0.3",),
        code=patched(
            manifests, "refuse_contradictions", lambda *_: None
        ),  # reading refuses it before
        says="patient",
    ),
    Defect("zero videos for lost files", "13", "D9", "fresh", code=zero_videos, says="constant"),
    Defect("the same order every epoch", "35", "D9", "fresh", code=same_order, says="epoch"),
    Defect(
        "missing views filled and not masked",
        "13",
        "D18",
        "fresh",
        overrides=("data.synthetic.missing_view_rate=0.4",),
        code=patched(aggregators.MeanAggregator, "forward", padded_mean),
        says="padding counts as views",
    ),
    Defect(
        "only the first view is read",
        "",
        "D18",
        "fresh",
        code=patched(aggregators.MeanAggregator, "forward", first_view),
        says="Leaving out",
    ),
    Defect(
        "dropout on the final embedding",
        "12, 14",
        "D18",
        "fresh",
        code=study_encoding(noisy),
        says="twice",
    ),
    Defect(
        "evaluation on frames drawn anew",
        "14",
        "D18",
        "fresh",
        overrides=("data.stored_frames=12",),
        code=random_frames,
        says="twice",
    ),
    Defect(
        "failed decodes",
        "13",
        "D19",
        "fresh",
        overrides=("data.synthetic.corrupted_rate=0.2", "data.reject_limit=1.0"),
        says="decoded",
    ),
    Defect(
        "moments and LR place lost on resume",
        "15",
        "D20",
        "resume",
        code=patched(restore, "restore_optimizer", lambda optimizer, tensors: None),
    ),
    Defect("resumed run replays the first order", "45", "D20", "resume", code=order_restarts),
    Defect(
        "denormalised twice",
        "23",
        "D23",
        "written",
        code=evaluated(denormalised_twice),
        says="physical range",
        recipe=EQ,
    ),
    Defect(
        "one unit drowns the others: Hz beside dB",
        "",
        "D24",
        "written",
        code=evaluated(in_physical_units),
        says="make up",
        recipe=EQ,
    ),
)
"""In the order of their rules."""
