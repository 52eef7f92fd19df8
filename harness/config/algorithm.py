"""What the core asks of a base algorithm before anything is imported that trains: the base of its configuration."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field

from harness.config.base import Config

LearnerKind = Literal["on_policy", "off_policy", "sequences", "discrete", "continuous"]
"""What a learner can be; see `KIND_AXES`."""

LEARNER_KINDS: frozenset[str] = frozenset(get_args(LearnerKind))

KIND_AXES: Mapping[str, frozenset[str]] = {
    "learner": frozenset({"on_policy", "off_policy"}),
    "memory": frozenset({"sequences"}),
    "actions": frozenset({"discrete", "continuous"}),
}
"""The questions that kinds answer. Who names no kind of an axis accepts all of it; ``sequences`` are learners with a recurrent
state, which train on whole sequences."""


def missing_kinds(wanted: Collection[str], offered: Collection[str]) -> list[frozenset[str]]:
    """What somebody asks of a learner that it is not.

    Args:
        wanted: The kinds that will do.
        offered: The kinds that the learner is.

    Returns:
        For each of the `KIND_AXES` on which they share nothing, the kinds that would do.
    """
    wanted_kinds = [axis & frozenset(wanted) for axis in KIND_AXES.values()]
    return [kinds for kinds in wanted_kinds if kinds and not kinds & frozenset(offered)]


class AlgorithmConfig(Config):
    """The base of every algorithm's configuration.

    Everything that planning, estimates and assembly ask of an algorithm is declared here; a subclass overrides what differs.
    """

    kind: ClassVar[Literal["on_policy", "off_policy"]]
    """Whether it learns from its newest rollout alone, or from a replay buffer. Every algorithm must say so."""

    sequences: ClassVar[bool] = False
    """Whether its policy has a recurrent state and trains on whole sequences."""

    actions: ClassVar[frozenset[str]] = KIND_AXES["actions"]
    """The kinds of actions that it learns."""

    combine_modes: ClassVar[frozenset[str]] = frozenset({"sum"})
    """Ways to combine a bonus with the extrinsic reward."""

    resettable_parts: ClassVar[frozenset[str]] = frozenset({"actor", "critics", "optimizers"})
    """What a phase may reset."""

    architecture_fields: ClassVar[frozenset[str] | None] = None
    """Settings that shape what a checkpoint holds: a run begins only from one that agrees in them. ``None`` if all may."""

    precisions: ClassVar[frozenset[str]] = frozenset({"float32"})
    """The formats in which its networks can compute, out of ``float32`` and ``bf16``."""

    family_defaults: ClassVar[frozenset[str]] = frozenset()
    """Settings whose default is the environment family's own."""

    n_envs: int = Field(default=1, gt=0)
    """N, environments that step together."""

    threads: int = Field(default=1, gt=0)
    """CPU threads of torch and of the environments. Part of a run's identity, since sums depend on it."""

    @classmethod
    def kinds(cls) -> frozenset[str]:
        """All kinds of learner that it is, from every one of the `KIND_AXES`."""
        return frozenset({cls.kind}) | cls.actions | ({"sequences"} if cls.sequences else set[str]())

    @property
    def network_name(self) -> str:
        """The network that it builds, by its registered name; empty if it builds its own."""
        return ""

    @property
    def steps_per_iteration(self) -> int:
        """Steps between two rows of the log, over all environments."""
        return self.n_envs

    @property
    def least_steps(self) -> Mapping[str, int]:
        """Steps that a run must have for anything to be learned and logged, by the setting that asks for them."""
        return {}

    @property
    def stored_transitions(self) -> int:
        """Transitions in memory at most."""
        return self.steps_per_iteration

    @property
    def transitions_per_update(self) -> int:
        """Transitions in each gradient step."""
        return self.steps_per_iteration

    def probe_settings(self, n_envs: int, n_steps: int) -> dict[str, Any]:
        """Settings of the same run at a small scale, to be timed.

        Args:
            n_envs: The number of environments at most.
            n_steps: About how many steps an iteration may take, over all environments.
        """
        return {"n_envs": min(self.n_envs, n_envs)}
