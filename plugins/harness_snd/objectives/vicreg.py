"""SND-VIC: variance, invariance and covariance of the features of consecutive states.

Source: Pechac et al. 2024, arXiv 2302.11563; Iskandor/SND@2cada68 ``modules/encoders/EncoderAtari.py`` (VICRegEncoderAtari),
after VICReg (Bardes et al. 2022, arXiv 2105.04906). With z of s_t and z' of s_{t+1}, D wide, N samples:

    invariance  mean_nk (z_nk - z'_nk)^2
    variance    mean_k relu(1 - sqrt(var_k(z) + 1e-4)) + the same of z'
    covariance  1/D sum_(i != j) cov_ij(z)^2 + the same of z'
    L = invariance + variance + covariance / 25

Both var and cov divide by N - 1. The official VICReg has 25 : 25 : 1 with half our variance, so its weights here are 25, 12.5
and 1; it compares augmentations of one image behind a projector, which are ``second_view: obs``, ``image_augmentations`` and
``projector``.

Differences from the reference code: none.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harness.nn.covariance import covariance, deviation, off_diagonal
from harness_snd.configs import SNDVICConfig
from harness_snd.objective import Minibatch, TwoViewsObjective
from harness_snd.reward import SND


class VICReg(TwoViewsObjective[SNDVICConfig]):
    """The weighted sum of the three."""

    def terms(self, batch: Minibatch) -> dict[str, Tensor]:
        raw = vicreg(*self.projections(batch), self.config.variance_epsilon)
        return {name: getattr(self.config, f"{name}_weight") * term for name, term in raw.items()}


def vicreg(z: Tensor, other: Tensor, variance_epsilon: float) -> dict[str, Tensor]:
    """The terms ``invariance``, ``variance`` and ``covariance`` of two views' features ``(B, D)``, without weights."""
    views = (z, other)
    hinges = [torch.relu(1 - deviation(view, variance_epsilon)).mean() for view in views]
    correlations = [off_diagonal(covariance(view)).square().sum() / view.shape[1] for view in views]
    return {
        "invariance": (z - other).square().mean(),
        "variance": hinges[0] + hinges[1],
        "covariance": correlations[0] + correlations[1],
    }


class SNDVIC(SND[SNDVICConfig]):
    """SND with a target whose features follow a state slowly, vary, and say different things."""

    objective_class = VICReg
