"""EnvPool's ProcGen plays as the ``procgen`` package: the same levels, rewards and ends from the same seeds and actions.

The package cannot be installed beside this project in pip's eyes; where it was put all the same, or where it lies on
``PYTHONPATH`` (``pip install --no-deps --target FOLDER procgen-mirror gym3``), the test runs. Frames are compared loosely: two
versions of Qt draw rotated sprites a little differently.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import HarnessVecEnv
from harness.planning.load import load
from harness_procgen.config import ProcGenConfig
from harness_procgen.with_envpool import EnvPoolGames

pytestmark = pytest.mark.slow
SUITES = Path(__file__).parents[2] / "suites"
GAMES = ("caveflyer", "coinrun", "climber", "jumper")
SEEDS, STEPS = [0, 1, 7, 2**31 - 1], 1100


@pytest.mark.parametrize("suite", ["procgen_hard", "procgen_generalise", "snd_paper"])
@pytest.mark.parametrize("game", GAMES)
def test_levels_rewards_and_ends_are_the_packages(game: str, suite: str):
    pytest.importorskip("procgen", reason="pip install --no-deps --target FOLDER procgen-mirror gym3; PYTHONPATH=FOLDER")
    from harness_procgen.with_gym3 import Gym3Games

    spec = next(s for s in load(SUITES / f"{suite}.yaml").runs if s.task == game)
    plain: dict[str, Any] = {"stack": 1, "random_action": 0.0}  # both happen around the games
    ours, theirs = (
        make(ProcGenConfig.model_validate({**spec.environment.config, **plain, "backend": name}), len(SEEDS))
        for make, name in ((EnvPoolGames, "envpool"), (Gym3Games, "gym3"))
    )
    recorded = [played(env) for env in (ours, theirs)]
    rewards, dones, truncated, frames = zip(*recorded, strict=True)
    assert np.array_equal(*rewards) and np.array_equal(*dones) and np.array_equal(*truncated)
    assert dones[0].any()
    assert np.abs(frames[0].astype(int) - frames[1]).mean() < 1


def played(env: HarnessVecEnv) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rewards, ends, which of these are cuts, and every tenth frame."""
    env.reseed(SEEDS)
    frames, rewards, dones, truncated = [np.array(env.reset())], [], [], []
    for number, row in enumerate(np.random.RandomState(3).randint(0, 15, (STEPS, len(SEEDS)))):
        seen, reward, done, infos = env.step(row)
        rewards.append(reward)
        dones.append(done)
        truncated.append([bool(info and info["TimeLimit.truncated"]) for info in infos])
        if number % 10 == 0:
            frames.append(np.array(seen))
    env.close()
    return np.stack(rewards), np.stack(dones), np.array(truncated), np.stack(frames)
