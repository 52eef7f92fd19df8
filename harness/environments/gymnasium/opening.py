"""From the settings to an environment with its wrappers; what is wrong with them is said in a sentence."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any, cast

import gymnasium
from gymnasium.envs.registration import EnvSpec, load_env_creator

from harness.environments.gymnasium.config import GymnasiumConfig, split_wrapper
from harness.environments.gymnasium.registered_ids import unknown_id_message
from harness.errors import UserError, suggest
from harness.registry.error_summary import summarise_error_with_location

Env = gymnasium.Env[Any, Any]


def open_env(config: GymnasiumConfig) -> Env:
    """The environment, with its time limit and its wrappers.

    Raises:
        UserError: It cannot be made from these settings, or not here.
    """
    for module in config.modules:
        _import(module, "import")
    if config.id not in gymnasium.registry:
        raise UserError(unknown_id_message(config.id, tuple(gymnasium.registry)))
    env = _make(config, gymnasium.registry[config.id])
    for wrapper in config.wrappers:
        env = _wrap(env, *split_wrapper(wrapper))
    return env


def _import(module: str, setting: str) -> Any:
    try:
        return importlib.import_module(module)
    except Exception as error:  # a stranger's module may raise anything
        raise UserError(f"{setting}: cannot import {module!r}: {summarise_error_with_location(error)}") from error


def _make(config: GymnasiumConfig, spec: EnvSpec) -> Env:
    try:
        if spec.entry_point is not None:
            creator = spec.entry_point if callable(spec.entry_point) else load_env_creator(spec.entry_point)
            _check_arguments(config.id, creator, config.kwargs)
        return gymnasium.make(config.id, max_episode_steps=config.episode_steps, disable_env_checker=True, **config.kwargs)
    except UserError:
        raise
    except (ImportError, gymnasium.error.DependencyNotInstalled) as error:
        raise UserError(f"{config.id} needs a package that is not installed here: {_one_line(error)}") from error
    except gymnasium.error.Error as error:
        raise UserError(f"{config.id} cannot be made: {_one_line(error)}") from error
    except Exception as error:  # a stranger's environment may raise anything
        given = f" with kwargs {config.kwargs}" if config.kwargs else ""
        raise UserError(f"{config.id} cannot be made{given}: {summarise_error_with_location(error)}") from error


def _wrap(env: Env, path: str, arguments: dict[str, Any]) -> Env:
    module_name, _, attribute = path.partition(":")
    wrapper: Any = _import(module_name, "wrappers")
    for part in attribute.split("."):
        if not hasattr(wrapper, part):
            public = [name for name in dir(wrapper) if inspect.isclass(getattr(wrapper, name, None))]
            raise UserError(f"wrappers: {module_name!r} has no {attribute!r}{suggest(part, public)}")
        wrapper = getattr(wrapper, part)
    _check_arguments(f"wrappers: {path}", wrapper, {"env": env, **arguments}, given_first=True)
    try:
        wrapped = wrapper(env, **arguments)
    except Exception as error:  # likewise
        raise UserError(f"wrappers: {path} fails: {summarise_error_with_location(error)}") from error
    if not isinstance(wrapped, gymnasium.Env):
        raise UserError(f"wrappers: {path} gives no gymnasium.Env but {type(wrapped).__name__}")
    return cast("Env", wrapped)


def _check_arguments(what: str, creator: Callable[..., Any], arguments: dict[str, Any], *, given_first: bool = False) -> None:
    """Refuse arguments that a constructor does not have, with the nearest that it has."""
    try:
        parameters = list(inspect.signature(creator).parameters.values())
    except (TypeError, ValueError):  # it has no signature; calling it will tell
        return
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        return
    known = [parameter.name for parameter in parameters[given_first:]]
    for name in list(arguments)[given_first:]:
        if name not in known:
            raise UserError(f"{what} takes no argument {name!r}{suggest(name, known)}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
