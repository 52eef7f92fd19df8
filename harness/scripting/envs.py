"""A bonus for the environments of any Stable-Baselines3 script, on-policy and off-policy.

The algorithm stays Stable-Baselines3's own, unmodified. Whatever environments a script has are first made to follow what
methods rely on: see `ConformingVecEnv`.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import (
    VecEnv,
    VecEnvWrapper,
    VecMonitor,
    VecNormalize,
    VecTransposeImage,
    is_vecenv_wrapped,
)
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs

from harness.algorithms.off_policy.relabelling import RelabelledReplayBuffer, RelabellingVecEnv
from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.environments.base import StepReturn
from harness.errors import UserError
from harness.rewards import IntrinsicReward
from harness.scripting.methods import require_learner, validated
from harness.scripting.spaces import channels_axis, float32_space, is_image
from harness.spec import Combination


def add_bonus(
    venv: VecEnv,
    reward: IntrinsicReward[Any],
    *,
    n_steps: int,
    extrinsic_weight: float = 1.0,
    intrinsic_weight: float = 1.0,
    mode: str = "sum",
) -> IntrinsicRewardVecEnv:
    """Environments for an on-policy algorithm whose reward is ``extrinsic_weight * r + intrinsic_weight * bonus``.

    Episode returns in Stable-Baselines3's log stay the environments' own: a `VecMonitor` is put inside unless there is one.

    Args:
        venv: N environments, with or without `Monitor`, `VecMonitor`, `VecFrameStack`, `VecNormalize` or `VecTransposeImage`.
        reward: The method, made for the spaces and the number of these environments.
        n_steps: T, steps of a rollout in each environment, as given to the algorithm: the method learns after each rollout.
        extrinsic_weight: Factor on the environments' own reward.
        intrinsic_weight: Factor on the bonus.
        mode: ``sum`` is the only one that an unmodified algorithm can learn from.

    Raises:
        UserError: The method was made for other environments, a weight is negative, or ``mode`` is not ``sum``.
    """
    if n_steps < 1:
        raise UserError(f"n_steps must be at least 1, not {n_steps}: give the n_steps of the algorithm")
    require_learner(reward, "on_policy")
    combine = _combination(extrinsic_weight, intrinsic_weight, mode)
    return IntrinsicRewardVecEnv(_conforming(venv, reward), reward, n_steps, combine)


def relabel(
    venv: VecEnv,
    reward: IntrinsicReward[Any],
    *,
    extrinsic_weight: float = 1.0,
    intrinsic_weight: float = 1.0,
    mode: str = "sum",
) -> RelabellingVecEnv:
    """Environments for an off-policy algorithm whose replay buffer adds the bonus to every batch when it is sampled.

    The buffer is that of `relabelled_replay`. Rewards that leave these environments are the environments' own.

    Args:
        venv: N environments, see `add_bonus`.
        reward: The method, made for the spaces and the number of these environments.
        extrinsic_weight: Factor on the environments' own reward.
        intrinsic_weight: Factor on the bonus.
        mode: ``sum`` is the only one that an unmodified algorithm can learn from.

    Raises:
        UserError: See `add_bonus`.
    """
    require_learner(reward, "off_policy")
    return RelabellingVecEnv(_conforming(venv, reward), reward, _combination(extrinsic_weight, intrinsic_weight, mode))


def relabelled_replay(env: RelabellingVecEnv) -> dict[str, Any]:
    """Keyword arguments that give an off-policy algorithm its buffer: ``SAC("MlpPolicy", env, **relabelled_replay(env))``.

    A loaded model needs them again to go on training: ``SAC.load(path, env=env, **relabelled_replay(env))``.

    Args:
        env: What `relabel` returned.

    Raises:
        UserError: The environments are others.
    """
    if not isinstance(cast(object, env), RelabellingVecEnv):
        raise UserError(
            f"the buffer needs what harness.relabel returned, not {type(env).__name__}; wrap it no further, or wrap first"
        )
    return {"replay_buffer_class": RelabelledReplayBuffer, "replay_buffer_kwargs": {"bonus_env": env}}


class ConformingVecEnv(VecEnvWrapper):
    """Environments of Stable-Baselines3 with everything on which methods rely.

    Numbers other than bytes are shown as float32, which is what networks see of them in any case. Where an episode ends, its
    info says whether it was truncated: not, unless the environments say so.

    Args:
        venv: The environments; at an episode's end they give its true last observation, as all of Stable-Baselines3's do.
    """

    def __init__(self, venv: VecEnv) -> None:
        super().__init__(venv, observation_space=float32_space(cast(spaces.Space[Any], venv.observation_space)))

    def reset(self) -> VecEnvObs:
        """Begin new episodes everywhere."""
        return self._converted(self.venv.reset())

    def step_wait(self) -> StepReturn:
        """Finish a step; see the class."""
        step = cast(StepReturn, self.venv.step_wait())
        observations, rewards, dones, infos = step
        infos = list(infos)  # SubprocVecEnv gives a tuple
        for i in np.flatnonzero(dones):
            if infos[i].get("terminal_observation") is None:
                raise UserError(
                    f"environment {i} ended an episode without a terminal_observation in its info, the episode's true last "
                    "observation, which methods score; every VecEnv of Stable-Baselines3 gives one"
                )
            last = self._converted(infos[i]["terminal_observation"])
            truncated = bool(infos[i].get("TimeLimit.truncated", False))
            infos[i] = {**infos[i], "terminal_observation": last, "TimeLimit.truncated": truncated}
        return self._converted(observations), rewards, np.asarray(dones, dtype=bool), infos

    def _converted(self, observations: Any) -> np.ndarray:
        return np.asarray(observations, dtype=self.observation_space.dtype)


def _combination(extrinsic_weight: float, intrinsic_weight: float, mode: str) -> Combination:
    weights = {"extrinsic_weight": extrinsic_weight, "intrinsic_weight": intrinsic_weight}
    combine = validated(Combination, {"mode": mode, **weights}, "combination of rewards")
    assert isinstance(combine, Combination)
    if combine.mode != "sum":
        raise UserError(
            f"mode {mode!r} needs a second value head, which the harness's own PPO has (harness run) and that of "
            "Stable-Baselines3 has not: use mode 'sum'"
        )
    return combine


def _conforming(venv: VecEnv, reward: IntrinsicReward[Any]) -> VecEnv:
    """The environments, monitored, channel-first and conforming, once they are known to be those of the method."""
    if venv.num_envs != reward.n_envs:
        raise UserError(f"the method was made for n_envs={reward.n_envs}, and there are {venv.num_envs} environments")
    if isinstance(venv.observation_space, spaces.Dict | spaces.Tuple):
        kind = type(cast(object, venv.observation_space)).__name__
        raise UserError(
            f"a method needs observations that are one array, and those of the environments are a {kind}: flatten them first"
        )
    if not _has_monitor(venv):
        venv = VecMonitor(venv)
    if is_image(cast(spaces.Space[Any], venv.observation_space)) and channels_axis(venv.observation_space.shape or ()) == 2:
        venv = VecTransposeImage(venv)
    venv = ConformingVecEnv(venv)
    _require_same("observations", reward.spaces.observation, cast(spaces.Space[Any], venv.observation_space))
    _require_same("actions", reward.spaces.action, cast(spaces.Space[Any], venv.action_space))
    return venv


def _has_monitor(venv: VecEnv) -> bool:
    """Whether episodes are counted inside, or cannot be any more because rewards are normalised there."""
    return is_vecenv_wrapped(venv, VecMonitor) or is_vecenv_wrapped(venv, VecNormalize) or all(venv.env_is_wrapped(Monitor))


def _require_same(what: str, wanted: spaces.Space[Any], found: spaces.Space[Any]) -> None:
    if wanted != found:
        raise UserError(f"the method was made for other {what}: it expects {wanted}, and the environments have {found}")
