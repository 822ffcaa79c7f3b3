"""What a report states becomes numbers, and where it is silent it stays unknown."""

import numpy as np
import pytest

from cinelex.data.synthetic.cines.findings import SEGMENTS, draw_findings
from cinelex.data.synthetic.cines.reports import write_report
from cinelex.metrics.facts.targets import columns_of, fact_targets
from cinelex.metrics.facts.vocabulary import vocabulary

WORDS = vocabulary("coronary")
NAMES = [column.name for column in columns_of(WORDS)]
REPORT = "Right dominant. 70% stenosis of the mid LAD. The RCA is normal. TIMI 2 flow."


def row(report: str, *, silence: str = "vocabulary") -> dict[str, tuple[float, float]]:
    ends = fact_targets([report], WORDS, silence=silence)[0]  # type: ignore[arg-type]
    return {name: (float(a), float(b)) for name, (a, b) in zip(NAMES, ends, strict=True)}


def test_each_kind_of_fact_by_hand() -> None:
    found = row(REPORT)
    assert found["stenosis.mid_lad.level"] == (70.0, 70.0)
    assert found["stenosis.mid_lad.value"] == (70.0, 70.0)
    assert found["stenosis.mid_rca.level"] == (0.0, 0.0)
    assert np.isnan(found["stenosis.mid_rca.value"]).all()
    assert found["dominance.right.level"] == (1.0, 1.0)
    assert found["dominance.left.level"] == (0.0, 0.0)
    assert found["flow.study.level"] == (2.0, 2.0)
    assert np.isnan(found["ejection_fraction.study.level"]).all()


def test_silence_is_what_the_run_says_it_is() -> None:
    assert row(REPORT)["stenosis.proximal_lad.level"] == (0.0, 0.0)
    assert row(REPORT)["calcification.study.level"] == (0.0, 0.0)
    open_ended = row(REPORT, silence="unknown")
    assert np.isnan(open_ended["stenosis.proximal_lad.level"]).all()
    assert np.isnan(open_ended["calcification.study.level"]).all()
    # a denial of the vessel is no silence
    assert open_ended["stenosis.mid_rca.level"] == (0.0, 0.0)


def test_a_lesion_of_a_whole_vessel_leaves_its_segments_open() -> None:
    found = row("50% stenosis of the LAD.")
    assert np.isnan(found["stenosis.mid_lad.level"]).all()
    assert found["stenosis.mid_rca.level"] == (0.0, 0.0)


def test_words_and_ranges_are_intervals() -> None:
    assert row("Severe stenosis of the mid RCA.")["stenosis.mid_rca.value"] == (70.0, 99.0)
    assert row("50-60% stenosis of the mid RCA.")["stenosis.mid_rca.level"] == (50.0, 60.0)


def test_a_text_without_facts_states_nothing() -> None:
    assert np.isnan(fact_targets(["A fine day."], WORDS, silence="vocabulary")).all()


@pytest.mark.parametrize("seed", range(20))
def test_every_finding_of_a_made_up_study_is_read_back(seed: int) -> None:
    generator = np.random.default_rng(seed)
    truth = draw_findings(generator)
    found = row(write_report(truth, generator))
    levels = {segment: found[f"stenosis.{segment}.level"] for segment in SEGMENTS}
    assert levels == {s: (float(truth.lesions.get(s, 0)),) * 2 for s in SEGMENTS}
    assert found["pacemaker.study.level"] == (float(truth.pacemaker),) * 2
    assert found[f"dominance.{truth.dominance}.level"] == (1.0, 1.0)
