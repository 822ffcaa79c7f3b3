"""A recipe meets a set that is smaller than its batch."""

from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import world_size
from cinelex.core.errors import UserError


def fitted(config: RunConfig, *, studies: int) -> RunConfig:
    """Return the config with a batch that the training split can fill, and say what changed.

    Args:
        config: The run.
        studies: Training studies that could be read.

    Raises:
        UserError: They are too few for the processes and their micro-batches.
    """
    if studies >= config.batch:
        return config
    parts = world_size() * config.gradient_accumulation_steps
    if studies < max(2, parts):
        raise UserError(
            f"{studies} training studies cannot be shared by {world_size()} processes with "
            f"{config.gradient_accumulation_steps} micro-batches each; lower "
            "gradient_accumulation_steps, take fewer processes, or add studies"
        )
    say(f"batch: {config.batch} asked for, and {studies} to train on: each step sees all")
    return config.model_copy(update={"batch": studies})
