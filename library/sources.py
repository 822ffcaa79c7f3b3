"""Which studies a library is made of: those of a manifest, with all that it says of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cinelex.core.errors import UserError
from cinelex.data.studies.manifest import Manifest, load_manifest
from cinelex.data.studies.study import Columns, split_name
from cinelex.data.tables.read import read_table
from cinelex.projects.studies.data import make_cines
from cinelex.projects.studies.manifests import columns_of, read_manifest, shares_of
from cinelex.trained.run import TrainedRun


def manifest_of(run: TrainedRun, given: Path | None) -> Manifest:
    """Return the studies, with all columns of the file, and those without a report too."""
    data = run.config.data
    path, columns = given or data.manifest, columns_of(data)
    own = path == data.manifest
    if path is None:
        if run.config.project != "multitask":
            raise UserError("--manifest: this run made its own data; name studies to be searched")
        path, columns = make_cines(run.config)
    names = read_table(path, separator=data.separator, encoding=data.encoding).names
    taken = columns.found_in(names)
    if given is not None:
        taken = _of_others(taken, names)
    others = tuple(name for name in names if name not in {*taken.named(), taken.video})
    return load_manifest(
        path,
        columns=replace(taken, extra=others),
        separator=data.separator,
        encoding=data.encoding,
        video_root=data.video_root if own else None,
        links_out=data.links_out,
        require_reports=False,
        shares=shares_of(data) if own else None,
    )


def _of_others(columns: Columns, names: Sequence[str]) -> Columns:
    """Leave out what another manifest need not have."""
    return replace(
        columns,
        report=columns.report if columns.report in names else None,
        split=columns.split if columns.split in names else None,
        noise_mse=columns.noise_mse if columns.noise_mse in names else None,
    )


def trained_views(run: TrainedRun) -> Sequence[str]:
    """Return the views that the model was told of, in the order of their numbers."""
    data = run.config.data
    if not run.config.model.views.count or data.manifest is None:
        return ()
    known = read_manifest(data, data.manifest, columns_of(data))
    return known.split(split_name(data.train_split)).view_names()
