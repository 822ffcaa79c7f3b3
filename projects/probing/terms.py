"""The loss terms of probing: one a probe."""

from cinelex.projects.interface.terms import Term, by_name

LABELS = {
    "linear": "mean of all tokens, then a linear map",
    "gated_attention": "gated attention over all tokens",
    "attentive": "attention pooling over all tokens",
    "class_token": "a class token among all tokens",
}
"""What each probe is."""
POOLINGS = {
    "linear": "mean",
    "gated_attention": "gated_attention",
    "attentive": "attention_pooling",
    "class_token": "class_token",
}
"""The aggregator of each probe, by its name in the table."""
TERMS = by_name(
    *(
        Term(
            name=name,
            label=f"Probe: {label}",
            unit="share of what the prior costs",
            unit_keys=("probing.targets", "probing.facts"),
        )
        for name, label in LABELS.items()
    )
)
