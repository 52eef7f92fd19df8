"""A method for SAC alone that learns what actor and critics see, with every hook of the off-policy life in use."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness import IntrinsicReward, IntrinsicRewardConfig, Spaces, Transitions
from harness.nn.moments import ReturnNormaliser

FEATURES = 6


class EncodingConfig(IntrinsicRewardConfig):
    """Nothing to configure."""


class Encoder(nn.Module):
    features_dim = FEATURES

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(inputs, FEATURES), nn.Tanh())
        self.calls = 0

    def forward(self, obs: Tensor) -> Tensor:
        self.calls += 1
        return self.layers(obs.float())


class Encoding(IntrinsicReward[EncodingConfig]):
    """Distance of features from the mean of a few candidates; the encoder learns to keep the observation's sum."""

    def __init__(self, config: EncodingConfig, spaces: Spaces, n_envs: int, device: Any, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.images = spaces.frame_channels is not None
        shape = spaces.observation.shape
        assert shape is not None
        self.encoder = Encoder(int(np.prod(shape[-2:] if self.images else shape)))
        self.head = nn.Linear(FEATURES, 1)
        self.normaliser = ReturnNormaliser(n_envs, 0.99)
        self.register_buffer("centre", torch.zeros(FEATURES))
        self.to(device)
        learnt = [*self.encoder.parameters(), *self.head.parameters()]
        self.optimizers["encoder"] = torch.optim.Adam(learnt, lr=1e-3)

    def view(self, observations: np.ndarray) -> np.ndarray:
        return observations[:, -1:] if self.images else observations

    def augment(self, observations: Tensor) -> Tensor:
        noise = torch.randn(observations.shape, generator=self.generator).to(self.device)
        return observations.float() + 0.01 * noise

    def observe_batch(self, transitions: Transitions) -> None:
        index = torch.randint(len(transitions), (3,), generator=self.generator)
        with torch.no_grad():
            self.centre = self.encoder(transitions.next_obs[index]).mean(0)

    def representation(self) -> nn.Module:
        return self.encoder

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        return (self.encoder(transitions.next_obs) - self.centre).norm(dim=1)

    def update(self, transitions: Transitions) -> dict[str, float]:
        obs = transitions.obs.float()
        loss = (self.head(self.encoder(obs)).squeeze(1) - obs.flatten(1).mean(1)).square().mean()
        self.optimizers["encoder"].zero_grad()
        loss.backward()
        self.optimizers["encoder"].step()
        return {"encoder_loss": float(loss.detach())}
