"""Observations of a rollout are stored once, and come back as they were, in SB3's order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.buffers import RolloutBuffer

from harness.algorithms.rollout_storage import CompactRolloutBuffer, FrameStacks

T, N, DEPTH, SIZE = 13, 3, 4, 6


def stacks_of_episodes(rng: np.random.Generator, channels: int, end: float) -> np.ndarray:
    """Stacks of T steps, uint8 ``(T, N, DEPTH * channels, SIZE, SIZE)``; episodes end at random and begin with noise."""
    shape = (N, DEPTH * channels, SIZE, SIZE)
    steps = [rng.integers(0, 256, shape, dtype=np.uint8)]
    while len(steps) < T:
        newest = rng.integers(0, 256, (N, channels, SIZE, SIZE), dtype=np.uint8)
        following = np.concatenate([steps[-1][:, channels:], newest], axis=1)
        ended = rng.random(N) < end
        following[ended] = rng.integers(0, 256, (int(ended.sum()), *shape[1:]), dtype=np.uint8)
        steps.append(following)
    return np.stack(steps)


def filled(buffer: RolloutBuffer, observations: np.ndarray) -> RolloutBuffer:
    buffer.reset()
    rng = np.random.default_rng(1)
    for stack in observations:
        values, log_probs = torch.from_numpy(rng.random((2, N), dtype=np.float32))
        buffer.add(stack, rng.integers(0, 4, N), rng.random(N), np.zeros(N), values, log_probs)
    buffer.compute_returns_and_advantage(torch.zeros(N), np.zeros(N))
    return buffer


@pytest.mark.parametrize("end", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("channels", "frame_channels"), [(1, 1), (3, 3), (1, 4), (1, None)])
def test_minibatches_are_those_of_sb3_to_the_bit(channels: int, frame_channels: int | None, end: float) -> None:
    space = spaces.Box(0, 255, (DEPTH * channels, SIZE, SIZE), np.uint8)
    arguments = (T, space, spaces.Discrete(4), "cpu", 0.95, 0.99, N)
    ours = CompactRolloutBuffer(*arguments, frame_channels=frame_channels)
    theirs = RolloutBuffer(*arguments)
    rng = np.random.default_rng(0)
    for _ in range(3):  # the memory of a rollout serves the next one
        observations = stacks_of_episodes(rng, channels, end)
        for buffer in (ours, theirs):
            filled(buffer, observations)
        for epoch in range(2):
            np.random.seed(epoch)
            mine = list(ours.get(5))
            np.random.seed(epoch)
            for batch, other in zip(mine, theirs.get(5), strict=True):
                assert all(a.dtype == b.dtype and torch.equal(a, b) for a, b in zip(batch, other, strict=True))
        np.testing.assert_array_equal(ours.values, theirs.values)


def test_an_episode_takes_its_distinct_frames_and_no_more() -> None:
    stacks = FrameStacks(100, 2, (4, 84, 84), 1, np.dtype(np.uint8))
    frames = 100 * 2 * 84 * 84
    assert stacks.nbytes < 1.1 * frames
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 256, (2, 4, 84, 84), dtype=np.uint8)
    for step in range(100):
        stacks[step] = stack
        stack = np.concatenate([stack[:, 1:], rng.integers(0, 256, (2, 1, 84, 84), dtype=np.uint8)], axis=1)
    assert stacks.nbytes < 1.1 * frames
