"""What several methods look at, in one array: the views of all of them, byte beside byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from gymnasium import spaces as gym_spaces
from torch import Tensor

from harness.errors import UserError
from harness.rewards import IntrinsicReward, Transitions


@dataclass(frozen=True)
class _Segment:
    """Where in each row of bytes a view lies.

    Attributes:
        start: Its first byte.
        end: The byte after its last.
        shape: Shape of the view of one observation.
        dtype: Type of its numbers.
    """

    start: int
    end: int
    shape: tuple[int, ...]
    dtype: torch.dtype


class JointView:
    """Packs the views of several methods into one array, and takes them out again.

    Who looks at whole observations as they are shares them with all others that do. If all do, nothing is packed.

    Args:
        rewards: The methods, in the order in which views are laid out.
        observation_space: Space of one environment's observations.
    """

    def __init__(self, rewards: Sequence[IntrinsicReward[Any]], observation_space: gym_spaces.Space[Any]) -> None:
        self._rewards = rewards
        whole = [i for i, reward in enumerate(rewards) if _looks_at_everything(reward)]
        self._shared = [i in whole[1:] for i in range(len(rewards))]  # what an earlier one looks at as well
        self.packs = len(whole) < len(rewards)
        self._segments: list[_Segment] = []
        if self.packs:
            self._lay_out(np.zeros((1, *(observation_space.shape or ())), dtype=observation_space.dtype))

    def pack(self, observations: np.ndarray) -> np.ndarray:
        """What is stored of raw observations ``(B, *shape)``: themselves, or uint8 ``(B, bytes)``."""
        if not self.packs:
            return observations
        views = [reward.view(observations) for reward in self._rewards]
        return np.concatenate(
            [_as_bytes(view) for view, shared in zip(views, self._shared, strict=True) if not shared], axis=1
        )

    def unpack(self, states: Tensor) -> list[Tensor]:
        """The view of each method, ``(B, *view)``, of what `pack` gave, on its device."""
        if not self.packs:
            return [states] * len(self._rewards)
        views: dict[_Segment, Tensor] = {}
        for segment in self._segments:
            if segment not in views:
                part = states[:, segment.start : segment.end].contiguous()
                views[segment] = part.view(segment.dtype).reshape(len(states), *segment.shape)
        return [views[segment] for segment in self._segments]

    def augment(self, states: Tensor) -> Tensor:
        """What `pack` gave, with each view as its method distorts it.

        Raises:
            UserError: A method makes something of another shape or type of it.
        """
        if not self.packs:
            return states
        kept: list[Tensor] = []
        for reward, shared, view in zip(self._rewards, self._shared, self.unpack(states), strict=True):
            distorted = reward.augment(view)
            if (distorted.shape, distorted.dtype) != (view.shape, view.dtype):
                raise UserError(
                    f"{type(reward).__name__} cannot be mixed: what it learns from is not of the type that is stored"
                )
            if not shared:
                kept.append(distorted.reshape(len(view), -1).contiguous().view(torch.uint8))
        return torch.cat(kept, dim=1)

    def parts(self, transitions: Transitions) -> list[Transitions]:
        """The transitions as each method sees them."""
        if not self.packs:
            return [transitions] * len(self._rewards)
        rest = {name: value for name, value in vars(transitions).items() if name not in ("obs", "next_obs")}
        ends = zip(self.unpack(transitions.obs), self.unpack(transitions.next_obs), strict=True)
        return [Transitions(obs=obs, next_obs=next_obs, **rest) for obs, next_obs in ends]

    def _lay_out(self, example: np.ndarray) -> None:
        shown: _Segment | None = None
        end = 0
        for reward, shared in zip(self._rewards, self._shared, strict=True):
            if shared and shown is not None:
                self._segments.append(shown)
                continue
            view = reward.view(example)
            start, end = end, end + prod(view.shape[1:]) * view.dtype.itemsize
            segment = _Segment(start, end, view.shape[1:], torch.from_numpy(view[:0].copy()).dtype)
            shown = segment if _looks_at_everything(reward) else shown
            self._segments.append(segment)


def _looks_at_everything(reward: IntrinsicReward[Any]) -> bool:
    """Whether a method sees whole observations as they are, off-policy ones included."""
    own = type(reward)
    return own.view is IntrinsicReward.view and own.augment is IntrinsicReward.augment


def _as_bytes(view: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(view).reshape(len(view), -1).view(np.uint8)
