"""What scores of studies stand beside, where it is the same for every project."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.config.schema import RunConfig
from cinelex.core.progress import progress
from cinelex.metrics.ranking import Ranking
from cinelex.metrics.retrieval import rank_both_ways
from cinelex.models.study_model import StudyModel
from cinelex.projects.studies.attributes import Attributes, read_attributes
from cinelex.projects.studies.blind import METADATA, STILL_SEEN, Blind, blinded
from cinelex.projects.studies.captions import Written
from cinelex.projects.studies.data import StudyData
from cinelex.projects.studies.encoding import EncodedSplit, encode_studies, first_indices
from cinelex.projects.studies.floors import FloorRows, floor_rows
from cinelex.projects.studies.metadata import Metadata, metadata_of
from cinelex.projects.studies.project import ClipTextProject, StudyModelT


def blind_studies(config: RunConfig, data: StudyData) -> Mapping[str, Blind]:
    """Return the test studies as each null sees them."""
    return blinded(config.evaluation, data.test, frames=config.data.frames, seed=config.seed)


def blind_ranks(
    config: RunConfig, data: StudyData, model: StudyModel, encoded: EncodedSplit
) -> dict[str, Mapping[str, Ranking]]:
    """Return how the test studies are found when there is nothing, or not all, to see."""
    blind = blind_studies(config, data)
    rows: dict[str, Float[Tensor, "study dim"]] = {
        name: encode_studies(model, some, batch=config.evaluation.batch)
        for name, some in progress(blind.items(), total=len(blind), what="nulls of retrieval")
    }
    return {
        name: rank_both_ways(study, encoded.report, encoded.report_of_study)
        for name, study in rows.items()
    }


def study_attributes(config: RunConfig, data: StudyData) -> Attributes:
    """Return what the manifest says of patients, machines and sites."""
    path, column = data.manifest
    ids = data.test.studies.ids
    patients = data.test.studies.table["patient"].to_pylist()
    return read_attributes(config.data, path, column, patients=ids != patients)


def study_metadata(data: StudyData, attributes: Attributes) -> tuple[Metadata, Metadata]:
    """Return what is known of training and test studies without looking."""

    def of(split: str) -> Metadata:
        dataset = data.known if split == "train" else data.test
        ids = dataset.studies.ids
        machine = ("site", "manufacturer", "model", "year")
        categories = {k: v for k, v in attributes.of(ids).items() if k in machine}
        videos = [study.videos for study in dataset.studies]
        order = [attributes.order.get(study, 0) for study in ids]
        return metadata_of(dataset.store, videos, order, categories)

    return of("train"), of("test")


def study_floors(
    config: RunConfig, data: StudyData, model: StudyModel, attributes: Attributes
) -> dict[str, FloorRows]:
    """Return what closed forms predict, from pixels, features, and metadata alone."""
    texts = [(tokens,) for tokens in data.known.token_ids]
    gallery = [data.test.token_ids[index] for index in first_indices(data.test)]
    told = METADATA in config.evaluation.nulls
    return floor_rows(
        model,
        data.known,
        texts,
        data.test,
        gallery,
        metadata=study_metadata(data, attributes) if told else None,
        batch=config.evaluation.batch,
        seed=config.seed,
    )


@torch.no_grad()
def write_beside(
    project: ClipTextProject[StudyData, StudyModelT], model: StudyModelT
) -> Written | None:
    """Return captions of the test studies, and those of the same decoder where it is blind."""
    written = project.write(model, project.data.test, beside=True)
    if written is None:
        return None
    beside, nulls = dict(written.beside), blind_studies(project.config, project.data)
    for name, some in progress(nulls.items(), total=len(nulls), what="nulls of captions"):
        blind = project.write(model, some)
        assert blind is not None
        beside[name] = blind.captions
    bounds = (*written.bounds, *(name for name in STILL_SEEN if name in beside))
    return replace(written, beside=beside, bounds=bounds)
