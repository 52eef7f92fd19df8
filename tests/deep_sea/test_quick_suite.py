"""`suites/quick.yaml` compares what it says it compares: one learner, with and without a bonus, in bsuite's grids."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from harness.planning.load import load
from harness.spec import RunSpec
from harness_deep_sea.config import DeepSeaConfig
from harness_deep_sea.environment import make

SUITE = Path(__file__).parents[2] / "suites" / "quick.yaml"


@cache
def runs(profile: str | None = None) -> list[RunSpec]:
    return list(load(SUITE, profile=profile).runs)


@pytest.mark.parametrize("profile", [None, "smoke"])
def test_methods_differ_in_nothing_but_the_bonus(profile: str | None) -> None:
    specs = runs(profile)
    pairs = {(spec.task, spec.seed) for spec in specs}
    assert len(specs) == 2 * len(pairs)
    for task, seed in pairs:
        with_bonus, without = (
            next(s for s in specs if (s.task, s.seed) == (task, seed) and (s.reward is not None) == bonus)
            for bonus in (True, False)
        )
        left_out = {"method", "reward"}
        assert with_bonus.model_dump(exclude=left_out) == without.model_dump(exclude=left_out)


def test_tasks_are_three_sizes_of_the_experiment_of_bsuite() -> None:
    configs = {spec.task: DeepSeaConfig.model_validate(spec.environment.config) for spec in runs()}
    assert len(configs) == 3
    for task, config in configs.items():
        assert (task, config) == (f"n{config.size}", DeepSeaConfig(size=config.size))


def test_a_normalised_score_of_one_is_the_best_return_and_of_zero_giving_up() -> None:
    for spec in runs():
        environment = make(DeepSeaConfig.model_validate(spec.environment.config), 2)
        observations, returns = environment.reset(), np.zeros(2)
        for _ in range(environment.config.size):
            right = environment.action_mapping.flatten()[observations.argmax(1)]
            observations, rewards, _, _ = environment.step(right ^ [0, 1])
            returns += rewards
        assert spec.normalise is not None
        assert [spec.normalise(score) for score in returns] == pytest.approx([1.0, 0.0], abs=1e-6)


def test_budgets_are_whole_rollouts_so_that_evaluations_fall_where_the_suite_says() -> None:
    for spec in (*runs(), *runs("smoke")):
        rollout = spec.algorithm.config["n_envs"] * spec.algorithm.config["n_steps"]  # type: ignore[operator]
        assert spec.evaluation.every % rollout == 0
        assert spec.steps % spec.evaluation.every == 0
