"""Scoring: full episodes, raw returns, quotas fixed in advance."""

from __future__ import annotations

import numpy as np
import torch
from support.scripted import ScriptedVecEnv

from harness.spec import EvaluationSpec
from harness.training.evaluation import evaluate


class Player:
    """Draws from torch's global generator, as SB3's policies do."""

    def __init__(self) -> None:
        self.modes: set[bool] = set()

    def predict(self, observations: np.ndarray, *, deterministic: bool, **_) -> tuple[np.ndarray, None]:
        self.modes.add(deterministic)
        return torch.randint(3, (len(observations),)).numpy(), None


def scripted() -> ScriptedVecEnv:
    """Environment 0 ends every 2 steps, environment 1 every 5; the reward is 10 per step in 1 and 1 per step in 0."""
    terminated = np.zeros((10, 2), dtype=bool)
    terminated[1::2, 0] = True
    terminated[4::5, 1] = True
    return ScriptedVecEnv(terminated, np.zeros_like(terminated), np.tile([1.0, 10.0], (10, 1)))


def test_short_episodes_are_not_favoured() -> None:
    episodes = evaluate(scripted(), Player(), EvaluationSpec(every=1, episodes=6), seed=0, index=0)
    assert [(episode.episode_return, episode.length) for episode in episodes] == [(2.0, 2)] * 3 + [(50.0, 5)] * 3


def test_uneven_quotas() -> None:
    episodes = evaluate(scripted(), Player(), EvaluationSpec(every=1, episodes=3), seed=0, index=0)
    assert [episode.length for episode in episodes] == [2, 2, 5]


def test_the_global_generators_are_put_back_and_the_mode_is_passed_on() -> None:
    torch.manual_seed(0)
    np.random.seed(0)
    expected = torch.rand(3), np.random.rand(3)
    torch.manual_seed(0)
    np.random.seed(0)
    player = Player()
    evaluate(scripted(), player, EvaluationSpec(every=1, episodes=2, deterministic=True), seed=0, index=0)
    assert torch.equal(torch.rand(3), expected[0])
    assert (np.random.rand(3) == expected[1]).all()
    assert player.modes == {True}


def test_each_evaluation_has_its_own_seeds() -> None:
    env = scripted()
    for index in (0, 1, 0):
        evaluate(env, Player(), EvaluationSpec(every=1, episodes=2), seed=0, index=index)
    assert env.resets[0] == env.resets[2]
    assert not set(env.resets[0]) & set(env.resets[1])
