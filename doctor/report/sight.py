"""Scores beside the nulls of sight: is it the video, or the machine?"""

from collections.abc import Sequence
from dataclasses import replace

from cinelex.projects.interface.results import Group, Null, Results, Score

SIGHT = {
    "blank_video": "blank video",
    "other_sample": "another sample's picture",
    "permuted_pixels": "pixels permuted",
    "shuffled_frames": "frames shuffled",
    "reversed_video": "time reversed",
    "first_frame": "first frame only",
    "metadata": "metadata only",
}
"""Nulls that stand in a table of their own, by their name in the results."""
NOTE = (
    "The same score with nothing, or not all, to be seen, and by ridge regression from metadata "
    "(frame count and rate, file size, number of videos, brightness, machine, site, year, order). "
    "Frames that are shuffled, reversed or all the first still show the study: a score as good as "
    "those does not need the movement."
)


def without_sight(group: Group) -> Group:
    """Return a group without the nulls of sight."""
    return replace(group, scores=[_with(score, seen=False) for score in group.scores])


def sight_groups(results: Results) -> list[Group]:
    """Return, for each group that has such nulls, its headlines beside them."""
    found = []
    for group in results.groups:
        scores = [score for score in group.scores if score.headline and _sight(score)]
        if scores:
            title = f"{group.title}: is it the video, or the machine?"
            kept = [_with(score, seen=True) for score in scores]
            found.append(Group(title=title, note=NOTE, scores=kept))
    return found


def margins(results: Results, names: Sequence[str]) -> list[tuple[str, Score, str, Null]]:
    """Return the first headline of each group that was measured beside some of these nulls."""
    found = []
    for group in results.groups:
        scores = [one for one in group.scores if one.headline and _measured(one, names)]
        if scores:
            score = scores[0]
            found += [
                (group.title, score, name, score.nulls[name]) for name in _measured(score, names)
            ]
    return found


def _measured(score: Score, names: Sequence[str]) -> list[str]:
    nulls = score.nulls
    return [
        n
        for n in names
        if n in nulls and nulls[n].margin is not None and nulls[n].value is not None
    ]


def _sight(score: Score) -> list[str]:
    return [name for name in score.nulls if name in SIGHT]


def _with(score: Score, *, seen: bool) -> Score:
    nulls = {name: null for name, null in score.nulls.items() if (name in SIGHT) is seen}
    return replace(score, nulls=nulls)
