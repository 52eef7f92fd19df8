"""What a method answers is checked where it enters: shape, dtype, device and finite numbers of bonuses, and metrics.

Without a check a bonus of one number would be added to every environment's reward, and one that is not a number would end up
in the networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, cast

import numpy as np
import torch
from torch import Tensor

from harness.errors import RunError


class MethodCheck:
    """Refuses what a method may not answer; it takes a few microseconds a step, so that it can stay on.

    Args:
        name: Name of the method, for messages.
        device: Where its bonuses must be.
    """

    def __init__(self, name: str, device: torch.device) -> None:
        self.name, self._device = name, device

    def bonus(self, bonus: object, size: int) -> Tensor:
        """The bonus as float32 ``(size,)``.

        Args:
            bonus: What `IntrinsicReward.bonus` returned.
            size: Number of transitions that it was asked about.

        Raises:
            RunError: It is no such tensor.
        """
        if not isinstance(bonus, Tensor):
            self._fail(f"bonus() returned an object of type {type(bonus).__name__}, where a tensor is promised")
        if bonus.shape != (size,):
            remedy = "one number for each transition"
            self._fail(f"bonus() returned a tensor of shape {tuple(bonus.shape)}, where ({size},) is promised: {remedy}")
        if not bonus.is_floating_point():
            self._fail(f"bonus() returned a tensor of {str(bonus.dtype).removeprefix('torch.')}, where float32 is promised")
        if not self._is_here(bonus.device):
            self._fail(f"bonus() returned a tensor on {bonus.device}, where {self._device} is promised")
        if bonus.requires_grad:
            self._fail("bonus() returned a tensor that carries a gradient; compute it under torch.no_grad()")
        return bonus if bonus.dtype == torch.float32 else bonus.float()

    def finite(self, bonus: np.ndarray) -> None:
        """Check the bonuses of one step of every environment, ``(N,)``.

        Raises:
            RunError: One of them is not finite; names its environment.
        """
        if not np.isfinite(bonus).all():
            env = int(np.flatnonzero(~np.isfinite(bonus))[0])
            self._fail(f"its bonus for environment {env} is {bonus[env]}, which is not finite")

    def finite_batch(self, bonus: Tensor, env_index: Tensor) -> None:
        """Check the bonuses of a sampled batch, ``(B,)``.

        Args:
            bonus: The bonuses of the batch.
            env_index: The environment of each transition, int64 ``(B,)``.

        Raises:
            RunError: One of them is not finite; names the environment of its transition.
        """
        finite = torch.isfinite(bonus)
        if not bool(finite.all()):
            row = int(torch.nonzero(~finite)[0])
            where = f"a sampled transition of environment {int(env_index[row])}"
            self._fail(f"its bonus for {where} is {float(bonus[row])}, which is not finite")

    def metrics(self, metrics: object, function: str) -> dict[str, float]:
        """The metrics as numbers.

        A loss must be finite. Other metrics may be NaN where there is nothing to measure.

        Args:
            metrics: What the method returned.
            function: Name of the function that returned it.

        Raises:
            RunError: They are no numbers by name, or a loss is not finite.
        """
        if not isinstance(metrics, Mapping):
            self._fail(f"{function}() returned an object of type {type(metrics).__name__}, where metrics by name are promised")
        found: dict[str, float] = {}
        for name, value in cast(Mapping[Any, Any], metrics).items():
            number = as_number(value)
            if not isinstance(name, str) or number is None:
                self._fail(f"{function}() returned {str(name)[:40]!r}: {str(value)[:40]}, where a number by name is promised")
            found[name] = number
            if is_broken_loss(name, number):
                self._fail(f"{name!r} of its {function}() is {number}, which is not finite")
        return found

    def _is_here(self, device: torch.device) -> bool:
        indices: set[int | None] = {device.index, self._device.index}
        return device.type == self._device.type and len(indices - {None}) <= 1

    def _fail(self, what: str) -> NoReturn:
        raise RunError(f"method {self.name!r}: {what}")


def as_number(value: Any) -> Any:
    """A metric as a number of Python or NumPy, as it was given; a tensor of one number as that; ``None`` for anything else."""
    given: Any = value
    if isinstance(value, Tensor | np.ndarray):
        given = given.item() if given.ndim == 0 else None
    is_number: bool = isinstance(cast(object, given), int | float | np.integer | np.floating)
    return given if is_number else None


def is_broken_loss(name: str, value: float) -> bool:
    """Whether a metric is a loss, by its name, and not finite."""
    return "loss" in name and not np.isfinite(value)
