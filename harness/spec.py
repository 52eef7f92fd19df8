"""The `RunSpec`: everything one training run needs and nothing else, as plain JSON; its identity and its seeds."""

from __future__ import annotations

import hashlib
import json
from enum import IntEnum
from itertools import accumulate
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, JsonValue, ValidationInfo, field_validator, model_validator

from harness.config import Config, EnvironmentConfig, Search

SEED_BITS = 31

MAX_COUNT = 10**15
"""The largest count, such as of steps: at a million steps a second, thirty years."""

TUNING_SEEDS = 1 << 31
"""The first run seed of a study's trials; no suite can name it, since its seeds end below."""

CONFIRMATION_SEEDS = TUNING_SEEDS + (1 << 30)
"""The first run seed with which a study's best trials are run again."""


_AS_IN_NOVEMBER = "prior"
"""The ``normaliser_start`` of every run of before there was one: left out of dumps, so that their digests stay."""


SAVES_STATE, REPLAYS_ACTIONS = 1, 2
"""Values of `RunSpec.training_version`. Every run of before there was one is of the first, which is left out of dumps."""


def training_version(environment: EnvironmentConfig) -> int:
    """The version of training that a new run in these environments has; see `RunSpec.training_version`."""
    return SAVES_STATE if environment.saves_state else REPLAYS_ACTIONS


Float = Literal["float32", "bf16"]
"""A format in which networks compute."""


class Precision(Config):
    """The formats in which networks compute: ``float32``, or ``bf16`` for 8 instead of 24 significant bits.

    Only layers are concerned. Parameters, optimiser states, losses, statistics, advantages and probabilities are float32.
    """

    policy: Float = "float32"
    """Format of the learner's networks, the critics and their targets among them."""

    bonus: Float = "float32"
    """Format of the method's networks."""


class EnvironmentSpec(Config):
    """An environment family with its fully resolved configuration."""

    family: str
    config: dict[str, JsonValue]


class AlgorithmSpec(Config):
    """A base algorithm with its fully resolved configuration."""

    name: str
    config: dict[str, JsonValue]


class Combination(Config):
    """How the bonus and the extrinsic reward become what the learner maximises."""

    mode: Literal["sum", "two_critics"] = "two_critics"
    """``sum`` adds the weighted rewards and works with every algorithm; ``two_critics`` gives PPO a second value head."""

    extrinsic_weight: float = Field(default=1.0, ge=0)
    """Weight of the extrinsic reward (``sum``) or of its advantage (``two_critics``)."""

    intrinsic_weight: Annotated[float, Search(low=1e-3, high=10.0, log=True)] = Field(default=1.0, ge=0)
    """Weight of the bonus (``sum``) or of its advantage (``two_critics``)."""

    intrinsic_gamma: Annotated[float, Search(choices=(0.95, 0.98, 0.99, 0.995, 0.999), when=("mode", "two_critics"))] = Field(
        default=0.99, ge=0, le=1
    )
    """Discount of the intrinsic return; ``two_critics`` only."""

    episodic: bool = False
    """Whether the intrinsic return stops where an episode terminates; ``two_critics`` only."""

    last_step: Literal["bootstrap", "zero"] = "bootstrap"
    """``zero`` repeats the SND repository: return and advantage of each rollout's last step are zero; ``two_critics`` only."""

    normaliser_start: Literal["horizon", "prior"] = Field(default="horizon", exclude_if=lambda value: value == _AS_IN_NOVEMBER)
    """Where the running deviation that divides bonuses begins; ``sum`` with a normalised bonus only. ``horizon``: at that of a
    discounted sum of the first step's bonuses, from nothing to its full size. ``prior``: as runs did until November 2026, at
    the first step's own, which is nearly 0 where environments start alike, and the first bonuses many times too large."""

    clip_total: float | None = Field(default=None, gt=0, exclude_if=lambda value: value is None)
    """Largest absolute value of the weighted sum that the learner gets, as RIDE, NovelD and E3B bound it; null for no bound;
    ``sum`` only."""

    decay: float = Field(default=0.0, ge=0, lt=1, exclude_if=lambda value: value == 0)
    """Share of its weight that the bonus loses with every step of the run, over all environments: the weight after t steps is
    ``intrinsic_weight * (1 - decay)**t`` (RE3, RLLTE); ``sum`` only."""

    @model_validator(mode="before")
    @classmethod
    def _start_of_a_rollout(cls, content: Any) -> Any:
        """Two critics divide a rollout by a deviation that includes it, as published: there is no other start."""
        given: Any = content
        if isinstance(content, dict) and given.get("mode", "two_critics") != "sum":
            return {"normaliser_start": _AS_IN_NOVEMBER, **given}
        return given

    @field_validator("clip_total", "decay")
    @classmethod
    def _refuse_without_a_sum(cls, value: float | None, info: ValidationInfo) -> float | None:
        mode = info.data.get("mode")
        if value and mode == "two_critics":
            raise ValueError(f"has no effect with mode {mode!r}, only with 'sum'")
        return value


class RewardSpec(Config):
    """A method with its fully resolved configuration and combination."""

    name: str
    config: dict[str, JsonValue]
    combine: Combination
    config_by_task: dict[str, dict[str, JsonValue]] = Field(default_factory=dict, exclude_if=lambda value: not value)
    """What of ``config`` differs between the tasks of the suite, for all of them; part of the method's identity only."""

    @model_validator(mode="before")
    @classmethod
    def _read_old_records(cls, content: Any) -> Any:
        """What was written before ``normaliser_start`` existed, or is as it was then, does not name it."""
        given: Any = content
        if isinstance(content, dict) and isinstance(given.get("combine"), dict):
            return {**given, "combine": {"normaliser_start": _AS_IN_NOVEMBER, **given["combine"]}}
        return given


class EvaluationSpec(Config):
    """When and how a policy is scored."""

    every: int = Field(gt=0, le=MAX_COUNT)
    """Steps between evaluations; one more follows the last step."""

    episodes: int = Field(default=10, gt=0, le=MAX_COUNT)
    """Full episodes per evaluation."""

    deterministic: bool = False
    """Whether actions are the policy's mode instead of samples."""

    max_steps: int | None = Field(default=None, gt=0, exclude_if=lambda value: value is None)
    """Steps after which an evaluation episode is ended, with the return so far, where the environment does not end it by
    itself; null to wait. It is part of a run's identity where it is set, because scores depend on it."""


class Normalisation(Config):
    """The constants of a task's normalised score, (score - low) / (high - low)."""

    low: float
    """The score that counts as 0, such as a random agent's."""

    high: float
    """The score that counts as 1, such as a human's or the optimum."""

    source: str = ""
    """Where the two were taken from."""

    def __call__(self, score: float) -> float:
        return (score - self.low) / (self.high - self.low)


ResettablePart = Literal["actor", "critics", "optimizers", "replay"]
"""What a phase may begin anew."""

RESETTABLE_PARTS: tuple[ResettablePart, ...] = get_args(ResettablePart)


class PhaseSpec(Config):
    """A part of a run with weights of its own, fully resolved; the phases of a run add up to its steps."""

    name: str
    steps: int = Field(gt=0, le=MAX_COUNT)
    """The next phase begins at the first iteration that ends at or after this many steps."""

    extrinsic_weight: float = Field(ge=0)
    """Instead of the combination's."""

    intrinsic_weight: float = Field(ge=0)
    """Instead of the combination's."""

    train_reward: bool = True
    """Whether the method goes on learning; if not, its networks and moments stay as they are."""

    reset: tuple[ResettablePart, ...] = ()
    """What is initialised anew when the phase begins, in the order of `RESETTABLE_PARTS`."""


class StartSpec(Config):
    """The finished run from whose last checkpoint another begins."""

    path: str
    """Folder of that run, below the results directory unless it is absolute; for finding it only, not part of the identity."""

    digest: str
    """Digest of that run."""

    method_digest: str
    """Method digest of that run."""

    seed: int | None = Field(default=None, ge=0, le=MAX_COUNT)
    """Seed of that run; null for the same as this run's."""

    steps: int = Field(default=0, ge=0, le=MAX_COUNT)
    """How many of that run's steps this run counts as its own; 0 if it counts from nothing."""


class RunSpec(Config):
    """One task x one method x one seed: what any executor on any machine needs to train it."""

    suite: str
    task: str
    method: str
    seed: int = Field(ge=0, le=MAX_COUNT)
    environment: EnvironmentSpec
    algorithm: AlgorithmSpec
    reward: RewardSpec | None
    steps: int = Field(gt=0, le=MAX_COUNT)
    evaluation: EvaluationSpec
    checkpoint_every: int = Field(gt=0, le=MAX_COUNT)
    """Steps between checkpoints. Part of the identity of version 1 only."""

    training_version: int = Field(default=SAVES_STATE, ge=1, le=REPLAYS_ACTIONS, exclude_if=lambda value: value == SAVES_STATE)
    """What a checkpoint means for the numbers. 1: environments save their own state, and those that cannot were cut at every
    checkpoint until November 2026. 2: environments that cannot are brought back by their actions, and no checkpoint changes
    anything."""

    replay_steps: int | None = Field(default=None, gt=0, le=MAX_COUNT, exclude_if=lambda value: value is None)
    """Steps of each environment after which all episodes are cut together and seeded anew, so that resuming repeats no more
    actions than these; null for never, which is also what runs have that are too short for it."""

    checkpoint_minutes: float | None = Field(default=None, gt=0, exclude_if=lambda value: value is None)
    """Minutes after the last checkpoint at which the next update is followed by another; null for never. No number depends on
    it: not part of the identity, and left out of the records of runs that have none."""

    normalise: Normalisation | None = None
    """For the report only; not part of the identity."""

    precision: Precision = Field(default=Precision(), exclude_if=lambda value: value == Precision())
    """The formats in which networks compute; float32 is left out of dumps, as it was before there was a choice."""

    phases: tuple[PhaseSpec, ...] = ()
    """Phases in their order; none for a run that is the same throughout."""

    start: StartSpec | None = None
    """Where the run begins; null for new networks."""

    pretraining: bool = False
    """Whether the run is only there for others to begin from; reports leave it out of scores. Not part of the identity."""

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that name the run, its seed aside: changed by whatever changes its numbers."""
        return _digest(self._identity(start={"digest", "seed", "steps"}))

    @property
    def begins_from(self) -> tuple[str, int] | None:
        """Digest and seed of the run from whose last checkpoint this one begins; ``None`` for none."""
        if self.start is None:
            return None
        return self.start.digest, self.seed if self.start.seed is None else self.start.seed

    @property
    def method_digest(self) -> str:
        """Like `digest` without the environment: the same for one method on all tasks of a suite.

        Tasks of different versions of training differ in it; see `method_base_digest`.
        """
        return self._method_digest(set())

    @property
    def method_base_digest(self) -> str:
        """Like `method_digest`, and the same for tasks of every version of training: equal to it from version 2 on."""
        return self._method_digest({"checkpoint_every"})

    @property
    def budget_free_digest(self) -> str:
        """Like `method_base_digest`, and the same for tasks of different budgets: without steps, those of phases included."""
        content = self._method_content({"checkpoint_every", "steps"}, start={"seed"})
        content["phases"] = [
            {key: value for key, value in phase.items() if key != "steps"} for phase in content.get("phases", ())
        ]
        return _digest(content)

    @property
    def bounded(self) -> RunSpec:
        """The same run without `replay_steps` if it ends before they do."""
        n_envs = self.algorithm.config.get("n_envs")
        own_steps = self.steps - self.first_step
        if self.replay_steps is None or not isinstance(n_envs, int) or self.replay_steps * n_envs < own_steps:
            return self
        return self.model_copy(update={"replay_steps": None})

    def _method_digest(self, without: set[str]) -> str:
        return _digest(self._method_content(without, start={"method_digest", "seed", "steps"}))

    def _method_content(self, without: set[str], start: set[str]) -> dict[str, Any]:
        content = self._identity(start)
        for key in ("environment", "training_version", "replay_steps", *without):
            content.pop(key, None)
        if self.reward and self.reward.config_by_task:
            by_task = self.reward.config_by_task
            of_tasks = {key for values in by_task.values() for key in values}
            shared = {key: value for key, value in self.reward.config.items() if key not in of_tasks}
            content["reward"] |= {"config": shared, "config_by_task": by_task}
        return content

    def _identity(self, start: set[str]) -> dict[str, Any]:
        """What makes the run; of its start, these fields. What a run without phases lacks leaves no trace."""
        content = self.model_dump(mode="json", exclude={*_LABEL_FIELDS, "phases", "start"})
        if self.training_version != SAVES_STATE:
            del content["checkpoint_every"]
        if self.reward:
            content["reward"].pop("config_by_task", None)
        if self.phases:
            content["phases"] = [phase.model_dump(mode="json") for phase in self.phases]
        if self.start:
            content["start"] = self.start.model_dump(mode="json", include=start)
        return content

    @property
    def first_step(self) -> int:
        """Steps that lie behind the run when it begins."""
        return self.start.steps if self.start else 0

    @property
    def phase_boundaries(self) -> tuple[int, ...]:
        """The steps at which one phase gives way to the next."""
        return tuple(accumulate(phase.steps for phase in self.phases))[:-1]

    def phase_at(self, step: int) -> int:
        """The index of the phase that follows ``step`` steps."""
        return sum(step >= boundary for boundary in self.phase_boundaries)

    @property
    def path(self) -> str:
        """Where the run lives below the results directory."""
        return f"{self.suite}/{self.task}/{self.method}-{self.digest}/seed-{self.seed}"

    @property
    def label(self) -> str:
        """The run in a few words, for people."""
        return f"{self.task}/{self.method}/seed-{self.seed}"


_LABEL_FIELDS = frozenset({"suite", "task", "method", "seed", "normalise", "pretraining", "checkpoint_minutes"})
"""What says where a run belongs, or when it saves, and not what it computes."""


def _digest(content: Any) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]


class Purpose(IntEnum):
    """What a seed is for. The purpose is the seed's top bits, so that purposes never share an environment seed.

    ``TUNING`` is the part in which the runs of a study train and are evaluated: `derive_seeds` puts them there by their seeds.
    """

    TRAINING = 0
    EVALUATION = 1
    TUNING = 2
    NETWORKS = 3


def derive_seeds(seed: int, purpose: Purpose, index: int, n: int) -> list[int]:
    """N seeds below 2**31 for one purpose.

    Args:
        seed: The run's seed. From `TUNING_SEEDS` on, environment seeds lie in the part of ``TUNING``, where its next two bits
            tell trials from confirmations and training from evaluation: none is ever that of a run of a suite.
        purpose: What they are for; two purposes never give the same seed.
        index: Which draw for this purpose, such as the checkpoint's or the evaluation's number.
        n: Number of seeds to derive.
    """
    import numpy as np  # not needed by commands that train nothing

    prefix, low_bits = int(purpose), SEED_BITS - 2
    if seed >= TUNING_SEEDS and purpose in (Purpose.TRAINING, Purpose.EVALUATION):
        prefix, low_bits = (Purpose.TUNING << 2) | ((seed >= CONFIRMATION_SEEDS) << 1) | int(purpose), SEED_BITS - 4
    draws = np.random.SeedSequence([seed, int(purpose), index]).generate_state(n, dtype=np.uint32)
    return [(prefix << low_bits) | (int(draw) & ((1 << low_bits) - 1)) for draw in draws]
