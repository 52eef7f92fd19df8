"""What descriptions name is imported and held to its contract, before a run makes anything of it.

Light commands never come here; a run and ``harness check NAME`` do. What does not meet its contract is refused by name, with
the plugin that it comes from.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, cast

from harness.algorithms.base import Learner
from harness.config import EnvironmentConfig
from harness.environments.base import HarnessVecEnv
from harness.registry import Registry
from harness.registry.hooks import Algorithm, EnvironmentFamily, Method
from harness.rewards import IntrinsicReward

_LEARNER_METHODS = tuple(
    name for name, member in vars(Learner).items() if not name.startswith("_") and isinstance(member, Callable | staticmethod)
)
_LEARNER_PROPERTIES = tuple(name for name, member in vars(Learner).items() if isinstance(member, property))


def load_learner(registry: Registry, algorithm: Algorithm) -> type[Learner]:
    """The class that trains an algorithm.

    Raises:
        PluginError: It cannot be imported, is no class, or lacks members of `harness.algorithms.base.Learner`.
    """
    loaded = registry.load(algorithm.learner)
    if not isinstance(loaded, type):
        registry.refuse(algorithm.learner, f"must be a class that meets harness.algorithms.base.Learner, not {loaded!r:.60}")
    lacking = [f"{name}()" for name in _LEARNER_METHODS if not callable(getattr(loaded, name, None))]
    lacking += [name for name in _LEARNER_PROPERTIES if not hasattr(loaded, name)]
    if lacking:
        registry.refuse(algorithm.learner, f"must meet harness.algorithms.base.Learner; it lacks {', '.join(sorted(lacking))}")
    predict = cast(Callable[..., Any], loaded.predict)
    if parameters := _unknown_parameters(predict):
        registry.refuse(
            algorithm.learner, f"must take {', '.join(parameters)} in predict(); see harness.algorithms.base.Learner"
        )
    return loaded


def check_learner(registry: Registry, algorithm: Algorithm, learner: Any) -> None:
    """Refuse a learner whose attributes are not what `harness.algorithms.base.Learner` says.

    Args:
        registry: Where it comes from.
        algorithm: Description of the algorithm.
        learner: The object that was built.

    Raises:
        PluginError: An attribute is missing or of another type.
    """
    steps = getattr(learner, "vector_steps_per_iteration", None)
    if not isinstance(steps, int) or steps < 1:
        registry.refuse(algorithm.learner, f"must have a vector_steps_per_iteration from 1, not {steps!r}")
    if not hasattr(learner, "replay"):
        registry.refuse(algorithm.learner, "must have an attribute replay, which is None for a learner without replay buffer")


def load_reward(registry: Registry, method: Method) -> type[IntrinsicReward[Any]]:
    """The class of a method.

    Raises:
        PluginError: It cannot be imported, is no `IntrinsicReward`, leaves something of it undone, or follows episodes though
            it says that it works without.
    """
    loaded = registry.load_class(method.reward, IntrinsicReward)
    missing = [name for name in ("bonus", "update") if getattr(loaded, name) is getattr(IntrinsicReward, name)]
    if missing:
        registry.refuse(method.reward, f"must define {' and '.join(f'{name}()' for name in missing)}")
    if loaded.track is not IntrinsicReward.track and "off_policy" in method.works_with:
        problem = "must not name off_policy in works_with: it defines track(), which follows episodes, and transitions from a"
        registry.refuse(method.reward, f"{problem} replay buffer belong to none that can be followed")
    return loaded


def make_environments(
    registry: Registry, family: EnvironmentFamily, config: EnvironmentConfig, n_envs: int, threads: int
) -> HarnessVecEnv:
    """Make a family's environments.

    Args:
        registry: Finds the function that makes them.
        family: Description of the family.
        config: The family's configuration.
        n_envs: Number of environments, N.
        threads: CPU threads that step them.

    Raises:
        PluginError: What the family names is no function, or what it makes are not so many environments of `HarnessVecEnv`.
    """
    make = registry.load(family.make)
    if not callable(make):
        registry.refuse(family.make, f"must be a function make(config, n_envs, *, threads=1), not {make!r:.60}")
    made = make(config, n_envs, threads=threads)
    if not isinstance(made, HarnessVecEnv):
        registry.refuse(family.make, f"must make a harness.HarnessVecEnv, not {type(made).__name__}")
    if made.num_envs != n_envs:
        registry.refuse(family.make, f"was asked for {n_envs} environments and made {made.num_envs}")
    if config.saves_state and not made.exact_state:
        problem = "must make environments with exact_state, since saves_state of its settings says that they restore theirs"
        registry.refuse(family.make, problem)
    return made


def _unknown_parameters(predict: Callable[..., Any]) -> list[str]:
    """Parameters of `Learner.predict` that a learner's own does not take."""
    parameters = inspect.signature(predict).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return []
    return [name for name in ("deterministic", "state", "episode_starts") if name not in parameters]
