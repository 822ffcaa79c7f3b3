"""The section of a config that says what the synthetic study set is like."""

from cinelex.config.strict import Count, CountOrZero, NotNegative, Share, Strict


class SyntheticConfig(Strict):
    """The synthetic study set, which is made where ``data.manifest`` is null."""

    train: Count = 1500
    """Studies to train on."""
    val: Count = 100
    """Studies for validation during the run."""
    test: Count = 160
    """Held-out studies for the final evaluation."""
    seed: CountOrZero = 0
    """Decides every study; the run's own seed does not."""
    lesion_rate: NotNegative = 2.2
    """Mean number of lesions of a study."""
    difficulty: Share = 0.0
    """From 0 (wide vessels, little motion and noise) to 1 (as in a real catheter laboratory)."""
    speckle: bool = False
    """Whether pixels look as ultrasound does: vessels bright, under speckle; the findings stay."""
    duplicate_report_rate: Share = 0.02
    """Share of the studies that repeat the findings and the report of an earlier one."""
    extra_view_rate: Share = 0.1
    """Share of the studies with a fourth cine, from any other view."""
    random_view_rate: Share = 0.0
    """Share of the studies filmed from views of their own instead of the three standard ones."""
    missing_view_rate: Share = 0.0
    """Share of the studies that lack all views of one coronary artery."""
    corrupted_rate: Share = 0.0
    """Share of the video files that no decoder can read."""
    label_noise: Share = 0.0
    """Share of the studies whose report describes other findings than the pixels show."""
    report_variety: Share = 0.0
    """Share of the lesions that reports hedge, compare with an earlier study, tell over several
    sentences, or leave out (a tenth of them); at 0 every lesion is stated once and plainly."""
    patient_leak: Share = 0.0
    """Share of the test studies that carry the patient id of a training study."""
    repeat_patient_rate: Share = 0.1
    """Share of the studies whose patient has an earlier study in the same split."""
