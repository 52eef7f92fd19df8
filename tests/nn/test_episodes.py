"""Episodic memories against plain lists, on scripts in which states recur across steps, episodes and environments."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from gymnasium import spaces as gym_spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from support.episodic import EpisodeCounts, EpisodeCountsConfig, SeenStates

from harness import Spaces, Transitions
from harness.nn.episodes import EpisodeRings, episode_capacity


def step(obs: list[int], next_obs: list[int], done: list[bool], envs: list[int] | None = None) -> Transitions:
    envs = list(range(len(obs))) if envs is None else envs
    flags = torch.tensor(done)
    return Transitions(
        obs=torch.tensor(obs, dtype=torch.float32).unsqueeze(1),
        action=torch.zeros(len(obs), dtype=torch.int64),
        next_obs=torch.tensor(next_obs, dtype=torch.float32).unsqueeze(1),
        reward=torch.zeros(len(obs)),
        terminated=flags,
        truncated=torch.zeros_like(flags),
        env_index=torch.tensor(envs),
    )


def itself(states: torch.Tensor) -> torch.Tensor:
    return states


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 25), st.booleans(), st.sampled_from(["obs", "next_obs"]))
def test_a_memory_knows_the_present_episode_of_its_environment_and_nothing_else(seed, n_envs, n_steps, shuffled, end):
    rng = np.random.default_rng(seed)
    memory, lists = SeenStates(n_envs, 100, 1), [Counter() for _ in range(n_envs)]
    now, fresh = rng.integers(0, 3, n_envs), [True] * n_envs
    for _ in range(n_steps):
        following, done = rng.integers(0, 3, n_envs), rng.random(n_envs) < 0.3
        order = rng.permutation(n_envs) if shuffled else np.arange(n_envs)
        expected = []
        for i in order:
            if end == "next_obs" and fresh[i]:
                lists[i][now[i]] += 1  # the first state of the episode
            state = (now if end == "obs" else following)[i]
            expected.append(lists[i][state])
            lists[i][state] += 1
            if done[i]:
                lists[i].clear()
            fresh[i] = bool(done[i])
        taken = step(now[order].tolist(), following[order].tolist(), done[order].tolist(), order.tolist())
        memory.advance(taken, itself, end)
        assert memory.answer(taken, itself, end).tolist() == expected
        now = np.where(done, rng.integers(0, 3, n_envs), following)


def test_what_is_asked_of_other_transitions_is_compared_with_the_memory_as_it_is():
    memory = SeenStates(2, 10, 1)
    taken = step([0, 5], [1, 6], [False, False])
    memory.advance(taken, itself)
    assert memory.answer(taken, itself).tolist() == [0, 0]
    copy = step([0, 5], [1, 6], [False, False])
    assert memory.answer(copy, itself).tolist() == [1, 1]
    many = step([9] * 4, [0, 5, 6, 1], [False] * 4, [0, 1, 0, 1])
    assert memory.answer(many, itself).tolist() == [1, 1, 0, 0]


def test_a_transition_that_is_written_over_is_compared_anew():
    memory = SeenStates(1, 10, 1)
    taken = step([0], [1], [False])
    memory.advance(taken, itself)
    taken.next_obs.fill_(0)
    assert memory.answer(taken, itself).tolist() == [1]


def test_a_ring_keeps_the_newest_rows_of_each_environment():
    rings = EpisodeRings(2, 3, (1,))
    for value in range(5):
        rings.push(torch.tensor([[float(value)]]), torch.tensor([1]))
    assert rings.lengths.tolist() == [0, 3]
    rows, filled = rings.read(torch.tensor([1, 0, 1]))
    assert sorted(rows[0, :, 0].tolist()) == [2, 3, 4] == sorted(rows[2, :, 0].tolist())
    assert filled.tolist() == [[True] * 3, [False] * 3, [True] * 3]
    rings.clear(torch.tensor([1]))
    assert rings.read(torch.tensor([0, 1]))[0].shape == (2, 0, 1)


def test_rows_may_be_whole_numbers():
    rings = EpisodeRings(1, 2, dtype=torch.int64)
    rings.push(torch.tensor([2**60 + 1]), torch.tensor([0]))
    assert rings.read(torch.tensor([0]))[0].tolist() == [[2**60 + 1]]


@pytest.mark.parametrize(("wanted", "limit", "rows"), [(7, 100, 7), (None, 100, 101), (None, None, 50)])
def test_a_ring_holds_a_whole_episode_unless_told_otherwise(wanted, limit, rows):
    assert episode_capacity(wanted, limit, 50) == rows


def test_a_method_clears_its_memories_where_all_environments_begin_anew():
    space = gym_spaces.Box(-1, 9, (1,), np.float32)
    reward = EpisodeCounts(EpisodeCountsConfig(), Spaces(space, gym_spaces.Discrete(2)), 2, "cpu", 0)
    taken = step([0, 0], [0, 1], [False, False])
    reward.track(taken)
    assert reward.bonus(taken).tolist() == pytest.approx([2**-0.5, 1.0])
    assert reward.seen.rings.lengths.tolist() == [2, 2]
    reward.begin_episodes()
    assert reward.seen.rings.lengths.tolist() == [0, 0]
    assert reward.seen.fresh.all()
