"""The harness's own checks of a family, one test each, and the rules of the maze."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from harness.testing.families import FamilyConformance
from harness_tmaze.config import TMazeConfig
from harness_tmaze.environment import AHEAD, BACK, LEFT, RIGHT, TMazeVecEnv

SUITE = Path(__file__).parents[1] / "suites" / "tmaze.yaml"


class TestConformance(FamilyConformance):
    family = "tmaze"


class TestWithTheCueInSight(FamilyConformance):
    family = "tmaze"
    config = {"cue": "always", "length": 1}


def mazes(n_envs: int = 32, **settings: object) -> tuple[TMazeVecEnv, np.ndarray]:
    """Mazes of length 3 and their first observations; among so many, both cues are shown."""
    env = TMazeVecEnv(TMazeConfig.model_validate({"length": 3, "episode_steps": 12} | settings), n_envs)
    env.reseed(range(n_envs))
    return env, env.reset()


def everywhere(env: TMazeVecEnv, action: int) -> np.ndarray:
    return np.full(env.num_envs, action)


def test_the_cue_is_seen_at_the_start_alone() -> None:
    env, first = mazes()
    assert set(map(tuple, first)) == {(1, 0, 1, 0, 0), (0, 1, 1, 0, 0)}
    seen = [env.step(everywhere(env, AHEAD))[0] for _ in range(3)]
    assert [set(map(tuple, step)) for step in seen] == [{(0, 0, 0, 1, 0)}, {(0, 0, 0, 1, 0)}, {(0, 0, 0, 0, 1)}]


def test_the_cue_may_be_in_sight_everywhere() -> None:
    env, first = mazes(cue="always")
    for _ in range(3):
        assert np.array_equal(env.step(everywhere(env, AHEAD))[0][:, :2], first[:, :2])


@pytest.mark.parametrize("arm", [LEFT, RIGHT])
def test_the_arm_of_the_cue_pays_and_either_ends_the_episode(arm: int) -> None:
    env, first = mazes()
    for _ in range(3):
        _, rewards, dones, _ = env.step(everywhere(env, AHEAD))
        assert not rewards.any()
        assert not dones.any()
    _, rewards, dones, infos = env.step(everywhere(env, arm))
    assert np.array_equal(rewards, first[:, arm])
    assert dones.all()
    for reward, info in zip(rewards, infos, strict=True):
        assert info["metrics"] == {"success": reward, "turned": 1.0}
        assert info["TimeLimit.truncated"] is False
        assert info["terminal_observation"].tolist() == [0, 0, 0, 0, 1]


def test_whoever_turns_the_same_way_always_is_right_half_of_the_time() -> None:
    env, _ = mazes(1000)
    for _ in range(3):
        env.step(everywhere(env, AHEAD))
    assert 0.45 < env.step(everywhere(env, LEFT))[1].mean() < 0.55


def test_turning_in_the_corridor_leads_nowhere_and_the_limit_cuts() -> None:
    env, _ = mazes(1, episode_steps=5)
    for action in (AHEAD, LEFT, RIGHT, BACK):
        observations, _, dones, _ = env.step(everywhere(env, action))
        assert not dones.any()
    assert observations[0, 2] == 1  # back at the start
    _, _, dones, (info,) = env.step(everywhere(env, BACK))
    assert dones.all()
    assert info["TimeLimit.truncated"] is True
    assert info["metrics"] == {"success": 0.0, "turned": 0.0}


def test_episodes_too_short_for_any_arm_are_refused() -> None:
    with pytest.raises(ValidationError, match="6 is the least"):
        TMazeConfig(length=5, episode_steps=5)
    TMazeConfig(length=5, episode_steps=6)


def test_both_methods_of_the_suite_share_their_settings() -> None:
    suite = YAML(typ="safe").load(SUITE)
    plain, recurrent = suite["algorithm"], suite["methods"]["recurrent_ppo"]["algorithm"]
    assert recurrent == plain | {"name": "recurrent_ppo", "lstm_hidden_size": 32}
