"""IMPALA's network has the sizes of train-procgen's, and learns with one value head and with two."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from harness.errors import UserError
from harness_procgen.networks import Impala


def test_it_has_the_parameters_of_the_original():
    """Counted by hand: convolutions 3 x 3 with biases, 32 x 8 x 8 = 2,048 numbers into 256 units."""
    stages = [(3, 16), (16, 32), (32, 32)]
    convolutions = sum(9 * n * m + m + 4 * (9 * m * m + m) for n, m in stages)
    network = Impala(spaces.Box(0, 255, (3, 64, 64), np.uint8), 1)
    assert sum(p.numel() for p in network.parameters()) == convolutions + 2048 * 256 + 256
    features = network.features(torch.rand(5, 3, 64, 64))
    assert features.shape == network.policy_latent(features).shape == network.value_latent(features).shape == (5, 256)


def test_vectors_are_refused():
    with pytest.raises(UserError, match="needs images"):
        Impala(spaces.Box(0, 1, (7,), np.float32), 1)
