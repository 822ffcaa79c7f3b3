"""D1: does a sweep vary keys that are read, towards an objective that they do not define?"""

from collections.abc import Callable, Iterator

from cinelex.config.nearest import nearest_key, valid_keys
from cinelex.config.schema import RunConfig, Schedule
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding

RULE = "D1"


def _weighted(term: str) -> Callable[[RunConfig], bool]:
    def read(config: RunConfig) -> bool:
        weights = {str(name): weight for name, weight in config.loss_weights.items()}
        weight = weights.get(term, 0.0)
        return isinstance(weight, Schedule) or weight > 0

    return read


READ_IF: dict[str, tuple[Callable[[RunConfig], bool], str]] = {
    "optimizer.temperature_learning_rate": (
        lambda config: config.learn_temperature or config.contrastive.name == "siglip",
        "learn_temperature is false",
    ),
    "data.synthetic": (lambda config: config.data.manifest is None, "data.manifest is given"),
    "data.columns": (lambda config: config.data.manifest is not None, "data.manifest is null"),
    "model.mask_ratio": (_weighted("masked_modeling"), "masked_modeling has no weight"),
    "model.masked_clips": (_weighted("masked_modeling"), "masked_modeling has no weight"),
    "model.masked_decoder": (_weighted("masked_modeling"), "masked_modeling has no weight"),
    "model.caption_decoder": (_weighted("captioning"), "captioning has no weight"),
    "tokenizer.vocab_size": (
        lambda config: config.tokenizer.kind == "trained",
        "tokenizer.kind is pretrained",
    ),
}
"""Keys, or sections, that nothing reads unless a condition on the rest of the config holds."""

SCALES = ("temperature", "batch", "contrastive", "loss_weights", "patch_contrastive_weight")
"""Keys that change what a loss would be for the very same model."""


def swept_keys(evidence: Evidence) -> Iterator[Finding]:
    """Judge every swept key, and the objective beside them."""
    sweep, config = evidence.sweep, evidence.config
    if sweep is None:
        return
    valid = valid_keys(RunConfig)
    for key in sweep.keys:
        options = any(key.startswith(f"{name}.") for name in valid if name.endswith(".options"))
        if key not in valid and not options:
            near = nearest_key(key, valid)
            hint = f"did you mean {near}?" if near else "leave it out."
            yield _finding(f"The swept key {key} is no key of a config.", key, hint)
        elif config is not None and (why := _unread(key, config)):
            yield _finding(
                f"The swept key {key} is read by nothing in this run, since {why}.", key, "drop it."
            )
    guilty = [key for key in sweep.keys if key.split(".")[0] in SCALES]
    if guilty and sweep.objective.split("/")[0] == "loss":
        yield _finding(
            f"The objective {sweep.objective} depends on the swept key {guilty[0]} even for one "
            "and the same model: the search would find the smallest weights, not the best model.",
            guilty[0],
            "choose an objective that no swept key defines, such as held-out recall_at_1.",
        )


def _unread(key: str, config: RunConfig) -> str:
    """Return why nothing reads a key; empty if something does."""
    for section, (read, why) in READ_IF.items():
        if (key == section or key.startswith(f"{section}.")) and not read(config):
            return why
    return ""


def _finding(statement: str, key: str, remedy: str) -> Finding:
    return Finding(
        rule=RULE,
        severity="error",
        statement=statement,
        measured=1.0,
        threshold=0.0,
        formula="swept keys that are unknown, unread, or part of the objective's definition",
        null="0; a search over a key without effect ranks noise",
        cause="The sweep was written for another version or another part of the config.",
        key=key,
        remedy=remedy,
        next_measurement="Two trials that differ in this key alone and share a seed.",
    )
