"""The base of every configuration, and the annotation that makes a field searchable.

A configuration is a frozen pydantic model that refuses unknown keys. Each field's annotation carries its bounds, its
meaning and, where tuning it makes sense, a `Search` range; validation, ``harness show``, the JSON Schema and Optuna all
read that one source. Modules that define configurations must not import torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """A frozen, strict-keyed model; the base of every configuration in a suite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


@dataclass(frozen=True)
class Search:
    """The range over which tuning searches a numeric or categorical field.

    Attributes:
        low: Smallest value, inclusive (numeric fields).
        high: Largest value, inclusive (numeric fields).
        log: Whether to search the logarithm.
        choices: The candidates, instead of a range.
        when: Another field of the same configuration, then those of its values with which this one has an effect; ``None``
            for a field that always has one.
        learner: The kind of learner on which the field is searched; ``None`` for both. Passes over a rollout cost little where
            there is one in some thousands of steps, and most of a run where they follow every gradient step.
    """

    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[bool | int | float | str | None, ...] | None = None
    when: tuple[bool | int | float | str, ...] | None = None
    learner: Literal["on_policy", "off_policy"] | None = None

    def __post_init__(self) -> None:
        if (self.choices is None) == (self.low is None or self.high is None):
            raise ValueError("a Search has either low and high, or choices")
        if self.when is not None and len(self.when) < 2:
            raise ValueError("when names a field, then at least one of its values")


class ScoreRange(NamedTuple):
    """The scores of a task that count as 0 and 1, where a suite does not say so.

    Attributes:
        low: Score that counts as 0, such as a random agent's.
        high: Score that counts as 1, such as the best possible.
        source: Where the two were taken from.
    """

    low: float
    high: float
    source: str


def require(package: str, extra: str) -> None:
    """Refuse settings whose environments cannot be made here; nothing is imported.

    Args:
        package: Import name of what they need.
        extra: Extra of this distribution that brings it.

    Raises:
        ValueError: It is not installed.
    """
    if find_spec(package) is None:
        raise ValueError(f"{package} is missing; pip install 'exploration-harness[{extra}]'")


class EnvironmentConfig(Config):
    """What every environment family's configuration shares.

    A family subclasses this, adds its own fields, and names in `task_field` the field that a task's name fills when the
    suite does not set it (``game`` on Atari), or leaves it empty.
    """

    task_field: ClassVar[str] = ""

    learner_fields: ClassVar[frozenset[str]] = frozenset({"reward_transform", "time_limit"})
    """Settings that change what a learner sees of a task and neither the task nor its scores: a method may have its own."""

    reward_transform: Literal["none", "sign", "positive_sign"] = "none"
    """What the learner sees of the extrinsic reward: ``none``, ``sign``, or ``positive_sign`` (max(0, sign r))."""

    time_limit: Literal["truncates", "terminates"] = "truncates"
    """Whether reaching the step limit ``truncates`` (the value is bootstrapped) or ``terminates`` (RND, SND) an episode."""

    @property
    def frames_per_step(self) -> int | None:
        """Frames of the emulator or simulator that one step takes, by which papers count; ``None`` where there are none."""
        return None

    @property
    def episode_limit(self) -> int | None:
        """Most steps of the agent that an episode can last; ``None`` where nothing bounds it, or it shows only later.

        Runs of families that do not save their state end all episodes together once in a while, so that the actions which
        resuming repeats stay few; how rarely follows from this (``checkpoint.replay_steps`` of a suite).
        """
        return None

    @property
    def score_range(self) -> ScoreRange | None:
        """The scores that count as 0 and 1 where a suite has no ``normalise``; ``None`` where nothing is agreed on."""
        return None

    @property
    def saves_state(self) -> bool:
        """Whether the environments save and restore their own state (``exact_state``); if not, resuming repeats actions."""
        return False

    @property
    def actions(self) -> Literal["discrete", "continuous"] | None:
        """What actions are, known before an environment is made; ``None`` if it shows only then."""
        return None

    @property
    def observations(self) -> Literal["images", "vectors"] | None:
        """What observations are, known before an environment is made; ``None`` if it shows only then."""
        return None


BonusNormalisation = Literal["return_std", "bonus_std", "running_mean", "none"]
"""What bonuses are divided by: ``return_std``, the running deviation of their discounted sum (RND); ``bonus_std``, the running
deviation of the bonuses themselves (E3B); ``running_mean``, their running mean (APT); ``none``, nothing."""

_NORMALISATIONS = frozenset(get_args(BonusNormalisation)) - {"none"}


class IntrinsicRewardConfig(Config):
    """The base of every method's configuration.

    A field named ``bonus_normalisation``, of the type `BonusNormalisation` or a part of it, says whether the method sets
    `harness.rewards.IntrinsicReward.normaliser`.
    """

    @property
    def required_observations(self) -> tuple[Literal["images", "vectors"], str] | None:
        """The only observations that these settings are for, and the field that decides it; ``None`` if any may do."""
        return None

    @property
    def normalises_bonus(self) -> bool:
        """Whether the method sets `harness.rewards.IntrinsicReward.normaliser`; asked before it is built."""
        return getattr(self, "bonus_normalisation", "none") in _NORMALISATIONS
