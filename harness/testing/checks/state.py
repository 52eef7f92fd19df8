"""What a method keeps: its state, and nothing beside it."""

from __future__ import annotations

import gc
import tempfile
import tracemalloc
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.rewards import IntrinsicReward, Transitions
from harness.testing.outcomes import require, require_same
from harness.testing.subject import ConformanceCase
from harness.training import checkpoints, trees

_WARM_UP, _WATCHED = 2, 3
_ARRAY = 256
"""Bytes from which on a block of Python's memory is looked at; a tensor counts that much beside its numbers. Smaller blocks
come and go with torch's wrappers, and their sum grows for a while in every method."""


def bonus_is_pure(case: ConformanceCase) -> None:
    """Neither the state nor anything that the method keeps beside it changes, and no gradient appears."""
    scored, unscored = case.build(), case.build()
    for reward in (scored, unscored):
        case.run_rollouts(reward, 1)
    before = state_tensors(scored)
    for seed in (2, 3):
        scored.bonus(case.rollout(scored, case.script(seed)))
    require_same(before, state_tensors(scored), "in the state after bonus()")
    expected, found = (_without_metrics(_run_another_rollout(case, reward)) for reward in (unscored, scored))
    require_same(expected, found, "later, whether or not bonuses were asked for in between")


def inputs(case: ConformanceCase) -> None:
    """The rollout's memory, of which transitions are a view, is read and never written."""
    reward = case.build()
    steps, rollout = case.steps(reward, case.script(1)), case.rollout(reward, case.script(1))
    for name, call, given in (
        ("track()", reward.track, steps[0]),
        ("observe()", reward.observe, steps[0]),
        ("bonus()", reward.bonus, steps[0]),
        ("bonus()", reward.bonus, rollout),
        ("update()", reward.update, rollout),
    ):
        before = copy_fields(given)
        call(given)
        require_same(before, copy_fields(given), f"in the transitions after {name}")


def resume(case: ConformanceCase) -> None:
    """Through a real checkpoint on the disk, into an object that was built from another seed."""
    for recurring, where in ((False, ""), (True, " in mid-episode, where states come again")):
        unbroken, resumed = case.build(1), case.build(2)
        case.run_rollouts(unbroken, 1, recurring=recurring)
        resumed.load_state_dict(checkpoint_round_trip(unbroken))
        require_same(state_tensors(unbroken), state_tensors(resumed), "in the state after a checkpoint")
        expected, found = (_run_another_rollout(case, reward, recurring=recurring) for reward in (unbroken, resumed))
        require_same(expected, found, f"after a checkpoint{where}")


def memory(case: ConformanceCase) -> None:
    """Neither tensors that are alive nor Python's memory grow with every update."""
    reward = case.build()
    case.run_rollouts(reward, 1)
    rollout = case.rollout(reward, case.script(1))
    gc.collect()
    gc.freeze()  # only what is created from here on is looked at
    tracemalloc.start()
    try:
        sizes: list[int] = []
        for _ in range(_WARM_UP + _WATCHED):
            reward.update(rollout)
            sizes.append(_memory())
    finally:
        tracemalloc.stop()
        gc.unfreeze()
    growth = [b - a for a, b in zip(sizes[_WARM_UP - 1 :], sizes[_WARM_UP:], strict=False)]
    steady = f"no growth in {_WATCHED} updates from the same rollout"
    require(min(growth) <= 0, steady, f"{', '.join(map(str, growth))} bytes more after each")


def state_tensors(reward: IntrinsicReward) -> dict[str, Tensor]:
    """A copy of everything that a checkpoint would hold."""
    skeleton, tensors = trees.flatten(dict(reward.state_dict()))
    text = torch.tensor(list(str(skeleton).encode()), dtype=torch.uint8)
    return {"the state's structure": text} | {f"the state's {name}": tensor.clone() for name, tensor in tensors.items()}


def checkpoint_round_trip(reward: IntrinsicReward) -> dict[str, Any]:
    """The state, written to a checkpoint on the disk and read again."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.save(Path(folder) / "checkpoint", 1, {"reward": dict(reward.state_dict())})
        loaded = checkpoints.load(Path(folder) / "checkpoint")
    assert loaded is not None
    return loaded[1]["reward"]


def _run_another_rollout(case: ConformanceCase, reward: IntrinsicReward, *, recurring: bool = False) -> dict[str, Tensor]:
    """What comes out of one more rollout, and what is left after it."""
    return case.run_rollouts(reward, 4, recurring=recurring) | state_tensors(reward)


def _without_metrics(record: dict[str, Tensor]) -> dict[str, Tensor]:
    """What training sees; a log may well tell how many bonuses there were."""
    return {name: values for name, values in record.items() if not name.startswith("metric")}


def copy_fields(transitions: Transitions) -> dict[str, Tensor]:
    """A copy of every field."""
    return {field.name: getattr(transitions, field.name).clone() for field in fields(transitions)}


def _memory() -> int:
    """Bytes of all tensors that Python holds, and of all else of an array's size that it has allocated."""
    gc.collect()
    tensors: list[torch.Tensor] = [found for found in gc.get_objects() if issubclass(type(found), torch.Tensor)]
    blocks = [trace.size for trace in tracemalloc.take_snapshot().traces]
    return sum(tensor.nbytes + _ARRAY for tensor in tensors) + sum(size for size in blocks if size >= _ARRAY)
