"""Every check of the kit, one function each, grouped by what they are about.

A check takes a `Subject` (what is said about the method) or a `ConformanceCase` (the method in environments of one
kind; it is then tried in each). It returns, or raises `CheckFailed` or `NotApplicable`.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.testing.checks import (
    batches,
    descriptions,
    devices,
    episodes,
    following,
    learners,
    learning,
    numbers,
    processes,
    replay,
    seeds,
    state,
)
from harness.testing.checks.check import Check
from harness.testing.outcomes import CheckFailed, NotApplicable
from harness.testing.subject import ConformanceCase, Subject


def _for_each_kind(check: Callable[[ConformanceCase], None]) -> Callable[[Subject], None]:
    """Try a check for vectors and for images; it applies if it applies to one of them."""

    def run(subject: Subject) -> None:
        if not subject.cases:
            raise NotApplicable("the method accepts no kind of environment to try it in")
        reasons: list[NotApplicable] = []
        for case in subject.cases:
            try:
                check(case)
            except NotApplicable as reason:
                reasons.append(reason)
            except CheckFailed as failure:
                raise CheckFailed(f"{case.kind}: {failure}") from None
        if len(reasons) == len(subject.cases):
            raise reasons[0]

    return run


CHECKS: tuple[Check, ...] = (
    Check("config", "the configuration's defaults are valid, it survives JSON, and every field is described",
          descriptions.config),
    Check("presets", "every preset is valid and names its source", descriptions.presets),
    Check("worlds", "images and vectors, discrete and continuous actions: works, or refuses with a clear message",
          descriptions.environment_kinds),
    Check("bonus", "one float32 number without gradient per transition, for batches of any size",
          _for_each_kind(numbers.bonus)),
    Check("finite", "every number stays finite on constant and on extreme observations", _for_each_kind(numbers.finite)),
    Check("metrics", "an update returns finite floats by name", _for_each_kind(numbers.metrics)),
    Check("seed", "the same seed gives the same numbers, another seed gives others", _for_each_kind(seeds.seed)),
    Check("streams", "random numbers come from the method's own generator only", _for_each_kind(seeds.streams)),
    Check("bonus_is_pure", "asking for a bonus changes nothing", _for_each_kind(state.bonus_is_pure)),
    Check("inputs", "transitions are left as they were given", _for_each_kind(state.inputs)),
    Check("resume", "restored from a checkpoint, it continues to the same numbers", _for_each_kind(state.resume)),
    Check("fresh_process", "restored in a new process, it continues to the same numbers", processes.fresh_process),
    Check("memory", "learning from the same rollout again and again takes no more memory", _for_each_kind(state.memory)),
    Check("learns", "what was visited earns less and less, compared with what was not", _for_each_kind(learning.learns)),
    Check("frozen", "what is promised to be frozen never changes", _for_each_kind(learning.frozen)),
    Check("gradients", "no gradient of a loss reaches what it is promised not to train",
          _for_each_kind(learning.gradients)),
    Check("bonus_order", "a bonus belongs to its transition, wherever in the batch it stands",
          _for_each_kind(batches.bonus_order)),
    Check("update_order", "the order of a batch makes no difference to learning, where that is promised",
          _for_each_kind(batches.update_order)),
    Check("last_step", "an episode's last step is scored on its true last observation", _for_each_kind(episodes.last_step)),
    Check("boundaries", "no bonus depends on what lies outside its promised reach, the next episode least of all",
          _for_each_kind(episodes.boundaries)),
    Check("episodes", "what it keeps of an episode begins with its first state, ends with its last, and goes on in all phases",
          _for_each_kind(following.episodes)),
    Check("off_policy", "on a replay buffer's batches it learns, scores and resumes as well, in whatever order they come",
          _for_each_kind(replay.off_policy)),
    Check("learners", "an algorithm of each kind that it declares trains with its bonus", learners.learners),
    Check("device", "everything that it computes is on the device that it was given", _for_each_kind(devices.device)),
    Check("cuda", "on a GPU it goes on from a checkpoint made without one, with the same bonuses",
          _for_each_kind(devices.cuda)),
)  # fmt: skip
"""Every check, in the order in which they are shown."""
