"""What the rows of a batch have to do with each other."""

from __future__ import annotations

import torch

from harness.testing.outcomes import NotApplicable, require, require_same
from harness.testing.subject import ConformanceCase

_ROUNDING = 1e-4
"""Sums over other rows, or in another order, differ in their last digits."""

_SHARE = 0.02
"""How much of what an update changes may depend on the order of sums."""


def bonus_order(case: ConformanceCase) -> None:
    """Bonuses move with their transitions; if they depend on nothing else, a part of the batch earns what it earned in it."""
    reward = case.build()
    case.run_rollouts(reward, 1)
    batch = case.rollout(reward, case.script(2))
    shuffled = torch.randperm(len(batch), generator=torch.Generator().manual_seed(0)).to(case.device)
    whole = reward.bonus(batch)
    moved = {"bonuses": reward.bonus(batch[shuffled])}
    require_same({"bonuses": whole[shuffled]}, moved, "for a batch in another order", tolerance=_ROUNDING)
    if case.guarantees.depends_on == "transition":
        part = {"bonuses": reward.bonus(batch[:5])}
        require_same({"bonuses": whole[:5]}, part, "for a part of the batch", tolerance=_ROUNDING)
    case.run_rollouts(reward, 3, recurring=True)  # what environments have seen in their episodes may differ
    batch = case.rollout(reward, case.recurring_script(4))
    expected, moved = {"bonuses": reward.bonus(batch)[shuffled]}, {"bonuses": reward.bonus(batch[shuffled])}
    why = "for a batch in another order, each row after what its env_index has seen"
    require_same(expected, moved, why, tolerance=_ROUNDING)


def update_order(case: ConformanceCase) -> None:
    """Two objects learn from the same rows in different order."""
    if not case.guarantees.any_order:
        raise NotApplicable("it does not promise any_order")
    ordered, shuffled = case.build(), case.build()
    batch = case.rollout(ordered, case.script(1))
    before = ordered.bonus(batch)
    ordered.update(batch)
    shuffled.update(batch[torch.randperm(len(batch), generator=torch.Generator().manual_seed(0)).to(case.device)])
    after, other = ordered.bonus(batch), shuffled.bonus(batch)
    learnt, apart = float((after - before).abs().max()), float((after - other).abs().max())
    require(
        apart <= _SHARE * learnt,
        "an update to learn the same from a batch in another order",
        f"bonuses that differ by {apart:.3g} where the update changed them by {learnt:.3g}",
    )
