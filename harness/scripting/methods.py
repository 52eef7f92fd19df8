"""A method by its name, for a script that brings its own environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from gymnasium import spaces as gym_spaces

from harness.algorithms import randomness
from harness.config import KIND_AXES, Config, IntrinsicRewardConfig, missing_kinds
from harness.errors import UnknownNameError, UserError
from harness.registry import installed
from harness.registry.hooks import Method
from harness.registry.mixtures import MixtureConfig, member_configs, mixture_name
from harness.rewards import IntrinsicReward, Spaces
from harness.scripting.spaces import method_spaces
from harness.suites.validation import ValidationFailed, validate
from harness.training.devices import choose_device

_ANY_ACTIONS = KIND_AXES["actions"]


def make_reward(
    name: str,
    observation_space: gym_spaces.Space[Any],
    action_space: gym_spaces.Space[Any],
    *,
    n_envs: int,
    preset: str | None = None,
    config: Mapping[str, Any] | None = None,
    frame_channels: int | None = None,
    device: str = "auto",
    seed: int = 0,
) -> IntrinsicReward[Any]:
    """An intrinsic reward as installed plugins provide it.

    Args:
        name: Name of the method, as ``harness list methods`` shows it.
        observation_space: Space of one environment's observations; images may be channel-first or channel-last, see
            `harness.scripting.spaces.method_spaces`.
        action_space: Space of one environment's actions.
        n_envs: N, the number of environments that step together; 1 for batches that come from no environment.
        preset: Name of published settings; ``None`` for the method's default preset.
        config: Settings of the method, over those of the preset.
        frame_channels: Channels of one frame of a stack of images, newest frame last; ``None`` for images that are one frame.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``, where the method's networks live.
        seed: Seed of the method's networks and of its random numbers.

    Raises:
        UserError: The name, the preset, a setting or a space is not one that can be used; says which, and what could.
    """
    method = installed().method(name)
    settings = _settings(method, preset, config or {})
    spaces = method_spaces(observation_space, action_space, frame_channels)
    if n_envs < 1:
        raise UserError(f"n_envs must be at least 1, not {n_envs}")
    _require_actions(method, action_space)
    _require_observations(method, settings, spaces)
    return build(method, settings, spaces, n_envs, device, seed)


def build(method: Method, settings: Config, spaces: Spaces, n_envs: int, device: str, seed: int) -> IntrinsicReward[Any]:
    """The method with validated settings; torch's global random stream stays as it was."""
    reward_class = installed().load(method.reward)
    with randomness.temporary_seed(seed):
        place = choose_device(device)
        return reward_class(settings, spaces, n_envs, place, seed).to(place)


def registered_method(reward: IntrinsicReward[Any]) -> Method | None:
    """The description of the method, if a plugin provides its class with the class of its settings."""
    if isinstance(reward.config, MixtureConfig):
        return installed().method(mixture_name(reward.config.form, list(reward.config.rewards)))
    registry, package = installed(), type(reward).__module__.partition(".")[0]
    for provided in registry.methods.values():
        method = provided.description
        if method.reward.partition(":")[0].partition(".")[0] == package:
            found = registry.load(method.reward), registry.config_class(method)
            if found == (type(reward), type(reward.config)):
                return method
    return None


def require_learner(reward: IntrinsicReward[Any], kind: Literal["on_policy", "off_policy"]) -> None:
    """Refuse a method that says it does not work with learners of this kind.

    Raises:
        UserError: It works with the other kind only.
    """
    method = registered_method(reward)
    if method is not None and missing_kinds(method.works_with, _ANY_ACTIONS | {kind, "sequences"}):
        other = "harness.relabel, for off-policy" if kind == "on_policy" else "harness.add_bonus, for on-policy"
        raise UserError(f"method {method.name!r} does not work with {kind.replace('_', '-')} algorithms: use {other} ones")


def validated(model: type[Config], data: Mapping[str, Any], about: str) -> Config:
    """The model of plain data.

    Args:
        model: The pydantic model.
        data: Values by field.
        about: What the data configure, such as ``"method 'rnd'"``.

    Raises:
        UserError: With one line for each problem of the data.
    """
    try:
        return validate(model, data, lambda path: (path,))
    except ValidationFailed as failed:
        lines = (": ".join([about, *_dotted(problem.paths), problem.message]) for problem in failed.problems)
        raise UserError("\n".join(lines)) from None


def _settings(method: Method, preset: str | None, config: Mapping[str, Any]) -> Config:
    registry = installed()
    presets = registry.presets(method)
    chosen = preset or next(iter(presets), None)
    if chosen is not None and chosen not in presets:
        raise UnknownNameError(f"preset of method {method.name!r}", chosen, presets)
    published: Mapping[str, Any] = presets[chosen].config if chosen is not None else {}
    return validated(registry.config_class(method), {**published, **config}, f"method {method.name!r}")


def _require_actions(method: Method, space: gym_spaces.Space[Any]) -> None:
    found = "continuous" if isinstance(space, gym_spaces.Box) else "discrete"
    for wanted in missing_kinds(method.works_with, {"on_policy", "off_policy", "sequences", found}):
        raise UserError(f"method {method.name!r} needs {' or '.join(sorted(wanted))} actions, and these are {space}")


def _require_observations(method: Method, settings: Config, spaces: Spaces) -> None:
    kind = "vectors" if spaces.frame_channels is None else "images"
    for place, config in member_configs(settings).items():
        required = config.required_observations if isinstance(config, IntrinsicRewardConfig) else None
        if required is not None and required[0] != kind:
            wanted, key = required
            setting = f"{key} {getattr(config, key)!r} of method {(*place, method.name)[0]!r}"
            raise UserError(f"{setting} needs {wanted}, and these observations are {spaces.observation}: choose another {key}")


def _dotted(paths: tuple[tuple[str | int, ...], ...]) -> list[str]:
    return [".".join(map(str, paths[0]))] if paths and paths[0] else []
