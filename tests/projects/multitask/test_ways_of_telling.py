"""Each way of telling captions the facts is a value of the config, and builds what it names."""

import pytest

from cinelex.config.load import load_config
from cinelex.projects.multitask.planned import planned_step
from tests.tiny_run import DATA, MODEL, MULTITASK

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("in_memory", [True, False])
def test_a_way_of_telling_is_chosen_by_its_keys(in_memory: bool, constrained: bool) -> None:
    keys = (f"model.facts_in_memory={in_memory}", f"facts.constrain={constrained}")
    config = load_config(MULTITASK, [*DATA, *MODEL, *keys])
    assert config.facts.constrain == constrained
    step = planned_step(config, studies=2)
    assert (step.model.fact_rows is not None) == in_memory
    assert step.loss().shape == ()
