"""What the name of a metric says about it, by explicit tables and nothing else."""

import re
from collections.abc import Mapping

from cinelex.doctor.logs.metric import Metric

LOWER = frozenset((
    "loss", "error", "mse", "mae", "rmse", "nll", "perplexity", "ppl", "cer", "wer", "fid",
    "hallucination", "omission", "rank",
))  # fmt: skip
"""Words of names of which less is better."""
HIGHER = frozenset((
    "accuracy", "acc", "recall", "precision", "f1", "auc", "auroc", "auprc", "map", "mrr", "ndcg",
    "bleu", "rouge", "rougel", "cider", "meteor", "psnr", "ssim", "r2", "iou", "dice",
    "alignment",
))  # fmt: skip
HELD_OUT = frozenset(["val", "valid", "validation", "eval", "evaluation", "test", "dev", "heldout"])
_ROLES = ("mean", "std", "norm", "min", "max")
_NULLS = frozenset({"chance", "floor", "shuffled"})
"""What this project's records call the null of another series."""
_NOT_LATENT = frozenset(["grad", "gradient", "weight", "param", "parameter"])


def words_of(name: str) -> list[str]:
    """Return the lower-case words of a name; ``valLoss``, ``val_loss`` and ``val/loss`` agree."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.findall(r"[a-z]+[0-9]*|[0-9]+", spaced.lower())


def direction(name: str) -> int:
    """Return -1 where less is better, 1 where more is, and 0 where the name does not say."""
    if is_effective_rank(name):
        return 0
    for word in reversed(words_of(name)):
        if word in LOWER:
            return -1
        if word in HIGHER:
            return 1
    return 0


def held_out(name: str) -> bool:
    """Whether the name says that the metric was measured on data that the training did not see."""
    return not HELD_OUT.isdisjoint(words_of(name))


def is_learning_rate(name: str) -> bool:
    """Whether the metric is a learning rate."""
    words = words_of(name)
    return "lr" in words or "learning rate" in " ".join(words)


def latent_role(name: str) -> str | None:
    """Return ``mean``, ``std``, ``norm``, ``min`` or ``max`` for a statistic of embeddings."""
    words = words_of(name)
    if not words or not _NOT_LATENT.isdisjoint(words):
        return None
    return words[-1] if words[-1] in _ROLES else None


def is_effective_rank(name: str) -> bool:
    """Whether the metric is the effective rank of embeddings, 1 when all are parallel."""
    words = words_of(name)
    return "rankme" in words or ("effective" in words and "rank" in words)


def is_null(name: str) -> bool:
    """Whether a metric says what knowing nothing scores, and not what a model does."""
    return not _NULLS.isdisjoint(name.split("/"))


def without_nulls(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    """Return the metrics of a run that are about the run."""
    return {name: metric for name, metric in metrics.items() if not is_null(name)}


def chance_of(name: str, metrics: Mapping[str, Metric]) -> Metric | None:
    """Return the metric that holds another one's chance; None where the log has none."""
    for kind in ("", "validation/"):
        bare = name.removeprefix(kind)
        if kind and bare == name:
            continue
        for other in (f"{bare}/chance", bare.replace("loss/", "chance/", 1)):
            if other != bare and kind + other in metrics:
                return metrics[kind + other]
    return None
