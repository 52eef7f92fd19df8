"""Every grid of the suites is bsuite's, and right moves solve it: the same actions through both, and always right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bsuite.environments.deep_sea import DeepSea

from harness.planning.load import load
from harness_deep_sea.config import DeepSeaConfig
from harness_deep_sea.environment import DeepSeaVecEnv

pytestmark = pytest.mark.slow
SUITES = Path(__file__).parents[2] / "suites"


def configs() -> list:
    specs = {
        f"{spec.suite}-{spec.task}": spec
        for name in ("deep_sea", "quick", "small_hard")
        for spec in load(SUITES / f"{name}.yaml", seeds=[0]).runs
        if spec.environment.family == "deep_sea"
    }
    return [pytest.param(DeepSeaConfig.model_validate(s.environment.config), id=name) for name, s in specs.items()]


class AlwaysWorks:
    """bsuite's generator where no right move fails and noise is nothing."""

    def rand(self) -> float:
        return 1.0

    def randn(self) -> float:
        return 0.0


@pytest.mark.parametrize("config", configs())
def test_right_moves_earn_what_they_earn_in_bsuite(config: DeepSeaConfig):
    """In stochastic grids the harness plays ten thousand episodes, whose mean is bsuite's optimal return."""
    n_envs = 1 if config.deterministic else 10_000
    env = DeepSeaVecEnv(config, n_envs)
    env.enable_metrics()
    env.reseed(list(range(n_envs)))
    theirs = DeepSea(
        size=config.size,
        deterministic=config.deterministic,
        unscaled_move_cost=config.unscaled_move_cost,
        randomize_actions=config.randomize_actions,
        mapping_seed=config.mapping_seed,
    )
    theirs._rng = AlwaysWorks()
    observations, returns, expected = env.reset(), np.zeros(n_envs), 0.0
    seen = theirs.reset().observation
    assert np.array_equal(env.action_mapping, theirs._action_mapping)
    for _ in range(config.size):
        right = env.action_mapping.flatten()[observations.argmax(1)]
        observations, rewards, dones, infos = env.step(right)
        returns += rewards
        step = theirs.step(int(theirs._action_mapping.flatten()[seen.argmax()]))
        seen, expected = step.observation, expected + step.reward
    assert dones.all() and step.last() and expected == pytest.approx(0.99)
    share = np.mean([info["metrics"]["success"] for info in infos])
    best = theirs._optimal_return if not config.deterministic else expected
    assert returns.mean() == pytest.approx(best, abs=1e-6 if config.deterministic else 0.05)
    assert share == pytest.approx(1 if config.deterministic else (1 - 1 / config.size) ** (config.size - 1), abs=0.02)
