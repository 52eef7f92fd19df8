"""A method's rollout shares its images with the learner's buffer, and hands out what copies would be, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecMonitor
from torch import Tensor

from harness.algorithms.gathered_images import GatheredImages
from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.algorithms.rollout_storage import CompactRolloutBuffer, FrameStacks
from harness.config import IntrinsicRewardConfig
from harness.environments.base import NO_INFO, HarnessVecEnv, StepReturn, episode_end_info
from harness.rewards import IntrinsicReward, Spaces, Transitions
from harness.spec import Combination

T, N, SIZE = 9, 3, 5


class Films(HarnessVecEnv):
    """Stacks of random frames; episodes end at random, and some end by a jump to frames that nobody saw before."""

    def __init__(self, depth: int, channels: int, end: float) -> None:
        shape = (depth * channels, SIZE, SIZE)
        super().__init__(N, spaces.Box(0, 255, shape, np.uint8), spaces.Discrete(3), frame_channels=channels)
        self.rng, self.end = np.random.default_rng(0), end
        self.shown = np.zeros((N, *shape), np.uint8)

    def _images(self, n: int, channels: int) -> np.ndarray:
        return self.rng.integers(0, 256, (n, channels, SIZE, SIZE), dtype=np.uint8)

    def reset(self) -> np.ndarray:
        self.shown = self._images(N, self.shown.shape[1])
        return self.shown

    def step_async(self, actions: np.ndarray) -> None:
        del actions

    def step_wait(self) -> StepReturn:
        channels = self.frame_channels or 0
        following = np.concatenate([self.shown[:, channels:], self._images(N, channels)], axis=1)
        infos, dones = [NO_INFO] * N, self.rng.random(N) < self.end
        for env in np.flatnonzero(dones):
            last = self._images(1, len(following[env]))[0] if self.rng.random() < 0.5 else following[env].copy()
            infos[env] = episode_end_info(last, truncated=bool(self.rng.random() < 0.5))
            following[env] = self._images(1, len(last))[0]
        self.shown = following
        return following, np.zeros(N, np.float32), dones, infos

    def close(self) -> None:
        """Nothing to release."""


class Keeping(IntrinsicReward[IntrinsicRewardConfig]):
    """Keeps copies of all that it is shown."""

    def __init__(self, env: HarnessVecEnv, frames: int | None) -> None:
        assert env.frame_channels is not None
        super().__init__(
            IntrinsicRewardConfig(), Spaces(env.observation_space, env.action_space, env.frame_channels), N, "cpu", 0
        )
        self.newest = None if frames is None else frames * env.frame_channels
        self.steps: list[Transitions] = []
        self.rollouts: list[tuple[Transitions, Transitions]] = []
        self.gathered = False

    def view(self, observations: np.ndarray) -> np.ndarray:
        return observations[:, : 2 * SIZE : 2] * 1 if self.newest is None else observations[:, -self.newest :]

    def bonus(self, transitions: Transitions) -> Tensor:
        self.steps.append(Transitions(**{name: value.clone() for name, value in vars(transitions).items()}))
        return torch.zeros(len(transitions))

    def update(self, transitions: Transitions) -> dict[str, float]:
        self.gathered = isinstance(transitions.next_obs, GatheredImages)
        everything = Transitions(**{name: value.clone() for name, value in vars(transitions).items()})
        index = torch.randperm(len(transitions), generator=self.generator)[:7]
        self.rollouts.append((everything, transitions[index]))
        for field in ("obs", "next_obs"):
            images, copied = getattr(transitions, field), getattr(everything, field)
            assert torch.equal(images[index], copied[index]) and images[index].stride() == copied[index].stride()
            assert torch.equal(torch.cat(list(images.split(4))), copied)
        steps = self.steps[-T:]
        for name in vars(everything):
            assert torch.equal(getattr(everything, name), torch.cat([getattr(step, name) for step in steps])), name
        return {}


@pytest.mark.parametrize("end", [0.0, 0.25, 1.0])
@pytest.mark.parametrize(("depth", "channels", "frames"), [(4, 1, 1), (4, 1, 4), (3, 3, 2), (1, 3, 1), (4, 1, None)])
def test_a_rollout_is_what_copies_of_its_steps_are(depth: int, channels: int, frames: int | None, end: float) -> None:
    env = Films(depth, channels, end)
    reward = Keeping(env, frames)
    bonus_env = IntrinsicRewardVecEnv(VecMonitor(env), reward, T, Combination(mode="two_critics"))
    arguments = (T, env.observation_space, env.action_space, "cpu", 0.95, 0.99, N)
    shared = CompactRolloutBuffer(*arguments, frame_channels=channels, stacks=bonus_env.stacks)
    alone = CompactRolloutBuffer(*arguments, frame_channels=channels)
    observations: Any = bonus_env.reset()
    for rollout in range(3):
        for buffer in (shared, alone):
            buffer.reset()
        for step in range(T):
            following, *_ = bonus_env.step(np.zeros(N, np.int64))
            for buffer in (shared, alone):
                values = torch.full((N,), float(step))
                buffer.add(observations, np.zeros(N), np.zeros(N), np.zeros(N), values, values)
            observations = following
        assert len(reward.rollouts) == rollout + 1  # what is to be equal is asserted in `Keeping.update`
        every = np.arange(T * N)
        np.testing.assert_array_equal(shared.observations[every], alone.observations[every])
    assert reward.gathered == (frames is not None)
    assert shared.observations is bonus_env.stacks


def images(depth: int = 4) -> tuple[GatheredImages, Tensor]:
    stacks = FrameStacks(T, N, (depth, SIZE, SIZE), 1, np.dtype(np.uint8))
    rng = np.random.default_rng(3)
    for step in range(T + 1):
        stacks[step] = rng.integers(0, 256, (N, depth, SIZE, SIZE), dtype=np.uint8)
    gathered = GatheredImages(stacks, stacks.ends(following=True, frames=depth))
    return gathered, gathered.clone()


@pytest.mark.parametrize(
    "work",
    [
        lambda x: x[3],
        lambda x: x[-2:],
        lambda x: x[[1, 5]],
        lambda x: x[torch.tensor(4)],
        lambda x: x[torch.arange(12).reshape(3, 4)],
        lambda x: x[torch.arange(T * N) % 2 == 0],
        lambda x: x[:, -1:],
        lambda x: x[..., 0],
        lambda x: x[None],
        lambda x: x / 255,
        lambda x: x.float().mean(0),
        lambda x: x.view(T, N, -1),
        lambda x: torch.cat([x, x]),
        lambda x: torch.stack(x.split(9)),
        lambda x: torch.as_tensor(x.numpy()),
        lambda x: x.to(torch.float64, copy=True),
        lambda x: torch.stack(list(x)),
    ],
)
def test_images_answer_as_the_tensor_that_they_stand_for(work: Any) -> None:
    gathered, copied = images()
    ours, theirs = work(gathered), work(copied)
    assert type(ours) is Tensor and torch.equal(ours, theirs)
    assert ours.dtype == theirs.dtype and ours.stride() == theirs.stride()


def test_images_are_described_without_being_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    gathered, copied = images()
    monkeypatch.setattr(FrameStacks, "gather", lambda *_: pytest.fail("images were gathered"))
    assert isinstance(gathered, Tensor) and len(gathered) == len(copied)
    for name in ("shape", "dtype", "device", "ndim", "is_cpu", "requires_grad"):
        assert getattr(gathered, name) == getattr(copied, name), name
    assert gathered.size(1) == 4 and gathered.numel() == copied.numel()
    assert all(type(part) is GatheredImages for part in gathered.split(5))
