"""P5, P6, P13 and what micro-batches cost, on one CPU thread, at sizes that a CPU bears.

    python -m benchmarks.steps [--quick]

The same comparisons at their real sizes are `benchmarks.device`'s, on a GPU. P15 is training, and
its leaderboard is in docs/why/log.md.
"""

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.device.studies import made_up
from benchmarks.device.writers import bert_writer
from benchmarks.series import Row, Way, main, of, ratio_of, seconds, take_turns
from cinelex.models.caption_decoder import TransformerCaptionDecoder
from cinelex.models.video_vit import VideoViT
from cinelex.runners.train import Trainer

SIZE, WIDTH, DEPTH, HEADS = 64, 192, 4, 3
MODEL = (
    *(f"model.width={WIDTH}", "data.size=64", "data.frames=8", "data.channels=1", "batch=16"),
    *("model.clip_pooling=mean", "model.video_encoder.options.stem=linear", "data.max_videos=2"),
    *("model.video_encoder.options.tubelet=[2,8,8]", "model.mask_ratio=0.9", "device=cpu"),
)
PROVENANCE = {"config": "c", "data": "d", "code": "e"}


def trainer(folder: Path, name: str, *overrides: str) -> Trainer[Any]:
    """Return a trainer of the multitask config on drawn studies."""
    config, project = made_up("multitask_config.yaml", *MODEL, *overrides)
    device = torch.device("cpu")
    return Trainer(project, config, folder=folder / name, device=device, provenance=PROVENANCE)


def step_rows(rounds: int) -> list[Row]:
    """Compare a step with a pass for each term, and with the same in four micro-batches."""
    with TemporaryDirectory() as folder:
        one, four = (
            trainer(Path(folder), f"{n}", f"gradient_accumulation_steps={n}") for n in (1, 4)
        )
        batch = next(one.project.batches(0))
        four.module.load_state_dict(one.module.state_dict())
        losses = [each.update(batch).loss for each in (one, four)]
        torch.testing.assert_close(*losses, rtol=1e-4, atol=1e-5)

        def apart() -> None:
            for name in one.project.weights(0):
                alone = {n: float(n == name) for n in one.project.weights(0)}
                separate(one, batch, alone)

        ways: dict[str, Way] = {
            "one": partial(one.update, batch),
            "four": partial(four.update, batch),
            "apart": apart,
        }
        taken = take_turns(ways, rounds=rounds)
    whole = seconds(taken["one"])
    return [
        Row(
            number="P5",
            what=f"multitask step, ViT of {WIDTH}, 8 × {SIZE}², all terms in one pass",
            figure=whole,
            beside=f"a pass for each term {seconds(taken['apart'])}",
            ratio=ratio_of(taken, "apart", "one"),
            goal=1.7,
            less=False,
        ),
        Row(
            number="P5",
            what="the same in 4 micro-batches, contrast over the whole batch",
            figure=seconds(taken["four"]),
            beside=f"at once {whole}",
            ratio=ratio_of(taken, "four", "one"),
            goal=1.35,
        ),
    ]


def separate(one: Trainer[Any], batch: Any, weights: Mapping[str, float]) -> None:
    """Make the gradient of one term by a pass of its own."""
    one.optimizer.zero_grad(set_to_none=True)
    one.gradients.of(batch, weights, look=lambda _: None)


def masked_row(rounds: int) -> Row:
    """P6: an encoder that sees a tenth, beside VideoMAE of transformers; equal lengths first."""
    from transformers import VideoMAEConfig, VideoMAEModel

    frames, clips, side = 16, 4, 16
    ours = VideoViT(
        width=WIDTH,
        frames=frames,
        size=128,
        channels=3,
        depth=DEPTH,
        heads=HEADS,
        tubelet=(2, side, side),
    )
    theirs = VideoMAEModel(
        VideoMAEConfig(
            image_size=128,
            num_frames=frames,
            hidden_size=WIDTH,
            num_hidden_layers=DEPTH,
            num_attention_heads=HEADS,
            intermediate_size=4 * WIDTH,
        )
    )
    tokens = frames // 2 * (128 // side) ** 2
    keep = torch.rand(clips, tokens).argsort(1)[:, : tokens // 10]
    hidden = torch.ones(clips, tokens, dtype=torch.bool).scatter(1, keep, False)
    pixels = torch.rand(clips, 3, frames, 128, 128)
    turned = pixels.transpose(1, 2).contiguous()
    shapes = {ours(pixels, keep).shape, theirs(turned, hidden).last_hidden_state.shape}
    assert len(shapes) == 1, shapes

    def pass_of(model: nn.Module, *given: Tensor) -> None:
        out = model(*given)
        (out if isinstance(out, Tensor) else out.last_hidden_state).mean().backward()

    ways = {
        "ours": partial(pass_of, ours, pixels, keep),
        "peer": partial(pass_of, theirs, turned, hidden),
    }
    taken = take_turns(ways, rounds=rounds)
    return Row(
        number="P6",
        what=f"encoder that sees 10 %, ViT of {WIDTH}, 16 × 128², forward and backward",
        figure=seconds(taken["ours"]),
        beside=f"{of('transformers')} VideoMAE {seconds(taken['peer'])}",
        ratio=ratio_of(taken, "ours", "peer"),
        goal=1.0,
    )


def caption_row(rounds: int) -> Row:
    """P13: captions token by token, beside transformers' generate on a decoder of the same size."""
    studies, length, vocab = 16, 32, 1000
    decoder = TransformerCaptionDecoder(
        width=WIDTH, memory_width=WIDTH, vocab=vocab, max_tokens=length, depth=DEPTH, heads=HEADS
    ).eval()
    memory = torch.randn(studies, 64, WIDTH)
    theirs = bert_writer(memory, width=WIDTH, depth=DEPTH, heads=HEADS, vocab=vocab, tokens=length)

    def ours() -> Tensor:
        return decoder.generate(memory, None, bos_id=1, eos_id=-1, pad_id=0, max_tokens=length)

    assert ours().shape == theirs().shape == (studies, length)
    taken = take_turns({"ours": ours, "peer": theirs}, rounds=rounds)
    return Row(
        number="P13",
        what=f"captions of {studies} studies, {length} tokens, keys and values kept",
        figure=seconds(taken["ours"]),
        beside=f"{of('transformers')} generate, BERT decoder of that size {seconds(taken['peer'])}",
        ratio=ratio_of(taken, "ours", "peer"),
        goal=1.0,
    )


def rows(quick: bool) -> list[Row]:
    """Measure all."""
    rounds = 3 if quick else 7
    return [*step_rows(rounds), masked_row(rounds), caption_row(rounds)]


if __name__ == "__main__":
    sys.exit(main(rows, "benchmarks.steps"))
