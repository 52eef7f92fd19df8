"""Observations are what the family declares: Stable-Baselines3 neither wraps the environments nor guesses at axes or scales.

Left to itself, Stable-Baselines3 takes the smallest axis of an image for its channels and puts a transposing wrapper around
environments in which that is not the first, so that policy and method would see two different arrays.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar, cast

from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from harness.environments.base import HarnessVecEnv
from harness.environments.declared_spaces import image_problem
from harness.errors import UserError

ModelT = TypeVar("ModelT", bound=BaseAlgorithm)

NATURE_CNN_SIDE = 36
"""The smallest side that SB3's three convolutions, 8x8/4, 4x4/2 and 3x3/1, leave anything of."""


class _EnvsAsTheyAre:
    """Comes before an algorithm of Stable-Baselines3, which would wrap its environments."""

    @staticmethod
    def _wrap_env(env: VecEnv, verbose: int = 0, monitor_wrapper: bool = True) -> VecEnv:
        return env


@cache
def with_envs_as_they_are(model_class: type[ModelT]) -> type[ModelT]:
    """The same algorithm of Stable-Baselines3, which takes environments without wrapping them."""
    attributes = {"__module__": model_class.__module__}
    return cast(type[ModelT], type(model_class.__name__, (_EnvsAsTheyAre, model_class), attributes))


def shows_images(env: HarnessVecEnv) -> bool:
    """Whether observations are images, which policies scale from bytes to [0, 1]. The family's word decides, never the dtype.

    Raises:
        UserError: The family declares images, and they are not what `HarnessVecEnv` says of images.
    """
    if env.frame_channels is None:
        return False
    if problem := image_problem(env.observation_space, env.frame_channels):
        raise UserError(f"{type(env).__name__} {problem}")
    return True


def check_image_size(env: HarnessVecEnv, remedy: str) -> None:
    """Refuse images that Stable-Baselines3's convolutions leave nothing of.

    Args:
        env: Environments that show images.
        remedy: What to do about it.

    Raises:
        UserError: They are too small.
    """
    _, height, width = env.observation_space.shape or (0, 0, 0)
    if min(height, width) < NATURE_CNN_SIDE:
        needs = f"whose convolutions need {NATURE_CNN_SIDE} pixels"
        raise UserError(f"images of {height}x{width} are too small for network sb3, {needs}; {remedy}")


def describe_action_kind(space: spaces.Space[Any]) -> str:
    """What an action space is in the words of `harness.config.KIND_AXES`: ``continuous`` for boxes, else ``discrete``."""
    return "continuous" if isinstance(space, spaces.Box) else "discrete"


def policy_alias(model_class: type[BaseAlgorithm], *, images: bool) -> type[Any]:
    """Stable-Baselines3's own policy class of an algorithm."""
    return model_class.policy_aliases["CnnPolicy" if images else "MlpPolicy"]
