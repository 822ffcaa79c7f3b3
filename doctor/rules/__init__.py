"""The table of rules: what each says is a record, what it asks of a run a check."""

from cinelex.doctor.rules.at_chance import AT_CHANCE, AT_FLOOR, EARLY
from cinelex.doctor.rules.caption_content import BIGRAM_CAPTIONS, BLIND, IDENTICAL, NO_FACTS
from cinelex.doctor.rules.closed_form import CLOSED_FORM
from cinelex.doctor.rules.collapse import APART, COLLAPSED, LATENTS_COLLAPSED, NARROWED
from cinelex.doctor.rules.contrastive_headroom import HEADROOM, SIGMOID_BIAS
from cinelex.doctor.rules.dead_term import DEAD_TERM
from cinelex.doctor.rules.decay_over_gradient import DECAYED, RESTING
from cinelex.doctor.rules.drift import DATES_OVERLAP, DRIFTED
from cinelex.doctor.rules.generalization import GENERALIZATION, OVERTRAINED
from cinelex.doctor.rules.gradient_balance import BYSTANDER, CONFLICT
from cinelex.doctor.rules.layers import DEAD_UNITS, SATURATED_UNITS, THROWN, UNCHANGED
from cinelex.doctor.rules.limits import LIMITS
from cinelex.doctor.rules.loader import LOADER
from cinelex.doctor.rules.loss_units import LOSS_UNITS
from cinelex.doctor.rules.matching import MATCHING
from cinelex.doctor.rules.measurements import NEAR_THE_MEAN, UNCALIBRATED, WEAK_SUBGROUP
from cinelex.doctor.rules.negation import BLIND_TO_NEGATION
from cinelex.doctor.rules.nulls_of_sight import BLIND_VIDEO, METADATA_ALONE
from cinelex.doctor.rules.output_range import OUTPUT_RANGE
from cinelex.doctor.rules.pace import GROWING_MEMORY, STEP_OUTLIERS, STRAGGLER
from cinelex.doctor.rules.predictions import PREDICTIONS
from cinelex.doctor.rules.pretrained import FOREIGN_PIXELS, NOT_ARRIVED, OTHER_GRID
from cinelex.doctor.rules.probe_fairness import PROBE_FAIRNESS
from cinelex.doctor.rules.provenance import HASHLESS, ONE_FACTOR
from cinelex.doctor.rules.resume import STEPS_MADE_AGAIN
from cinelex.doctor.rules.rule import Rule
from cinelex.doctor.rules.schedule import MISSED_ITS_END, NEVER_REACHED, NOT_FINITE, ROSE_AGAIN
from cinelex.doctor.rules.swept_keys import DEPENDENT_OBJECTIVE, UNREAD_KEY
from cinelex.doctor.rules.teacher import COLLAPSED_TARGETS, FELL_AFTER_A_RISE, NO_TEACHER
from cinelex.doctor.rules.temperature_clamp import TEMPERATURE_CLAMP
from cinelex.doctor.rules.unsteady_gradients import CLIPPED, SKIPPED

RULES: tuple[Rule, ...] = (
    *(DEPENDENT_OBJECTIVE, UNREAD_KEY),
    *LIMITS,
    DEAD_TERM,
    *(HEADROOM, SIGMOID_BIAS),
    *(NOT_FINITE, ROSE_AGAIN, MISSED_ITS_END, NEVER_REACHED),
    *(AT_CHANCE, AT_FLOOR, EARLY),
    *(BYSTANDER, CONFLICT),
    *(COLLAPSED, NARROWED, APART, LATENTS_COLLAPSED),
    MATCHING,
    *(DECAYED, RESTING),
    *(SKIPPED, CLIPPED),
    TEMPERATURE_CLAMP,
    *(IDENTICAL, BLIND, NO_FACTS, BIGRAM_CAPTIONS),
    LOADER,
    STEPS_MADE_AGAIN,
    *(UNCHANGED, THROWN, DEAD_UNITS, SATURATED_UNITS),
    *(STRAGGLER, STEP_OUTLIERS, GROWING_MEMORY),
    *(COLLAPSED_TARGETS, FELL_AFTER_A_RISE, NO_TEACHER),
    *(GENERALIZATION, OVERTRAINED, CLOSED_FORM),
    *(BLIND_VIDEO, METADATA_ALONE, BLIND_TO_NEGATION),
    *(DRIFTED, DATES_OVERLAP),
    *(NEAR_THE_MEAN, WEAK_SUBGROUP, UNCALIBRATED),
    *(HASHLESS, ONE_FACTOR),
    OUTPUT_RANGE,
    LOSS_UNITS,
    *(FOREIGN_PIXELS, NOT_ARRIVED, OTHER_GRID),
    PROBE_FAIRNESS,
    *PREDICTIONS,
)
"""Every rule; what is asked about one subject shares an id, as in docs."""
