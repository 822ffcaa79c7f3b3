"""A config is read whole or refused in one line that says where, what and what to write instead."""

from pathlib import Path

import pytest

from cinelex.config.load import config_hash, dump_config, load_config
from cinelex.config.schema import Part, RunConfig, Schedule
from cinelex.core.errors import UserError

SMALL = "name: small\nsteps: 100\nbatch: 4\nloss_weights: {contrastive: 1.0}\n"


@pytest.fixture
def write(tmp_path: Path) -> "Write":
    return Write(tmp_path)


class Write:
    """Writes YAML files beside one another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, text: str, name: str = "run.yaml") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


def refusal(path: Path, *overrides: str) -> str:
    """Return the one line with which a config is refused."""
    with pytest.raises(UserError) as caught:
        load_config(path, overrides)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_what_a_file_does_not_say_has_its_default(write: Write) -> None:
    config = load_config(write(SMALL))
    assert config == RunConfig(name="small", steps=100, batch=4, loss_weights={"contrastive": 1.0})


def test_numbers_are_what_people_mean(write: Write) -> None:
    text = (
        "steps: 1e3\noptimizer: {learning_rate: 1e-4, eps: 1e-8, weight_decay: 0}\ntemperature: 1"
    )
    config = load_config(write(SMALL.replace("steps: 100\n", "") + text))
    assert (config.steps, type(config.steps)) == (1000, int)
    assert config.optimizer.learning_rate == 0.0001
    assert config.optimizer.eps == 1e-8
    assert (config.temperature, type(config.temperature)) == (1.0, float)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("temprature=1", "command line: unknown key 'temprature'; did you mean temperature?"),
        ("learning_rate=1", "unknown key 'learning_rate'; did you mean optimizer.learning_rate?"),
        ("optimizer.lr=1", "unknown key 'optimizer.lr'; did you mean optimizer.learning_rate?"),
        ("batch_size=8", "did you mean batch?"),
        ("patch_contrastive_weight=1", "did you mean loss_weights.patch_contrastive?"),
        ("data.colums.study=a", "unknown key 'data.colums'; did you mean data.columns?"),
        ("data.columns.studdy=a", "did you mean data.columns.study?"),
        ("model.video_encoder.opts.depth=1", "did you mean model.video_encoder.options?"),
        ("data.qqqqqq=1", "unknown key 'data.qqqqqq'; there are data.manifest, "),
        ("qqqq.size=1", "command line: unknown key 'qqqq'; there are name, "),
        ("steps=ten", 'command line: steps: expected a valid integer, got "ten"'),
        ("steps=1.5", "steps: expected a valid integer, got 1.5"),
        ("steps=true", "steps: expected a valid integer, got true"),
        ("steps=-5", "steps: expected greater than or equal to 0, got -5"),
        ("steps=", "steps: expected a valid integer, got null"),
        ("use_wandb=yes", 'use_wandb: expected a valid boolean, got "yes"'),
        ("use_wandb=1", "use_wandb: expected a valid boolean, got 1"),
        ("temperature=-0.1", "temperature: expected greater than or equal to 0, got -0.1"),
        ("temperature=0", "temperature 0.0 is outside temperature_range [0.01, 10.0]"),
        ("temperature=.nan", "temperature: .nan is not a finite number"),
        ("temperature='0.1'", 'temperature: expected a valid number, got "0.1"'),
        ("temperature={start: 0.1, ends: 1}", "did you mean temperature.end?"),
        ("temperature={start: 0.1}", "temperature.end is missing"),
        ("temperature={start: 1, end: 2, begin: 0.5, finish: 0.5}", "begin must be below finish"),
        ("optimizer.betas=[0.9, 1]", "optimizer.betas.1: expected less than 1, got 1"),
        ("optimizer.betas=[0.9]", "optimizer.betas.1 is missing"),
        ("optimizer.final_learning_rate=1", "final_learning_rate (1.0) must not exceed"),
        ("optimizer.warmup_steps=100", "optimizer.warmup_steps (100) must be below steps (100)"),
        ("contrastive.name=clip", "contrastive.name: expected 'infonce' or 'siglip', got \"clip\""),
        ("loss_weights.contrastive=0", "loss_weights has no term above 0"),
        ("data.frames=17", "frames (17) must not exceed stored_frames (16)"),
        ("data.test_split=train", "train_split 'train' must differ"),
        ("tokenizer.kind=pretrained", "path belongs to kind: pretrained"),
        ("model.mask_ratio=1.0", "model.mask_ratio: expected less than 1"),
        ("temperature_range=[2, 1]", "temperature_range must rise"),
        ("name=../escape", "name: expected letters, digits, dot, dash and underscore"),
        ("name='; rm -rf x'", "name: expected letters, digits, dot, dash and underscore"),
        ("name=..", "name: expected letters, digits, dot, dash and underscore"),
        ("steps", "command line: expected key.path=value, got 'steps'"),
        ("=3", "command line: expected key.path=value, got '=3'"),
        ("base=other.yaml", "base belongs in a file"),
        ("data=3", "data: expected keys below it, such as data.manifest, got 3"),
    ],
)
def test_a_wrong_value_is_refused_by_name(write: Write, override: str, says: str) -> None:
    assert says in refusal(write(SMALL), override)


def test_a_wrong_key_in_a_file_names_file_and_line(write: Write) -> None:
    path = write(SMALL + "optimizer:\n  eps: 1e-8\n  warmup_step: 3\n")
    assert refusal(path) == (
        f"{path}:7: unknown key 'optimizer.warmup_step'; did you mean optimizer.warmup_steps?"
    )


def test_a_wrong_value_in_the_base_names_the_base(write: Write) -> None:
    base = write(SMALL + "seed: -1\n", "base.yaml")
    assert refusal(write("base: base.yaml\nname: top\n")).startswith(f"{base}:5: seed: ")


def test_a_missing_key_names_the_file(write: Write) -> None:
    path = write("name: x\nsteps: 1\nloss_weights: {captioning: 1}\n")
    assert refusal(path) == f"{path}: batch is missing; add it to the file or as batch=value"


def test_the_unknown_key_comes_first_and_the_others_are_counted(write: Write) -> None:
    path = write(SMALL + "seed: x\nsede: 1\nthreads: 0\n")
    assert refusal(path) == f"{path}:6: unknown key 'sede'; did you mean seed? (and 2 more)"


def test_one_key_set_twice_on_the_command_line_is_refused(write: Write) -> None:
    assert refusal(write(SMALL), "seed=1", "seed=2") == "command line: seed is set twice"
    assert "has a value" in refusal(write(SMALL), "data=1", "data.size=2")


def test_overrides_reach_every_depth(write: Write) -> None:
    config = load_config(
        write(SMALL),
        [
            "temperature=10",
            "data.synthetic.seed=3",
            "data.separator=,",
            "data.columns.study=StudyInstanceUID",
            "data.manifest=../shared/my data/manifest.csv",
            "model.video_encoder.options={depth: 1, tubelet: [2, 8, 8]}",
            "optimizer.betas=[0.9, 0.999]",
            "loss_weights.captioning={start: 0, end: 1, shape: cosine}",
        ],
    )
    assert config.temperature == 10
    assert config.data.synthetic.seed == 3
    assert config.data.separator == ","
    assert config.data.columns.study == "StudyInstanceUID"
    assert config.data.manifest == Path("../shared/my data/manifest.csv")
    assert config.model.video_encoder == Part(
        name="vit", options={"depth": 1, "tubelet": [2, 8, 8]}
    )
    assert config.optimizer.betas == (0.9, 0.999)
    assert config.loss_weights == {
        "contrastive": 1.0,
        "captioning": Schedule(start=0, end=1, shape="cosine"),
    }


@pytest.mark.parametrize("separator", ["α", "|", ";", "#", "\t", '"\\t"'])
def test_any_one_character_separates_cells(write: Write, separator: str) -> None:
    config = load_config(write(SMALL), [f"data.separator={separator}"])
    assert config.data.separator == separator.replace('"\\t"', "\t")


def test_a_file_changes_its_base_section_by_section(write: Write) -> None:
    write(SMALL + "optimizer: {eps: 1e-7, weight_decay: 0.1}\ntemperature: 0.5\n", "a/base.yaml")
    write("base: base.yaml\noptimizer: {eps: 1e-8}\n", "a/middle.yaml")
    top = write("base: a/middle.yaml\nname: top\ntemperature: {start: 1, end: 0.1}\n")
    config = load_config(top)
    assert config.name == "top"
    assert (config.optimizer.eps, config.optimizer.weight_decay) == (1e-8, 0.1)
    assert config.temperature == Schedule(start=1, end=0.1)


def test_another_part_does_not_inherit_the_options_of_the_first(write: Write) -> None:
    write(SMALL + "model: {video_encoder: {name: vit, options: {depth: 2}}}\n", "base.yaml")
    same = load_config(write("base: base.yaml\nmodel: {video_encoder: {options: {heads: 4}}}\n"))
    other = load_config(write("base: base.yaml\nmodel: {video_encoder: {name: timm}}\n"))
    assert same.model.video_encoder.options == {"depth": 2, "heads": 4}
    assert other.model.video_encoder == Part(name="timm")
    overridden = load_config(
        write("base: base.yaml\n"),
        ["model.video_encoder.options.width=3", "model.video_encoder.name=timm"],
    )
    assert overridden.model.video_encoder == Part(name="timm", options={"width": 3})


def test_a_base_that_goes_in_a_circle_is_refused(write: Write) -> None:
    write("base: run.yaml\n", "other.yaml")
    assert "circle: run.yaml -> other.yaml -> run.yaml" in refusal(write("base: other.yaml\n"))


def test_a_base_that_is_no_path_or_not_there_is_refused(write: Write) -> None:
    path = write("name: x\nbase: 3\n")
    assert refusal(path) == f"{path}:2: base must be the path of a YAML file"
    assert "gone.yaml: cannot be read" in refusal(write("base: gone.yaml\n"))


def test_a_learned_temperature_is_not_scheduled_as_well(write: Write) -> None:
    assert "scheduled and learned at once" in refusal(
        write(SMALL), "learn_temperature=true", "temperature={start: 1, end: 0.1}"
    )


def test_a_config_does_not_change(write: Write) -> None:
    config = load_config(write(SMALL))
    with pytest.raises(ValueError, match="frozen"):
        config.seed = 1  # type: ignore[misc]


def test_a_dumped_config_loads_back_equal(write: Write) -> None:
    config = load_config(
        write(SMALL),
        [
            "name='1e-4'",
            "data.separator='~'",
            "data.manifest=007",
            "temperature={start: 1, end: 0.1}",
            "optimizer.eps=1e-30",
            "model.aggregator.options={a: 'null', b: [1e20, no], c: {d: 1e-5}}",
        ],
    )
    again = load_config(write(dump_config(config), "again.yaml"))
    assert again == config
    assert config_hash(again) == config_hash(config)


def test_the_hash_follows_every_value_and_no_spelling(write: Write) -> None:
    weights = "loss_weights: {contrastive: 1}\n"
    first = load_config(write(weights + "name: x\nsteps: 100\nbatch: 4\ntemperature: 0.10\n"))
    same = load_config(write("batch: 4\ntemperature: 1e-1\nname: 'x'\nsteps: 1e2\n" + weights))
    other = load_config(write(dump_config(first)), ["data.synthetic.seed=1"])
    assert config_hash(first) == config_hash(same)
    assert config_hash(first) != config_hash(other)
