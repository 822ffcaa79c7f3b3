"""N13: what is no fault of a teacher."""

from dataclasses import replace

from tests.doctor.records import found, with_diagnostics, with_steps
from tests.doctor.rules.sick_second import taught


def test_a_loss_of_latents_may_rise_and_drop_while_its_targets_differ_more_and_more() -> None:
    evidence = taught(lambda done: (0.3 - (done - 0.5) ** 2, 0.4 + done))
    assert found(evidence, "N13") == []


def test_a_teacher_may_be_its_student_where_the_student_rests() -> None:
    frozen = with_diagnostics(model__frozen__video_encoder=1)
    resting = replace(frozen, steps=with_steps(teacher__distance=0.0).steps)
    assert found(resting, "N13") == []
