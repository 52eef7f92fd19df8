"""VAE and E2C: every bonus, images of any size, and what is refused or bounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from curiosity.small import CONTINUOUS, IMAGES, VECTORS, rollout
from gymnasium import spaces

from harness import Spaces
from harness.errors import UserError
from harness_curiosity.e2c import E2C, LocalModel
from harness_curiosity.gaussians import Gaussian
from harness_curiosity.generative_configs import E2CConfig, VAEConfig
from harness_curiosity.vae import VAEReward
from harness_curiosity.vae_networks import ConvVAE

WORLDS = {"discrete": VECTORS, "continuous": CONTINUOUS, "images": IMAGES}
every_world = pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS.keys())


def vae(world: Spaces = VECTORS, **config: Any) -> VAEReward:
    settings = {"hidden": [8], "latent_dim": 3, "frames": "all", **config}
    return VAEReward(VAEConfig(**settings), world, 3, "cpu", seed=0)


def e2c(world: Spaces = VECTORS, **config: Any) -> E2C:
    widths = {f"{name}_hidden": [8] for name in ("encoder", "transition", "decoder")}
    return E2C(
        E2CConfig(**{**widths, "learning_rate": 1e-2, "minibatches": 2, "frames": "all", **config}), world, 3, "cpu", seed=0
    )


@every_world
@pytest.mark.parametrize("bonus", ["reconstruction", "elbo", "kl"])
def test_every_bonus_of_the_vae(world: Spaces, bonus: str) -> None:
    method, batch = vae(world, bonus=bonus), rollout(world, 4)
    before = method.bonus(batch).mean()
    for _ in range(20):
        metrics = method.update(batch)
    assert metrics.keys() == {"vae_loss", "reconstruction_loss", "kl_loss"}
    if bonus == "elbo":
        assert method.bonus(batch).mean() < before
    assert method.diagnose(batch)["active_latents"] <= 3


def test_the_bonus_is_of_the_next_state() -> None:
    method, batch, other = vae(), rollout(VECTORS, 2), rollout(VECTORS, 2, seed=1)
    assert torch.equal(method.bonus(batch), method.bonus(type(batch)(**{**vars(batch), "obs": other.obs})))
    assert not torch.equal(method.bonus(batch), method.bonus(type(batch)(**{**vars(batch), "next_obs": other.next_obs})))


@pytest.mark.parametrize("shape", [(1, 64, 64), (1, 84, 84), (3, 33, 40)])
def test_images_of_any_size_are_resized_for_convolutions(shape: tuple[int, ...]) -> None:
    method = vae(Spaces(spaces.Box(0, 255, shape, np.uint8), spaces.Discrete(2), frame_channels=shape[0]))
    assert isinstance(method.model, ConvVAE)
    assert method.model.targets(torch.rand(2, *shape)).shape == (2, shape[0], 64, 64)
    flat = vae(IMAGES)
    assert not isinstance(flat.model, ConvVAE)


@pytest.mark.parametrize("build", [vae, e2c])
def test_probabilities_of_unbounded_numbers_are_refused(build: Any) -> None:
    with pytest.raises(UserError, match=r"bernoulli needs numbers in \[0, 1\]"):
        build(VECTORS, likelihood="bernoulli")


@every_world
@pytest.mark.parametrize("bonus", ["divergence", "prediction"])
def test_every_bonus_of_e2c_is_finite_while_its_loss_falls(world: Spaces, bonus: str) -> None:
    method, batch = e2c(world, bonus=bonus), rollout(world, 6)
    first = method.update(batch)
    for _ in range(10):
        metrics = method.update(batch)
    assert method.bonus(batch).isfinite().all()
    assert metrics["loss"] < first["loss"]
    assert method.diagnose(batch)["least_determinant"] > 0


@torch.no_grad()
def test_the_determinant_is_bounded_where_the_original_has_none() -> None:
    method = e2c()
    method.networks.matrix.weight.zero_()
    method.networks.matrix.bias.copy_(torch.tensor([2.0, 0.0, -3.0, 0.0]))
    model = method.networks.local_model(torch.zeros(1, 2))
    assert float(model.determinant) == pytest.approx(1e-3, rel=1e-3)
    assert method.bonus(rollout(VECTORS, 2)).isfinite().all()
    method.networks.matrix.bias.copy_(torch.tensor([2.0, 0.0, -0.4, 0.0]))
    assert float(method.networks.local_model(torch.zeros(1, 2)).determinant) == pytest.approx(0.2)


@torch.no_grad()
def test_the_divergence_of_the_local_model_is_that_of_full_covariances() -> None:
    random = torch.Generator().manual_seed(0)
    v, r, offset, mean, log_scale, other, other_scale = torch.randn(7, 4, 3, generator=random, dtype=torch.float64) / 3
    action = torch.randn(4, 2, generator=random, dtype=torch.float64)
    control = torch.randn(4, 3, 2, generator=random, dtype=torch.float64)
    model, before, after = LocalModel(v, r, control, offset), Gaussian(mean, log_scale), Gaussian(other, other_scale)
    matrix = torch.eye(3, dtype=torch.float64) + v.unsqueeze(2) * r.unsqueeze(1)
    covariance = matrix @ torch.diag_embed(before.scale.square()) @ matrix.transpose(1, 2)
    predicted = torch.distributions.MultivariateNormal(model.step(mean, action), covariance)
    inferred = torch.distributions.MultivariateNormal(other, torch.diag_embed(after.scale.square()))
    expected = torch.distributions.kl_divergence(predicted, inferred)
    torch.testing.assert_close(model.divergence(before, action, after), expected)
