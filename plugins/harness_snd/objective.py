"""The replaceable part of a method: what its target learns by.

A new objective is a subclass of `Objective` with one method, `Objective.terms`, and a subclass of `harness_snd.reward.SND`
that names it; see any file in `harness_snd.objectives`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Generic, Literal, TypeVar

import torch
from gymnasium import spaces as gym_spaces
from torch import Tensor, nn

from harness.nn.augmentations import Augmentation
from harness.nn.layers import Encoder, mlp, uniform_fan_in
from harness.rewards import Transitions
from harness_snd.config import AugmentedConfig, SNDConfig, TwoViewsConfig

ConfigT = TypeVar("ConfigT", bound=SNDConfig)
AugmentedT = TypeVar("AugmentedT", bound=AugmentedConfig)
TwoViewsT = TypeVar("TwoViewsT", bound=TwoViewsConfig)


@dataclass(frozen=True)
class ObjectiveContext:
    """What an objective may need to know when it is built.

    Attributes:
        target: The network that will learn, with its first weights; not to be kept, it is given again with every batch.
        shape: Shape of what the networks see of one state.
        images: Whether that is an image ``(C, H, W)``.
        action_space: Space of one environment's actions.
        generator: Draws initial weights.
    """

    target: Encoder
    shape: tuple[int, ...]
    images: bool
    action_space: gym_spaces.Space
    generator: torch.Generator


class Minibatch:
    """A minibatch as an objective sees it; what nobody asks for is never computed, and nothing is computed twice.

    Args:
        target: The network that learns.
        rollout: Everything since the last update, in order of time.
        index: Which transitions of the rollout are the minibatch, int64 ``(B,)``.
        to_inputs: Turns stored states into what the networks see of them.
        random: Random numbers for this update, on the batch's device.
    """

    def __init__(
        self,
        target: Encoder,
        rollout: Transitions,
        index: Tensor,
        to_inputs: Callable[[Tensor], Tensor],
        random: torch.Generator,
    ) -> None:
        self.target, self.rollout, self.index, self.random = target, rollout, index, random
        self._to_inputs = to_inputs

    def __len__(self) -> int:
        return len(self.index)

    def states_at(self, index: Tensor) -> Tensor:
        """States s_t of any transitions of the rollout, as the networks see them."""
        return self._to_inputs(self.rollout.obs[index])

    @cached_property
    def states(self) -> Tensor:
        """s_t, ``(B, *shape)``."""
        return self.states_at(self.index)

    @cached_property
    def next_states(self) -> Tensor:
        """s_{t+1}, of the same episode as s_t, ``(B, *shape)``."""
        return self._to_inputs(self.rollout.next_obs[self.index])

    @property
    def actions(self) -> Tensor:
        """a_t, as in `harness.rewards.Transitions`."""
        return self.rollout.action[self.index]

    @cached_property
    def trace(self) -> tuple[list[Tensor], Tensor]:
        """The target's layers and features of s_t, with gradient; see `harness.nn.layers.Encoder.trace`."""
        return self.target.trace(self.states)

    @cached_property
    def next_trace(self) -> tuple[list[Tensor], Tensor]:
        """The target's layers and features of s_{t+1}, with gradient."""
        return self.target.trace(self.next_states)

    @property
    def features(self) -> Tensor:
        """The target's features of s_t, with gradient, ``(B, D)``."""
        return self.trace[1]

    @property
    def next_features(self) -> Tensor:
        """The target's features of s_{t+1}, with gradient, ``(B, D)``."""
        return self.next_trace[1]

    @torch.no_grad()
    def detached_features(self, which: Literal["obs", "next_obs"]) -> Tensor:
        """The target's features without gradient; free of cost where the objective has already asked for them."""
        known = self.__dict__.get("trace" if which == "obs" else "next_trace")
        if known is not None:
            return known[1].detach()
        return self.target(self.states if which == "obs" else self.next_states)


class Objective(nn.Module, Generic[ConfigT]):
    """What the target learns by.

    Its own parameters, if it has any, are trained together with the target.

    Args:
        config: Settings of the method.
        context: What there is to be learnt from.
    """

    def __init__(self, config: ConfigT, context: ObjectiveContext) -> None:
        super().__init__()
        self.config = config

    @property
    def is_random(self) -> bool:
        """Whether `terms` draws from `Minibatch.random`."""
        return False

    @abstractmethod
    def terms(self, batch: Minibatch) -> dict[str, Tensor]:
        """The scalars whose sum the target minimises, weights included; each is logged by its name."""

    def after_step(self, target: Encoder) -> None:
        """Called after every optimisation step."""


class AugmentedObjective(Objective[AugmentedT]):
    """An objective that changes states at random; see `AugmentedConfig`."""

    def __init__(self, config: AugmentedT, context: ObjectiveContext) -> None:
        super().__init__(config, context)
        self.augment = Augmentation(
            config.image_augmentations if context.images else config.vector_augmentations,
            context.shape,
            images=context.images,
            probability=config.augmentation_probability,
            mask_probability=config.mask_probability,
            tile_sizes=config.tile_sizes,
            noise=config.noise,
            shift=config.shift,
        )

    @property
    def is_random(self) -> bool:
        """Whether states are changed at random."""
        return bool(self.augment.changes)


class TwoViewsObjective(AugmentedObjective[TwoViewsT]):
    """An objective that compares two views of every state; see `TwoViewsConfig`."""

    batch_norm: ClassVar[bool] = False
    """Whether the projector normalises its hidden layers over the batch."""

    def __init__(self, config: TwoViewsT, context: ObjectiveContext) -> None:
        super().__init__(config, context)
        self.projector = head([context.target.features_dim, *config.projector], context, batch_norm=self.batch_norm)
        self.projection_dim = [context.target.features_dim, *config.projector][-1]

    def views(self, batch: Minibatch) -> tuple[Tensor, Tensor]:
        """Both views as the target sees them, ``(B, *shape)``."""
        second = batch.states if self.config.second_view == "obs" else batch.next_states
        return self.augment(batch.states, batch.random), self.augment(second, batch.random)

    def projections(self, batch: Minibatch) -> tuple[Tensor, Tensor]:
        """What the objective compares: the projected features of both views, ``(B, projection_dim)``."""
        if not self.augment.changes and self.config.second_view == "next_obs":
            return self.projector(batch.features), self.projector(batch.next_features)
        first, second = self.views(batch)
        return self.projector(batch.target(first)), self.projector(batch.target(second))


def head(sizes: list[int], context: ObjectiveContext, *, batch_norm: bool = False) -> nn.Sequential:
    """Linear layers of the given sizes with ReLU between them, torch's initialisation; nothing for a single size.

    Args:
        sizes: Inputs, then outputs of each layer.
        context: Has the generator of the weights.
        batch_norm: Whether each ReLU's inputs are normalised over the batch.
    """
    layers: list[Any] = []
    for layer in mlp(sizes) if len(sizes) > 1 else ():
        if batch_norm and isinstance(layer, nn.ReLU):
            layers.append(nn.BatchNorm1d(layers[-1].out_features, track_running_stats=False))
        layers.append(layer)
    return uniform_fan_in(nn.Sequential(*layers), context.generator)
