"""What learners that drive an algorithm of Stable-Baselines3 have in common."""

# SB3 keeps what a resumed run needs in protected attributes, and offers no other way to it:
# pyright: reportPrivateUsage=false

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar, cast

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import BasePolicy

from harness.algorithms import randomness
from harness.algorithms.base import LearnerContext
from harness.algorithms.first_layers import use_fast_gradients
from harness.algorithms.lean_calls import use_lean_calls
from harness.algorithms.lean_layers import use_lean_layers
from harness.algorithms.precision import use_precision
from harness.algorithms.spaces import describe_action_kind, policy_alias, shows_images, with_envs_as_they_are
from harness.config import AlgorithmConfig
from harness.errors import UserError
from harness.spec import Purpose, derive_seeds

ModelT = TypeVar("ModelT", bound=BaseAlgorithm)
ConfigT = TypeVar("ConfigT", bound=AlgorithmConfig)


class StableBaselinesLearner(Generic[ModelT, ConfigT]):
    """The part of `harness.algorithms.base.Learner` that is the same on- and off-policy.

    A subclass names the algorithm and those of its arguments that the configuration holds under the same name.

    Args:
        config: The algorithm's validated configuration.
        context: The run, its environments and its files.

    Attributes:
        model: The algorithm of Stable-Baselines3 that is driven.
        images: Whether observations are images.

    Raises:
        UserError: The actions are of a kind that the algorithm does not learn.
    """

    model_class: ClassVar[type[BaseAlgorithm]]
    """Stable-Baselines3's algorithm, or one of its kind."""

    arguments: ClassVar[Sequence[str]]
    """Fields of the configuration that the algorithm takes under the same name."""

    def __init__(self, config: ConfigT, context: LearnerContext) -> None:
        self._require_actions(config, context)
        self.config = config
        self.images = shows_images(context.base)
        self.model: ModelT = self._build_model(context)
        self.model.set_logger(Logger(folder=None, output_formats=[]))
        self._iteration = 0
        self._callback: BaseCallback

    @property
    def step(self) -> int:
        """Steps taken, over all environments."""
        return self.model.num_timesteps

    @property
    def observations(self) -> np.ndarray:
        """What the environments show now, ``(N, *shape)``."""
        observations = self.model._last_obs
        assert isinstance(observations, np.ndarray)
        return observations

    def begin(self, total_steps: int) -> None:
        """Reset the environments and prepare for ``total_steps`` steps."""
        _, self._callback = self.model._setup_learn(total_steps, None)

    def predict(
        self, observations: np.ndarray, *, deterministic: bool, state: Any = None, episode_starts: np.ndarray | None = None
    ) -> tuple[np.ndarray, Any]:
        """Actions ``(N, ...)`` for evaluation, and the policy's recurrent state, if it has one."""
        return self.model.predict(observations, state, episode_starts, deterministic)

    def algorithm_class(self) -> type[BaseAlgorithm]:
        """What the model is made of, where a setting decides it."""
        return self.model_class

    @abstractmethod
    def policy_class(self, context: LearnerContext) -> type[BasePolicy]:
        """The class of the policy."""

    @abstractmethod
    def policy_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Keyword arguments of the policy."""

    def model_arguments(self, context: LearnerContext) -> dict[str, Any]:
        """Keyword arguments of the algorithm, those in `arguments` among them."""
        settings = dict(self.config)
        return {name: settings[name] for name in self.arguments}

    def sb3_policy(self) -> type[BasePolicy]:
        """The policy that Stable-Baselines3 has for the algorithm."""
        return policy_alias(self.model_class, images=self.images)

    def fresh_policy(self, seed: int) -> BasePolicy:
        """A new policy like the model's, with new weights; global random streams are left as they are."""
        model = self.model
        arguments = cast(tuple[Any, ...], (model.observation_space, model.action_space, model.lr_schedule))
        with randomness.temporary_seed(seed):
            return model.policy_class(*arguments, **model.policy_kwargs)

    def _build_model(self, context: LearnerContext) -> Any:
        with warnings.catch_warnings():
            # Advice for whoever has chosen a GPU for a small policy; a method's networks may be large all the same.
            warnings.filterwarnings("ignore", message="You are trying to run .* on the GPU", category=UserWarning)
            model = with_envs_as_they_are(self.algorithm_class())(
                self.policy_class(context),
                context.bonus_env or context.learner_env,
                policy_kwargs=self.policy_arguments(context),
                seed=derive_seeds(context.spec.seed, Purpose.NETWORKS, 0, 1)[0],
                device=context.device,
                **self.model_arguments(context),
            )
        use_lean_layers(use_precision(use_fast_gradients(use_lean_calls(model.policy)), context.spec.precision.policy))
        return model

    def _require_actions(self, config: ConfigT, context: LearnerContext) -> None:
        space = context.base.action_space
        kind = describe_action_kind(space)
        if kind not in config.actions:
            name, family = context.spec.algorithm.name, context.spec.environment.family
            wanted = " or ".join(sorted(config.actions))
            others = [
                other for other in context.registry.algorithms if kind in context.registry.algorithm_config(other).actions
            ]
            remedy = f": use {' or '.join(others)}" if others else ""
            raise UserError(f"{name} needs {wanted} actions, and environments of family {family!r} have {space}{remedy}")

    def _counters(self) -> dict[str, Any]:
        """What counts on from one iteration to the next, as part of a learner's `state_dict`."""
        model = self.model
        assert model.ep_info_buffer is not None
        episodes = cast(Collection[Mapping[str, Any]], model.ep_info_buffer)
        return {
            "iteration": self._iteration,
            "num_timesteps": model.num_timesteps,
            "n_updates": model._n_updates,
            "progress_remaining": model._current_progress_remaining,
            "episodes": [{"r": float(episode["r"]), "l": int(episode["l"])} for episode in episodes],
        }

    def _load_counters(self, state: Mapping[str, Any]) -> None:
        model = self.model
        self._iteration = state["iteration"]
        model.num_timesteps = state["num_timesteps"]
        model._n_updates = state["n_updates"]
        model._current_progress_remaining = state["progress_remaining"]
        model.ep_info_buffer = deque(state["episodes"], maxlen=model._stats_window_size)

    def _count_metrics(self) -> dict[str, float]:
        """What has been done so far; mean return and length of the latest training episodes, unclipped. Names are SB3's."""
        metrics: dict[str, float] = {"time/iterations": self._iteration, "time/total_timesteps": self.model.num_timesteps}
        episodes = cast(Collection[Mapping[str, Any]], self.model.ep_info_buffer or ())
        if episodes:
            metrics["rollout/ep_rew_mean"] = float(np.mean([float(episode["r"]) for episode in episodes]))
            metrics["rollout/ep_len_mean"] = float(np.mean([float(episode["l"]) for episode in episodes]))
        return metrics
