"""Pieces of episodes, and methods whose memory follows the episodes of a run."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from curiosity.small import CONTINUOUS, IMAGES, VECTORS, N, rollout, step

from harness import Spaces
from harness_curiosity.generative_configs import TDVAEConfig, WorldModelConfig
from harness_curiosity.sequences import segments
from harness_curiosity.td_vae import TDVAE
from harness_curiosity.world_model import WorldModel

SMALL: dict[str, Any] = {"latent_dim": 3, "segment": 3, "segments_per_batch": 2, "learning_rate": 1e-2, "epochs": 1}


def world_model(world: Spaces = VECTORS, **config: Any) -> WorldModel:
    settings = {**SMALL, "hidden": [8], "recurrent": 6, "components": 2, "minibatches": 2, "frames": "all", **config}
    torch.manual_seed(0)  # of an LSTM's first weights; a run does the same
    return WorldModel(WorldModelConfig(**settings), world, N, "cpu", seed=0)


def td_vae(world: Spaces = VECTORS, **config: Any) -> TDVAE:
    settings = {**SMALL, "processed_dim": 8, "belief_dim": 6, "hidden": 8, "frames": "all", **config}
    torch.manual_seed(0)
    return TDVAE(TDVAEConfig(**settings), world, N, "cpu", seed=0)


every_method = pytest.mark.parametrize("build", [world_model, td_vae], ids=["world_model", "td_vae"])


@pytest.mark.parametrize("length", [1, 2, 3, 50])
@pytest.mark.parametrize("seed", range(3))
def test_segments_cross_neither_ends_nor_environments(length: int, seed: int) -> None:
    batch = rollout(VECTORS, 9, seed, ends=0.3)
    rows, inside = segments(batch, length)
    assert rows.shape == inside.shape
    assert rows.shape[1] == length
    assert sorted(rows[inside].tolist()) == list(range(len(batch)))  # every transition once
    for piece, kept in zip(rows, inside, strict=True):
        steps = piece[kept].tolist()
        assert kept[: len(steps)].all()
        assert all(b - a == N for a, b in itertools.pairwise(steps)), "neighbours in time, of one environment"
        assert not batch.done[piece[kept][:-1]].any()


def played(method: Any, batch: Any, steps: range) -> torch.Tensor:
    found = []
    for t in steps:
        now = step(batch, t)
        method.track(now)
        found.append(method.bonus(now))
    return torch.stack(found)


@every_method
def test_a_memory_begins_anew_with_each_episode(build: Any) -> None:
    """After an end, what came before it has no part in any bonus; until then it has."""
    batch, other = rollout(VECTORS, 6, ends=0), rollout(VECTORS, 6, seed=1, ends=0)
    batch.terminated[2 * N] = True  # environment 0 after its third step
    first, second = build(), build()
    expected = played(first, batch, range(6))
    changed = type(batch)(**{name: value.clone() for name, value in vars(batch).items()})
    for name in ("obs", "next_obs", "action"):
        getattr(changed, name)[: 2 * N] = getattr(other, name)[: 2 * N]
    found = played(second, changed, range(6))
    torch.testing.assert_close(expected[3:, 0], found[3:, 0])
    assert not torch.allclose(expected[3:, 1], found[3:, 1], rtol=1e-4)


@every_method
def test_bonuses_step_by_step_are_those_of_the_whole_sequence(build: Any) -> None:
    batch = rollout(VECTORS, 5, ends=0)
    method = build()
    found = played(method, batch, range(5))
    again = build()
    for t in range(5):
        again.track(step(batch, t))
    later = torch.stack([again.bonus(step(batch, t)) for t in range(5)])
    assert not torch.equal(found, later), "asked for again with the memory of the end"
    resumed = build()
    played(resumed, batch, range(2))
    copy = build()
    copy.load_state_dict(resumed.state_dict())
    torch.testing.assert_close(played(copy, batch, range(2, 5)), found[2:])


@torch.no_grad()
def test_the_belief_after_steps_is_the_sequence_s() -> None:
    method, batch = td_vae(), rollout(VECTORS, 4, ends=0)
    played(method, batch, range(4))
    states = torch.cat([batch.obs[None, :N], batch.next_obs.unflatten(0, (4, N))])
    beliefs = method.networks.belief(method.network_input(states.flatten(0, 1)).unflatten(0, (5, N)))
    torch.testing.assert_close(method.state.output, beliefs[-1])


@torch.no_grad()
def test_the_memory_after_steps_is_the_sequence_s() -> None:
    method, batch = world_model(CONTINUOUS), rollout(CONTINUOUS, 4, ends=0)
    played(method, batch, range(4))
    codes = method.posterior(batch.obs).mean.unflatten(0, (4, N))
    inputs = torch.cat([batch.action.unflatten(0, (4, N)), codes], -1)
    torch.testing.assert_close(method.state.output, method.memory_model.lstm(inputs)[0][-1])


@pytest.mark.parametrize("world", [VECTORS, IMAGES], ids=["vectors", "images"])
def test_td_vae_finds_what_it_saw_less_surprising(world: Spaces) -> None:
    batch, method = rollout(world, 6), td_vae(world)
    method.update(batch)  # which gives the observations their statistics
    before = played(method, batch, range(6)).mean()
    for _ in range(20):
        method.update(batch)
    method.begin_episodes()
    assert played(method, batch, range(6)).mean() < before
    assert method.diagnose(batch)["target_rank"] >= 1


@pytest.mark.parametrize("world", [VECTORS, CONTINUOUS, IMAGES], ids=["discrete", "continuous", "images"])
def test_both_parts_of_a_world_model_learn(world: Spaces) -> None:
    batch, method = rollout(world, 6), world_model(world)
    first = method.update(batch)
    for _ in range(10):
        metrics = method.update(batch)
    assert metrics["vae_loss"] < first["vae_loss"]
    assert method.diagnose(batch)["components_used"] >= 1
    codes, following = (torch.randn(len(batch), 3, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    pieces, losses = segments(batch, 3), []
    for _ in range(30):
        losses.append(method.memory_losses(batch, codes, following, *pieces)["loss"])
        method.descend(losses[-1])
    assert losses[-1] < 0.97 * losses[0]


@pytest.mark.parametrize("mixture", ["shared", "per_dimension"])
def test_reward_and_end_are_predicted_if_asked_for(mixture: str) -> None:
    method = world_model(mixture=mixture, predict_reward=True, predict_done=True)
    metrics = method.update(rollout(VECTORS, 6))
    assert {"memory_surprise", "memory_reward_loss", "memory_done_loss", "vae_loss"} <= metrics.keys()
