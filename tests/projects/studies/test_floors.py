"""What a closed form is given, and that it finds what pixels and words have in common."""

import numpy as np
import torch
from torch import Tensor, nn

from cinelex.data.batch import Sample, collate
from cinelex.data.text.tokenizer import train_tokenizer
from cinelex.models.study_model import NOTHING, EncodedStudies, Kept, StudyModel
from cinelex.projects.studies.floors import floor_rows, study_pixels

THINGS = ("stair", "horse", "mirror", "ladder", "kettle", "violin")
TOKENIZER = train_tokenizer(THINGS, vocab_size=512, max_tokens=8)


def sample(clips: np.ndarray, text: str = "stair") -> Sample:
    return Sample(
        study_id="",
        clips=torch.from_numpy(clips),
        token_ids=torch.tensor(TOKENIZER.encode(text)),
        report_group=0,
        patient_group=0,
        keys=torch.zeros(len(clips), dtype=torch.long),
    )


class Shown:
    """Pictures of things: each lights a pixel of its own, somewhat."""

    tokenizer = TOKENIZER

    def __init__(self, count: int, seed: int) -> None:
        draw = np.random.default_rng(seed)
        self.things = draw.integers(len(THINGS), size=count)
        self.pictures = draw.integers(0, 60, size=(count, 1, 1, 2, 3, 1)).astype(np.uint8)
        self.pictures.reshape(count, 6)[np.arange(count), self.things] += 190

    def __len__(self) -> int:
        return len(self.things)

    def sample(self, index: int, *, epoch: int | None) -> Sample:
        return sample(self.pictures[index], THINGS[self.things[index]])

    def of_pixels(self) -> "Shown":
        return self

    def texts(self) -> list[np.ndarray]:
        return [np.array(TOKENIZER.encode(THINGS[thing])) for thing in self.things]


class Blind(StudyModel):
    """Sees nothing: its features are the same for all."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def encode_clips(self, clips: Tensor, kept: Kept = NOTHING) -> Tensor:
        return torch.ones(len(clips), 4)

    def join_clips(
        self, features: Tensor, owner: Tensor, *, studies: int, max_clips: int | None = None
    ) -> EncodedStudies:
        seen = torch.ones(studies, 1, dtype=torch.bool)
        rows = torch.ones(studies, 1, 4)
        return EncodedStudies(rows[:, 0], rows, seen, first_token=0, ragged=False)


def test_pixels_of_clips_stand_side_by_side_and_absent_clips_are_black() -> None:
    one, two = (np.full((n, 2, 3, 3, 1), 51, np.uint8) for n in (1, 2))
    two[1] = 255
    rows = study_pixels(collate([sample(one), sample(two)], pad_id=0)).reshape(2, 4, 18)
    torch.testing.assert_close(rows[:, :, 0], torch.tensor([[0.2, 0, 0, 0], [0.2, 1.0, 0, 0]]))


def test_the_closed_form_finds_the_text_from_pixels_and_nothing_from_blind_features() -> None:
    train, test = Shown(60, seed=0), Shown(30, seed=1)
    texts = [(text,) for text in train.texts()]
    gallery = [np.array(TOKENIZER.encode(thing)) for thing in THINGS]
    found = floor_rows(Blind(), train, texts, test, gallery, batch=7, seed=0)

    def right(name: str) -> float:
        rows = found[name]
        cosines = nn.functional.normalize(rows.study) @ nn.functional.normalize(rows.text).T
        return float(np.mean(cosines.argmax(dim=1).numpy() == test.things))

    assert right("ridge_pixels") > 0.9
    assert right("ridge_features") < 0.5
