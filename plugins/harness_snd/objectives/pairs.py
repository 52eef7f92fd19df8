"""SND-V: equal states at distance 0, random states at distance 1.

Source: Pechac et al. 2024, arXiv 2302.11563; Iskandor/SND@2cada68 ``modules/encoders/EncoderAtari.py`` (SNDVEncoderAtari) and
``modules/rnd_models/RNDModelAtari.py`` (SNDVModelAtari). Pairs (a, b) come from the whole rollout; with probability 1/2, b is
a itself and the label y is 0; else b is any state and y is 1. Both are augmented, each on its own. With z the features:

    d = 1/D sum_k (z_a,k - z_b,k)^2
    L = mean (y - d)^2 + relu(mean z_a^2 + mean z_b^2 - 200)

Differences from the reference code: tiles are of sizes that divide the image, where the code fails on others (and never takes
12 pixels unless images are 96 high). Vectors are beyond the paper: single coordinates are masked instead of tiles.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harness_snd.configs import SNDVConfig
from harness_snd.objective import AugmentedObjective, Minibatch
from harness_snd.reward import SND


def choose_pairs(anchors: Tensor, far: Tensor, uniforms: Tensor, close_share: float) -> tuple[Tensor, Tensor]:
    """Second members and labels, both ``(pairs,)``: the anchor itself and 0 where ``u <= close_share``, else ``far`` and 1."""
    labels = uniforms > close_share
    return torch.where(labels, far, anchors), labels


class Pairs(AugmentedObjective[SNDVConfig]):
    """Distances of pairs against their labels."""

    @property
    def is_random(self) -> bool:
        """Pairs always are."""
        return True

    def terms(self, batch: Minibatch) -> dict[str, Tensor]:
        first, second, labels = self.sample_pairs(batch)
        z_a, z_b = (batch.target(self.augment(batch.states_at(index), batch.random)) for index in (first, second))
        return self.compare(z_a, z_b, labels)

    def compare(self, z_a: Tensor, z_b: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The terms, given both members' features ``(pairs, D)`` and labels ``(pairs,)``, 0 for close and 1 for far."""
        distance = (z_a - z_b).square().mean(1)
        magnitude = z_a.square().mean() + z_b.square().mean()
        return {
            "similarity": (labels.to(distance.dtype) - distance).square().mean(),
            "magnitude": torch.relu(magnitude - self.config.magnitude_threshold),
        }

    def sample_pairs(self, batch: Minibatch) -> tuple[Tensor, Tensor, Tensor]:
        """Indices of both members in the rollout, and labels."""
        random, pairs = batch.random, max(1, int(len(batch) * self.config.pair_share))
        anchors, far = torch.randint(len(batch.rollout), (2, pairs), generator=random, device=random.device)
        uniforms = torch.rand(pairs, generator=random, device=random.device)
        return anchors, *choose_pairs(anchors, far, uniforms, self.config.close_share)


class SNDV(SND[SNDVConfig]):
    """SND with a target that tells states apart."""

    objective_class = Pairs
