"""Episodes have ends: what is scored there, and what must not be seen from there.

Both checks go through the wrapper that training uses, around environments that follow a script.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.rewards import IntrinsicReward
from harness.spec import Combination
from harness.testing.outcomes import require_same
from harness.testing.scripted_envs import Script, ScriptedVecEnv
from harness.testing.subject import ConformanceCase

_FIRST, _LAST = 3, 5
"""Steps of the episode of environment 0 that is looked at; another ends just before it."""

_ENDS = ((_FIRST - 1, 0), (_LAST, 0), (1, 1), (4, 2))
_ROUNDING = 1e-5


def last_step(case: ConformanceCase) -> None:
    """Through the wrapper the bonuses are those of transitions put together by hand, last observations included."""
    by_hand, wrapped = case.build(), case.build()
    script = case.script(1).with_ends(*_ENDS)
    expected: list[torch.Tensor] = []
    for step in case.steps(by_hand, script):
        by_hand.track(step)
        by_hand.observe(step)
        expected.append(by_hand.bonus(step))
    found = {"bonuses": through_wrapper(case, wrapped, script)}
    why = "in a run as from transitions that end in the true last observation"
    require_same({"bonuses": torch.stack(expected)}, found, why, tolerance=_ROUNDING)


def boundaries(case: ConformanceCase) -> None:
    """Two scripts that agree only on what a bonus may depend on give it the same value."""
    own, other = case.script(1).with_ends(*_ENDS), case.script(2).with_ends(*_ENDS)
    first_known, first_judged = {
        "past": (0, 0),
        "episode": (_FIRST, _FIRST),
        "transition": (_LAST, _LAST),
    }[case.guarantees.depends_on]
    changed = own.keeping(other, **_known(own, first_known, everyone=case.guarantees.depends_on == "past"))
    judged = slice(first_judged, _LAST + 1)
    expected, found = ({"bonuses": _warmed(case, script)[judged, 0]} for script in (own, changed))
    outside = {
        "past": "after the end of the episode",
        "episode": "outside of the episode (it promises to depend on nothing else)",
        "transition": "outside of the transition (it promises to depend on nothing else)",
    }[case.guarantees.depends_on]
    require_same(expected, found, f"whatever happens {outside}", tolerance=_ROUNDING)


def through_wrapper(case: ConformanceCase, reward: IntrinsicReward, script: Script) -> Tensor:
    """The bonuses ``(T, N)`` of a script in a run, before any update."""
    plain = Combination(mode="two_critics")
    environments = IntrinsicRewardVecEnv(ScriptedVecEnv(case.kind.spaces, script), reward, len(script) + 1, plain)
    environments.reset()
    for action in script.action:
        environments.step(action)
    return torch.from_numpy(environments.bonuses[:-1])


def _warmed(case: ConformanceCase, script: Script) -> Tensor:
    reward = case.build()
    case.warm_up(reward)
    case.run_rollouts(reward, 3)
    return through_wrapper(case, reward, script)


def _known(script: Script, first: int, *, everyone: bool) -> dict[str, np.ndarray]:
    """For each field, where it belongs to environment 0 (or everyone) from step ``first`` to the end of the episode."""
    steps = np.zeros(script.done.shape, dtype=bool)
    steps[first : _LAST + 1, slice(None) if everyone else 0] = True
    seen = np.concatenate([steps, np.zeros_like(steps[:1])])  # where a step begins; the next episode begins after the last
    if everyone:
        seen[_LAST + 1] = True  # where the others' last step leads
        seen[_LAST + 1, 0] = False
    return {"obs": seen, "final": steps, "action": steps, "reward": steps, "terminated": steps, "truncated": steps}
