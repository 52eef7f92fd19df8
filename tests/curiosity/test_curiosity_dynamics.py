"""ICM and disagreement: what trains what, every kind of features, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from curiosity.small import CONTINUOUS, IMAGES, VECTORS, rollout, weights
from gymnasium import spaces

from harness import Spaces
from harness.errors import UserError
from harness_curiosity import presets
from harness_curiosity.disagreement import Disagreement
from harness_curiosity.dynamics_configs import DisagreementConfig, ICMConfig
from harness_curiosity.encoders import SameConvolutions
from harness_curiosity.icm import ICM

SMALL: dict[str, Any] = {"hidden": [8], "feature_dim": 6, "forward_hidden": 8, "minibatches": 2}


def icm(world: Spaces = VECTORS, preset: str = "pathak2017", **config: Any) -> ICM:
    (found,) = [it for it in presets.ICM if it.name == preset]
    return ICM(ICMConfig(**{**found.config, **SMALL, **config}), world, 3, "cpu", seed=0)


def disagreement(world: Spaces = VECTORS, **config: Any) -> Disagreement:
    return Disagreement(
        DisagreementConfig(**{**SMALL, "members": 3, "epochs": 1, "warm_up_steps": 0, **config}), world, 3, "cpu", seed=0
    )


@pytest.mark.parametrize("world", [VECTORS, CONTINUOUS, IMAGES], ids=["discrete", "continuous", "images"])
@pytest.mark.parametrize("features", ["inverse", "random", "vae", "pixels"])
@pytest.mark.parametrize("model", ["mlp", "residual"])
def test_every_kind_of_features_learns(world: Spaces, features: str, model: str) -> None:
    ours = icm(world, features=features, forward_model=model, convolutions="raileanu2020", learning_rate=1e-2)
    batch = rollout(world, 4)
    before = ours.bonus(batch)
    for _ in range(6):
        metrics = ours.update(batch)
    found = ours.diagnose(batch)
    assert metrics["forward_loss"] > 0
    if features == "random":
        assert (ours.bonus(batch) < before).float().mean() > 0.5
    assert ("inverse_accuracy" in found) == (ours.inverse is not None)
    assert ("inverse_loss" in metrics) == (ours.inverse is not None)
    assert ("vae_loss" in metrics) == (features == "vae")
    assert ("target_rank" in found) == (features != "pixels" or world is not IMAGES)


@pytest.mark.parametrize(("preset", "reaches"), [("pathak2017", True), ("burda2018", False), ("rllte", True)])
def test_the_forward_loss_trains_features_where_the_code_lets_it(preset: str, reaches: bool) -> None:
    ours = icm(preset=preset)
    ours.forward_loss(rollout(VECTORS, 4)).backward()
    assert any(p.grad is not None for p in ours.features.parameters()) == reaches
    assert all(p.grad is None for p in ours.inverse.parameters())  # type: ignore[union-attr]


def test_both_states_train_the_features() -> None:
    ours, batch = icm(), rollout(VECTORS, 4)
    features, following = (ours.encode(states).detach().requires_grad_() for states in (batch.obs, batch.next_obs))
    ours.error_between(features, following, batch.action).sum().backward()
    assert features.grad is not None
    assert following.grad is not None


def test_random_features_stay_as_they_are() -> None:
    ours = icm(features="random")
    before = weights(ours.features)
    ours.update(rollout(VECTORS, 4))
    assert torch.equal(before, weights(ours.features))


def test_same_padding_is_at_the_end_of_even_sides() -> None:
    """A single bright pixel in the corner reaches the first output of an even image, and half of that of an odd one."""
    layer = SameConvolutions((1, 6, 5))
    assert layer.features_dim == 32
    image = torch.zeros(1, 1, 6, 5)
    image[0, 0, 0, 0] = 1
    first = layer.convolutions[0]
    padded = torch.nn.functional.pad(image, (1, 1, 0, 1))
    expected = torch.nn.functional.elu(first(padded))
    torch.testing.assert_close(expected[0, :, 0, 0], torch.nn.functional.elu(first.weight[:, 0, 0, 1] + first.bias))
    assert layer(image).shape == (1, 32)


def test_statistics_of_random_play_stop_after_the_warm_up() -> None:
    ours = icm(preset="burda2018", warm_up_steps=2)
    assert ours.warm_up_steps == 2
    for seed in range(4):
        ours.observe(rollout(VECTORS, 1, seed))
    assert float(ours.observations.moments.count) == pytest.approx(2 * 3, abs=1e-3)  # type: ignore[union-attr]
    ours.update(rollout(VECTORS, 4))
    assert float(ours.observations.moments.count) == pytest.approx(2 * 3, abs=1e-3)  # type: ignore[union-attr]


def test_members_differ_and_agree_where_they_have_learnt() -> None:
    ours = disagreement(unbiased=True, learning_rate=1e-2, member_data="all")
    assert not torch.equal(weights(ours.dynamics[0]), weights(ours.dynamics[1]))
    batch, other = rollout(VECTORS, 4), rollout(VECTORS, 4, seed=1)
    first = ours.bonus(batch).mean()
    for _ in range(40):
        ours.update(batch)
    assert ours.bonus(batch).mean() < 0.5 * first
    assert ours.bonus(batch).mean() < ours.bonus(other).mean()


def test_members_learn_in_turn_and_the_turn_is_saved() -> None:
    ours, batch = disagreement(member_data="round_robin", minibatches=1), rollout(VECTORS, 4)
    for member in (0, 1):
        before = [weights(model) for model in ours.dynamics]
        ours.update(batch)
        assert [not torch.equal(b, weights(m)) for b, m in zip(before, ours.dynamics, strict=True)] == [
            i == member for i in range(3)
        ]
    resumed = disagreement(member_data="round_robin", minibatches=1)
    resumed.load_state_dict(ours.state_dict())
    before = weights(resumed.dynamics[2])
    resumed.update(batch)
    assert not torch.equal(before, weights(resumed.dynamics[2]))


@pytest.mark.parametrize("unbiased", [False, True])
def test_the_divisor_of_the_variance(unbiased: bool) -> None:
    ours, batch = disagreement(unbiased=unbiased), rollout(VECTORS, 2)
    encoded = ours.actions.encode(batch.action, torch.float32)
    predicted = np.stack([model(ours.encode(batch.obs), encoded).detach().numpy() for model in ours.dynamics])
    np.testing.assert_allclose(ours.bonus(batch), predicted.var(0, ddof=int(unbiased)).mean(1), rtol=1e-4)


def test_a_bonus_of_disagreement_does_not_see_where_a_transition_led() -> None:
    ours, batch, other = disagreement(), rollout(VECTORS, 2), rollout(VECTORS, 2, seed=1)
    changed = type(batch)(**{**vars(batch), "next_obs": other.next_obs})
    assert torch.equal(ours.bonus(batch), ours.bonus(changed))


@pytest.mark.parametrize("build", [icm, disagreement])
def test_other_actions_are_refused(build: Any) -> None:
    world = Spaces(VECTORS.observation, spaces.MultiDiscrete([2, 2]))
    with pytest.raises(UserError, match="needs actions that are Discrete or a Box of numbers, not MultiDiscrete"):
        build(world)


def test_convolutions_of_vectors_are_refused() -> None:
    with pytest.raises(UserError, match="conv needs images"):
        icm(architecture="conv")
