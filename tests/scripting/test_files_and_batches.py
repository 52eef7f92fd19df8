"""A method in a file, and a method on arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from support.scripted import LoggingReward

import harness
from harness.errors import UserError
from harness.rewards import IntrinsicReward

VECTOR = spaces.Box(-np.inf, np.inf, (3,), np.float32)
SMALL = {"hidden": [8], "feature_dim": 4, "epochs": 1}


def rnd(observation: spaces.Space = VECTOR, action: spaces.Space | None = None, n_envs: int = 2) -> IntrinsicReward[Any]:
    return harness.make_reward(
        "rnd", observation, action or spaces.Discrete(4), n_envs=n_envs, config=SMALL, device="cpu", seed=3
    )


def batch(method: IntrinsicReward[Any], n: int = 12, seed: int = 0) -> harness.Transitions:
    obs, next_obs = np.random.default_rng(seed).normal(size=(2, n, *(method.spaces.observation.shape or ()))) * 50
    if method.spaces.observation.dtype == np.uint8:
        obs, next_obs = (np.abs(part).astype(np.uint8) for part in (obs, next_obs))
    action = np.stack([method.spaces.action.sample() for _ in range(n)])
    return harness.make_transitions(method, obs, action, next_obs)


# --------------------------------------------------------------------------------------------------------------------
# Files
# --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("observation", "action"),
    [
        (VECTOR, spaces.Discrete(4, start=1)),
        (spaces.Box(0, 255, (3, 36, 40), np.uint8), spaces.Box(-1, 2, (2,), np.float32)),
        (VECTOR, spaces.MultiDiscrete([2, 3])),
        (VECTOR, spaces.MultiBinary(3)),
    ],
)
def test_a_loaded_method_goes_on_as_the_one_that_was_saved(
    observation: spaces.Space, action: spaces.Space, tmp_path: Path
) -> None:
    method = rnd(observation, action)
    method.update(batch(method))
    file = harness.save_reward(method, tmp_path / "rnd.safetensors")
    again = harness.load_reward(file, device="cpu")
    assert (again.config, again.spaces, again.n_envs) == (method.config, method.spaces, 2)
    more = batch(method, seed=1)
    assert torch.equal(again.bonus(more), method.bonus(more))
    assert again.update(more) == method.update(more)  # optimiser and random masks included
    assert torch.equal(again.bonus(more), method.bonus(more))


def test_a_class_of_ones_own_is_restored_into_another_of_its_make(tmp_path: Path) -> None:
    file = harness.save_reward(LoggingReward(2), tmp_path / "own.safetensors")
    with pytest.raises(UserError, match=r"no plugin provides: make one, and use harness\.restore_reward"):
        harness.load_reward(file)
    fresh = LoggingReward(2)
    fresh.generator.manual_seed(9)
    assert harness.restore_reward(fresh, file) is fresh
    assert torch.equal(fresh.generator.get_state(), LoggingReward(2).generator.get_state())


def test_a_method_of_another_make_is_not_restored(tmp_path: Path) -> None:
    file = harness.save_reward(rnd(), tmp_path / "rnd.safetensors")
    other = harness.make_reward("rnd", VECTOR, spaces.Discrete(4), n_envs=2, config=SMALL | {"feature_dim": 5}, device="cpu")
    with pytest.raises(UserError, match="written by a method of another make"):
        harness.restore_reward(other, file)


@pytest.mark.parametrize("content", [None, b"", b"not safetensors at all"])
def test_what_is_not_a_saved_method_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as a method"):
        harness.load_reward(tmp_path / "file")


def test_safetensors_of_another_kind_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(1)}, tmp_path / "file")
    with pytest.raises(UserError, match="is not a method written by"):
        harness.load_reward(tmp_path / "file")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere.*cannot be written"):
        harness.save_reward(rnd(), tmp_path / "nowhere" / "rnd.safetensors")


# --------------------------------------------------------------------------------------------------------------------
# Batches
# --------------------------------------------------------------------------------------------------------------------
def test_rows_of_arrays_and_tensors_become_transitions() -> None:
    method = rnd()
    obs = torch.arange(12.0).reshape(4, 3)
    made = harness.make_transitions(
        method,
        obs.double(),
        [0, 1, 2, 3],
        obs.numpy() + 1,
        reward=[1, 2, 3, 4],
        terminated=[0, 0, 1, 1],
        truncated=[0, 1, 0, 1],
    )
    assert torch.equal(made.obs, obs)
    assert torch.equal(made.next_obs, obs + 1)
    assert made.obs.dtype == made.reward.dtype == torch.float32
    assert made.action.dtype == torch.int64
    assert made.env_index.tolist() == [0, 1, 0, 1]
    assert made.terminated.tolist() == [False, False, True, True]
    assert made.truncated.tolist() == [False, True, False, False]  # never together with terminated


def test_a_method_sees_its_view_of_images() -> None:
    stack = spaces.Box(0, 255, (4, 36, 36), np.uint8)
    method = harness.make_reward("rnd", stack, spaces.Discrete(2), n_envs=1, frame_channels=1, config=SMALL, device="cpu")
    images = np.zeros((5, 4, 36, 36), np.uint8)
    images[:, 3] = 7
    made = harness.make_transitions(method, images, np.zeros(5), images)
    assert made.obs.shape == (5, 1, 36, 36)
    assert made.obs.eq(7).all()
    assert method.bonus(made).shape == (5,)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"obs": np.zeros((4, 2))}, r"obs must have shape (4, 3) for 4 transitions, not (4, 2)"),
        ({"next_obs": np.zeros((3, 3))}, r"next_obs must have shape (4, 3) for 4 transitions, not (3, 3)"),
        ({"action": [[0], [1], [2], [3]]}, r"action must have shape (4,)"),
        ({"action": [0, 1, 2, 4]}, "actions must be from 0 to 3, not from 0 to 4"),
        ({"reward": [1.0]}, r"reward must have shape (4,)"),
        ({"env_index": [0, 1, 2, 0]}, "env_index must be from 0 to 1: the method was made for n_envs=2"),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, Any], message: str) -> None:
    fitting: dict[str, Any] = {"obs": np.zeros((4, 3)), "action": np.zeros(4), "next_obs": np.zeros((4, 3))}
    with pytest.raises(UserError) as refused:
        harness.make_transitions(rnd(), **{**fitting, **changed})
    assert message in str(refused.value)


def test_channel_last_images_are_told_from_wrong_ones() -> None:
    method = rnd(spaces.Box(0, 255, (3, 36, 40), np.uint8))
    last = np.zeros((2, 36, 40, 3), np.uint8)
    with pytest.raises(UserError, match=r"these are channel-last: np\.moveaxis"):
        harness.make_transitions(method, last, [0, 1], last)
    first = np.moveaxis(last, -1, 1)
    with pytest.raises(UserError, match="obs must be uint8"):
        harness.make_transitions(method, first / 255, [0, 1], first)
