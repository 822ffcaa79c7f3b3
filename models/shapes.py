"""The shapes of what passes from part to part, each named once."""

from jaxtyping import Bool, Float, Int
from torch import Tensor

Clips = Float[Tensor, "clip channel frame row column"]
"""Pixels."""
Keep = Int[Tensor, "clip visible"]
"""The tokens of each clip that are seen, as indices in t·y·x."""
ClipFeatures = Float[Tensor, "clip position number"]
"""What a pretrained trunk makes of each clip, before the fresh layers behind it."""
ClipTokens = Float[Tensor, "clip token width"]
Latents = Float[Tensor, "clip latent"]
"""One vector a picture."""

Rows = Float[Tensor, "row width"]
"""Clips or tokens of all studies, one behind the other."""
Owner = Int[Tensor, " row"]
"""The study, from 0, that each row belongs to."""
Studies = Float[Tensor, "study width"]
"""One vector a study, or a report."""

TokenIds = Int[Tensor, "study token"]
TokenMask = Bool[Tensor, "study token"]
"""True where there is a token, False where there is padding."""
TokenFeatures = Float[Tensor, "study token width"]
TrunkFeatures = Float[Tensor, "study kept native"]
"""What a pretrained text encoder makes of each token, in its own width."""
Logits = Float[Tensor, "study token vocab"]

Memory = Float[Tensor, "study memory width"]
"""What a study left for a decoder to look at, padded."""
MemoryMask = Bool[Tensor, "study memory"]
"""True where the memory holds something."""
