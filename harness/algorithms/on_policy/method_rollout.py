"""The transitions of a rollout, for a method to learn from: images once, in the store that the learner has them from too."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from gymnasium import spaces
from torch import Tensor

from harness.algorithms.gathered_images import GatheredImages
from harness.algorithms.rollout_storage import FrameStacks
from harness.rewards import IntrinsicReward, Transitions

_ENDS = ("obs", "next_obs")


def shared_stacks(reward: IntrinsicReward, n_steps: int) -> FrameStacks | None:
    """Room for the images of a rollout; ``None`` where observations are no images, or the method is not on the CPU.

    Args:
        reward: The method in question.
        n_steps: T, steps of the rollout.
    """
    space, channels = reward.spaces.observation, reward.spaces.frame_channels
    if channels is None or reward.device.type != "cpu" or not isinstance(space, spaces.Box) or len(space.shape) != 3:
        return None
    dtype = np.dtype(cast(Any, space.dtype))
    return FrameStacks(n_steps, reward.n_envs, space.shape, channels, dtype)


class MethodRollout:
    """The transitions of T steps of N environments, allocated when the first step shows what they look like.

    Where the method looks at the newest frames of images, or at all of them, these stay in the store; where its
    `IntrinsicReward.view` makes something else of them, both ends of each transition are kept here.

    Args:
        n_steps: T, steps of the rollout.
        stacks: The store of images; ``None`` for none.

    Attributes:
        position: Number of steps that are known.
    """

    def __init__(self, n_steps: int, stacks: FrameStacks | None) -> None:
        self.n_steps, self.position = n_steps, 0
        self._stacks, self._frames = stacks, 0
        self._fields: dict[str, Tensor] = {}

    @property
    def full(self) -> bool:
        """Whether the rollout is complete."""
        return self.position == self.n_steps

    def nbytes_of(self, n_steps: int) -> int:
        """Bytes that so many steps take on the CPU, images in the store aside."""
        return sum(value.nbytes for value in self._fields.values() if value.is_cpu) * n_steps // self.n_steps

    def clear(self) -> None:
        """Begin anew."""
        self.position = 0

    def add(self, transitions: Transitions, before: np.ndarray, after: np.ndarray, infos: list[dict[str, Any]]) -> None:
        """Keep the N transitions of a step.

        Args:
            transitions: What the method was shown of them.
            before: What the environments showed before the step, ``(N, *shape)``.
            after: What they show now.
            infos: Their infos, which hold the last observations of episodes.
        """
        if self.position == 0:
            self._frames = 0 if self._stacks is None else _newest_frames(transitions.obs, before, self._stacks.channels)
        step = dict(vars(transitions))
        if self._stacks is not None and self._frames:
            for end in _ENDS:
                del step[end]
            self._keep_images(self._stacks, transitions.done, before, after, infos)
        if not self._fields.keys() >= step.keys():
            self._fields = {name: value.new_empty((self.n_steps, *value.shape)) for name, value in step.items()}
        for name, value in step.items():
            self._fields[name][self.position] = value
        self.position += 1

    def transitions(self) -> Transitions:
        """All of them in time order, ``T * N`` rows; valid until the next `add`."""
        fields = {name: value.flatten(0, 1) for name, value in self._fields.items()}
        if self._stacks is not None and self._frames:
            for end in _ENDS:
                places = self._stacks.ends(following=end == "next_obs", frames=self._frames)
                fields[end] = GatheredImages(self._stacks, places)
        return Transitions(**fields)

    def _keep_images(
        self, stacks: FrameStacks, done: Tensor, before: np.ndarray, after: np.ndarray, infos: list[dict[str, Any]]
    ) -> None:
        if self.position == 0:
            stacks.clear()
            stacks[0] = before
        stacks[self.position + 1] = after
        for env in np.flatnonzero(done.numpy()).tolist():
            stacks.end(env, infos[env]["terminal_observation"])


def _newest_frames(seen: Tensor, shown: np.ndarray, channels: int) -> int:
    """How many of the newest frames of each stack a method sees; 0 where it sees anything else.

    Args:
        seen: What it sees, ``(N, *view)``.
        shown: The stacks, ``(N, *shape)``.
        channels: Channels of one frame.
    """
    if seen.ndim != shown.ndim or seen.shape[1] % channels:
        return 0
    newest, view = shown[:, -seen.shape[1] :], seen.numpy()
    same_memory = view.ctypes.data == newest.ctypes.data and view.strides == newest.strides
    return seen.shape[1] // channels if same_memory and view.shape == newest.shape and view.dtype == newest.dtype else 0
