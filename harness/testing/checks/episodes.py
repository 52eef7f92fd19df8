"""Episodes have ends: what is scored there, and what must not be seen from there.

All checks go through the wrapper that training uses, around environments that follow a script.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harness.algorithms.on_policy.intrinsic import IntrinsicRewardVecEnv
from harness.rewards import IntrinsicReward
from harness.spec import Combination
from harness.testing.outcomes import require_same
from harness.testing.scripted_envs import Script, ScriptedVecEnv
from harness.testing.subject import ConformanceCase

ROUNDING = 1e-5

_FIRST, _LAST = 3, 5
"""Steps of the episode of environment 0 that is looked at; another ends just before it."""

_ENDS = ((_FIRST - 1, 0), (_LAST, 0), (1, 1), (4, 2))


@dataclass(frozen=True)
class Recurring:
    """Two scripts of the same few states, which differ outside of one episode of environment 0.

    The episode is long enough for methods that look for ten neighbours in it.
    """

    first = 12
    last = 28
    n_steps = 32

    def ends(self, *, judged: bool = True) -> tuple[tuple[int, int], ...]:
        """Where episodes end; whether the one that is looked at does."""
        return ((self.first - 1, 0), *([(self.last, 0)] if judged else []), (5, 1), (20, 1), (17, 2), (25, 3))

    def scripts(self, case: ConformanceCase, *, truncated: bool) -> tuple[Script, Script]:
        """The two scripts, whose episodes end alike."""
        own, other = (
            case.recurring_script(seed, self.n_steps).with_ends(*self.ends(), truncated=truncated) for seed in (1, 2)
        )
        return own, own.keeping(other, **_known(own, self.first, self.last, everyone=False))

    @property
    def judged(self) -> slice:
        """Steps of the episode that is looked at."""
        return slice(self.first, self.last + 1)


RECURRING = Recurring()


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
    require_same({"bonuses": torch.stack(expected)}, found, why, tolerance=ROUNDING)


def boundaries(case: ConformanceCase) -> None:
    """Two scripts that agree only on what a bonus may depend on give it the same value."""
    own, other = case.script(1).with_ends(*_ENDS), case.script(2).with_ends(*_ENDS)
    first_known, first_judged = {
        "past": (0, 0),
        "episode": (_FIRST, _FIRST),
        "transition": (_LAST, _LAST),
    }[case.guarantees.depends_on]
    changed = own.keeping(other, **_known(own, first_known, _LAST, everyone=case.guarantees.depends_on == "past"))
    judged = slice(first_judged, _LAST + 1)
    expected, found = ({"bonuses": warmed(case, script)[judged, 0]} for script in (own, changed))
    outside = {
        "past": "after the end of the episode",
        "episode": "outside of the episode (it promises to depend on nothing else)",
        "transition": "outside of the transition (it promises to depend on nothing else)",
    }[case.guarantees.depends_on]
    require_same(expected, found, f"whatever happens {outside}", tolerance=ROUNDING)
    if case.guarantees.depends_on == "episode":
        episode_alone(case, learning=True)


def episode_alone(case: ConformanceCase, *, learning: bool) -> None:
    """Within an episode, bonuses depend on it alone, though its states were seen before and elsewhere; nor on its end.

    Args:
        case: The method, whose bonuses depend on nothing but the episode.
        learning: Whether the phase trains the method.
    """
    for truncated, how in ((False, "terminated"), (True, "truncated")):
        own, changed = RECURRING.scripts(case, truncated=truncated)
        expected, found = (_judged(case, script, learning=learning) for script in (own, changed))
        why = f"whatever states earlier episodes, which were {how}, and other environments have seen"
        require_same(expected, found, why, tolerance=ROUNDING)
        going_on = own.with_ends(*RECURRING.ends(judged=False), truncated=truncated)
        why = f"of the last step, whether the episode is {how} there or goes on: memories are cleared after they were asked"
        require_same(_judged(case, going_on, learning=learning), expected, why, tolerance=ROUNDING)


def through_wrapper(case: ConformanceCase, reward: IntrinsicReward, script: Script, *, learning: bool = True) -> Tensor:
    """The bonuses ``(T, N)`` of a script in a run, before any update.

    Args:
        case: The method in environments of one kind.
        reward: The method itself.
        script: What happens in the environments.
        learning: Whether the phase trains the method.
    """
    plain = Combination(mode="two_critics")
    environments = IntrinsicRewardVecEnv(ScriptedVecEnv(case.kind.spaces, script), reward, len(script) + 1, plain)
    environments.set_phase(1.0, 1.0, train_reward=learning)
    environments.reset()
    for action in script.action:
        environments.step(action)
    return torch.from_numpy(environments.bonuses[:-1])


def warmed(case: ConformanceCase, script: Script, *, learning: bool = True) -> Tensor:
    """The bonuses ``(T, N)`` of a script after a rollout of training; arguments are those of `through_wrapper`."""
    reward = case.build()
    case.warm_up(reward)
    case.run_rollouts(reward, 3)
    return through_wrapper(case, reward, script, learning=learning)


def _judged(case: ConformanceCase, script: Script, *, learning: bool) -> dict[str, Tensor]:
    return {"bonuses": warmed(case, script, learning=learning)[RECURRING.judged, 0]}


def _known(script: Script, first: int, last: int, *, everyone: bool) -> dict[str, np.ndarray]:
    """For each field, where it belongs to environment 0 (or everyone) from step ``first`` to ``last``, its episode's end."""
    steps = np.zeros(script.done.shape, dtype=bool)
    steps[first : last + 1, slice(None) if everyone else 0] = True
    seen = np.concatenate([steps, np.zeros_like(steps[:1])])  # where a step begins; the next episode begins after the last
    if everyone:
        seen[last + 1] = True  # where the others' last step leads
        seen[last + 1, 0] = False
    return {"obs": seen, "final": steps, "action": steps, "reward": steps, "terminated": steps, "truncated": steps}


def variants(case: ConformanceCase, state: int) -> Iterator[Script]:
    """One episode in every environment, whose state after so many steps differs from script to script, and nothing else."""
    pool = case.recurring_script(0, 64)
    states = [pool.obs[t, 0] for t in range(64)]
    distinct = [one for i, one in enumerate(states) if not any(np.array_equal(one, before) for before in states[:i])]
    script = case.recurring_script(1, RECURRING.n_steps).with_ends()
    for replacement in distinct:
        obs, final = script.obs.copy(), script.final.copy()
        obs[state, :] = replacement
        if state:
            final[state - 1, :] = replacement
        yield Script(obs, final, script.action, script.reward, script.terminated, script.truncated)
