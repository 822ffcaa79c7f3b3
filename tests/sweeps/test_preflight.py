"""What a sweep refuses before its first trial."""

from pathlib import Path
from typing import Any

import pytest
import torch

from cinelex.config.watched import was_read, watched
from cinelex.core.errors import UserError
from cinelex.sweeps import training
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.preflight import (
    check_arguments,
    check_file,
    check_read,
    check_values,
)
from cinelex.sweeps.probe import Probed, probe
from cinelex.sweeps.settings import Sweep, create
from cinelex.sweeps.studies import open_studies
from cinelex.sweeps.training import Slot, cpu_slots
from tests.sweeps.quick_run import OBJECTIVE
from tests.sweeps.quick_sweep import HEAD, SHIPPED, WEIGHT, quick_sweep
from tests.tiny_run import DATA, MODEL, RUN

pytestmark = pytest.mark.slow

SCHEDULED = "  learn_temperature: {value: false}\n  temperature.start: {min: 0.07, max: 0.15}\n"


def refusal(check: Any, *arguments: Any) -> str:
    with pytest.raises(UserError) as refused:
        check(*arguments)
    message = str(refused.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("loss_weights.contrastiv: {min: 1.0, max: 2.0}", "did you mean loss_weights.contrastive?"),
        ("lr: {min: 1e-4, max: 1e-3}", "did you mean optimizer.learning_rate?"),
        ("seed: {values: [1, 2]}", "keeps seed the same"),
        ("name: {values: ['a; rm -rf /', b]}", "keeps name the same"),
        ("data.test_split: {values: [train, test]}", "keeps data.test_split the same"),
        ("evaluation.batch: {values: [8, 16]}", "keeps evaluation the same"),
    ],
)
def test_a_key_that_does_not_exist_or_is_not_to_be_swept(
    tmp_path: Path, line: str, reason: str
) -> None:
    sweep = quick_sweep(tmp_path, f"{HEAD}  {line}\n")
    assert reason in refusal(check_file, sweep.plan, sweep.settings, "multitask")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["loss_weights.captioning: {min: -0.5, max: 0.5}"], "captioning = -0.5 is refused"),
        (["steps: {min: 10.0, max: 90.0}"], "valid integer"),
        (["temperature.start: {min: 0.07, max: 0.15}"], "temperature"),
        (["batch: {values: [1, 8]}"], "batch must be at least 2"),
        (
            [
                "optimizer.learning_rate: {min: 1e-5, max: 1e-2}",
                "optimizer.final_learning_rate: {min: 1e-6, max: 1e-3}",
            ],
            "must not exceed",
        ),
    ],
)
def test_values_that_the_schema_refuses_alone_or_together(
    tmp_path: Path, lines: list[str], reason: str
) -> None:
    sweep = quick_sweep(tmp_path, HEAD + "".join(f"  {line}\n" for line in lines))
    assert reason in refusal(check_values, sweep)


def test_the_shipped_ranges_are_valid(tmp_path: Path) -> None:
    sweep = quick_sweep(tmp_path, SHIPPED.read_text(), "steps=90", pruner="hyperband")
    check_file(sweep.plan, sweep.settings, "multitask")
    assert "validate_every" in refusal(check_values, sweep)
    sweep = quick_sweep(tmp_path, SHIPPED.read_text(), pruner="hyperband")
    check_values(sweep)


def test_trials_that_are_judged_by_their_last_validation_must_have_one(tmp_path: Path) -> None:
    for overrides in (("steps=200", "validate_every=250"), ("validate_every=0",)):
        sweep = quick_sweep(tmp_path, HEAD + WEIGHT, *overrides, validation_results=False)
        assert "set a divisor of steps" in refusal(check_values, sweep)
    sweep = quick_sweep(
        tmp_path, HEAD + WEIGHT, "steps=200", "validate_every=100", validation_results=False
    )
    check_values(sweep)


def test_several_objectives_cannot_end_a_trial_early(tmp_path: Path) -> None:
    metrics = [Metric(name=OBJECTIVE, goal="maximize"), Metric(name="captioning/x")]
    sweep = quick_sweep(tmp_path, pruner="median", metrics=metrics)
    assert "--pruner none" in refusal(check_file, sweep.plan, sweep.settings, "multitask")
    sweep = quick_sweep(tmp_path, sampler="cmaes", metrics=metrics)
    assert "--sampler tpe" in refusal(check_file, sweep.plan, sweep.settings, "multitask")


def test_a_command_that_does_not_pass_its_arguments_is_found_before_any_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "PROGRAM", "tests.sweeps.quick_run")
    sweep, slot = quick_sweep(tmp_path), cpu_slots(1, cores=[0])[0]
    check_arguments(sweep, slot)
    monkeypatch.setenv("QUICK_RUN_DEAF", "1")
    message = refusal(check_arguments, sweep, slot)
    assert "loss_weights.contrastive is 2.0" in message
    assert "the command does not pass its arguments on" in message


def test_a_program_that_cannot_begin_is_told_by_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "PROGRAM", "tests.sweeps.no_such_module")
    message = refusal(check_arguments, quick_sweep(tmp_path), cpu_slots(1, cores=[0])[0])
    assert message.startswith("a trial could not even begin: ")
    assert "no_such_module" in message


def tiny(folder: Path, cache: Path, text: str, *more: str, **changed: Any) -> Sweep:
    run = [one for one in RUN if not one.startswith("device")]
    return quick_sweep(folder, text, *DATA, *MODEL, *run, f"data.cache={cache}", *more, **changed)


def test_one_real_step_shows_which_keys_are_read_and_which_numbers_come_out(
    tmp_path: Path, study_cache: Path
) -> None:
    sweep = tiny(tmp_path, study_cache, HEAD + WEIGHT, "loss_weights.captioning=0.0")
    probed = probe(sweep.base, [OBJECTIVE], torch.device("cpu"))
    for key in ("temperature", "optimizer.weight_decay", "max_grad_norm", "data.augmentation.crop"):
        assert was_read(key, probed.read), key
    assert was_read("model.masked_decoder.options.depth", probed.read)
    assert not was_read("model.caption_decoder.options.depth", probed.read)
    assert OBJECTIVE in probed.validated
    assert probed.results == []
    wrong = tiny(tmp_path, study_cache, HEAD + WEIGHT, "model.video_encoder.options.depht=1")
    with pytest.raises(UserError, match="depht"):
        probe(wrong.base, [OBJECTIVE], torch.device("cpu"))


def test_a_swept_key_that_nothing_reads_and_an_objective_that_nothing_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = Probed(["loss_weights", "temperature.start"], ["contrastive"], [OBJECTIVE], [])
    monkeypatch.setattr("cinelex.sweeps.preflight._probe", lambda *told: shown)
    slot = Slot(0)
    check_read(quick_sweep(tmp_path, HEAD + WEIGHT + SCHEDULED), slot)
    unread = HEAD + WEIGHT + "  model.masked_decoder.options.depth: {values: [1, 2]}\n"
    message = refusal(check_read, quick_sweep(tmp_path, unread), slot)
    assert "model.masked_decoder.options.depth: nothing reads this key" in message
    unweighted = HEAD + "  loss_weights.captioning: {min: 0.1, max: 0.2}\n"
    message = refusal(check_read, quick_sweep(tmp_path, unweighted), slot)
    assert "loss_weights.captioning: nothing reads this key" in message
    other = quick_sweep(tmp_path, metrics=[Metric(name=OBJECTIVE.replace("at_1", "at_2"))])
    assert f"did you mean {OBJECTIVE}?" in refusal(check_read, other, slot)


def test_a_watched_config_is_equal_to_the_one_it_watches(tmp_path: Path) -> None:
    base = quick_sweep(tmp_path).base
    seen, read = watched(base)
    assert seen.model_dump() == base.model_dump()
    assert isinstance(seen.optimizer, type(base.optimizer))
    assert not read
    assert seen.optimizer.weight_decay == base.optimizer.weight_decay
    assert read == {"optimizer.weight_decay"}
    seen.data.augmentation.model_dump()
    assert was_read("data.augmentation.flip", read)


def test_a_sweep_goes_on_only_where_that_was_asked_for_and_only_as_it_was(tmp_path: Path) -> None:
    sweep = quick_sweep(tmp_path)
    plan, base, settings = sweep.plan, sweep.base, sweep.settings
    told: dict[str, Any] = {"resume": True}
    create(sweep.folder, plan, base, settings, resume=False)  # nothing has begun yet
    open_studies(sweep)
    assert "--resume" in refusal(lambda: create(sweep.folder, plan, base, settings, resume=False))
    more = settings.model_copy(update={"count": 9})
    assert create(sweep.folder, plan, base, more, **told).settings.count == 9
    seeds = settings.model_copy(update={"seeds": 5})
    assert "options" in refusal(lambda: create(sweep.folder, plan, base, seeds, **told))
    other = base.model_copy(update={"steps": 7})
    assert "base config" in refusal(lambda: create(sweep.folder, plan, other, settings, **told))
