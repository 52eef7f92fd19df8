"""Every task of every suite keeps what `HarnessVecEnv` promises; a new suite is tested by being there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

from harness import NO_INFO, HarnessVecEnv
from harness.config import EnvironmentConfig
from harness.planning.load import load
from harness.registry import installed
from harness.spec import RunSpec

SUITES = sorted((Path(__file__).parents[2] / "suites").glob("*.yaml"))
HEAVY = {"atari", "crafter", "vizdoom"}
"""Families whose thousand steps take seconds; their own tests have light ones."""
SEEDS = [5, 2**31 - 2]
EPISODE = 60
"""Length of an episode where it can be set; some must end."""


def tasks() -> list:
    """Each different environment once, under the name of the first suite and task that have it.

    Every day a suite is tried on the first of its tasks in each family; the others are among the slow tests.
    """
    found: dict[str, RunSpec] = {}
    for suite in SUITES:
        for spec in load(suite, seeds=[0]).runs:
            found.setdefault(json.dumps([spec.environment.family, spec.environment.config], sort_keys=True), spec)
    first = {(spec.suite, spec.environment.family): spec for spec in reversed(found.values())}
    return [
        pytest.param(
            family,
            spec.environment.config,
            id=f"{spec.suite}-{spec.task}",
            marks=[pytest.mark.slow] if family in HEAVY or spec is not first[spec.suite, family] else [],
        )
        for spec in found.values()
        for family in (spec.environment.family,)
    ]


def made(family: str, config: dict) -> tuple[HarnessVecEnv, EnvironmentConfig, int]:
    """Two environments, their configuration with short episodes where it has a length, and steps enough for some to end."""
    known = installed()
    steps = 500
    if "episode_steps" in config:
        config, steps = {**config, "episode_steps": EPISODE}, 4 * EPISODE
    elif family == "procgen":
        steps = 1010  # games end after 1,000 at the latest
    model = known.config_class(known.environment(family)).model_validate(config)
    assert isinstance(model, EnvironmentConfig)
    return known.load(known.environment(family).make)(model, len(SEEDS)), model, steps


def actions_of(env: HarnessVecEnv, steps: int) -> np.ndarray:
    rng, space = np.random.default_rng(0), env.action_space
    if isinstance(space, spaces.Discrete):
        return rng.integers(0, space.n, (steps, env.num_envs))
    return rng.uniform(-1, 1, (steps, env.num_envs, *(space.shape or ()))).astype(np.float32)


@pytest.mark.parametrize(("family", "config"), tasks())
def test_random_steps_are_as_promised_and_the_same_twice(family: str, config: dict):
    env, model, steps = made(family, config)
    space, n = env.observation_space, env.num_envs
    assert isinstance(space, spaces.Box)
    kind = "discrete" if isinstance(env.action_space, spaces.Discrete) else "continuous"
    assert model.actions == kind or (model.actions is None and family == "gymnasium"), "known only once it is made"
    images = space.dtype == np.uint8 and len(space.shape) == 3
    assert model.observations == ("images" if images else "vectors") and (env.frame_channels is not None) == images
    if images:
        assert space.shape[0] % env.frame_channels == 0
    actions = actions_of(env, steps)
    env.enable_metrics()

    env.reseed(SEEDS)
    begun = env.reset()
    assert (begun.shape, begun.dtype) == ((n, *space.shape), space.dtype)
    seen, ends, differing = [begun.copy()], 0, 0
    shown = begun
    for row in actions:
        before = shown.copy()
        observations, rewards, dones, infos = env.step(row)
        assert np.array_equal(shown, before), "what was handed out has been overwritten"
        assert (observations.shape, observations.dtype) == (begun.shape, begun.dtype)
        assert (rewards.shape, rewards.dtype, dones.shape, dones.dtype) == ((n,), np.float32, (n,), np.bool_)
        assert np.isfinite(rewards).all() and all(space.contains(observation) for observation in observations)
        for i, info in enumerate(infos):
            assert (info is NO_INFO) == (not dones[i])
            if info:
                last = info["terminal_observation"]
                assert space.contains(last)
                differing += not np.array_equal(last, observations[i])  # in small rooms the next one may begin like it
                assert isinstance(info["TimeLimit.truncated"], bool)
                assert all(np.isfinite(value) for value in info.get("metrics", {}).values())
                ends += 1
        seen += [observations.copy(), rewards.copy(), dones.copy()]
        shown = observations
    assert ends, "no episode has ended"
    assert differing > ends / 2, "episodes end with the first observation of the next one"

    env.reseed(SEEDS)
    again = [env.reset().copy()]
    for row in actions:
        again += [part.copy() for part in env.step(row)[:3]]
    assert all(np.array_equal(one, other) for one, other in zip(seen, again, strict=True))
    env.reseed(SEEDS[::-1])
    swapped = env.reset()
    assert np.array_equal(swapped[::-1], begun), "a first observation depends on more than the environment's seed"
    env.close()
    env.close()


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: path.stem)
def test_every_profile_can_be_run_and_is_normalised_with_a_source(suite: Path):
    whole = load(suite, seeds=[0])
    assert {"smoke"} <= whole.suite.profiles.keys()
    for profile in (None, *whole.suite.profiles):
        for spec in load(suite, profile=profile, seeds=[0]).runs:
            if not spec.pretraining:
                assert spec.normalise is not None and spec.normalise.source
    plain = [spec.digest for spec in whole.runs]
    if whole.suite.profiles.get("paper") == {}:
        assert [spec.digest for spec in load(suite, profile="paper", seeds=[0]).runs] == plain


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: path.stem)
def test_smoke_is_small_and_ends_with_an_evaluation(suite: Path):
    for spec in load(suite, profile="smoke").runs:
        rollout = spec.algorithm.config.get("n_envs", 1) * spec.algorithm.config.get("n_steps", 1)  # type: ignore[operator]
        assert spec.seed == 0 and spec.steps <= 4096
        if not spec.pretraining:
            assert spec.steps % rollout == 0 and spec.steps % spec.evaluation.every == 0
