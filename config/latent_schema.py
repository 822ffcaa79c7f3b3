"""The section of a config that only latent captioning reads: the latent, and made-up engravings."""

from cinelex.config.strict import Count, CountOrZero, Part, Strict


class EngravingsConfig(Strict):
    """The made-up engravings, which are drawn where ``data.manifest`` is null."""

    train: Count = 1600
    """Engravings to train on."""
    val: Count = 100
    """Engravings for validation during the run."""
    test: Count = 200
    """Held-out engravings for the final evaluation."""
    seed: CountOrZero = 0
    """Decides every engraving; the run's own seed does not."""


class LatentConfig(Strict):
    """What a picture is turned into, and what is made from that alone."""

    size: Count = 1024
    """Dimension of a latent."""
    head: Part = Part(name="positions")
    """Tokens of a picture to its latent."""
    image_decoder: Part = Part(name="conv")
    """Latent to picture."""
    memory_tokens: Count = 8
    """Tokens that a latent is spread over for the caption decoder, which sees them everywhere."""
    interpolation_steps: Count = 9
    """Latents on the way between two pictures, both ends among them, in the strip."""
    engravings: EngravingsConfig = EngravingsConfig()
    """The made-up engravings."""
