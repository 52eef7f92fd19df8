"""Where a run is in its phases, and what happens between two of them."""

from __future__ import annotations

from harness.algorithms.base import Learner
from harness.algorithms.reward_wrapper import BonusVecEnv
from harness.spec import PhaseSpec, Purpose, RunSpec, derive_seeds

_FIRST_SEED_INDEX = 2
"""Draw of network seeds for the first phase; those before are the learner's and the method's."""


class PhaseSchedule:
    """The phases of a run under way.

    Args:
        spec: Specification of the run.
        learner: What a phase may reset.
        bonus_env: What applies a phase's weights; ``None`` for a run without a bonus, which has no phases.
    """

    def __init__(self, spec: RunSpec, learner: Learner, bonus_env: BonusVecEnv | None) -> None:
        self.spec, self.learner, self.bonus_env = spec, learner, bonus_env
        self.index = 0

    @property
    def name(self) -> str | None:
        """Name of the present phase; ``None`` for a run without phases."""
        return self._current.name if self._current else None

    def resume(self, index: int) -> None:
        """Go on in a phase that had begun before: nothing is reset."""
        self.index = index
        if self._current and self.bonus_env is not None:
            phase = self._current
            self.bonus_env.set_phase(phase.extrinsic_weight, phase.intrinsic_weight, phase.train_reward)

    def begin(self, step: int) -> None:
        """Begin the phase that follows ``step`` steps, with what it wants anew."""
        self.resume(self.spec.phase_at(step))
        if self._current and self._current.reset:
            seed = derive_seeds(self.spec.seed, Purpose.NETWORKS, _FIRST_SEED_INDEX + self.index, 1)[0]
            self.learner.reset(self._current.reset, seed)

    def advance(self, step: int) -> None:
        """Begin the next phase if the present one is over after ``step`` steps."""
        if self.spec.phase_at(step) != self.index:
            self.begin(step)

    @property
    def _current(self) -> PhaseSpec | None:
        return self.spec.phases[self.index] if self.spec.phases else None
