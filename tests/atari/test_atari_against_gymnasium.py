"""The six games as suites have them, against Gymnasium's own preprocessing of ALE's own environments."""

from __future__ import annotations

from pathlib import Path

import ale_py
import gymnasium
import numpy as np
import pytest
from PIL import Image
from support.episodes import first_episodes

from harness.planning.load import load
from harness_atari.config import AtariConfig
from harness_atari.env import make

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]
SUITES = Path(__file__).parents[2] / "suites"
GAMES = ("montezuma_revenge", "gravitar", "venture", "private_eye", "pitfall", "solaris")
STEPS, CUT = 1200, 1000
CONSOLE = (160, 210)  # the width and height of a screen


def views_of(suite: str, game: str) -> list[AtariConfig]:
    """What the learners of a suite's methods see, each view once.

    As the suite has them, but for sticky actions, whose random numbers the two pipelines draw in another order, and with a
    limit that the test reaches.
    """
    configs = [AtariConfig.model_validate(s.environment.config) for s in load(SUITES / f"{suite}.yaml").runs if s.task == game]
    changed = [c.model_copy(update={"sticky": 0.0, "episode_steps": CUT, "reward_transform": "none"}) for c in configs]
    return list({config.model_dump_json(): config for config in changed}.values())


def theirs_of(config: AtariConfig) -> gymnasium.Env:
    """Gymnasium's own preprocessing; where pixels are made small bicubically, with the console's own pixels."""
    gymnasium.register_envs(ale_py)
    name = "".join(part.capitalize() for part in config.game.split("_"))
    return gymnasium.wrappers.AtariPreprocessing(
        gymnasium.make(f"ALE/{name}-v5", frameskip=1, repeat_action_probability=0.0),
        noop_max=0,
        frame_skip=config.frame_skip,
        screen_size=config.size if config.resize == "area" else CONSOLE,
    )


def small(frame: np.ndarray, size: int) -> np.ndarray:
    """A frame by Pillow's default, bicubically, if it has not been made small already."""
    return frame if frame.shape == (size, size) else np.asarray(Image.fromarray(frame).resize((size, size)))


def test_suites_have_the_views_of_rnd_and_of_the_snd_study():
    known = {"atari_hard": {(84, "area"), (96, "bicubic")}, "snd_paper": {(96, "bicubic")}}
    for suite, views in known.items():
        assert {(config.size, config.resize) for game in GAMES for config in views_of(suite, game)} == views


@pytest.mark.parametrize("suite", ["atari_hard", "snd_paper"])
@pytest.mark.parametrize("game", GAMES)
def test_pixels_rewards_and_ends_are_gymnasiums(game: str, suite: str):
    for config in views_of(suite, game):
        compare(config)


def compare(config: AtariConfig) -> None:
    """Play an episode of random actions in both pipelines."""
    env = make(config, 1)
    actions = np.random.default_rng(0).integers(0, env.action_space.n, (STEPS, 1))  # type: ignore[attr-defined]
    first, [episode] = first_episodes(env, [1], actions)
    theirs = theirs_of(config)
    frame = small(theirs.reset(seed=1)[0], config.size)
    assert theirs.action_space == env.action_space
    frames = [np.zeros_like(frame)] * (config.stack - 1) + [frame]
    assert np.abs(first[0].astype(int) - np.stack(frames)).max() <= 1
    for number, step in enumerate(episode, start=1):
        seen, reward, terminated, _, _ = theirs.step(int(step.action))
        frames = [*frames[1:], small(seen, config.size)]
        assert step.reward == reward
        if terminated or number == CUT:
            break
        assert np.abs(step.observation.astype(int) - np.stack(frames)).max() <= 1, f"step {number}"
    assert number == len(episode), "one of the two ended before the other"
    assert step.terminated == terminated and step.truncated == (number == CUT and not terminated)
    theirs.close()
