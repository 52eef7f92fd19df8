"""A method that follows episodes does so in every phase, from their first state on, each environment by itself."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.testing.checks.episodes import RECURRING, ROUNDING, episode_alone, through_wrapper, variants, warmed
from harness.testing.outcomes import NotApplicable, differ, require, require_same
from harness.testing.scripted_envs import Script
from harness.testing.subject import ConformanceCase

_MIDDLE, _AFTERWARDS = 2, 4
"""The state that an episode is changed in, and the first step whose bonus is then looked at."""


def episodes(case: ConformanceCase) -> None:
    """Everything that `IntrinsicReward.track` promises.

    In a phase that does not train the method, nothing of it changes but what belongs to the present episodes: whatever else a
    bonus depends on, such as statistics, is then the same in two worlds that differ outside of one episode.
    """
    if not case.follows_episodes:
        raise NotApplicable("it does not define track(), and so keeps nothing of the present episodes")
    require(not case.supports_off_policy, "works_with without off_policy of a method that defines track()", "off_policy in it")
    episode_alone(case, learning=False)
    _first_state(case)
    _fresh_start(case)
    _own_environment(case)


def _first_state(case: ConformanceCase) -> None:
    """If later bonuses depend on a state in the middle of the episode, they depend on its first one as well."""

    def matters(state: int) -> bool:
        base, *others = [{"bonuses": warmed(case, script, learning=False)[_AFTERWARDS:]} for script in variants(case, state)]
        return any(differ(base, other) for other in others)

    if matters(_MIDDLE):
        require(
            matters(0),
            "later bonuses to depend on the first state of an episode as they do on those in its middle",
            "the same bonuses whatever it was: it is seen only as the obs of the first transition",
        )


def _fresh_start(case: ConformanceCase) -> None:
    """Where all environments are reset without any episode being done, nothing of the old ones is left."""
    script = case.recurring_script(1, RECURRING.n_steps).with_ends(*RECURRING.ends())
    before = case.recurring_script(2, RECURRING.n_steps).with_ends()
    found: list[dict[str, Tensor]] = []
    for played in (script, before):
        reward = case.build()
        through_wrapper(case, reward, played, learning=False)
        found.append({"bonuses": through_wrapper(case, reward, script, learning=False)})
    why = "after all environments were reset (begin_episodes), whatever they had seen before"
    require_same(found[0], found[1], why, tolerance=ROUNDING)


def _own_environment(case: ConformanceCase) -> None:
    """What is followed goes by `Transitions.env_index`, wherever in the batch a transition stands."""
    script = case.recurring_script(3, RECURRING.n_steps).with_ends(*RECURRING.ends())
    kept, turned = ({"bonuses": _followed(case, script, turn=turn)} for turn in (0, 1))
    why = "when the environments of a step stand in another order (env_index says which is which)"
    require_same(kept, turned, why, tolerance=ROUNDING)


def _followed(case: ConformanceCase, script: Script, *, turn: int) -> Tensor:
    """The bonuses ``(T, N)`` of a script, in each of whose steps the environments stand ``turn`` places further on."""
    reward, bonuses = case.build(), list[Tensor]()
    for t, step in enumerate(case.steps(reward, script)):
        order = torch.arange(len(step), device=case.device).roll(t * turn)
        shown = step[order]
        reward.track(shown)
        bonus = reward.bonus(shown)
        bonuses.append(torch.empty_like(bonus).index_copy_(0, order, bonus))
    return torch.stack(bonuses)
