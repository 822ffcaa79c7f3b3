"""What a run's config, results, and data card say, by the subject that a checklist asks about."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cinelex.doctor.report.checklists import Line
from cinelex.doctor.report.heterogeneity import CLUSTERS, OF_NOBODY, PEOPLE, heterogeneity
from cinelex.doctor.run_files import RunFiles
from cinelex.projects.interface.results import Results
from cinelex.projects.interface.towers import read_towers

CARD = "card.md"


class Statements:
    """Answers from the run's own files; empty where they do not say."""

    def __init__(self, run: RunFiles, results: Results) -> None:
        """Keep what is read."""
        self.run, self.results, self.config = run, results, run.config
        manifest = run.config.data.manifest if run.config else None
        self.card = None if manifest is None else Path(manifest).parent / CARD

    def of(self, key: str) -> str:
        """Return what is said of a subject; empty where nothing is."""
        found = SAID.get(key)
        return found(self) if found and self.config else ""

    def filled(self, lines: Sequence[Line]) -> int:
        """Return how many lines of a checklist are filled."""
        return sum(bool(self.of(line.key)) for line in lines)

    def rows(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Return the rows of a table of the results."""
        return next((table.rows for table in self.results.tables if table.name == name), ())

    def _source(self) -> str:
        assert self.config
        named = self.config.data.manifest
        if self.config.project == "eq":
            named = self.config.eq.file
        source = "a synthetic set, made by the run" if named is None else f"file {Path(named).name}"
        carded = self.card is not None and self.card.is_file()
        return source + ("; card.md beside it says what was kept and dropped" if carded else "")

    def _preparation(self) -> str:
        assert self.config
        data = self.config.data
        changes = data.augmentation.model_dump().items()
        changed = ", ".join(f"{name} {value}" for name, value in changes if value)
        return (
            f"frames of {data.size} x {data.size} pixels, {data.channels} channel(s), "
            f"{data.frames} a clip ({data.sampling.kind}); "
            + (f"{changed} in training alone" if changed else "no augmentation")
        )

    def _deidentified(self) -> str:
        carded = self.card is not None and self.card.is_file()
        return "by cinelex prepare; see card.md" if carded else ""

    def _dates(self) -> str:
        rows = [row for row in self.rows("splits") if row.get("first_date")]
        return "; ".join(f"{r['split']} {r['first_date']} to {r['last_date']}" for r in rows)

    def _sites(self) -> str:
        rows = [row for row in self.rows("splits") if row.get("sites")]
        return "; ".join(f"{row['split']}: {row['sites']}" for row in rows)

    def _split(self) -> str:
        parts = []
        for row in self.rows("splits"):
            part = f"{row['split']} {row['studies']} studies of {row['patients']} patients"
            if row["patients_in_training"] is not None:
                part += (
                    f" ({row['patients_in_training']} patients and {row['reports_in_training']} "
                    "reports also in training)"
                )
            parts.append(part)
        return "; ".join(filter(None, [*parts, self._settings()]))

    def _sizes(self) -> str:
        counts = self.results.counts
        found = [
            f"{name.rpartition('.')[2].replace('_', ' ')} {count} queries"
            for name, count in counts.items()
            if ".queries." in name
        ]
        return self._split() or "; ".join(found)

    def _missing(self) -> str:
        absent = [str(row.get("not_in_the_manifest")) for row in self.rows("unanswered")]
        assert self.config
        text = (
            "videos that cannot be read are dropped and counted, never replaced; the run stops "
            f"above {self.config.data.reject_limit:.0%}"
        )
        return text + (f"; not in the manifest: {', '.join(absent)}" if absent else "")

    def _model(self) -> str:
        assert self.config
        model = self.config.model
        return (
            f"project {self.config.project}: video {model.video_encoder.name}, text "
            f"{model.text_encoder.name}, aggregation {model.aggregator.name}, width {model.width}, "
            f"dimension {model.dim}"
        )

    def _initial(self) -> str:
        assert self.config
        kept, fresh = read_towers(self.run.folder), f"fresh from seed {self.config.seed}"
        towers = ", ".join(f"{name} tower" for name in kept)
        return f"{towers} from pretrained weights, the rest {fresh}" if kept else f"all {fresh}"

    def _weights(self) -> str:
        weights = self.results.provenance.get("checkpoint")
        return f"{self._model()}; checkpoint of hash {str(weights)[:12]}" if weights else ""

    def _training(self) -> str:
        assert self.config
        weights = ", ".join(f"{n} {w}" for n, w in self.config.loss_weights.items())
        balance = self.config.balance.name
        return (
            f"{self.config.steps} steps of {self.config.batch}, {self.config.optimizer.name}, "
            f"learning rate {self.config.optimizer.learning_rate:g}, loss weights {weights}"
            + ("" if balance == "fixed" else f", balanced by {balance}")
        )

    def _selection(self) -> str:
        assert self.config
        kept = self.config.keep_best
        return "last checkpoint" if kept is None else f"best checkpoint by {kept}, on validation"

    def _measures(self) -> str:
        titles = [group.title for group in self.results.groups]
        scores = list(self.results.scores())
        beside = sum(bool(score.nulls) for score in scores)
        counted = f"; {beside} of {len(scores)} scores stand beside nulls"
        return ", ".join(titles) + counted if titles else ""

    def _uncertainty(self) -> str:
        assert self.config
        if not self.results.groups:
            return ""
        alone = any(row.get("not_in_the_manifest") == "patient" for row in self.rows("unanswered"))
        what = "patients, a patient's studies together"
        if not self.rows("splits"):
            what = "the independent samples that each table names"
        elif alone:
            what = "studies, as the manifest names no patients"
        return (
            f"95 % bootstrap intervals from {self.config.evaluation.bootstrap} resamples of "
            f"{what}; differences paired on the same resamples; one seed, others by run_seeds.sh"
        )

    def _clusters(self) -> str:
        return heterogeneity(self.rows("subgroups"), without=(*PEOPLE, *OF_NOBODY))

    def _fairness(self) -> str:
        return heterogeneity(self.rows("subgroups"), without=(*CLUSTERS, *OF_NOBODY))

    def _settings(self) -> str:
        return "; ".join(filter(None, [self._dates(), self._sites()]))

    def _performance_in_subgroups(self) -> str:
        return "; ".join(filter(None, [self._performance(), self._heterogeneity()]))

    def _heterogeneity(self) -> str:
        return heterogeneity(self.rows("subgroups"))

    def _performance(self) -> str:
        found = [
            (group.title, next((s for s in group.scores if s.headline and s.better), None))
            for group in self.results.groups
        ]
        return "; ".join(
            f"{title}: {score.label} {score.value:.4g}"
            + ("" if score.low is None else f" [{score.low:.4g}, {score.high:.4g}]")
            for title, score in found
            if score is not None and score.value is not None
        )

    def _outcome(self) -> str:
        parts = ["the report of each study, as it was written"]
        if any(score.name.startswith("facts.") for score in self.results.scores()):
            parts.append("facts that the parser reads in it")
        return "; ".join(parts) if self.rows("splits") else ""

    def _output(self) -> str:
        titles = {group.title for group in self.results.groups}
        thresholds = dict.fromkeys(str(row["threshold"]) for row in self.rows("decision_curve"))
        parts = [
            "cosines of studies and reports" if self.run.retrieval else "",
            "a written report" if "Captions" in titles else "",
            "probabilities and numbers of facts" if "Facts" in titles else "",
            f"net benefit at the thresholds {', '.join(thresholds)}" if thresholds else "",
        ]
        return "; ".join(filter(None, parts))

    def _inputs(self) -> str:
        return "the pixels of each study's videos" if self.rows("splits") else ""

    def _robustness(self) -> str:
        scores = list(self.results.scores())
        counts = {
            what: sum(name in score.nulls for score in scores)
            for name, what in (("blank_video", "blind-video"), ("metadata", "metadata"))
        }
        return ", ".join(
            f"{what} null beside {count} of {len(scores)} scores"
            for what, count in counts.items()
            if count
        )

    def _code(self) -> str:
        hashes = self.results.provenance
        parts = ", ".join(f"{what} {str(value)[:12]}" for what, value in hashes.items())
        return f"hashes: {parts}" if parts else ""

    def _failures(self) -> str:
        return "worst studies and findings stand on the page" if self.run.retrieval else ""

    def _demographics(self) -> str:
        rows = [row for row in self.rows("subgroups") if row["column"] in PEOPLE]
        seen = dict.fromkeys(f"{r['column']} {r['value']}: {r['items']}" for r in rows)
        return ", ".join(seen)


SAID: Mapping[str, Callable[[Statements], str]] = {
    name.removeprefix("_"): getattr(Statements, name)
    for name in vars(Statements)
    if name.startswith("_") and not name.startswith("__")
}
"""What answers each subject."""
