"""What the report page calls each number, and which way is better."""

from dataclasses import dataclass

PERCENT = "\u00a0%"
"""A space that does not break, and the sign."""


@dataclass(frozen=True)
class Name:
    """How a number is presented."""

    label: str
    percent: bool = False
    """Whether it is a share in [0, 1], shown in per cent."""
    lower_is_better: bool = False
    digits: int = 3
    """Decimals where it is not shown in per cent."""
    judged: bool = True
    """Whether being away from its nulls is good or bad at all."""

    def text(self, value: float | None) -> str:
        """Return the number as text, its unit unbreakable; a dash where it is undefined."""
        if value is None:
            return "–"
        if self.percent:
            return f"{100 * value:.1f}{PERCENT}"
        text = f"{value:.{self.digits}f}" if value else "0"
        return text if float(text) else text.removeprefix("-")


RETRIEVAL = {
    "recall_at_1": Name("Recall at 1", percent=True),
    "recall_at_5": Name("Recall at 5", percent=True),
    "recall_at_10": Name("Recall at 10", percent=True),
    "recall_at_50": Name("Recall at 50", percent=True),
    "mrr": Name("Mean reciprocal rank"),
    "ndcg": Name("NDCG"),
    "map": Name("Mean average precision"),
    "median_rank": Name("Median rank", lower_is_better=True, digits=1),
    "mean_rank": Name("Mean rank", lower_is_better=True, digits=1),
}

COSINES = {
    "positive_cosine": Name("Study with its own report", judged=False),
    "negative_cosine": Name("Study with other reports", judged=False),
    "cosine_gap": Name("Gap"),
}

CAPTIONING = {
    "lesion_f1_10pp": Name("Lesion F1, segment and ±10 points", percent=True),
    "lesion_f1_segment": Name("Lesion F1, segment", percent=True),
    "lesion_f1_vessel": Name("Lesion F1, vessel", percent=True),
    "severity_f1_50": Name("F1 at 50 % narrowing", percent=True),
    "severity_f1_70": Name("F1 at 70 % narrowing", percent=True),
    "number_recall": Name("Percentages recalled", percent=True),
    "hallucination_rate": Name("Lesions invented", percent=True, lower_is_better=True),
    "omission_rate": Name("Lesions left out", percent=True, lower_is_better=True),
    "contradiction_rate": Name("Lesions contradicted", percent=True, lower_is_better=True),
    "mae": Name("Mean error in points", lower_is_better=True, digits=1),
    "other_facts_f1": Name("F1 of other facts", percent=True),
    "kind_f1": Name("F1 of things at their places", percent=True),
    "tone_f1": Name("F1 of things, places and tones", percent=True),
    "whole_f1": Name("F1 of things, places, tones and sizes", percent=True),
    "scene_f1": Name("F1 of sky and ground", percent=True),
    "bleu1": Name("BLEU-1"),
    "bleu2": Name("BLEU-2"),
    "bleu3": Name("BLEU-3"),
    "bleu4": Name("BLEU-4"),
    "rouge1": Name("ROUGE-1"),
    "rouge2": Name("ROUGE-2"),
    "rougeL": Name("ROUGE-L"),
    "cider": Name("CIDEr-D"),
    "parse_coverage": Name("Sentences understood, references", percent=True, judged=False),
    "candidate_parse_coverage": Name("Sentences understood, captions", percent=True, judged=False),
}

REPRESENTATION = {
    "study_std": Name("Studies, spread of a feature", judged=False),
    "study_rankme": Name("Studies, effective rank", judged=False, digits=1),
    "study_cosine": Name("Studies, mean cosine of two", judged=False),
    "study_uniformity": Name("Studies, uniformity", judged=False),
    "report_std": Name("Reports, spread of a feature", judged=False),
    "report_rankme": Name("Reports, effective rank", judged=False, digits=1),
    "report_cosine": Name("Reports, mean cosine of two", judged=False),
    "report_uniformity": Name("Reports, uniformity", judged=False),
    "modality_gap": Name("Modality gap", judged=False),
}

MASKED = {"pixel_mse": "Pixels in [0, 1]", "normalised_mse": "Normalised pixels"}

BASELINES = {
    "constant_normal": "always normal",
    "shuffled": "shuffled captions",
    "text_only": "text only",
    "nearest_report": "nearest report",
}

DIRECTIONS = {
    "study_to_report": "Study → report",
    "report_to_study": "Report → study",
}

TERMS = {
    "contrastive": "Contrastive loss",
    "captioning": "Captioning loss",
    "masked_modeling": "Masked modelling loss",
    "alignment": "Alignment loss",
    "reconstruction": "Reconstruction loss",
    "patch_contrastive": "Patch contrastive loss",
}


TERM_NOTES = {
    "contrastive": "Nats a study.",
    "captioning": "Nats a word, pads left out.",
    "masked_modeling": "Squared error of hidden, normalised pixels.",
    "patch_contrastive": "Nats a study.",
    "alignment": "Nats a study.",
    "reconstruction": "Squared error of normalised pixels.",
}

NULL_NOTES = {
    "chance": "Chance: a model that knows nothing.",
    "floor": "Floor: no model gets below it at this temperature and batch.",
}


def name_of(names: dict[str, Name], key: str) -> Name:
    """Return how a number is presented; an unknown one goes by its key."""
    return names.get(key, Name(key))
