"""SND with SimCLR, beyond the paper.

Source: Chen et al. 2020, arXiv 2002.05709, equation 1; google-research/simclr. With z_1 .. z_2N the projections of two views
of N states, sim the cosine, and i' the other view of i:

    L = mean_i -log( exp(sim(z_i, z_i') / tau) / sum_(k != i) exp(sim(z_i, z_k) / tau) )

Differences from the reference code: the views are those of SND-V instead of crops and colours; one device, no batch
normalisation in the projector, Adam.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from harness_snd.configs import SNDSimCLRConfig
from harness_snd.objective import Minibatch, TwoViewsObjective
from harness_snd.reward import SND


class SimCLR(TwoViewsObjective[SNDSimCLRConfig]):
    """Normalised-temperature cross-entropy."""

    def terms(self, batch: Minibatch) -> dict[str, Tensor]:
        return {"contrast": nt_xent(*self.projections(batch), self.config.temperature)}


def nt_xent(z: Tensor, other: Tensor, temperature: float) -> Tensor:
    """The loss of two views' projections ``(B, D)``."""
    n, both = len(z), F.normalize(torch.cat([z, other]))
    logits = both @ both.T / temperature
    logits = logits.masked_fill(torch.eye(2 * n, dtype=torch.bool, device=z.device), -torch.inf)
    return F.cross_entropy(logits, torch.arange(2 * n, device=z.device).roll(n))


class SNDSimCLR(SND[SNDSimCLRConfig]):
    """SND with a target that recognises a state among others."""

    objective_class = SimCLR
