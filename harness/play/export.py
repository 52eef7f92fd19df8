"""The policy of a run as a zip file that Stable-Baselines3 loads. Such files hold pickles: they are written, never read.

A new model of Stable-Baselines3's own class is built with the run's settings and the policy's weights, so that nothing of the
harness is in the file where the policy is made of Stable-Baselines3's parts alone.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy

from harness.algorithms.lean_calls import plain_class
from harness.algorithms.networks import MultiHeadActorCriticPolicy
from harness.algorithms.spaces import policy_alias
from harness.algorithms.stable_baselines import StableBaselinesLearner
from harness.environments.base import HarnessVecEnv
from harness.environments.stand_in import StandInVecEnv
from harness.errors import UserError
from harness.play.opened import OpenedRun
from harness.play.video import write_file

_OWN = ("stable_baselines3.", "sb3_contrib.")
_VALUE_HEAD = ("value_net.weight", "value_net.bias")
_EXTRINSIC = 0  # the first of two value heads
_METHOD_KEYS = frozenset({"reward", "representation"})
"""Arguments of a policy that acts on what a method has learned."""


@dataclass(frozen=True)
class Exported:
    """A policy that was handed over.

    Attributes:
        file: The zip file that was written.
        algorithm: Name of the class of Stable-Baselines3 whose ``load`` opens it.
        module: Module that this class is imported from.
        needs: Packages beside Stable-Baselines3 that must be installed to open it, as import names.
        notes: What must be known of it, a sentence each.
    """

    file: Path
    algorithm: str
    module: str
    needs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def export_policy(run: OpenedRun, file: Path) -> Exported:
    """Write the policy of a run for Stable-Baselines3.

    Args:
        run: The run to export.
        file: The zip file to be written; one that is there is replaced.

    Raises:
        UserError: Stable-Baselines3 has no model that could hold this policy, or the file cannot be written.
    """
    name = run.record.spec.algorithm.name
    learner = cast(object, run.assembly.learner)
    if not isinstance(learner, StableBaselinesLearner):
        raise UserError(f"algorithm {name!r} is not one of Stable-Baselines3's, so there is no model that it could load")
    model = cast(BaseAlgorithm, learner.model)
    found = _own_class(model)
    if found is None:
        raise UserError(f"algorithm {name!r} trains no model of Stable-Baselines3's own, so there is none that it could load")
    if _METHOD_KEYS & model.policy_kwargs.keys():
        raise UserError(
            f"this policy acts on features that the method {_method(run)!r} learns beside it, and a model of"
            " Stable-Baselines3 holds the policy alone"
        )
    policy_class, arguments, weights, notes = _policy_parts(model, found)
    if run.record.spec.precision.policy != "float32":
        notes.append("its networks computed in bf16 here and compute in float32 there")
    config: dict[str, Any] = dict(cast(Any, learner).config)
    exported = _new_model(found, model, run.assembly.base, policy_class, arguments, config, learner.arguments)
    exported.policy.load_state_dict(weights)
    buffer = io.BytesIO()
    exported.save(buffer)
    write_file(file, buffer.getvalue())
    needs = tuple(sorted({module.partition(".")[0] for module in _foreign_modules([policy_class, arguments])}))
    return Exported(file, found.__name__, found.__module__.partition(".")[0], needs, tuple(notes))


def _method(run: OpenedRun) -> str:
    reward = run.record.spec.reward
    return reward.name if reward else "none"


def _own_class(model: BaseAlgorithm) -> type[BaseAlgorithm] | None:
    """The class of Stable-Baselines3 that a model is one of, without what the harness has put before it."""
    for one in type(model).__mro__:
        is_importable = getattr(sys.modules.get(one.__module__), one.__name__, None) is one
        if is_importable and one.__module__.startswith(_OWN) and ".common." not in one.__module__:
            return cast(type[BaseAlgorithm], one)
    return None


def _policy_parts(
    model: BaseAlgorithm, found: type[BaseAlgorithm]
) -> tuple[type[BasePolicy], dict[str, Any], Mapping[str, torch.Tensor], list[str]]:
    """Class, arguments and weights of the policy to be written, and what must be known of it."""
    policy, arguments = model.policy, dict(model.policy_kwargs)
    weights: dict[str, torch.Tensor] = dict(policy.state_dict())
    if not isinstance(policy, MultiHeadActorCriticPolicy) or policy.n_value_heads == 1:
        return plain_class(policy), arguments, weights, []
    if arguments.get("network") is None:  # all of it but the second head is Stable-Baselines3's own
        del arguments["n_value_heads"]
        arguments.pop("network", None)
        for key in _VALUE_HEAD:
            weights[key] = weights[key][_EXTRINSIC : _EXTRINSIC + 1]
        images = bool(arguments.get("normalize_images"))
        note = "of its two critics it holds the extrinsic one"
        return policy_alias(found, images=images), arguments, weights, [note]
    return plain_class(policy), arguments, weights, ["it has two critics, with which it acts but cannot be trained further"]


def _new_model(
    found: type[BaseAlgorithm],
    model: BaseAlgorithm,
    like: HarnessVecEnv,
    policy_class: type[BasePolicy],
    arguments: dict[str, Any],
    config: Mapping[str, Any],
    names: Any,
) -> BaseAlgorithm:
    """A model that was never trained, like another one."""
    settings = {name: config[name] for name in names}
    if config.get("learning_rate") is not None:
        settings["learning_rate"] = float(config["learning_rate"])
    size = settings.pop("buffer_size", None)
    if size is not None:
        settings["buffer_size"] = 1  # room for transitions is made where it is loaded
    made = cast(Any, found)(policy_class, None, policy_kwargs=arguments, device="cpu", _init_setup_model=False, **settings)
    made.observation_space, made.action_space, made.n_envs = model.observation_space, model.action_space, 1
    made.env = StandInVecEnv(like, 1)  # SAC looks there for the number of actions
    made._setup_model()
    made.env, made.num_timesteps = None, model.num_timesteps
    if size is not None:
        made.buffer_size = size
    return made


def _foreign_modules(value: Any) -> Iterator[str]:
    """Modules that define something in a value and are neither Stable-Baselines3's nor torch's nor Python's."""
    if isinstance(value, dict):
        for part in cast(dict[Any, Any], value).values():
            yield from _foreign_modules(part)
    elif isinstance(value, list | tuple):
        for part in cast(list[Any], value):
            yield from _foreign_modules(part)
    elif isinstance(value, type) or callable(value):
        module = str(getattr(cast(object, value), "__module__", "") or type(value).__module__)
        if module.partition(".")[0] not in {"stable_baselines3", "sb3_contrib", "torch", "builtins", *sys.stdlib_module_names}:
            yield module
