"""Text and graphics that are burned into pictures."""

from functools import lru_cache

import numpy as np
from jaxtyping import Bool

Box = tuple[int, int, int, int]
"""Top, left, bottom, right of a rectangle of pixels; the last two are the first outside."""


@lru_cache(maxsize=512)
def text_pixels(text: str, height: int) -> Bool[np.ndarray, "row column"]:
    """Return the pixels that a line of text covers, without what is empty around it."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(height)
    image = Image.new("1", (height * (len(text) + 2), 2 * height))
    ImageDraw.Draw(image).text((2, 2), text, fill=1, font=font)
    covered = np.array(image, dtype=bool)
    rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
    return covered[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


class Board:
    """What is burned into the pictures of one cine, all alike; it remembers where text is."""

    def __init__(self, rows: int, columns: int, *, text_height: int) -> None:
        self.text_height = text_height
        self.covered: Bool[np.ndarray, "row column"] = np.zeros((rows, columns), dtype=bool)
        self.outline: Bool[np.ndarray, "row column"] = np.zeros((rows, columns), dtype=bool)
        """Dark pixels around letters that lie on a picture, so that they can be read there."""
        self.text_boxes: list[Box] = []
        self.texts: list[str] = []

    def write(self, text: str, row: int, column: int, *, from_right: bool = False) -> Box:
        """Burn a line in with its corner there, cut at the picture's edges; return its place."""
        pixels = text_pixels(text, self.text_height)
        left = column - pixels.shape[1] if from_right else column
        left = max(0, left)
        target = self.covered[row : row + pixels.shape[0], left : left + pixels.shape[1]]
        target |= pixels[: target.shape[0], : target.shape[1]]
        box = (row, left, row + target.shape[0], left + target.shape[1])
        self.text_boxes.append(box)
        self.texts.append(text)
        return box

    def write_on_picture(self, lines: list[str], row: int, column: int) -> None:
        """Burn lines in, each letter with a dark outline, which counts as text."""
        for number, line in enumerate(lines):
            pixels = np.pad(text_pixels(line, self.text_height), 1)
            outline = np.zeros_like(pixels)
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    outline |= np.roll(pixels, (down, right), axis=(0, 1))
            start = row + number * (self.text_height + 1)
            place = np.s_[start : start + pixels.shape[0], column : column + pixels.shape[1]]
            height, width = self.covered[place].shape
            self.covered[place] |= pixels[:height, :width]
            self.outline[place] |= (outline & ~pixels)[:height, :width]
            self.text_boxes.append((start, column, start + height, column + width))
            self.texts.append(line)
