"""A closed form on features that are kept, and on the pixels beside them."""

from collections.abc import Callable
from typing import Any

import torch

from cinelex.projects.studies.encoding import encode_studies


def test_a_closed_form_of_both_reads_pixels_beside_kept_features_at_evaluation_alone(
    opened: Callable[..., Any],
) -> None:
    texts = ("model.text_encoder={name: tfidf, options: {}}", "loss_weights.captioning=0")
    given = ("model.heads=study", "model.dim=32", "model.closed_form.inputs=both")
    project, model = opened(*texts, *given)
    assert project.ready(model.eval()) == ["video"]
    assert next(project.batches(0)).clips.numel() == 0
    kept, run = (
        encode_studies(model, split, batch=2)
        for split in (project.data.test, project.data.test.of_pixels())
    )
    torch.testing.assert_close(kept, run, atol=1e-5, rtol=1e-4)
    assert model.closed_form is not None
    with model.closed_form.counting(0.0):
        assert not torch.allclose(encode_studies(model, project.data.test, batch=2), kept)
