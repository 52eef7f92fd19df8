"""Where random numbers come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from harness.algorithms import randomness
from harness.testing.checks.state import state_tensors
from harness.testing.outcomes import CheckFailed, differ, require, require_same
from harness.testing.subject import ConformanceCase


def seed(case: ConformanceCase) -> None:
    """The seed decides every number, whatever the global streams are."""
    first = _run_record(case, seed=3, global_seed=1)
    require_same(first, _run_record(case, seed=3, global_seed=2), "from the same seed")
    if not case.guarantees.deterministic:
        hint = "the same; a method without randomness promises deterministic=True"
        require(differ(first, _run_record(case, seed=4, global_seed=1)), "other numbers from another seed", hint)


def streams(case: ConformanceCase) -> None:
    """Python's, NumPy's and torch's global streams stand where they stood after each call."""
    reward = case.build()
    for step in case.steps(reward, case.script(1)):
        with untouched("track"):
            reward.track(step)
        with untouched("observe"):
            reward.observe(step)
        with untouched("bonus"):
            reward.bonus(step)
    rollout = case.rollout(reward, case.script(1))
    with untouched("update"):
        reward.update(rollout)


def _run_record(case: ConformanceCase, *, seed: int, global_seed: int) -> dict[str, Tensor]:
    """Everything that comes out of a rollout and what is left after it, the generator itself aside."""
    with randomness.temporary_seed(global_seed):
        reward = case.build(seed)
        record = case.run_rollouts(reward, 1)
    return record | {name: values for name, values in state_tensors(reward).items() if not name.endswith("/generator")}


class untouched:  # noqa: N801  reads as a phrase where it is used
    """Fails if the block that it guards draws from a global stream."""

    def __init__(self, call: str) -> None:
        self.call = call

    def __enter__(self) -> None:
        self.before = randomness.get_state()

    def __exit__(self, *_: object) -> None:
        after = randomness.get_state()
        moved = [name for name, stream in self.before.items() if not _equal(stream, after[name])]
        if moved:
            drawn = f"numbers drawn from the global stream of {' and '.join(moved)}"
            raise CheckFailed(f"expected {self.call} to draw from self.generator only, got {drawn}")


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple):
        items = cast(Sequence[Any], one)
        return len(items) == len(other) and all(map(_equal, items, other))
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    return np.array_equal(one, other)
