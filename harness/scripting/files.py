"""A method in one file: safetensors, with its settings and spaces; reading one runs nothing that it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import safetensors
import safetensors.torch
import torch
from gymnasium import spaces as gym_spaces

from harness.errors import UserError
from harness.registry import installed
from harness.rewards import IntrinsicReward, Spaces
from harness.runs.files import write_bytes_atomic
from harness.scripting.methods import build, registered_method, validated
from harness.training import trees

RewardT = TypeVar("RewardT", bound=IntrinsicReward[Any])

_FORMAT = "exploration-harness reward 1"


def save_reward(reward: IntrinsicReward[Any], path: str | Path) -> Path:
    """Write a method and everything it has learned to one safetensors file; a file that is there is replaced as a whole.

    Args:
        reward: The method to save.
        path: The file; its folder must exist.

    Returns:
        Path of the file.

    Raises:
        UserError: The method's spaces cannot be written, or the file cannot.
    """
    path = Path(path)
    method = registered_method(reward)
    tree = {
        "method": method and method.name,
        "config": reward.config.model_dump(mode="json"),
        "n_envs": reward.n_envs,
        "frame_channels": reward.spaces.frame_channels,
        "episode_limit": reward.spaces.episode_limit,
        "observation": _space_tree(reward.spaces.observation),
        "action": _space_tree(reward.spaces.action),
        "state": reward.state_dict(),
    }
    skeleton, tensors = trees.flatten(tree)
    data = safetensors.torch.save(tensors, {"format": _FORMAT, "tree": json.dumps(skeleton, allow_nan=False)})
    try:
        write_bytes_atomic(path, data)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error
    return path


def load_reward(path: str | Path, *, device: str = "auto") -> IntrinsicReward[Any]:
    """The method that `save_reward` wrote, with its settings, spaces and everything it had learned.

    Args:
        path: Path of the file.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        UserError: The file is not one of `save_reward`, or no installed plugin provides the method.
    """
    tree = _read(Path(path))
    if tree["method"] is None:
        raise UserError(f"{path}: holds a method that no plugin provides: make one, and use harness.restore_reward")
    registry = installed()
    method = registry.method(tree["method"])
    settings = validated(registry.config_class(method), tree["config"], f"{path}: method {method.name!r}")
    spaces = Spaces(_space(tree["observation"]), _space(tree["action"]), tree["frame_channels"], tree.get("episode_limit"))
    return _restored(build(method, settings, spaces, tree["n_envs"], device, seed=0), tree, Path(path))


def restore_reward(reward: RewardT, path: str | Path) -> RewardT:
    """Give a method that was made in the same way what another had learned when `save_reward` wrote it.

    Args:
        reward: A method of the same class and settings, for the same spaces and number of environments.
        path: Path of the file.

    Returns:
        The method that was given.

    Raises:
        UserError: The file is not one of `save_reward`, or was written by a method of another make.
    """
    return _restored(reward, _read(Path(path)), Path(path))


def _restored(reward: RewardT, tree: dict[str, Any], path: Path) -> RewardT:
    try:
        reward.load_state_dict(tree["state"])
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: was written by a method of another make than {type(reward).__name__} ({error})") from error
    return reward


def _read(path: Path) -> dict[str, Any]:
    try:
        opened: Any = safetensors.safe_open(path, framework="pt")
        with opened as file:
            metadata: dict[str, str] = file.metadata() or {}
            tensors: dict[str, torch.Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        if metadata.get("format") != _FORMAT:
            raise UserError(f"{path}: is not a method written by harness.save_reward")
        return trees.unflatten(json.loads(metadata["tree"]), tensors)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, safetensors.SafetensorError) as error:
        raise UserError(f"{path}: cannot be read as a method written by harness.save_reward ({error})") from error


def _space_tree(space: gym_spaces.Space[Any]) -> dict[str, Any]:
    if isinstance(space, gym_spaces.Box):
        box = cast(gym_spaces.Box, space)
        return {"box": str(box.dtype), "low": box.low, "high": box.high}
    if isinstance(space, gym_spaces.Discrete):
        return {"discrete": int(space.n), "start": int(space.start)}
    if isinstance(space, gym_spaces.MultiDiscrete):
        counts = cast(gym_spaces.MultiDiscrete, space)
        return {"multi_discrete": np.asarray(counts.nvec), "start": np.asarray(counts.start)}
    if isinstance(space, gym_spaces.MultiBinary):
        return {"multi_binary": space.n if isinstance(space.n, int) else list(space.shape)}
    raise UserError(f"a method for {space} cannot be saved: its spaces must be Box, Discrete, MultiDiscrete or MultiBinary")


def _space(tree: dict[str, Any]) -> gym_spaces.Space[Any]:
    if "box" in tree:
        return gym_spaces.Box(tree["low"], tree["high"], dtype=np.dtype(tree["box"]).type)
    if "discrete" in tree:
        return gym_spaces.Discrete(tree["discrete"], start=tree["start"])
    if "multi_discrete" in tree:
        return gym_spaces.MultiDiscrete(tree["multi_discrete"], start=tree["start"])
    return gym_spaces.MultiBinary(tree["multi_binary"])
