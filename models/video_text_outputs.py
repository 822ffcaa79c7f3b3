"""What the whole video-text model hands to the losses."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from cinelex.models.study_model import MatchedOutputs


@dataclass(frozen=True)
class VideoTextOutputs(MatchedOutputs):
    """What one forward pass hands to the losses. Parts that were not built are None."""

    caption_logits: Float[Tensor, "study token vocab"] | None
    """At each token, the logits of the token that follows it; None over a large vocabulary too."""
    reconstruction: Float[Tensor, "masked predicted output"] | None
    """What is predicted of the masked clips: of their hidden tubelets, behind what is predicted of
    the visible ones if that is asked for."""
    latents: Float[Tensor, "masked whole width"] | None
    """What the teacher makes of the masked clips, whole; no gradient."""
    patches: Float[Tensor, "study patch dim"] | None
    """Unit rows, one for each video token of each clip, padded; fp32."""
    patch_mask: Bool[Tensor, "study patch"] | None
    """True where ``patches`` holds one."""
    token_features: Float[Tensor, "study token dim"] | None
    """Unit rows, one a token; fp32."""
    facts: Float[Tensor, "study fact"] | None
    """What the heads found, in standard deviations from the mean."""
    twin: Float[Tensor, "study dim"] | None
    """Unit rows of other reports, one a study, that each study is held against; fp32."""
    views: Float[Tensor, "clip view"] | None = None
    """Logits of the view that each clip shows; fp32."""
    caption_costs: Float[Tensor, "study next"] | None = None
    """Over a large vocabulary, in place of the logits: -log p of each token but the first."""

    @property
    def captions(
        self,
    ) -> tuple[Float[Tensor, "s t vocab"] | None, Float[Tensor, "s next"] | None] | None:
        """Return logits and costs, of which there is one; None where no captions were asked for."""
        found = self.caption_logits, self.caption_costs
        return None if found[0] is None and found[1] is None else found
