"""The six games as suites have them, against Gymnasium's own preprocessing of ALE's own environments."""

from __future__ import annotations

from pathlib import Path

import ale_py
import gymnasium
import numpy as np
import pytest
from support.episodes import first_episodes

from harness.planning.load import load
from harness_atari.config import AtariConfig
from harness_atari.env import make

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]
SUITES = Path(__file__).parents[2] / "suites"
GAMES = ("montezuma_revenge", "gravitar", "venture", "private_eye", "pitfall", "solaris")
STEPS, CUT = 1200, 1000


def config_of(suite: str, game: str) -> AtariConfig:
    """As the suite has it, but for sticky actions, whose random numbers the two pipelines draw in another order, and a limit
    that the test reaches."""
    spec = next(s for s in load(SUITES / f"{suite}.yaml").runs if s.task == game)
    return AtariConfig.model_validate({**spec.environment.config, "sticky": 0.0, "episode_steps": CUT})


@pytest.mark.parametrize("suite", ["atari_hard", "snd_paper"])
@pytest.mark.parametrize("game", GAMES)
def test_pixels_rewards_and_ends_are_gymnasiums(game: str, suite: str):
    config = config_of(suite, game)
    env = make(config, 1)
    actions = np.random.default_rng(0).integers(0, env.action_space.n, (STEPS, 1))  # type: ignore[attr-defined]
    first, [episode] = first_episodes(env, [1], actions)
    gymnasium.register_envs(ale_py)
    name = "".join(part.capitalize() for part in game.split("_"))
    theirs = gymnasium.wrappers.AtariPreprocessing(
        gymnasium.make(f"ALE/{name}-v5", frameskip=1, repeat_action_probability=0.0),
        noop_max=0,
        frame_skip=config.frame_skip,
        screen_size=config.size,
    )
    frame, _ = theirs.reset(seed=1)
    assert theirs.action_space == env.action_space
    frames = [np.zeros_like(frame)] * (config.stack - 1) + [frame]
    assert np.abs(first[0].astype(int) - np.stack(frames)).max() <= 1
    for number, step in enumerate(episode, start=1):
        frame, reward, terminated, _, _ = theirs.step(int(step.action))
        frames = [*frames[1:], frame]
        assert step.reward == reward
        if terminated or number == CUT:
            break
        assert np.abs(step.observation.astype(int) - np.stack(frames)).max() <= 1, f"step {number}"
    assert number == len(episode), "one of the two ended before the other"
    assert step.terminated == terminated and step.truncated == (number == CUT and not terminated)
    theirs.close()
