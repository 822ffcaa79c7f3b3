"""The lines of two reporting guidelines, in our words, and what of a run answers each.

Source: Collins et al. 2024, BMJ 385:e078378 (TRIPOD+AI); Tejani et al. 2024, Radiology: Artificial
Intelligence 6(4):e240300 (CLAIM 2024).
"""

from collections.abc import Sequence
from typing import NamedTuple


class Line(NamedTuple):
    """One line."""

    item: str
    """Its number there."""
    asks: str
    key: str
    """The subject that answers it; empty where only the authors can."""


TRIPOD: Sequence[Line] = (
    Line(
        "1",
        "Title says that a prediction model is developed or evaluated, for whom and for what",
        "",
    ),
    Line("2", "Abstract by TRIPOD+AI for abstracts", ""),
    Line("3a", "Healthcare context, and why the model is needed", ""),
    Line("3b", "Target population and intended users and use", ""),
    Line("3c", "Known health inequalities between groups", ""),
    Line("4", "Objectives: development, evaluation, or both", ""),
    Line("5a", "Sources of data for training and evaluation", "source"),
    Line("5b", "Dates of the data, begin and end", "dates"),
    Line("6a", "Setting: number and place of the centres", "sites"),
    Line("6b", "Who was eligible", ""),
    Line("6c", "Treatments received", ""),
    Line("7", "Preparation of the data, the same across groups", "preparation"),
    Line("8a", "Outcome: definition, horizon, why", "outcome"),
    Line("8b", "Who assessed the outcome", ""),
    Line("8c", "Blinding of the outcome's assessment", ""),
    Line("9a", "Choice of the first predictors", "inputs"),
    Line("9b", "Definition and time of every predictor", "inputs"),
    Line("9c", "Who assessed the predictors", ""),
    Line("10", "How the sample size was arrived at", ""),
    Line("11", "Missing data", "missing"),
    Line("12a", "How data were used: splits", "split"),
    Line("12b", "How predictors entered the model", "preparation"),
    Line("12c", "Kind of model, how it was built and validated inside", "model"),
    Line("12d", "Heterogeneity over clusters, such as hospitals", "clusters"),
    Line("12e", "Measures of performance, and why", "measures"),
    Line("12f", "Updating of the model after evaluation", ""),
    Line("12g", "How predictions were calculated", "model"),
    Line("13", "Class imbalance, and what was done about it", ""),
    Line("14", "Fairness: what was done, and why", "fairness"),
    Line("15", "Output of the model, and thresholds", "output"),
    Line("16", "Differences between training and evaluation data", "settings"),
    Line("17", "Ethical approval", ""),
    Line("18a", "Funding", ""),
    Line("18b", "Conflicts of interest", ""),
    Line("18c", "Protocol", ""),
    Line("18d", "Registration", ""),
    Line("18e", "Sharing of data", ""),
    Line("18f", "Sharing of code", ""),
    Line("19", "Involvement of patients and the public", ""),
    Line("20a", "Flow of participants", "sizes"),
    Line("20b", "Characteristics of participants, by centre", "demographics"),
    Line("20c", "Comparison of training and evaluation data", "settings"),
    Line("21", "Numbers of participants and events in each analysis", "sizes"),
    Line("22", "The full model, so that it can be used", "weights"),
    Line("23a", "Performance with intervals, in key subgroups too", "performance_in_subgroups"),
    Line("23b", "Heterogeneity of performance over clusters", "clusters"),
    Line("24", "Results of updating", ""),
    Line("25", "Interpretation, fairness included", ""),
    Line("26", "Limitations", ""),
    Line("27a", "How poor or missing input is handled in use", "missing"),
    Line("27b", "Whether users interact, and what they must know", ""),
    Line("27c", "Next steps", ""),
)
CLAIM: Sequence[Line] = (
    Line("1", "Title or abstract says what kind of AI is used", ""),
    Line("2", "Abstract: structured summary", ""),
    Line("3", "Background, and the clinical role of the model", ""),
    Line("4", "Aims, objectives, hypotheses", ""),
    Line("5", "Prospective or retrospective", ""),
    Line("6", "Goal of the study", ""),
    Line("7", "Sources of data", "source"),
    Line("8", "Inclusion and exclusion", ""),
    Line("9", "Preprocessing", "preparation"),
    Line("10", "Selection of subsets of data", "preparation"),
    Line("11", "De-identification", "deidentified"),
    Line("12", "Missing data", "missing"),
    Line("13", "Protocol of image acquisition", ""),
    Line("14", "Reference standard", "outcome"),
    Line("15", "Why this reference standard", ""),
    Line("16", "Source of annotations", "outcome"),
    Line("17", "Annotation of the test set", ""),
    Line("18", "Tools of annotation", ""),
    Line("19", "Agreement between and within readers", ""),
    Line("20", "Assignment of data to partitions", "split"),
    Line("21", "Level at which partitions are disjoint", "split"),
    Line("22", "Sample size, and how it was arrived at", ""),
    Line("23", "Model: inputs, outputs, layers", "model"),
    Line("24", "Software", "code"),
    Line("25", "Initial parameters", "initial"),
    Line("26", "Training: augmentation, hyperparameters", "training"),
    Line("27", "Selection of the final model", "selection"),
    Line("28", "Ensembles", ""),
    Line("29", "Measures of performance", "measures"),
    Line("30", "Significance and uncertainty", "uncertainty"),
    Line("31", "Robustness or sensitivity", "robustness"),
    Line("32", "Explainability", ""),
    Line("33", "Evaluation on internal data", "performance"),
    Line("34", "Evaluation on external data", "external"),
    Line("35", "Registration of a clinical trial", ""),
    Line("36", "Numbers of patients or studies in and out", "sizes"),
    Line("37", "Demographics of each partition", "demographics"),
    Line("38", "Performance on all partitions", ""),
    Line("39", "Estimates with their precision", "performance"),
    Line("40", "Failures", "failures"),
    Line("41", "Limitations", ""),
    Line("42", "What it means for practice", ""),
    Line("43", "Protocol and more detail", ""),
    Line("44", "Where code, model and data are", ""),
)
