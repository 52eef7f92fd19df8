"""Actions as networks take and guess them: what inverse and forward models of every method have in common."""

from __future__ import annotations

from math import prod
from typing import Any, cast

import torch
from gymnasium import spaces as gym_spaces
from torch import Tensor
from torch.nn import functional as F

from harness.errors import UserError


class ActionCodec:
    """Turns stored actions into inputs of networks, and guesses of networks into errors.

    Args:
        space: Space of one environment's actions.
        method: Name of the method, for messages.

    Attributes:
        width: Numbers of one encoded action, and of one guess.
        discrete: Whether an action is one of a few, which is encoded as one of ``width`` numbers being 1.

    Raises:
        UserError: When actions are neither discrete nor a box of numbers.
    """

    def __init__(self, space: gym_spaces.Space[Any], method: str) -> None:
        self.discrete = isinstance(space, gym_spaces.Discrete)
        if isinstance(space, gym_spaces.Discrete):
            self._start, self.width = int(space.start), int(space.n)
        elif isinstance(space, gym_spaces.Box):
            self._start, self.width = 0, prod(space.shape)
        else:
            raise UserError(f"{method} needs actions that are Discrete or a Box of numbers, not {type(space).__name__}")

    def encode(self, actions: Tensor, dtype: torch.dtype) -> Tensor:
        """What networks are given of actions, ``(B, width)``."""
        if self.discrete:
            return F.one_hot(self._classes(actions), self.width).to(dtype)
        return actions.flatten(1).to(dtype)

    def error(self, guesses: Tensor, actions: Tensor, *, norm: bool = False) -> Tensor:
        """The error of each guess, ``(B,)``.

        Args:
            guesses: Logits of the actions, or the numbers of a box, ``(B, width)``.
            actions: The actions as they are stored.
            norm: Whether errors in boxes are Euclidean norms instead of means of squares.
        """
        if self.discrete:
            return F.cross_entropy(guesses, self._classes(actions), reduction="none")
        difference = guesses - actions.flatten(1).to(guesses.dtype)
        return cast(Tensor, torch.linalg.vector_norm(difference, dim=1)) if norm else difference.square().mean(1)

    def score(self, guesses: Tensor, actions: Tensor) -> float:
        """How good guesses are: the share that is right, or 1 less the share of the actions' variance that is left."""
        if self.discrete:
            return float((guesses.argmax(1) == self._classes(actions)).double().mean())
        return explained_share(guesses, actions.flatten(1).to(guesses.dtype))

    def _classes(self, actions: Tensor) -> Tensor:
        return actions.flatten() - self._start


def explained_share(predictions: Tensor, targets: Tensor) -> float:
    """1 less the mean squared error over the targets' variance, at least -1: 0 for what is no better than their mean."""
    variance = targets.var(0, correction=0).mean()
    if not variance > 0:
        return 0.0
    return float((1 - (predictions - targets).square().mean() / variance).nan_to_num(-1.0).clamp(-1, 1))
