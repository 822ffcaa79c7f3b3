"""What a run is: every field with its unit. A key that is not here is an error."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cinelex.config.clip_schema import AugmentationConfig
from cinelex.config.clipse_schema import (
    AffinityConfig,
    ClipseConfig,
    MadeUpImagesConfig,
)
from cinelex.config.data_schema import (
    ColumnsConfig,
    DataConfig,
    TokenizerConfig,
)
from cinelex.config.eq_schema import EqConfig, SyntheticEqConfig
from cinelex.config.evaluation_schema import EvaluationConfig, GenerationConfig
from cinelex.config.features_schema import FeaturesConfig
from cinelex.config.latent_schema import EngravingsConfig, LatentConfig
from cinelex.config.masked_schema import MaskedModelingConfig
from cinelex.config.model_schema import (
    BalanceConfig,
    ContrastiveConfig,
    FactsConfig,
    LossWeights,
    ModelConfig,
)
from cinelex.config.optimizer_schema import OptimizerConfig
from cinelex.config.probing_schema import ProbingConfig, TargetConfig
from cinelex.config.strict import (
    Count,
    CountOrZero,
    Part,
    Positive,
    Schedule,
    Strict,
    ValueOrSchedule,
)
from cinelex.config.synthetic_schema import SyntheticConfig

__all__ = [
    "AffinityConfig",
    "AugmentationConfig",
    "BalanceConfig",
    "ClipseConfig",
    "ColumnsConfig",
    "ContrastiveConfig",
    "DataConfig",
    "EqConfig",
    "EngravingsConfig",
    "EvaluationConfig",
    "FeaturesConfig",
    "FactsConfig",
    "GenerationConfig",
    "LatentConfig",
    "LossWeights",
    "MadeUpImagesConfig",
    "MaskedModelingConfig",
    "ModelConfig",
    "OptimizerConfig",
    "Part",
    "ProbingConfig",
    "RunConfig",
    "Schedule",
    "SyntheticConfig",
    "SyntheticEqConfig",
    "TargetConfig",
    "TokenizerConfig",
    "ValueOrSchedule",
]


class RunConfig(Strict):
    """One run, from its first step to its report."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    """The run's folder below ``folder``: letters, digits, dot, dash and underscore."""
    project: Annotated[str, Field(min_length=1)] = "multitask"
    """What is trained."""
    seed: CountOrZero = 0
    """Decides initial weights, order, crops and masks."""
    folder: Path = Path("runs")
    """Where the folders of the runs are."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; ``auto`` is a GPU where there is one."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Precision of the encoders; ``auto`` is bf16 where the device has it; losses are in fp32."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """CPU threads of one process; null leaves the choice to the library."""
    parallel: Literal["ddp", "fsdp"] = "ddp"
    """Several processes each keep the whole model, or each a share of every parameter (FSDP2)."""
    activation_checkpointing: bool = False
    """Run each block again for its gradient instead of keeping its activations; saves memory."""
    compile: Literal["inductor", "aot_eager"] | None = None
    """Compile each block with torch.compile, by this backend; null runs it as it is written."""
    use_wandb: bool = False
    """Also send the scalars to Weights & Biases."""

    steps: CountOrZero
    """Optimizer steps of the run; 0 trains nothing, for what is solved or pretrained."""
    batch: Count
    """Studies in the global batch, over all processes."""
    gradient_accumulation_steps: Count = 1
    """Micro-batches that a process cuts its share of the batch into, to need less memory. The loss
    is that of the whole batch; a step takes up to a third more time."""
    ema_decay: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    """Share of the moving average of the weights that a step leaves; evaluation uses the average.
    Null keeps none."""
    max_grad_norm: Positive = 1.0
    """Gradients with a longer L2 norm are shortened to it."""
    log_every: Count = 10
    """Optimizer steps between two records of the losses."""
    validate_every: CountOrZero = 0
    """Optimizer steps between two validations; 0 never validates."""
    probe_every: CountOrZero = 18
    """Optimizer steps between two looks of the doctor at the gradients of each term; 0 never
    looks. Embeddings are looked at every fifth time."""
    examine: bool = True
    """Look at the data and at the fresh model before the first step, for the doctor: each of a few
    studies runs through the model some four times. False begins at once; rules that read what was
    seen then say nothing."""
    checkpoint_every: Count = 100
    """Optimizer steps between two checkpoints; the last step always leaves one."""
    keep_checkpoints: Count = 2
    """Newest checkpoints that are kept."""
    checkpoint_frozen: bool = True
    """Keep pretrained weights that do not train with the checkpoints, on the disk once for all of
    them. False leaves them out: a checkpoint holds what trains, and needs the towers' source."""
    keep_best: str | None = None
    """Number of the validation by which the best checkpoint is kept as well, the maximum or, with
    ``-`` before its name, the minimum; null keeps the newest alone."""
    patience: Count | None = None
    """Validations without a new best, by ``keep_best``, after which the run ends; null never
    ends early."""
    strict_resume: bool = False
    """Refuse a damaged newest checkpoint instead of going back to the one before it."""
    resume_skip: tuple[str, ...] = ()
    """What may differ from what the run was begun with: keys or sections of the config; parameters,
    or modules of parameters, which then keep their fresh values; ``data``, the studies."""
    on_spike: Literal["record", "roll_back"] = "record"
    """What follows a loss ten times the median of the last 50: a line in the record, or a return to
    the newest checkpoint, from which the run goes on without the samples of that step."""
    checksum_every: CountOrZero = 500
    """Optimizer steps between two comparisons of the weights of all processes; 0 never compares."""
    hang_limit_s: Positive = 1800.0
    """Seconds without a step after which a process dumps its stacks and ends."""

    contrastive: ContrastiveConfig = ContrastiveConfig()
    """The loss that matches studies with reports."""
    temperature: ValueOrSchedule = 0.1
    """Divisor of the cosines, ``logits = cosine / temperature``; where learned, its start."""
    learn_temperature: bool = False
    """Train the temperature's logarithm with the model."""
    temperature_range: tuple[Positive, Positive] = (0.01, 10.0)
    """Minimum and maximum temperature; a learned one is clamped to it."""
    loss_weights: LossWeights
    """Weight of each loss term; terms are recorded unweighted."""
    balance: BalanceConfig = BalanceConfig()
    """What multiplies these weights, from step to step."""

    data: DataConfig = DataConfig()
    """The studies."""
    tokenizer: TokenizerConfig = TokenizerConfig()
    """How reports become tokens."""
    facts: FactsConfig = FactsConfig()
    """What reports state, as labels; read where the term ``facts`` has a weight."""
    masked_modeling: MaskedModelingConfig = MaskedModelingConfig()
    """What masked modelling predicts; read where the term has a weight."""
    model: ModelConfig = ModelConfig()
    """The parts of the model."""
    features: FeaturesConfig = FeaturesConfig()
    """What is kept of frozen pretrained parts."""
    latent: LatentConfig = LatentConfig()
    """Pictures, their latents, and what is made from these; read by latent captioning alone."""
    clipse: ClipseConfig = ClipseConfig()
    """Everything that only CLIPSE reads."""
    eq: EqConfig = EqConfig()
    """Everything that only semantic EQ reads."""
    probing: ProbingConfig = ProbingConfig()
    """What probing trains on which features."""
    optimizer: OptimizerConfig = OptimizerConfig()
    """How the parameters move."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """How the held-out studies are scored."""

    @model_validator(mode="after")
    def check_steps(self) -> Self:
        """Refuse a warm-up that never ends."""
        if self.optimizer.warmup_steps >= max(1, self.steps):
            raise ValueError(
                f"optimizer.warmup_steps ({self.optimizer.warmup_steps}) must be below "
                f"steps ({self.steps})"
            )
        return self

    @model_validator(mode="after")
    def check_patience(self) -> Self:
        """Refuse to wait for what nobody looks for."""
        if self.patience is not None and (self.keep_best is None or not self.validate_every):
            raise ValueError("patience needs keep_best and validate_every above 0")
        return self

    @model_validator(mode="after")
    def check_temperature(self) -> Self:
        """Refuse a temperature out of its range, and one that is both learned and scheduled."""
        low, high = self.temperature_range
        if low >= high:
            raise ValueError(f"temperature_range must rise, got [{low}, {high}]")
        scheduled = isinstance(self.temperature, Schedule)
        if scheduled and self.learn_temperature:
            raise ValueError(
                "temperature is scheduled and learned at once; set learn_temperature: false, "
                "or give temperature one number"
            )
        for value in _ends(self.temperature):
            if not low <= value <= high:
                raise ValueError(
                    f"temperature {value} is outside temperature_range [{low}, {high}]"
                )
        return self

    @model_validator(mode="after")
    def check_losses(self) -> Self:
        """Refuse a run that learns nothing."""
        if not any(max(_ends(weight)) > 0 for weight in self.loss_weights.values()):
            raise ValueError("loss_weights has no term above 0, so nothing would be learned")
        if self.balance.name == "shares" and not self.probe_every:
            raise ValueError("balance.name=shares needs probe_every above 0, which measures shares")
        return self


def _ends(value: float | Schedule) -> tuple[float, float]:
    """Return the first and the last value of a constant or a schedule."""
    return (value.start, value.end) if isinstance(value, Schedule) else (value, value)
