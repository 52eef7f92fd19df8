"""DeepSea is bsuite's DeepSea: the same actions give the same observations, rewards, ends and bad episodes."""

from __future__ import annotations

import numpy as np
import pytest
from bsuite.environments.deep_sea import DeepSea
from bsuite.experiments.deep_sea import sweep
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness_deep_sea.config import DeepSeaConfig
from harness_deep_sea.environment import DeepSeaVecEnv

configs = st.builds(
    DeepSeaConfig,
    size=st.integers(2, 12),
    unscaled_move_cost=st.floats(0, 1),
    mapping_seed=st.integers(0, 2**32 - 1),
)


class ScriptedRandomness:
    """Stands in for bsuite's generator: 'right' fails if told so, and noise is noted but not added."""

    def __init__(self) -> None:
        self.fails = False
        self.noisy = False

    def rand(self) -> float:
        return 0.0 if self.fails else 1.0

    def randn(self) -> float:
        self.noisy = True
        return 0.0


def reference(config: DeepSeaConfig) -> DeepSea:
    """bsuite's environment with the same settings."""
    return DeepSea(
        size=config.size,
        deterministic=config.deterministic,
        unscaled_move_cost=config.unscaled_move_cost,
        randomize_actions=config.randomize_actions,
        mapping_seed=config.mapping_seed,
    )


def right_moves(environment: DeepSeaVecEnv, observations: np.ndarray) -> np.ndarray:
    return environment.action_mapping.flatten()[observations.argmax(1)]


def mostly_right(environment: DeepSeaVecEnv, observations: np.ndarray, rng: np.random.Generator, chance: float) -> np.ndarray:
    """Actions that go right with the given chance, so that the goal is met."""
    right = right_moves(environment, observations)
    return np.where(rng.random(environment.num_envs) < chance, right, 1 - right)


@settings(max_examples=50, deadline=None)
@given(config=configs, n_envs=st.integers(1, 5), seed=st.integers(0, 2**31 - 1), chance=st.sampled_from([0.3, 0.5, 0.9]))
def test_deterministic_variant_agrees_step_by_step(config: DeepSeaConfig, n_envs: int, seed: int, chance: float) -> None:
    environment, references = DeepSeaVecEnv(config, n_envs), [reference(config) for _ in range(n_envs)]
    rng, successes, bad_episodes = np.random.default_rng(seed), np.zeros(n_envs), np.zeros(n_envs)
    observations = environment.reset()
    np.testing.assert_array_equal(observations, [each.reset().observation.flatten() for each in references])
    for _ in range(3 * config.size):
        actions = mostly_right(environment, observations, rng, chance)
        observations, rewards, dones, infos = environment.step(actions)
        for i, each in enumerate(references):
            step = each.step(actions[i])
            assert rewards[i] == np.float32(step.reward)
            assert dones[i] == step.last()
            seen = infos[i]["terminal_observation"] if dones[i] else observations[i]
            np.testing.assert_array_equal(seen, step.observation.flatten())
            if dones[i]:
                successes[i] += infos[i]["metrics"]["success"]
                bad_episodes[i] += infos[i]["metrics"]["bad_episode"]
                np.testing.assert_array_equal(observations[i], each.reset().observation.flatten())
            assert each.bsuite_info() == {"total_bad_episodes": bad_episodes[i], "denoised_return": successes[i]}


@settings(max_examples=50, deadline=None)
@given(config=configs, seed=st.integers(0, 2**31 - 1), chance=st.sampled_from([0.5, 0.9]))
def test_stochastic_variant_is_one_that_bsuite_could_have_drawn(config: DeepSeaConfig, seed: int, chance: float) -> None:
    """bsuite is told which right moves failed; everything else must then follow, and noise be where bsuite has noise."""
    config = config.model_copy(update={"deterministic": False})
    environment, bsuite, script = DeepSeaVecEnv(config, 1), reference(config), ScriptedRandomness()
    bsuite._rng = script
    rng, bad_episodes = np.random.default_rng(seed), 0.0
    environment.reseed([seed])
    observations = environment.reset()
    bsuite.reset()
    for _ in range(5 * config.size):
        actions = mostly_right(environment, observations, rng, chance)
        cell = observations.argmax()
        observations, rewards, dones, infos = environment.step(actions)
        script.fails, script.noisy = bool(observations.argmax() == cell + config.size), False
        step = bsuite.step(actions[0])
        assert dones[0] == step.last()
        assert script.noisy == (rewards[0] != np.float32(step.reward))
        if dones[0]:
            bad_episodes += infos[0]["metrics"]["bad_episode"]
            bsuite.reset()
        else:
            np.testing.assert_array_equal(observations[0], step.observation.flatten())
        assert bad_episodes == bsuite.bsuite_info()["total_bad_episodes"]


def test_noise_is_standard_normal_and_right_fails_once_in_n() -> None:
    config = DeepSeaConfig(size=5, deterministic=False)
    environment = DeepSeaVecEnv(config, 200)
    observations = environment.reset()
    noise: list[np.ndarray] = []
    moved: list[np.ndarray] = []
    for step in range(1, 50 * config.size + 1):
        observations, rewards, _, infos = environment.step(right_moves(environment, observations))
        if step % config.size == 1:
            moved.append(observations[:, config.size + 1])
        if step % config.size == 0:
            success = np.array([info["metrics"]["success"] for info in infos], bool)
            noise.append(rewards[success] - (1 - config.unscaled_move_cost / config.size))
    assert stats.binomtest(int(np.sum(moved)), np.size(moved), 1 - 1 / config.size).pvalue > 0.001
    assert stats.kstest(np.concatenate(noise), "norm").pvalue > 0.001


def test_default_is_the_experiment_of_bsuite() -> None:
    assert all(DeepSeaConfig(**setting) == DeepSeaConfig(size=setting["size"]) for setting in sweep.SETTINGS)


@pytest.mark.filterwarnings("ignore:Environment is in debug mode")
@settings(max_examples=25, deadline=None)
@given(config=configs, randomised=st.booleans())
def test_equal_mapping_seeds_give_equal_mappings(config: DeepSeaConfig, randomised: bool) -> None:
    config = config.model_copy(update={"randomize_actions": randomised})
    mapping = DeepSeaVecEnv(config, 1).action_mapping
    np.testing.assert_array_equal(mapping, reference(config)._action_mapping)


@pytest.mark.parametrize("deterministic", [True, False])
def test_always_right_earns_the_optimal_return_of_bsuite(deterministic: bool) -> None:
    config = DeepSeaConfig(size=6, deterministic=deterministic)
    environment = DeepSeaVecEnv(config, 4000)
    observations, returns = environment.reset(), np.zeros(environment.num_envs)
    for _ in range(config.size):
        observations, rewards, _, _ = environment.step(right_moves(environment, observations))
        returns += rewards
    assert returns.mean() == pytest.approx(reference(config)._optimal_return, abs=1e-6 if deterministic else 0.08)
