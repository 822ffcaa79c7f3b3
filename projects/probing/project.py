"""Probing: what the frozen features of a video encoder tell of a study, by heads of many kinds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.config.build import build
from cinelex.config.schedule import active_weights, weights_at
from cinelex.config.schema import Part, RunConfig
from cinelex.core.errors import UserError
from cinelex.core.files import hash_json
from cinelex.core.randomness import keyed_seed
from cinelex.data.batch import Batch
from cinelex.data.loader import Chosen, evaluation_batches, train_batches
from cinelex.data.video.transforms import Augmentation, augment, to_float
from cinelex.losses.probing import Probing
from cinelex.models import AGGREGATORS
from cinelex.models.probes import FrozenVideo, Probe, Probes
from cinelex.projects.interface.project import Project
from cinelex.projects.interface.results import Results
from cinelex.projects.interface.terms import TermNulls
from cinelex.projects.probing.encoders import fingerprint, probed_encoder
from cinelex.projects.probing.outputs import ProbeOutputs
from cinelex.projects.probing.predictions import probe_outputs
from cinelex.projects.probing.results import probing_results
from cinelex.projects.probing.targets import Targets, read_targets
from cinelex.projects.probing.terms import POOLINGS
from cinelex.projects.studies.data import MadeSet, StudyData, make_cines, open_study_data
from cinelex.projects.studies.encoding import device_of
from cinelex.projects.studies.features import keep_clips
from cinelex.projects.studies.rehearsal import made_up_batch
from cinelex.projects.studies.sample_diagnostics import order_diagnostics
from cinelex.projects.studies.tokenizers import planned_tokenizer


class ProbingProject(Project[Batch, Probes]):
    """Studies and what is asked of them; the probes learn side by side from the same batches."""

    def __init__(self, config: RunConfig, data: StudyData) -> None:
        """Read the targets.

        Args:
            config: The run.
            data: Its studies.
        """
        self.config, self.data = config, data
        self._weights = active_weights(config)
        self.augmentation = Augmentation(**config.data.augmentation.model_dump())
        self._hash = hash_json({"data": data.hash, "probed": fingerprint(config.probing.run)})

    @cached_property
    def targets(self) -> Targets:
        """What the heads are asked for."""
        return read_targets(self.config, self.data)

    @cached_property
    def _loss(self) -> Probing:
        return Probing(heads=self.targets.heads)

    @property
    def probes(self) -> list[str]:
        """The probes that have a weight, in the order of the table."""
        return [name for name in POOLINGS if name in self._weights]

    def model(self) -> Probes:
        """Build encoder and probes; every head begins at its prior."""
        prior = torch.tensor([number for head in self.targets.heads for number in head.prior])
        return build_probes(self.config, self.data.towers, prior)

    def ready(self, model: Probes) -> Sequence[str]:
        """Keep what a frozen encoder makes of every clip, and standardise the features once."""
        splits = (self.data.train, self.data.validation, self.data.test)
        kept = keep_clips(self.config, model.video_encoder, splits, pixels_for=None)
        self._standardise(model)
        return ["video"] if kept else []

    @torch.no_grad()
    def _standardise(self, model: Probes) -> None:
        """Measure mean and deviation of features, the same on every rank; a trained model has them.

        The same studies give the same numbers, so that doing it again changes nothing.
        """
        count = min(self.config.probing.standardised_on, len(self.data.train))
        if not count or not isinstance(model.video_encoder, FrozenVideo):
            return
        some, device = Chosen(self.data.train, range(count)), device_of(model)
        rows: dict[str, list[Tensor]] = {name: [] for name, _ in model.named()}
        for batch in evaluation_batches(some, batch=16, rank=0, world_size=1):
            features = None if batch.features is None else batch.features.to(device)
            tokens = model.tokens(to_float(batch.clips).to(device), features)
            owner = batch.owner.to(device).repeat_interleave(tokens.shape[1])
            for name, probe in model.named():
                flat = tokens.flatten(0, 1)
                rows[name].append(probe.rows(flat, owner, studies=batch.studies).float())
        for name, probe in model.named():
            probe.standardise.fit(torch.cat(rows[name]))

    def batches(self, start_step: int) -> Iterator[Batch]:
        """Yield this rank's training batches without end, beginning with that of ``start_step``."""
        workers = self.config.data.workers
        return train_batches(
            self.data.train, self.data.sampler, start_step=start_step, workers=workers
        )

    def outputs(self, model: nn.Module, batch: Batch) -> ProbeOutputs:
        """Ask every probe about the same features."""
        pixels = to_float(batch.clips)
        if model.training and batch.features is None:
            pixels = augment(pixels, batch.keys, self.augmentation)
        logits = model(
            pixels,
            batch.owner,
            studies=batch.studies,
            max_clips=max(batch.clip_counts),
            features=batch.features,
        )
        return ProbeOutputs(logits)

    def losses(self, outputs: ProbeOutputs, batch: Batch) -> Mapping[str, Tensor]:
        """Compare each probe's answers with the same targets."""
        targets = self.targets.of(batch.study_ids, outputs.logits.device)
        return {
            name: self._loss(outputs.logits[:, n], targets) for n, name in enumerate(self.probes)
        }

    def nulls(self, batch: Batch) -> Mapping[str, TermNulls]:
        """Return what answering every study with the training studies' shares costs."""
        targets = self.targets.of(batch.study_ids, torch.device("cpu"))
        chance = TermNulls(chance=self._loss.chance(targets))
        return dict.fromkeys(self.probes, chance)

    def identities(self, batch: Batch) -> Sequence[str]:
        """Return the ids of the studies."""
        return batch.study_ids

    def weights(self, step: int) -> Mapping[str, float]:
        """Return the weight of each probe's term at optimizer step ``step``, from 0."""
        return weights_at(self.config, step)

    def prepare_step(self, model: Probes, step: int) -> Mapping[str, Tensor | float]:
        """Nothing here follows a schedule."""
        return {}

    def diagnostics(self, model: Probes) -> Mapping[str, Any]:
        """Return how many studies there are, and in which order they come."""
        train = self.data.train
        splits = [split for split in (self.data.validation, self.data.test) if split is not None]
        patients = {study.patient_id for study in train.studies}
        tested = [study.patient_id for split in splits for study in split.studies]
        return {
            "data/studies": len(train),
            "data/held_out_studies": len(tested),
            "data/held_out_of_training_patients": sum(one in patients for one in tested),
            **order_diagnostics(self.data.sampler, samples=len(train)),
        }

    def validate(self, model: Probes) -> Mapping[str, float]:
        """Return the held-out loss of each probe and its mean, beside that of the priors."""
        held_out = self.data.validation
        if held_out is None:
            return {}
        batch = self.config.evaluation.batch
        outputs = probe_outputs(model, held_out, batch=batch)
        targets = self.targets.of(held_out.studies.ids, torch.device("cpu"))
        # every rank has all rows: sums and counts grow alike
        losses = {
            name: float(self._loss(outputs[:, n], targets)) for n, name in enumerate(self.probes)
        }
        return {
            "probing/loss": sum(losses.values()) / len(losses),
            "probing/loss/chance": self._loss.chance(targets),
            **{f"probing/{name}/loss": loss for name, loss in losses.items()},
        }

    def evaluate(self, model: Probes, folder: Path) -> Results:
        """Return every head's scores beside those of whoever does not look at the features."""
        return probing_results(self.config, self.data, self.targets, model, self.probes)

    def data_hash(self) -> str:
        """Return the hash of the studies and of the weights that are probed."""
        return self._hash


def build_probes(
    config: RunConfig, towers: Mapping[str, Any], prior: Float[Tensor, " output"]
) -> Probes:
    """Return the model that a config describes, its probes freshly initialised.

    Args:
        config: The run.
        towers: What the run keeps of its encoder.
        prior: Where the outputs of all heads begin.
    """
    encoder, weights = probed_encoder(config, towers), active_weights(config)
    probes = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(keyed_seed(config.seed, "probes"))
        for name, pooling in POOLINGS.items():
            if name not in weights:
                continue
            made = build(AGGREGATORS, Part(name=pooling), width=encoder.width)
            probe = Probe(made, width=encoder.width, outputs=len(prior), learned=pooling != "mean")
            with torch.no_grad():
                probe.head.bias.copy_(prior)
            probes[name] = probe
    return Probes(encoder, probes)


def rehearse_probing(config: RunConfig) -> None:
    """Build the probes and ask them about noise; a UserError where they are to be sharded."""
    if config.parallel == "fsdp":
        raise UserError("parallel: probes are small, so that they are not sharded; take ddp")
    model = build_probes(config, {}, torch.zeros(1)).eval()
    batch = made_up_batch(config, planned_tokenizer(config.tokenizer))
    with torch.no_grad():
        model(to_float(batch.clips), batch.owner, studies=1)


def open_probing(config: RunConfig, folder: Path, output: Path | None = None) -> ProbingProject:
    """Return the project with its studies read and decoded, and the columns that are targets.

    Raises:
        UserError: A target names a column that the made-up set does not have.
    """
    named = [target.column or name for name, target in config.probing.targets.items()]

    def made(_: RunConfig) -> MadeSet:
        path, found = make_cines(config)
        return path, replace(found, extra=tuple(named))

    data = open_study_data(config, folder, made=made, output=output, extra=named)
    return ProbingProject(config, data)
