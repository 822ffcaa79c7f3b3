"""Rates of the card, losses and searches: right first, then their time and memory."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.device.found import Found, Place, close
from benchmarks.device.writers import bert_writer
from cinelex.losses import CONTRASTIVE, contrastive
from cinelex.losses.contrastive import InfoNCE
from cinelex.metrics.retrieval import rank_both_ways
from cinelex.runners.meter import matmul_rate

WIDTH = 512
Loss = Callable[..., Tensor]


def rates(place: Place) -> Iterator[Found]:
    """Measure what the card does at most."""
    for name, bf16 in (("bf16", True), ("fp32", False)):
        yield Found(
            f"matrix product, {name}",
            f"{matmul_rate(place.device, bf16=bf16) / 1e12:,.3g} TFLOP/s",
        )
    cells = place.size(2**30, 2**16)
    source = torch.zeros(cells, dtype=torch.uint8, device=place.device)
    target = torch.empty_like(source)
    taken = place.seconds(lambda: target.copy_(source))
    yield Found("copy on the device, read and written", f"{2 * cells / taken / 1e9:,.0f} GB/s")
    for locked in (False, True):
        host = torch.zeros(cells, dtype=torch.uint8, pin_memory=locked and place.on_gpu)
        taken = place.seconds(partial(target.copy_, host, non_blocking=True))
        kind = "page-locked" if locked else "ordinary"
        yield Found(f"copy to the device, {kind}", f"{cells / taken / 1e9:,.3g} GB/s")


def losses(place: Place) -> Iterator[Found]:
    """Compare tiles with the whole matrix in float64, at scale 100, and bf16 rows with fp32."""
    studies = place.size(1500, 40)
    every = torch.arange(studies, device=place.device)
    groups = {"report_group": every % (studies * 4 // 5), "patient_group": every // 3}
    study, report = rows(studies, place.device)
    for name, form in (("infonce", "out"), ("infonce", "in"), ("siglip", "")):
        loss = CONTRASTIVE[name](**({"form": form} if form else {}))
        told = f"{name} {form}".strip()
        ways = {
            "float64": (torch.float64, 10**9),
            "tiles": (torch.float32, 1),
            "bf16 rows": (torch.bfloat16, 1),
        }
        found = {
            way: gradient(loss, study.to(dtype), report.to(dtype), groups, held=held)
            for way, (dtype, held) in ways.items()
        }
        truth = found["float64"]
        yield close(
            f"{told}, tiles in fp32 beside the whole matrix in float64, scale 100: gradient",
            difference(found["tiles"], truth),
            1e-4,
        )
        yield close(f"{told}, bf16 rows beside it", difference(found["bf16 rows"], truth), 0.3)


def rows(studies: int, device: torch.device) -> list[Tensor]:
    """Return unit rows in float64, of which each pair is a little alike."""
    random = torch.Generator(device=device).manual_seed(studies)
    study, other = torch.randn(
        2, studies, WIDTH, generator=random, device=device, dtype=torch.float64
    )
    return [F.normalize(study, dim=1), F.normalize(study + 10 * other, dim=1)]


def gradient(
    loss: Loss, study: Tensor, report: Tensor, groups: dict[str, Tensor], *, held: int
) -> Tensor:
    """Return the gradients of a loss at temperature 0.01, in float64."""
    kept, contrastive.HELD_WHOLE = contrastive.HELD_WHOLE, held
    ends = [side.detach().clone().requires_grad_() for side in (study, report)]
    device = study.device
    precision = torch.promote_types(study.dtype, torch.float32)
    temperature = torch.tensor(0.01, device=device, dtype=precision, requires_grad=True)
    named = {"temperature": temperature, **groups}
    if not isinstance(loss, InfoNCE):
        named["bias"] = torch.tensor(-5.0, device=device, dtype=precision)
    try:
        loss(*ends, **named).backward()
    finally:
        contrastive.HELD_WHOLE = kept
    found = [one.grad.double() for one in ends if one.grad is not None]
    return torch.cat(found)


def difference(found: Tensor, truth: Tensor) -> float:
    """Return the length of what differs, as a share."""
    return float((found - truth).norm() / truth.norm())


def dense(study: Tensor, report: Tensor, temperature: Tensor) -> Tensor:
    """Return CLIP's loss with its whole matrix, as open_clip has it."""
    logits = study @ report.T / temperature
    own = torch.arange(len(study), device=study.device)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def loss_speed(place: Place) -> Iterator[Found]:
    """P4: time and memory of InfoNCE in fp32 beside the whole matrix."""
    for studies in (1024, 4096, 12_288, 32_768):
        size = place.size(studies, 64)
        every = torch.arange(size, device=place.device)
        ours = partial(InfoNCE(), report_group=every, patient_group=every)
        ends = [side.float().requires_grad_() for side in rows(size, place.device)]
        heat = torch.tensor(0.07, device=place.device, requires_grad=True)
        ways: dict[str, Callable[[], None]] = {
            "tiles": lambda: ours(*ends, temperature=heat).backward(),  # noqa: B023
            "whole": lambda: dense(ends[0], ends[1], heat).backward(),  # noqa: B023
        }
        taken = {name: place.seconds(way) for name, way in ways.items()}
        held = {name: place.peak_gib(way) for name, way in ways.items()}
        ratio = taken["tiles"] / taken["whole"]
        goal = 1.3 if studies > 4096 else 1.0
        yield Found(
            f"P4 InfoNCE {size:,} × {WIDTH}, forward and backward",
            f"{1e3 * taken['tiles']:.2f} ms, {ratio:.2f} × the whole matrix; "
            f"{held['tiles']:.3f} GiB beside {held['whole']:.3f}",
            f"≤ {goal} × its time" + ("; < 1 GiB" if studies == 32_768 else ""),
            ratio <= goal and (studies < 32_768 or held["tiles"] < 1),
        )


def search(place: Place) -> Iterator[Found]:
    """P7: all ranks of a search, both ways; the larger is not warmed up, because it takes long."""
    for size, rounds, limit_s, limit_gib in ((100_000, 1, 1.0, 4), (1_000_000, 0, 10.0, 6)):
        count = place.size(size, 200)
        study = torch.randn(count, WIDTH, device=place.device)
        report = 0.15 * study + torch.randn(count, WIDTH, device=place.device)
        owner = torch.arange(count, device=place.device)
        work = partial(rank_both_ways, study, report, owner)
        taken: list[float] = []
        held = place.peak_gib(lambda: taken.append(place.seconds(work, rounds=rounds)))  # noqa: B023
        yield Found(
            f"P7 ranks of {count:,} × {count:,}, both ways",
            f"{taken[0]:.2f} s, {held:.2f} GiB beyond the rows",
            f"≤ {limit_s:g} s, < {limit_gib} GiB",
            taken[0] <= limit_s and held < limit_gib,
        )


def captions(place: Place) -> Iterator[Found]:
    """P13: tokens a second of captions, beside the same without a cache and transformers."""
    from cinelex.models.caption_decoder import TransformerCaptionDecoder

    width, studies, length = place.size(768, 32), place.size(64, 2), place.size(128, 8)
    parts = {"depth": place.size(6, 1), "heads": place.size(12, 2)}
    sizes = {"width": width, "vocab": place.size(30_522, 64), **parts}
    decoder = TransformerCaptionDecoder(**sizes, memory_width=width, max_tokens=length)
    decoder = decoder.to(place.device)
    memory = torch.randn(studies, place.size(64, 4), width, device=place.device)

    def cached() -> Tensor:
        return decoder.generate(memory, None, bos_id=1, eos_id=-1, pad_id=0, max_tokens=length)

    @torch.no_grad()
    def again() -> Tensor:
        tokens = torch.ones(studies, 1, dtype=torch.int64, device=place.device)
        for _ in range(length - 1):
            following = decoder(tokens, memory, None)[:, -1].argmax(-1)
            tokens = torch.cat([tokens, following[:, None]], 1)
        return tokens

    same = float((cached() == again()).float().mean())
    told = "P13 tokens that are the same without the cache"
    yield Found(told, f"{same:.4f}", "≥ 0.99", same >= 0.99)
    theirs = bert_writer(memory, **sizes, tokens=length)
    taken = [place.seconds(way, rounds=2) for way in (cached, again, theirs)]
    yield Found(
        f"P13 captions of {studies} studies, {length} tokens",
        f"{studies * length / taken[0]:,.0f} tokens/s, {taken[0] / taken[2]:.2f} × the time of "
        f"transformers' generate, {taken[0] / taken[1]:.2f} × without a cache",
        "≤ 1",
        taken[0] <= min(taken[1:]),
    )
