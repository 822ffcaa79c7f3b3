"""What ``embed`` writes is what the model gives, each clip encoded once."""

from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.data.loader import evaluation_batches
from cinelex.models.video_text import VideoText
from cinelex.models.video_vit import VideoViT
from cinelex.projects.multitask.project import MultitaskProject
from cinelex.projects.studies.data import StudyData, open_study_data
from cinelex.projects.studies.encoding import encode_batch, encode_studies
from cinelex.runners.evaluate import checkpoint_of, load_trained
from cinelex.runners.finished import Finished
from cinelex.runners.run_folder import RunFolder
from tests.tiny_run import STUDIES, FinishedRun, succeed


def _trained(
    run: FinishedRun, config: RunConfig, data: StudyData
) -> tuple[VideoText, dict[str, str]]:
    finished = Finished(folder=RunFolder(run.path), config=config, output=run.path)
    project, found = MultitaskProject(config, data), checkpoint_of(finished)
    return load_trained(project, finished, found, torch.device("cpu"))


def test_embeddings_are_those_of_the_model(finished_run: FinishedRun) -> None:
    succeed([*finished_run.command, "--run_mode", "embed"])
    table = pq.read_table(finished_run.path / "embeddings.parquet")
    config = load_config(finished_run.path / "config.yaml")
    data = open_study_data(config, finished_run.path)
    model, provenance = _trained(finished_run, config, data)
    assert data.validation is not None
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert metadata == provenance
    frame = table.to_pandas()
    studies = frame[frame.kind == "study"]
    for dataset in (data.train, data.validation, data.test):
        split = dataset.studies[0].split
        own = studies[studies.split == split]
        assert own.study_id.tolist() == [study.id for study in dataset.studies]
        expected = encode_studies(model, dataset, batch=5)
        np.testing.assert_allclose(np.stack(own.embedding), expected.numpy(), atol=1e-5)
    clips = frame[(frame.kind == "clip") & (frame.split == "test")]
    expected_clips = [
        (study.id, place) for study in data.test.studies for place in range(len(study.videos))
    ]
    assert list(zip(clips["study_id"], clips["clip"], strict=True)) == expected_clips
    np.testing.assert_allclose(np.linalg.norm(np.stack(frame.embedding), axis=1), 1, atol=1e-5)
    assert (frame.kind == "report").sum() == sum(STUDIES.values())


def test_a_clip_is_embedded_as_a_study_of_its_own(finished_run: FinishedRun) -> None:
    config = load_config(finished_run.path / "config.yaml")
    data = open_study_data(config, finished_run.path)
    model, _ = _trained(finished_run, config, data)
    if not (finished_run.path / "embeddings.parquet").exists():
        succeed([*finished_run.command, "--run_mode", "embed"])
    frame = pq.read_table(finished_run.path / "embeddings.parquet").to_pandas()
    rows_of = frame[(frame.kind == "clip") & (frame.split == "test")]
    first = next(evaluation_batches(data.test, batch=1))
    for place in range(len(first.clips)):
        alone = type(first)(
            first.study_ids,
            first.clips[place : place + 1],
            torch.zeros(1, dtype=torch.int64),
            first.token_ids,
            first.report_group,
            first.patient_group,
            first.keys[place : place + 1],
            (1,),
        )
        with torch.no_grad():
            row = encode_batch(model, alone).study[0]
        np.testing.assert_allclose(rows_of.embedding.iloc[place], row.numpy(), atol=1e-5)


def test_embedding_encodes_each_clip_once(
    finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    whole = VideoViT.forward

    def counting(self: VideoViT, clips: Tensor, *rest: Any) -> Tensor:
        seen.append(len(clips))
        return whole(self, clips, *rest)

    monkeypatch.setattr(VideoViT, "forward", counting)
    succeed([*finished_run.command, "--run_mode", "embed"])
    table = pq.read_table(finished_run.path / "embeddings.parquet")
    assert sum(seen) == table["kind"].to_pylist().count("clip")
