"""Engravings show what their scene says, and their descriptions can be read back."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinelex.core.randomness import numpy_generator
from cinelex.data.studies.manifest import load_manifest
from cinelex.data.studies.study import Columns
from cinelex.data.synthetic.engravings.descriptions import describe
from cinelex.data.synthetic.engravings.drawing import draw_engraving
from cinelex.data.synthetic.engravings.engraving_set import (
    EngravingSetSettings,
    make_engraving_set,
)
from cinelex.data.synthetic.engravings.scene import (
    KINDS,
    PLACES,
    SIZES,
    SKIES,
    TONES,
    Scene,
    Thing,
    draw_scene,
)
from cinelex.metrics import engraving_facts
from cinelex.metrics.engraving_facts import facts_of

TINY = EngravingSetSettings(train=6, val=2, test=3, size=32, seed=5)
EMPTY = Scene((), "empty", "grass")


def drawn(scene: Scene, *, size: int = 64) -> np.ndarray:
    """Return an engraving, with the same draws for every scene that differs in words alone."""
    return draw_engraving(scene, numpy_generator("test"), size=size).astype(float)


def with_thing(place: str, kind: str, size: str, tone: str) -> Scene:
    return replace(EMPTY, things=(Thing(place, kind, size, tone),))


def truth(scene: Scene) -> dict[str, set[tuple[str, ...]]]:
    things = scene.things
    return {
        "kind": {(thing.place, thing.kind) for thing in things},
        "tone": {(thing.place, thing.kind, thing.tone) for thing in things},
        "whole": {(thing.place, thing.kind, thing.tone, thing.size) for thing in things},
        "scene": {("sky", scene.sky), ("ground", scene.ground)},
    }


def test_every_description_reads_back_as_its_scene() -> None:
    for number in range(600):
        draw = numpy_generator("round trip", number)
        scene = draw_scene(draw)
        assert facts_of(describe(scene, draw)) == truth(scene)


def test_the_metric_knows_the_words_of_the_set() -> None:
    assert engraving_facts.PLACES == PLACES
    assert engraving_facts.KINDS == KINDS
    assert engraving_facts.SIZES == SIZES
    assert engraving_facts.TONES == TONES
    assert set(engraving_facts.SKIES.values()) == set(SKIES)


def test_scenes_have_one_to_three_things_and_boats_only_on_water() -> None:
    scenes = [draw_scene(numpy_generator("scenes", number)) for number in range(300)]
    assert {len(scene.things) for scene in scenes} == {1, 2, 3}
    for scene in scenes:
        places = [PLACES.index(thing.place) for thing in scene.things]
        assert places == sorted(set(places))
        kinds = {thing.kind for thing in scene.things}
        assert scene.ground == "water" or "boat" not in kinds
    assert {thing.kind for scene in scenes for thing in scene.things} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_denser_tone_takes_more_ink(kind: str) -> None:
    inks = {
        tone: 255 - drawn(with_thing("middle", kind, "large", tone)).mean()
        for tone in ("bare", "ruled", "cross-hatched")
    }
    assert inks["bare"] < inks["ruled"] < inks["cross-hatched"]


@pytest.mark.parametrize("place", PLACES)
def test_a_thing_stands_at_its_place(place: str) -> None:
    change = np.abs(drawn(with_thing(place, "tower", "large", "bare")) - drawn(EMPTY)).sum(0)
    middle = (change * np.arange(64)).sum() / change.sum() / 64
    assert middle == pytest.approx({"left": 0.2, "middle": 0.5, "right": 0.8}[place], abs=0.08)


def test_a_large_thing_changes_more_than_a_small_one() -> None:
    small, large = (
        np.abs(drawn(with_thing("middle", "oak", size, "stippled")) - drawn(EMPTY)).sum()
        for size in ("small", "large")
    )
    assert large > 1.5 * small


@pytest.mark.parametrize("sky", SKIES[1:])
def test_every_sky_is_drawn_above_the_horizon(sky: str) -> None:
    change = np.abs(drawn(replace(EMPTY, sky=sky)) - drawn(EMPTY))
    # a sky takes none of the draws of what is below it
    assert change[:32].sum() > 100
    assert change[60:].sum() == 0


def test_the_manifest_is_one_that_the_project_reads(tmp_path: Path) -> None:
    path = make_engraving_set(TINY, tmp_path)
    manifest = load_manifest(path, columns=Columns())
    assert manifest.splits() == {"train": 6, "val": 2, "test": 3}
    reports = [study.report for study in manifest.studies]
    assert len(set(reports)) == len(reports)
    for study in manifest.studies:
        (picture,) = study.videos
        with Image.open(picture) as image:
            assert (image.size, image.mode) == ((32, 32), "L")


def test_the_truth_of_every_engraving_stands_beside_its_description(tmp_path: Path) -> None:
    with make_engraving_set(TINY, tmp_path).open(newline="") as stream:
        for row in csv.DictReader(stream):
            scene = json.loads(row["scene"])
            things = tuple(Thing(**thing) for thing in scene["things"])
            assert facts_of(row["report"]) == truth(Scene(things, scene["sky"], scene["ground"]))


def test_equal_settings_give_equal_files_and_another_seed_others(tmp_path: Path) -> None:
    def content(folder: str, settings: EngravingSetSettings) -> Sequence[bytes]:
        made = make_engraving_set(settings, tmp_path / folder).parent
        return [path.read_bytes() for path in sorted(made.rglob("*.*"))]

    first = content("a", TINY)
    assert first == content("b", TINY)
    assert first != content("a", replace(TINY, seed=6))


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="size must be at least 32, found 16"):
        replace(TINY, size=16)
    with pytest.raises(ValueError, match="must not be negative"):
        replace(TINY, test=-1)
