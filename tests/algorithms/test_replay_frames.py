"""A replay buffer that keeps each frame once gives the samples of SB3's, to the bit, whatever episodes do."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.buffers import ReplayBuffer

from harness.algorithms.replay_frames import CompactReplayBuffer, observation_bytes
from harness.algorithms.replay_store import ReplayStore
from harness.runs import segments

SIZE = 5
ACTIONS = spaces.Box(-1, 1, (2,), np.float32)

Step = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]


def space(channels: int, depth: int, size: int = SIZE) -> spaces.Box:
    return spaces.Box(0, 255, (depth * channels, size, size), np.uint8)


def steps_of(
    rng: np.random.Generator, shown: spaces.Box, channels: int, n_envs: int, end: float, still: float
) -> Iterator[Step]:
    """Steps as an off-policy algorithm of SB3 stores them: the true last observation where an episode ended or was truncated.

    Args:
        rng: Draws everything.
        shown: Space of one observation.
        channels: Channels of one frame.
        n_envs: Number of environments.
        end: Probability that an episode ends with a step.
        still: Probability that a frame is the one before it, or black.
    """
    depth, (_, *size) = shown.shape[0] // channels, shown.shape

    def frame(before: np.ndarray | None = None) -> np.ndarray:
        if rng.random() < still:
            return np.zeros((channels, *size), np.uint8) if before is None else before
        return rng.integers(0, 256, (channels, *size), dtype=np.uint8)

    def begin() -> np.ndarray:
        return np.concatenate([frame()] * depth) if rng.random() < 0.7 else rng.integers(0, 256, shown.shape, dtype=np.uint8)

    obs = np.stack([begin() for _ in range(n_envs)])
    while True:
        newest = np.stack([frame(one[-channels:]) for one in obs])
        next_obs = np.concatenate([obs[:, channels:], newest], axis=1)
        dones = rng.random(n_envs) < end
        infos = [{"TimeLimit.truncated": bool(done and rng.random() < 0.5)} for done in dones]
        yield obs, next_obs, rng.random((n_envs, 2), dtype=np.float32), rng.random(n_envs), dones, infos
        obs = next_obs.copy()
        for env in np.flatnonzero(dones):
            obs[env] = begin()


def require_equal(ours: ReplayBuffer, theirs: ReplayBuffer, seed: int = 0) -> None:
    assert (ours.pos, ours.full, ours.buffer_size) == (theirs.pos, theirs.full, theirs.buffer_size)
    np.random.seed(seed)
    mine = ours.sample(40)
    np.random.seed(seed)
    for one, other in zip(mine, theirs.sample(40), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert one.dtype == other.dtype and torch.equal(one, other)
    held = np.arange(theirs.size())
    for name in ("observations", "next_observations"):
        np.testing.assert_array_equal(getattr(ours, name)[held], getattr(theirs, name)[held])


def pair(rows: int, n_envs: int, channels: int, depth: int) -> tuple[CompactReplayBuffer, ReplayBuffer]:
    arguments = (rows * n_envs, space(channels, depth), ACTIONS, "cpu", n_envs)
    return CompactReplayBuffer(*arguments, frame_channels=channels), ReplayBuffer(*arguments)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 12),
    n_envs=st.integers(1, 3),
    channels=st.sampled_from([1, 3]),
    depth=st.integers(1, 4),
    end=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    still=st.sampled_from([0.0, 0.5, 1.0]),
    n_steps=st.integers(1, 40),
    seed=st.integers(0, 1000),
)
def test_samples_are_those_of_sb3_to_the_bit(
    rows: int, n_envs: int, channels: int, depth: int, end: float, still: float, n_steps: int, seed: int
) -> None:
    ours, theirs = pair(rows, n_envs, channels, depth)
    source = steps_of(np.random.default_rng(seed), space(channels, depth), channels, n_envs, end, still)
    for number in range(n_steps):
        step = next(source)
        ours.add(*step)
        theirs.add(*step)
        if number == n_steps // 2 and seed % 3 == 0:  # a phase may empty the buffer
            ours.reset()
            theirs.reset()
            ours.add(*step)
            theirs.add(*step)
    require_equal(ours, theirs, seed)


def filled(rows: int, n_steps: int, end: float, *, n_envs: int = 2) -> tuple[CompactReplayBuffer, ReplayBuffer]:
    ours, theirs = pair(rows, n_envs, 3, 3)
    source = steps_of(np.random.default_rng(rows), space(3, 3), 3, n_envs, end, 0.1)
    for _ in range(n_steps):
        step = next(source)
        ours.add(*step)
        theirs.add(*step)
    return ours, theirs


def go_on(ours: ReplayBuffer, theirs: ReplayBuffer, n_steps: int) -> None:
    source = steps_of(np.random.default_rng(9), space(3, 3), 3, theirs.n_envs, 0.3, 0.1)
    for _ in range(n_steps):
        step = next(source)
        ours.add(*step)
        theirs.add(*step)
    require_equal(ours, theirs)


@pytest.mark.parametrize("n_steps", [3, 20, 50])
@pytest.mark.parametrize("written_by", ["ours", "november"])
def test_a_checkpoint_gives_the_same_buffer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_steps: int, written_by: str
) -> None:
    """Files with whole stacks are those of runs that were begun before frames were stored once."""
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 2000)  # several files, the oldest of which is partly overwritten
    ours, theirs = filled(20, n_steps, 0.2)
    store = ReplayStore(ours if written_by == "ours" else theirs)
    store.record_added(n_steps)
    tree = store.save(tmp_path)
    resumed = pair(20, 2, 3, 3)[0]
    loaded = ReplayStore(resumed)
    loaded.load(tmp_path, tree)
    require_equal(resumed, theirs)
    go_on(resumed, theirs, 30)


def test_checkpoints_add_up_and_shrink(tmp_path: Path) -> None:
    sizes: dict[str, int] = {}
    for name, place in (("ours", 0), ("theirs", 1)):
        buffers = pair(200, 2, 3, 3)
        store = ReplayStore(buffers[place])
        source = steps_of(np.random.default_rng(0), space(3, 3), 3, 2, 0.01, 0.0)
        for number in range(150):
            step = next(source)
            for buffer in buffers:
                buffer.add(*step)
            store.record_added(1)
            if number % 50 == 49:
                tree = store.save(tmp_path / name)
        sizes[name] = store.bytes_on_disk
        resumed = pair(200, 2, 3, 3)[place]
        ReplayStore(resumed).load(tmp_path / name, tree)
        require_equal(resumed, buffers[1])
    assert sizes["ours"] < sizes["theirs"] / 3  # these frames are small, and so beside them are rewards and places


def test_frames_are_stored_once() -> None:
    arguments = (1000, space(3, 3, 64), ACTIONS, "cpu", 2)
    buffer = CompactReplayBuffer(*arguments, frame_channels=3)
    source = steps_of(np.random.default_rng(0), space(3, 3, 64), 3, 2, 0.002, 0.0)
    for _ in range(700):
        buffer.add(*next(source))
    assert buffer.frames is not None
    distinct = 1000 * 3 * 64 * 64
    assert distinct < buffer.frames.nbytes < 1.03 * distinct
    assert buffer.frames.nbytes == pytest.approx(1000 * observation_bytes(space(3, 3, 64), 3), rel=0.03)


def test_episodes_of_a_step_make_the_memory_grow_and_no_further_than_that() -> None:
    buffer, other = filled(30, 400, 1.0)
    assert buffer.frames is not None
    size = buffer.frames.nbytes
    go_on(buffer, other, 300)
    assert buffer.frames.nbytes <= 1.1 * size
    assert size < other.observations.nbytes + other.next_observations.nbytes + 30 * 2 * 2 * 4 * 10


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda buffer: pickle.loads(pickle.dumps(buffer, protocol=5))])
def test_a_copy_goes_on_by_itself(copied: Callable[[CompactReplayBuffer], CompactReplayBuffer]) -> None:
    buffer, other = filled(30, 45, 0.1)
    require_equal(buffer, other)
    go_on(copied(buffer), copy.deepcopy(other), 200)
    require_equal(buffer, other)


@pytest.mark.parametrize("frame_channels", [None, 3])
def test_what_is_no_stack_is_stored_as_sb3_stores_it(frame_channels: int | None) -> None:
    shown = space(3, 1) if frame_channels else spaces.Box(-1, 1, (4,), np.float32)
    buffer = CompactReplayBuffer(10, shown, ACTIONS, "cpu", 2, frame_channels=frame_channels)
    assert buffer.frames is None and isinstance(buffer.observations, np.ndarray)
    assert observation_bytes(shown, frame_channels) * 10 == buffer.observations.nbytes + buffer.next_observations.nbytes
