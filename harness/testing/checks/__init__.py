"""Every check of the kit, one function each, grouped by what they are about.

A check takes a `Subject` (what is said about the method) or a `Lab` (the method in one world; it is then tried in each). It
returns, or raises `Failed` or `NotApplicable`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.testing.checks import batches, cuda, descriptions, episodes, learning, numbers, replay, seeds, state
from harness.testing.outcomes import Failed, NotApplicable
from harness.testing.subject import Lab, Subject


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: Short.
        promise: What it checks, in one sentence.
        hold: Does it.
    """

    name: str
    promise: str
    hold: Callable[[Subject], None]


def _in_every_world(check: Callable[[Lab], None]) -> Callable[[Subject], None]:
    """Try a check for vectors and for images; it applies if it applies to one of them."""

    def hold(subject: Subject) -> None:
        if not subject.labs:
            raise NotApplicable("the method accepts no world to try it in")
        reasons = []
        for lab in subject.labs:
            try:
                check(lab)
            except NotApplicable as reason:
                reasons.append(reason)
            except Failed as failure:
                raise Failed(f"{lab.world}: {failure}") from None
        if len(reasons) == len(subject.labs):
            raise reasons[0]

    return hold


CHECKS: tuple[Check, ...] = (
    Check("config", "the configuration's defaults are valid, it survives JSON, and every field is described",
          descriptions.config),
    Check("presets", "every preset is valid and names its source", descriptions.presets),
    Check("worlds", "images and vectors, discrete and continuous actions: works, or refuses with a clear message",
          descriptions.worlds),
    Check("bonus", "one float32 number without gradient per transition, for batches of any size",
          _in_every_world(numbers.bonus)),
    Check("finite", "every number stays finite on constant and on extreme observations", _in_every_world(numbers.finite)),
    Check("metrics", "an update returns finite floats by name", _in_every_world(numbers.metrics)),
    Check("seed", "the same seed gives the same numbers, another seed gives others", _in_every_world(seeds.seed)),
    Check("streams", "random numbers come from the method's own generator only", _in_every_world(seeds.streams)),
    Check("bonus_is_pure", "asking for a bonus changes nothing", _in_every_world(state.bonus_is_pure)),
    Check("inputs", "transitions are left as they were given", _in_every_world(state.inputs)),
    Check("resume", "restored from a checkpoint, it continues to the same numbers", _in_every_world(state.resume)),
    Check("memory", "learning from the same rollout again and again takes no more memory", _in_every_world(state.memory)),
    Check("learns", "what was visited earns less and less, compared with what was not", _in_every_world(learning.learns)),
    Check("frozen", "what is promised to be frozen never changes", _in_every_world(learning.frozen)),
    Check("gradients", "no gradient of a loss reaches what it is promised not to train",
          _in_every_world(learning.gradients)),
    Check("bonus_order", "a bonus belongs to its transition, wherever in the batch it stands",
          _in_every_world(batches.bonus_order)),
    Check("update_order", "the order of a batch makes no difference to learning, where that is promised",
          _in_every_world(batches.update_order)),
    Check("last_step", "an episode's last step is scored on its true last observation", _in_every_world(episodes.last_step)),
    Check("boundaries", "no bonus depends on what lies outside its promised reach, the next episode least of all",
          _in_every_world(episodes.boundaries)),
    Check("off_policy", "on a replay buffer's batches it learns, scores and resumes as well, in whatever order they come",
          _in_every_world(replay.off_policy)),
    Check("cuda", "on a GPU it goes on from a checkpoint made without one, with the same bonuses",
          _in_every_world(cuda.cuda)),
)  # fmt: skip
"""In the order in which they are shown."""
