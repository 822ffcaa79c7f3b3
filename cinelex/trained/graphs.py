"""The encoders as ONNX graphs, and as graphs with 8-bit weights."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.core.errors import UserError
from cinelex.data.video.transforms import to_float
from cinelex.models.shapes import Clips, TokenIds, TokenMask
from cinelex.models.study_model import NOTHING, StudyModel, with_trunk
from cinelex.trained.engines import GRAPHS

OPSET = 20
QUANTISED = ["MatMul", "Gemm"]
"""Operations whose weights become 8 bit; convolutions in 8 bit are slower than in 32."""


class ClipGraph(nn.Module):
    """Clips to what a study is made of."""

    def __init__(self, model: StudyModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, clips: Clips) -> Tensor:
        """Return the features of each clip."""
        return self.model.encode_clips(clips)


class StudyGraph(nn.Module):
    """All clips of one study to its unit row."""

    def __init__(self, model: StudyModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor, clips: Clips) -> Float[Tensor, " dim"]:
        """Return the unit row of a study; pixels are read by a closed form alone."""
        owner = torch.zeros_like(features.flatten(1)[:, 0], dtype=torch.int64)
        count = features.shape[0]
        found = self.model.join_clips(features, owner, studies=1, max_clips=count)
        form = self.model.closed_form
        if form is None:
            return found.study[0]
        kept = with_trunk(self.model.video_encoder, clips, NOTHING) if form.trunk else NOTHING
        inputs = form.inputs_of(clips, owner, kept.clips, studies=1, max_clips=count)
        return form(found.study, inputs)[0]


class ReportGraph(nn.Module):
    """Tokens to the unit row of each report."""

    def __init__(self, model: StudyModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, token_ids: TokenIds, attention_mask: TokenMask) -> Tensor:
        """Return the unit row of each report."""
        return self.model.encode_report(token_ids, attention_mask).report


def write_graphs(model: StudyModel, proof: dict[str, Tensor], folder: Path) -> None:
    """Write the three graphs of a model, of any number of clips, reports and tokens.

    Args:
        model: On the CPU, in evaluation mode.
        proof: Made-up inputs, which show the shapes.
        folder: Where to.

    Raises:
        UserError: An operation of the model has no counterpart in ONNX; names the part.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clips = to_float(proof["clips"])[:3]
    with torch.no_grad():
        features = model.encode_clips(clips)
    clip, report, token = (torch.export.Dim(name) for name in ("clip", "report", "token"))
    tokens = (proof["token_ids"], proof["attention_mask"])
    plans: dict[str, tuple[nn.Module, tuple[Tensor, ...], Sequence[dict[int, Any]]]] = {
        "clips": (ClipGraph(model), (clips,), [{0: clip}]),
        "study": (StudyGraph(model), (features, clips), [{0: clip}, {0: clip}]),
        "report": (ReportGraph(model), tokens, [{0: report, 1: token}] * 2),
    }
    for name in GRAPHS:
        part, inputs, shapes = plans[name]
        _write(part.eval(), inputs, tuple(shapes), folder / f"{name}.onnx")


def _write(
    part: nn.Module, inputs: tuple[Tensor, ...], shapes: tuple[Any, ...], path: Path
) -> None:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter about itself
        try:
            torch.onnx.export(
                part,
                inputs,
                path,
                dynamic_shapes=shapes,
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as problem:
            reason = str(problem).strip().splitlines()[0]
            raise UserError(f"{path.stem}: this model has no ONNX graph ({reason})") from None


def quantise(folder: Path, to: Path) -> None:
    """Write the graphs of a folder with 8-bit weights, whose inputs are scaled as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    to.mkdir(parents=True, exist_ok=True)
    for name in GRAPHS:
        quantize_dynamic(
            folder / f"{name}.onnx",
            to / f"{name}.onnx",
            weight_type=QuantType.QInt8,
            op_types_to_quantize=QUANTISED,
        )
