"""Samples of a latent captioner to look at: pictures beside what came back, and the way between."""

import textwrap
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from cinelex.core.distributed import is_main
from cinelex.core.files import write_whole
from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.data.batch import collate
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.video.transforms import to_float
from cinelex.models.latent_captioner import LatentCaptioner
from cinelex.projects.interface.exhibits import Picture
from cinelex.projects.studies.captions import told_of
from cinelex.projects.studies.encoding import device_of

SAMPLES, COLUMNS = 12, 4
"""Pictures on the contact sheet, and next to one another."""
TILE = 160
"""Pixels of a picture's side on the sheet."""
GAP = 12
LINE = 13
"""Pixels from one line of text to the next."""


@torch.no_grad()
def draw_contact_sheet(
    model: LatentCaptioner, dataset: StudyDataset, folder: Path, *, max_tokens: int
) -> Picture | None:
    """Draw the first pictures of a split, not chosen, beside what their latents give back.

    Returns None on all ranks but the main one.
    """
    if not is_main():
        return None
    chosen = range(min(SAMPLES, len(dataset)))
    pixels, latent = _encoded(model, dataset, chosen)
    rebuilt = _grays(model.image_decoder(latent))
    captions = told_of(
        model.read_latent(latent), model.caption_decoder, dataset.tokenizer, max_tokens=max_tokens
    )
    blocks = [
        _block(
            [original, again],
            [f"caption: {caption}", f"description: {dataset.studies[index].report}"],
        )
        for index, original, again, caption in zip(
            chosen, _grays(pixels), rebuilt, captions, strict=True
        )
    ]
    path = Path("predictions") / "contact_sheet.png"
    lines = [blocks[start : start + COLUMNS] for start in range(0, len(blocks), COLUMNS)]
    _save(folder / path, _joined([_joined(line) for line in lines], across=False))
    return Picture(
        title="Samples",
        note="The first held-out pictures, not chosen: each beside what its latent gives back.",
        path=path,
    )


@torch.no_grad()
def draw_interpolation(
    model: LatentCaptioner, dataset: StudyDataset, folder: Path, *, steps: int, max_tokens: int
) -> Picture | None:
    """Draw what the latents on the straight way between two pictures give back.

    The pictures are the first two of the split. Returns None on all ranks but the main one, and
    where there is but one picture.
    """
    if not is_main() or len(dataset) < 2:
        return None
    pixels, latent = _encoded(model, dataset, range(2))
    shares = torch.linspace(0, 1, steps, device=latent.device)
    between = torch.lerp(latent[:1], latent[1:2], shares[:, None])
    captions = told_of(
        model.read_latent(between), model.caption_decoder, dataset.tokenizer, max_tokens=max_tokens
    )
    ends = _grays(pixels)
    blocks = [
        _block([picture], [f"{share:.2f}: {caption}"])
        for share, picture, caption in zip(
            shares.tolist(), _grays(model.image_decoder(between)), captions, strict=True
        )
    ]
    strip = [_block([ends[0]], ["from"]), *blocks, _block([ends[1]], ["to"])]
    path = Path("predictions") / "interpolation.png"
    _save(folder / path, _joined(strip))
    return Picture(
        title="From one picture to another",
        note="The straight way between two latents, rebuilt and captioned at even steps.",
        path=path,
    )


def _encoded(
    model: LatentCaptioner, dataset: StudyDataset, indices: Sequence[int]
) -> tuple[Float[Tensor, "clip channel frame row column"], Float[Tensor, "clip latent"]]:
    """Return the first picture of each study and its latent."""
    samples = [dataset.sample(index, epoch=None) for index in indices]
    batch = collate(samples, pad_id=dataset.tokenizer.pad_id)
    first = torch.searchsorted(batch.owner, torch.arange(len(samples)))
    pixels = to_float(batch.clips[first].to(device_of(model)))
    return pixels, model.encode_clips(pixels)


def _grays(
    pixels: Float[Tensor, "clip channel frame row column"],
) -> list[UInt8[np.ndarray, "row column"]]:
    """Return the middle frame of each picture, in gray, as a screen shows it."""
    middle = pixels[:, :, pixels.shape[2] // 2].mean(dim=1)
    gray = ((middle * PIXEL_STD + PIXEL_MEAN).clamp(0, 1) * 255).round().to(torch.uint8).cpu()
    return list(gray.numpy())


def _block(
    pictures: Sequence[UInt8[np.ndarray, "row column"]], texts: Sequence[str]
) -> Image.Image:
    """Return pictures next to one another with texts below."""
    width = len(pictures) * TILE
    font = ImageFont.load_default(size=LINE - 2)
    lines = [line for text in texts for line in textwrap.wrap(text, width // 6)]
    block = Image.new("L", (width, TILE + LINE * (len(lines) + 1)), 255)
    for column, picture in enumerate(pictures):
        shown = Image.fromarray(picture).resize((TILE, TILE), Image.Resampling.NEAREST)
        block.paste(shown, (column * TILE, 0))
    pen = ImageDraw.Draw(block)
    for row, line in enumerate(lines):
        pen.text((2, TILE + 3 + row * LINE), line, fill=0, font=font)
    return block


def _joined(images: Sequence[Image.Image], *, across: bool = True) -> Image.Image:
    """Return images in a row or a column, with gaps."""
    widths, heights = [image.width for image in images], [image.height for image in images]
    gaps = GAP * (len(images) - 1)
    size = (sum(widths) + gaps, max(heights)) if across else (max(widths), sum(heights) + gaps)
    whole, offset = Image.new("L", size, 255), 0
    for image in images:
        whole.paste(image, (offset, 0) if across else (0, offset))
        offset += (image.width if across else image.height) + GAP
    return whole


def _save(path: Path, image: Image.Image) -> None:
    stream = BytesIO()
    image.save(stream, "png")
    write_whole(path, stream.getvalue())
