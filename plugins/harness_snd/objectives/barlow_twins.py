"""SND with Barlow Twins, beyond the paper.

Source: Zbontar et al. 2021, arXiv 2103.03230, equation 1; facebookresearch/barlowtwins. With z and z' two views' features,
standardised over the batch of N:

    C = z^T z' / N
    L = sum_i (1 - C_ii)^2 + lambda sum_(i != j) C_ij^2

Differences from the reference code: no projector by default, so that the objective is on what is distilled. The SND repository
has a variant of its own (``BarlowTwinsEncoderAtari``) without the standardisation, with Gaussian noise and blur.
"""

from __future__ import annotations

from torch import Tensor

from harness.nn.covariance import off_diagonal, standardise
from harness_snd.configs import SNDBarlowConfig
from harness_snd.objective import Minibatch, TwoViewsObjective
from harness_snd.reward import SND


class BarlowTwins(TwoViewsObjective[SNDBarlowConfig]):
    """The cross-correlation of two views against the identity."""

    def terms(self, batch: Minibatch) -> dict[str, Tensor]:
        z, other = (standardise(view) for view in self.projections(batch))
        correlation = z.T @ other / len(z)
        return {
            "invariance": (1 - correlation.diagonal()).square().sum(),
            "redundancy": self.config.off_diagonal_weight * off_diagonal(correlation).square().sum(),
        }


class SNDBarlow(SND[SNDBarlowConfig]):
    """SND with a target whose features survive augmentation and do not repeat each other."""

    objective_class = BarlowTwins
