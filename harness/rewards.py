"""The plugin author's page: what an intrinsic reward is given, and what it must give.

The life of an `IntrinsicReward` in a run, for N environments and rollouts of T steps:

1. ``warm_up_steps`` random steps; `observe` sees each (running statistics get a start).
2. At every step: `track`, `observe`, then `bonus`, all with the N transitions of that step.
3. After every T steps: `update` with the T*N transitions of the rollout, in time order, then `diagnose` for the log.

Off-policy algorithms store no bonus. `observe` sees every step as it is taken. At every gradient step a batch is sampled
from the replay buffer and `augment` may distort both ends of its transitions; then `update`, `observe_batch` and `bonus`
are called with it, so that a bonus is as fresh as the networks. All tensors live on the run's device.

In a phase that does not train the method, only `track`, `bonus` and `diagnose` are called on-policy: what the method has
learned, its running statistics included, stays as it is. What belongs to the present episode of each environment, such as an
episodic memory, is no learning and goes on in `track`, in every phase; `begin_episodes` says where it ends without `done`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, Literal

import numpy as np
import torch
from gymnasium import spaces as gym_spaces
from torch import Tensor, nn
from typing_extensions import TypeVar

from harness.config import IntrinsicRewardConfig
from harness.nn.episodes import EpisodeState
from harness.nn.moments import BonusNormaliser

ConfigT = TypeVar("ConfigT", bound=IntrinsicRewardConfig, default=IntrinsicRewardConfig)


@dataclass(frozen=True)
class Spaces:
    """What the environments look like to a method.

    Attributes:
        observation: Space of one environment's observations, as the environment family declares it.
        action: Space of one environment's actions.
        frame_channels: Channels of one frame in a stack of images (newest frame last); ``None`` if not images.
        episode_limit: Most steps that an episode can last; ``None`` where nothing is known to bound it.
    """

    observation: gym_spaces.Space[Any]
    action: gym_spaces.Space[Any]
    frame_channels: int | None = None
    episode_limit: int | None = None


@dataclass(frozen=True)
class Transitions:
    """A batch of B transitions; every field is a tensor whose first dimension is B.

    Attributes:
        obs: What the method sees of s_t: `IntrinsicReward.view` of the observation, same dtype.
        action: a_t; int64 ``(B,)`` for discrete spaces, float32 ``(B, *shape)`` for boxes.
        next_obs: What it sees of s_{t+1}: the true last observation of an episode, never the first of the next.
        reward: Extrinsic reward as the learner sees it, float32 ``(B,)``.
        terminated: The episode ended in the environment's sense, bool ``(B,)``.
        truncated: The episode was cut, bool ``(B,)``; never true together with `terminated`.
        env_index: Which environment each transition is from, int64 ``(B,)``.
    """

    obs: Tensor
    action: Tensor
    next_obs: Tensor
    reward: Tensor
    terminated: Tensor
    truncated: Tensor
    env_index: Tensor

    def __len__(self) -> int:
        return self.obs.shape[0]

    def __getitem__(self, index: Tensor | slice) -> Transitions:
        """A part of the batch, picked by slice, index or mask."""
        return Transitions(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def states(self, end: Literal["obs", "next_obs"]) -> Tensor:
        """The states at one end of each transition: where it started (``obs``) or where it led to (``next_obs``)."""
        return self.obs if end == "obs" else self.next_obs

    @property
    def done(self) -> Tensor:
        """The episode ended here for whatever reason, bool ``(B,)``."""
        return self.terminated | self.truncated


@dataclass(frozen=True, kw_only=True)
class Guarantees:
    """What a method claims beyond the interface; `harness.testing` holds it to every claim. Claiming nothing is allowed.

    Attributes:
        frozen: Submodules that nothing ever changes, such as RND's ``"pair.target"``.
        stops_gradient: For each method of the class that maps `Transitions` to a loss, the submodules that this loss must
            not train: ``{"distillation_loss": ["pair.target"]}``.
        depends_on: What a bonus is a function of, between two updates: its own ``transition`` alone; also earlier steps of
            its ``episode`` (episodic memory); or anything in the ``past`` (running statistics, counts).
        any_order: An update learns the same from the rows of its batch in any order.
        deterministic: The seed has no effect, because nothing is random.
        remembers: What was visited comes to earn less than what was not; not so where the states of a batch are compared with
            each other alone (APT).
    """

    frozen: Sequence[str] = ()
    stops_gradient: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    depends_on: Literal["transition", "episode", "past"] = "past"
    any_order: bool = False
    deterministic: bool = False
    remembers: bool = True


class IntrinsicReward(nn.Module, Generic[ConfigT]):
    """An exploration bonus that learns; the base class of every method.

    Register networks and moments as submodules, put optimisers into `optimizers`, and draw random numbers from
    `generator` only: then `state_dict` holds everything, and a resumed run continues exactly.

    Args:
        config: The method's validated configuration.
        spaces: Spaces of one environment.
        n_envs: N, the number of environments that step together.
        device: Where the networks and all batches live.
        seed: Seeds `generator` and, while the subclass builds its networks, torch's global generator.
    """

    warm_up_steps: int = 0
    """How many random steps every environment takes before training, seen by `observe` only."""

    def __init__(self, config: ConfigT, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__()
        self.config = config
        self.spaces = spaces
        self.n_envs = n_envs
        self.device = torch.device(device)
        self.generator = torch.Generator(device="cpu").manual_seed(seed)
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        self.normaliser: BonusNormaliser | None = None
        """Set by a subclass whose bonus is brought to a scale outside of `bonus`; see `harness.nn.normalisers`."""

    def view(self, observations: np.ndarray) -> np.ndarray:
        """The part of a batch of raw observations that the method looks at; taken once, before anything is stored."""
        return observations

    def track(self, transitions: Transitions) -> None:
        """On-policy only: follow the present episode of each environment by the N transitions of one step, before `observe`.

        Called at every step of every phase, also of those that do not train the method, and never while warming up. Only what
        belongs to an episode may change here, such as an episodic memory or a recurrent state: it is to be cleared where a
        transition is ``done``, after it has been scored. `harness.nn.episodes` has memories that do so. A method that defines
        this works with on-policy learners alone: transitions sampled from a replay buffer belong to no present episode.
        """

    def begin_episodes(self) -> None:
        """All environments begin new episodes, though none may have been done: before the first step, above all.

        Clears every submodule that is an `EpisodeState`; a method that keeps anything else of an episode clears it as well.
        """
        envs = torch.arange(self.n_envs, device=self.device)
        for module in self.modules():
            if isinstance(module, EpisodeState):
                module.clear(envs)

    def observe(self, transitions: Transitions) -> None:
        """See the N transitions of one step, before their `bonus` is asked for: running statistics, lifelong memory."""

    def augment(self, observations: Tensor) -> Tensor:
        """Off-policy only: a distorted copy of sampled observations, ``(B, *view)``; called once for each end of a batch.

        What is returned is what the method sees of the batch and, if it has a `representation`, what the learner sees.
        """
        return observations

    def observe_batch(self, transitions: Transitions) -> None:
        """Off-policy only: see a sampled batch before its `bonus` is asked for, such as to draw candidate neighbours."""

    def representation(self) -> nn.Module | None:
        """Off-policy only: a module from `view` of observations, ``(B, *view)``, to features, float32 ``(B, features_dim)``.

        Actor and critics then see these features, detached, instead of observations; only `update` trains the module. It has
        an attribute ``features_dim``. ``None`` where actor and critics are to look for themselves.
        """
        return None

    @abstractmethod
    def bonus(self, transitions: Transitions) -> Tensor:
        """The intrinsic reward of each transition, float32 ``(B,)``, before `normaliser`; no gradient, no side effect."""

    @abstractmethod
    def update(self, transitions: Transitions) -> dict[str, float]:
        """Learn from a batch in time order; returns metrics to log, named without prefix."""

    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """Numbers that tell whether the method is well, for the log alone; asked for once per row, after `update`.

        Args:
            transitions: What `update` was given last.

        Returns:
            Metrics, named without prefix; not those that `update` returns.
        """
        return {}

    def update_generator(self) -> torch.Generator:
        """Random numbers on the device for one update, decided by `generator`, which stays on the CPU and moves on."""
        seed = int(torch.randint(2**62, (), generator=self.generator))
        return torch.Generator(self.device).manual_seed(seed)

    def guarantees(self) -> Guarantees:
        """What the method claims beyond the interface; may depend on its configuration."""
        return Guarantees()

    def get_extra_state(self) -> dict[str, Any]:
        """What `torch.nn.Module.state_dict` does not see by itself: optimisers and the random stream."""
        return {
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "generator": self.generator.get_state(),
        }

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `get_extra_state` gave."""
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.generator.set_state(state["generator"].cpu())
