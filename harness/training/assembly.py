"""From a `RunSpec` to the objects that train it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from stable_baselines3.common.vec_env import VecMonitor

from harness.algorithms import randomness
from harness.algorithms.action_log import ActionLog
from harness.algorithms.base import Learner, LearnerContext
from harness.algorithms.first_layers import use_fast_gradients
from harness.algorithms.lean_adam import use_lean_adam
from harness.algorithms.lean_layers import use_lean_layers
from harness.algorithms.learner_view import LearnerVecEnv
from harness.algorithms.method_output import MethodCheck
from harness.algorithms.precision import use_precision
from harness.algorithms.reward_wrapper import BonusVecEnv
from harness.algorithms.without_compiler import leave_compiler_out
from harness.config import EnvironmentConfig
from harness.environments.base import HarnessVecEnv
from harness.environments.checked import CheckedVecEnv
from harness.environments.stand_in import StandInVecEnv
from harness.registry import Registry
from harness.rewards import IntrinsicReward, Spaces
from harness.spec import EvaluationSpec, Purpose, RunSpec, derive_seeds
from harness.training.contracts import check_learner, load_learner, load_reward, make_environments
from harness.training.evaluation import number_of_envs


@dataclass(frozen=True)
class Assembly:
    """Everything that trains one run.

    Attributes:
        base: The family's environments, for training.
        monitor: Counts their episodes.
        learner_env: What the learner sees of them.
        bonus_env: Those environments with the bonus around them, if there is a method.
        reward: The method, if there is one.
        learner: The base algorithm.
        evaluation_env: Environments for scoring.
    """

    base: HarnessVecEnv
    monitor: VecMonitor
    learner_env: LearnerVecEnv
    bonus_env: BonusVecEnv | None
    reward: IntrinsicReward | None
    learner: Learner
    evaluation_env: HarnessVecEnv

    def close(self) -> None:
        """Release all environments."""
        self.base.close()
        self.evaluation_env.close()


def assemble(
    spec: RunSpec, device: torch.device, registry: Registry, *, only_evaluate: EvaluationSpec | None = None
) -> Assembly:
    """Build a run's environments, method and learner, all seeded by the run.

    Args:
        spec: Specification of the run.
        device: Where networks live.
        registry: Finds what the run names.
        only_evaluate: How the policy is to be evaluated where nothing will be trained: there are no environments for training
            then, only something that looks like them; ``None`` for training.

    Raises:
        harness.errors.PluginError: Something that the run names cannot be imported, or does not meet its contract.
    """
    algorithm = registry.algorithm(spec.algorithm.name)
    config = registry.algorithm_config(algorithm.name).model_validate(spec.algorithm.config)
    learner = load_learner(registry, algorithm)
    randomness.make_deterministic(device, config.threads)
    leave_compiler_out()
    family = registry.environment(spec.environment.family)
    env_config = registry.config_class(family).model_validate(spec.environment.config)
    assert isinstance(env_config, EnvironmentConfig)
    evaluation_env: HarnessVecEnv | None = None
    if only_evaluate is None:
        base = make_environments(registry, family, env_config, config.n_envs, config.threads)
    else:
        n_envs = number_of_envs(only_evaluate)
        evaluation_env = make_environments(registry, family, env_config, n_envs, config.threads)
        base = StandInVecEnv(evaluation_env, config.n_envs)
    monitor = VecMonitor(CheckedVecEnv(base))
    log = None if base.exact_state else ActionLog(base.action_space, base.num_envs)
    learner_env = LearnerVecEnv(monitor, base, env_config, log)
    reward = _reward(spec, base, env_config.episode_limit, device, registry)
    bonus_env = None
    if reward is not None:
        assert spec.reward is not None
        bonus_env = learner.wrap_envs(learner_env, reward, config, spec.reward.combine)
        bonus_env.check = MethodCheck(spec.reward.name, reward.device)
    learning = learner(config, LearnerContext(spec, registry, base, learner_env, bonus_env, device))
    check_learner(registry, algorithm, learning)
    if evaluation_env is None:
        evaluation_env = make_environments(registry, family, env_config, number_of_envs(spec.evaluation), config.threads)
    evaluation_env.enable_metrics()
    return Assembly(base, monitor, learner_env, bonus_env, reward, learning, evaluation_env)


def _reward(
    spec: RunSpec, base: HarnessVecEnv, episode_limit: int | None, device: torch.device, registry: Registry
) -> IntrinsicReward | None:
    if spec.reward is None:
        return None
    method = registry.method(spec.reward.name)
    config = registry.config_class(method).model_validate(spec.reward.config)
    reward_class = load_reward(registry, method)
    spaces = Spaces(base.observation_space, base.action_space, base.frame_channels, episode_limit)
    seed = derive_seeds(spec.seed, Purpose.NETWORKS, 1, 1)[0]
    with randomness.temporary_seed(seed):
        reward = reward_class(config, spaces, base.num_envs, device, seed).to(device)
    for optimizer in reward.optimizers.values():
        use_lean_adam(optimizer)
    return use_lean_layers(use_precision(use_fast_gradients(reward), spec.precision.bonus))
