"""The rules of the doctor, by their numbers: each reads evidence and yields findings."""

from collections.abc import Callable, Iterable

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding
from cinelex.doctor.rules.at_chance import at_chance
from cinelex.doctor.rules.bigram_captions import bigram_captions
from cinelex.doctor.rules.caption_content import caption_content
from cinelex.doctor.rules.caption_targets import caption_targets
from cinelex.doctor.rules.collapse import collapse
from cinelex.doctor.rules.contrastive_headroom import headroom_of
from cinelex.doctor.rules.data_quality import data_quality
from cinelex.doctor.rules.dead_term import dead_term
from cinelex.doctor.rules.decay_over_gradient import decay_over_gradient
from cinelex.doctor.rules.generalization import generalization
from cinelex.doctor.rules.gradient_balance import gradient_balance
from cinelex.doctor.rules.latent_collapse import latent_collapse
from cinelex.doctor.rules.loader import loader
from cinelex.doctor.rules.loss_units import loss_units_of
from cinelex.doctor.rules.masking import masking
from cinelex.doctor.rules.matching import matching
from cinelex.doctor.rules.one_batch import one_batch
from cinelex.doctor.rules.output_range import output_range_of
from cinelex.doctor.rules.parameter_groups import parameter_groups
from cinelex.doctor.rules.provenance import provenance
from cinelex.doctor.rules.resume import resume
from cinelex.doctor.rules.schedule import schedule
from cinelex.doctor.rules.sigmoid_bias import sigmoid_bias
from cinelex.doctor.rules.swept_keys import swept_keys
from cinelex.doctor.rules.temperature_clamp import temperature_clamp
from cinelex.doctor.rules.unsteady_gradients import unsteady_gradients
from cinelex.doctor.rules.view_use import view_use

Rule = Callable[[Evidence], Iterable[Finding]]

RULES: dict[str, tuple[Rule, ...]] = {
    "D1": (swept_keys,),
    "D2": (parameter_groups,),
    "D3": (dead_term,),
    "D4": (headroom_of, sigmoid_bias),
    "D5": (schedule,),
    "D6": (one_batch,),
    "D7": (masking,),
    "D8": (caption_targets,),
    "D9": (data_quality,),
    "D10": (at_chance,),
    "D11": (gradient_balance,),
    "D12": (collapse, latent_collapse),
    "D13": (matching,),
    "D14": (decay_over_gradient,),
    "D15": (unsteady_gradients,),
    "D16": (temperature_clamp,),
    "D17": (caption_content, bigram_captions),
    "D18": (view_use,),
    "D19": (loader,),
    "D20": (resume,),
    "D21": (generalization,),
    "D22": (provenance,),
    "D23": (output_range_of,),
    "D24": (loss_units_of,),
}
"""A rule yields nothing where its evidence is not there; it never raises on a sick run."""
