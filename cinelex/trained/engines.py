"""What turns clips and tokens into unit rows: the model itself, or its graphs under ONNX."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from cinelex.core.errors import UserError
from cinelex.data.video.transforms import to_float
from cinelex.models.shapes import TokenIds, TokenMask
from cinelex.models.study_model import EncodedStudies, StudyModel

Clips = UInt8[Tensor, "clip frame row column channel"]
GRAPHS = ("clips", "study", "report")
"""The graphs of an export: clips to features, those of one study to its row, tokens to a row."""


class Engine(ABC):
    """Brings studies and reports into the space that they share."""

    @abstractmethod
    def studies(self, studies: Sequence[Clips]) -> Float[Tensor, "study dim"]:
        """Return one unit row a study, given the clips of each."""

    @abstractmethod
    def reports(
        self, token_ids: TokenIds, attention_mask: TokenMask
    ) -> Float[Tensor, "report dim"]:
        """Return one unit row a report."""


class TorchEngine(Engine):
    """The model as it was trained."""

    def __init__(self, model: StudyModel) -> None:
        self.model = model
        self.device = next(model.parameters()).device

    @torch.no_grad()
    def encoded(self, studies: Sequence[Clips]) -> EncodedStudies:
        """Return all that is known of studies, on the model's device."""
        counts = torch.tensor([len(clips) for clips in studies])
        owner = torch.arange(len(studies)).repeat_interleave(counts).to(self.device)
        pixels = to_float(torch.cat(list(studies)).to(self.device))
        most = int(counts.max())
        return self.model.encode_study(pixels, owner, studies=len(studies), max_clips=most)

    def studies(self, studies: Sequence[Clips]) -> Float[Tensor, "study dim"]:
        """Return one unit row a study."""
        return self.encoded(studies).study.float().cpu()

    @torch.no_grad()
    def reports(
        self, token_ids: TokenIds, attention_mask: TokenMask
    ) -> Float[Tensor, "report dim"]:
        """Return one unit row a report."""
        tokens, mask = token_ids.to(self.device), attention_mask.to(self.device)
        return self.model.encode_report(tokens, mask).report.float().cpu()


class OnnxEngine(Engine):
    """The graphs of an exported folder, under onnxruntime on the CPU."""

    def __init__(self, folder: Path) -> None:
        """Open the graphs.

        Raises:
            UserError: The folder was exported without them, or onnxruntime is not installed.
        """
        try:
            import onnxruntime
        except ImportError:
            raise UserError("onnxruntime is missing; pip install 'cinelex[export]'") from None
        lacking = [name for name in GRAPHS if not (folder / f"{name}.onnx").exists()]
        if lacking:
            raise UserError(
                f"{folder}: no graph {lacking[0]}.onnx; export with --formats safetensors,onnx,int8"
            )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._sessions = {
            name: onnxruntime.InferenceSession(
                folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"]
            )
            for name in GRAPHS
        }

    def studies(self, studies: Sequence[Clips]) -> Float[Tensor, "study dim"]:
        """Return one unit row a study; each is aggregated by itself, however many clips it has."""
        pixels = to_float(torch.cat(list(studies)))
        sizes = [len(clips) for clips in studies]
        features = self._run("clips", pixels)
        parts = zip(features.split(sizes), pixels.split(sizes), strict=True)
        return torch.stack([self._run("study", *part) for part in parts])

    def reports(
        self, token_ids: TokenIds, attention_mask: TokenMask
    ) -> Float[Tensor, "report dim"]:
        """Return one unit row a report."""
        return self._run("report", token_ids, attention_mask)

    def _run(self, name: str, *inputs: Tensor) -> Tensor:
        session = self._sessions[name]
        names = [node.name for node in session.get_inputs()]
        given = {key: value.numpy() for key, value in zip(names, inputs, strict=True)}
        (result,) = session.run(None, given)
        return torch.from_numpy(result)
