"""Made-up inputs that an export carries with the answers to them, and the comparison."""

from collections.abc import Mapping
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from cinelex.core.errors import UserError
from cinelex.core.randomness import keyed_seed
from cinelex.models.video_text import VideoText
from cinelex.trained.engines import Clips, Engine, TorchEngine
from cinelex.trained.run import TrainedRun

PROOF = "proof.safetensors"
CLIPS_OF = (1, 2, 3)
"""Clips of each made-up study: ragged, as studies are."""
TOLERANCES: Mapping[str, float] = {"torch": 1e-4, "onnx": 1e-4, "int8": 2e-2}
"""Largest difference of a number; of logits and facts, in units of the largest. Integers are summed
in another order and width from one processor to the next."""
Tensors = Mapping[str, Tensor]


def made_up(run: TrainedRun) -> dict[str, Tensor]:
    """Return three studies of noise and three reports of random tokens, drawn by a fixed key."""
    data, tokenizer = run.config.data, run.tokenizer
    draw = torch.Generator().manual_seed(keyed_seed(0, "proof"))
    shape = (sum(CLIPS_OF), data.frames, data.size, data.size, data.channels)
    clips = torch.randint(0, 256, shape, dtype=torch.uint8, generator=draw)
    lengths = (3, max(4, tokenizer.max_tokens // 2), tokenizer.max_tokens)
    token_ids = torch.full((3, max(lengths)), tokenizer.pad_id)
    for row, length in enumerate(lengths):
        inside = torch.randint(tokenizer.vocab_size, (length - 2,), generator=draw)
        ends = torch.tensor([tokenizer.bos_id, tokenizer.eos_id])
        token_ids[row, :length] = torch.cat([ends[:1], inside, ends[1:]])
    return {
        "clips": clips,
        "owner": torch.arange(3).repeat_interleave(torch.tensor(CLIPS_OF)),
        "token_ids": token_ids,
        "attention_mask": torch.arange(max(lengths)) < torch.tensor(lengths)[:, None],
    }


def answers_of_engine(engine: Engine, proof: Tensors) -> dict[str, Tensor]:
    """Return the unit rows that an engine makes of the made-up inputs."""
    return {
        "study": engine.studies(_studies(proof["clips"], proof["owner"])),
        "report": engine.reports(proof["token_ids"], proof["attention_mask"]),
    }


@torch.no_grad()
def answers_of_model(run: TrainedRun, proof: Tensors) -> dict[str, Tensor]:
    """Return the unit rows, and what the caption decoder and the heads on facts say."""
    engine = TorchEngine(run.model)
    answers = answers_of_engine(engine, proof)
    encoded = engine.encoded(_studies(proof["clips"], proof["owner"]))
    if run.model.caption_decoder is not None:
        decoder, tokens = run.model.caption_decoder, proof["token_ids"]
        answers["logits"] = decoder(tokens[:, :8], encoded.memory, encoded.mask).float().cpu()
    if isinstance(run.model, VideoText) and encoded.facts is not None:
        answers["facts"] = encoded.facts.cpu()
    return answers


def refuse_other(folder: Path, proof: Tensors, answers: Tensors, *, engine: str = "torch") -> None:
    """Refuse a model that does not answer as the export did.

    Raises:
        UserError: Names what differs, and by how much.
    """
    for name, answer in answers.items():
        expected = proof.get(f"{engine}.{name}", proof.get(name))
        if expected is None or expected.shape != answer.shape:
            raise UserError(
                f"{folder / PROOF}: no answer of this shape for {name}; export it again"
            )
        differs = difference(answer, expected)
        if not differs <= TOLERANCES[engine]:
            raise UserError(
                f"{folder}: does not answer as when it was exported: {name} differs by "
                f"{differs:.2g}, at most {TOLERANCES[engine]:g} is rounding ({engine}); copy it "
                "again, or export it again"
            )


def difference(answer: Tensor, expected: Tensor) -> float:
    """Return the largest difference, in units of the largest expected number where that is > 1."""
    return float((answer - expected).abs().max() / expected.abs().max().clamp(min=1.0))


def _studies(clips: Clips, owner: Int[Tensor, " clip"]) -> list[Clips]:
    return [clips[owner == study] for study in range(len(CLIPS_OF))]
