"""Which series of a log hold the null of another, as this project's records name them."""

from collections.abc import Mapping

from cinelex.doctor.logs.metric import Metric

_NULLS = frozenset({"chance", "floor", "shuffled"})


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
