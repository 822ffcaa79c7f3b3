"""What the doctor wants to know of a fresh multitask model: masks and frozen parameters."""

from typing import Any

import torch

from cinelex.config.model_schema import ModelConfig
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.video.transforms import to_float
from cinelex.models.trunks import ADAPTER, part_of
from cinelex.models.video_text import VideoText
from cinelex.projects.multitask.masked_task import MaskedTask
from cinelex.projects.studies.encoding import device_of
from cinelex.projects.studies.model_checks import first_studies
from cinelex.projects.studies.tower_diagnostics import tower_diagnostics


@torch.no_grad()
def masking_checks(model: VideoText, dataset: StudyDataset, task: MaskedTask) -> dict[str, float]:
    """Return the visible and the masked tokens of a clip, and how far predictions differ in it.

    ``check/prediction_spread`` is the deviation over the masked positions of a clip, as a share of
    the predictions' size; a decoder that does not know where it looks has 0.

    Args:
        model: The module, in evaluation mode.
        dataset: Where the studies come from.
        task: What is hidden.
    """
    batch = first_studies(dataset).to(device_of(model))
    masking = task.draw(batch)
    pixels = to_float(batch.clips)
    predicted = model.reconstruct(
        pixels, keep=masking.keep, hide=masking.hide, masked=masking.clips
    )
    checks = {
        "check/visible_tokens": float(masking.keep.shape[1]),
        "check/hidden_tokens": float(masking.hide.shape[1]),
    }
    if predicted is not None and masking.hide.shape[1] > 1:
        size = predicted.float().square().mean().sqrt()
        spread = predicted.float().std(dim=1, correction=0).mean()
        checks["check/prediction_spread"] = float(spread / size)
    return checks


def frozen_shares(model: VideoText, parts: ModelConfig) -> dict[str, Any]:
    """Return, for each tower, the share of its pretrained part that is frozen, and what was asked.

    Of a tower that is fresh as a whole, the share of the whole. Beside it, what is known of the
    pixels and positions of pretrained ones.
    """
    diagnostics = tower_diagnostics(model)
    for name, tower, frozen_part, lora in (
        ("video_encoder", model.video_encoder, parts.video_frozen, parts.video_lora),
        ("text_encoder", model.text_encoder, parts.text_frozen, parts.text_lora),
    ):
        asked = "all" if lora else frozen_part
        named = part_of(tower).named_parameters()
        parameters = [weight for inner, weight in named if ADAPTER not in inner]
        total = sum(parameter.numel() for parameter in parameters)
        frozen = sum(parameter.numel() for parameter in parameters if not parameter.requires_grad)
        if not total:  # it counts, and does not learn
            continue
        diagnostics[f"model/frozen/{name}"] = frozen / total
        diagnostics[f"model/frozen/{name}/asked"] = {"none": 0.0, "all": 1.0}.get(str(asked), asked)
    return diagnostics
