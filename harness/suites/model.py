"""What a suite file may say, as pydantic models: `Suite` and its blocks.

The models know the shape of a suite and no plugin. Settings of environments, algorithms and methods stay plain data here;
`harness.planning.resolve` reads them with the configuration classes of what is installed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    field_validator,
    model_validator,
)

from harness.config import Config
from harness.errors import shorten
from harness.registry.mixtures import mixture_name, split_name
from harness.spec import (
    MAX_COUNT,
    RESETTABLE_PARTS,
    Combination,
    EvaluationSpec,
    Float,
    Normalisation,
    Precision,
    ResettablePart,
)
from harness.suites.tune_block import TuneBlock

MAX_SEEDS = 10_000
RESERVED_NAMES = frozenset({"report", "tuning"})

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds as people write them.

    >>> parse_seeds("3"), parse_seeds("2-4"), parse_seeds("0,3,7-8")
    ((0, 1, 2), (2, 3, 4), (0, 3, 7, 8))

    Args:
        text: A count N for seeds 0 to N-1, or seeds and ranges ``first-last`` separated by commas.

    Returns:
        The seeds in the order given.

    Raises:
        ValueError: The text is none of these, names a seed twice, or names none or more than `MAX_SEEDS`.
    """
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", text):
        return _check_distinct(range(_check_seed_count(int(text))))
    parts = [re.fullmatch(r"\s*([0-9]{1,9})\s*(?:-\s*([0-9]{1,9})\s*)?", part) for part in text.split(",")]
    seeds: list[int] = []
    for part in parts:
        first, last = (int(part[1]), int(part[2] or part[1])) if part else (1, 0)
        if last < first:
            raise ValueError(f'expected a count such as 5, or seeds such as 0-4 or 0,3,7, got "{shorten(text)}"')
        _check_seed_count(last - first + 1 + len(seeds))
        seeds.extend(range(first, last + 1))
    return _check_distinct(seeds)


def _check_seed_count(count: int) -> int:
    if not 0 < count <= MAX_SEEDS:
        raise ValueError(f"expected between 1 and {MAX_SEEDS:,} seeds, got {count}")
    return count


def _check_distinct(seeds: Sequence[int]) -> tuple[int, ...]:
    twice = sorted(seed for seed, times in Counter(seeds).items() if times > 1)
    if twice:
        raise ValueError(f"seed {twice[0]} is given twice")
    return tuple(seeds)


def _expand_seeds(value: Any) -> Any:
    """A count, a text for `parse_seeds` or a list of seeds, as a tuple."""
    match value:
        case str():
            return parse_seeds(value)
        case int() if not isinstance(value, bool):
            return tuple(range(_check_seed_count(value)))
        case list() | tuple():
            seeds = cast(Sequence[Any], value)
            _check_seed_count(len(seeds))
            return tuple(seeds)
        case _:
            raise ValueError("expected a count such as 5, a range such as 0-4, or a list of seeds")


def validate_folder_name(name: str) -> str:
    """A name that may name a folder, unchanged.

    Raises:
        ValueError: It may not.
    """
    if not _NAME.fullmatch(name):
        rule = "letters, digits, '_', '-' and '.', at most 100, not beginning with '.' or '-'"
        raise ValueError(f"{name!r} cannot name a folder: use {rule}")
    if name.lower() in RESERVED_NAMES:
        raise ValueError(f"{name!r} is reserved: results and reports use this name themselves")
    return name


def _null_to_empty(value: Any) -> Any:
    """An empty block, ``key:`` with nothing after it, is one that sets nothing."""
    return {} if value is None else value


def _in_canonical_order(parts: tuple[ResettablePart, ...]) -> tuple[ResettablePart, ...]:
    return tuple(part for part in RESETTABLE_PARTS if part in parts)


def _expand_combine(value: Any) -> Any:
    return {"mode": value} if isinstance(value, str) else _null_to_empty(value)


def _expand_trackers(value: Any) -> Any:
    """One name or several, as a mapping without settings."""
    if isinstance(value, str):
        return {value: None}
    if isinstance(value, list) and all(isinstance(name, str) for name in cast(list[Any], value)):
        return dict.fromkeys(cast(list[str], value))
    return _null_to_empty(value)


def _expand_precision(value: Any) -> Any:
    """One format for all networks, as a mapping."""
    return dict.fromkeys(Precision.model_fields, value) if isinstance(value, str) else value


Name = Annotated[str, AfterValidator(validate_folder_name)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Settings = Annotated[dict[str, JsonValue], BeforeValidator(_null_to_empty, dict[str, JsonValue] | None)]
_NAME_PATTERN: dict[str, JsonValue] = {"propertyNames": {"pattern": f"^{_NAME.pattern}$"}}
_NON_EMPTY_BY_NAME = Field(min_length=1, json_schema_extra=_NAME_PATTERN)
SuiteSection = Literal["tasks", "methods"]
Mode = Combination.model_fields["mode"].annotation


class _Block(Config):
    """A part of a suite."""

    unknown_key_hint: ClassVar[str] = ""
    """What the writer of an unknown key may have had in mind."""


class _OpenBlock(_Block):
    """A part of a suite in which the settings of what it names stand beside the harness's own keys."""

    model_config = ConfigDict(extra="allow")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of what the block names, as written."""
        return dict(self.__pydantic_extra__ or {})


class EnvironmentBlock(_OpenBlock):
    """An environment family and its settings."""

    family: str | None = None
    """The environment family, as `harness list environments` names it."""


class AlgorithmBlock(_OpenBlock):
    """A base algorithm and its settings."""

    name: str
    """The base algorithm, as `harness list algorithms` names it."""

    preset: str | None = None
    """Published settings to start from; null for the algorithm's defaults."""


class MethodAlgorithmBlock(_OpenBlock):
    """What one method changes in the suite's algorithm."""

    name: str | None = None
    """Another base algorithm; it starts from its own defaults, not from the suite's settings."""

    preset: str | None = None
    """Published settings to start from, instead of those that the suite names."""


class MethodEnvironmentBlock(_OpenBlock):
    """What one method changes in how its learner sees every task; the tasks themselves and their scores stay the same."""


PrecisionChoice = Annotated[Precision, BeforeValidator(_expand_precision, Float | Precision)]


class TaskBlock(_Block):
    """One environment with its settings and the constants that normalise its score."""

    unknown_key_hint: ClassVar[str] = "a task's environment settings go under 'environment'"

    environment: Annotated[EnvironmentBlock, BeforeValidator(_null_to_empty, EnvironmentBlock | None)] = EnvironmentBlock()
    """Settings of this task, over those of the suite; naming another family starts from that family's defaults."""

    normalise: Normalisation | None = None
    """The scores that count as 0 and 1."""

    steps: int | None = Field(default=None, gt=0, le=MAX_COUNT)
    """Steps of each run of this task, instead of the suite's."""

    @field_validator("normalise")
    @classmethod
    def _rises(cls, normalise: Normalisation | None) -> Normalisation | None:
        if normalise and normalise.low >= normalise.high:
            raise ValueError(f"low, {normalise.low:g}, must be below high, {normalise.high:g}")
        return normalise


class PhaseBlock(_Block):
    """A part of a run with weights of its own; phases follow each other in the order in which they are written."""

    steps: int | None = Field(default=None, gt=0, le=MAX_COUNT)
    """Steps of the phase. One phase of a method has neither steps nor share, and takes what the others leave."""

    share: float | None = Field(default=None, gt=0, le=1)
    """Steps of the phase, as a share of the run's."""

    extrinsic_weight: float | None = Field(default=None, ge=0)
    """Weight of the extrinsic reward in this phase; null for that of ``combine``."""

    intrinsic_weight: float | None = Field(default=None, ge=0)
    """Weight of the bonus in this phase; null for that of ``combine``."""

    train_reward: bool = True
    """Whether the method goes on learning; if not, its networks and moments stay as they are."""

    reset: Annotated[tuple[ResettablePart, ...], AfterValidator(_in_canonical_order)] = ()
    """What is initialised anew when the phase begins: ``actor``, ``critics``, ``optimizers``, ``replay``."""

    once_per: str | None = None
    """For the first phase: a key of the environment, such as ``domain``. Tasks that agree in it share the phase: it is a
    run of its own, one for each method and seed, and the other phases begin where that run ended."""

    @model_validator(mode="after")
    def _has_one_size(self) -> PhaseBlock:
        if self.steps is not None and self.share is not None:
            raise ValueError("steps and share both say how long the phase is: keep one")
        return self


def _as_mapping(value: Any) -> dict[str, Any]:
    """A mapping as it is, and an empty one for anything else."""
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


class MixBlock(_Block):
    """The weighted sum of several intrinsic rewards."""

    mix: dict[str, float]
    """Weights of the bonuses, by the names of their methods."""


class ProductParts(_Block):
    """What a product is made of."""

    lifelong: str
    """The method whose bonus, standardised, multiplies the other's."""

    episodic: str
    """The method whose bonus is multiplied."""


class ProductBlock(_Block):
    """The product of two intrinsic rewards, as Never Give Up forms it."""

    product: ProductParts
    """The methods, by their part in it."""


def _name_mixture(value: Any) -> Any:
    """The name of a mixture, whichever way it is written."""
    match value:
        case {"mix": {**weights}, **rest} if not rest:
            return mixture_name("sum", [str(name) for name in weights])
        case {"product": {"lifelong": str(lifelong), "episodic": str(episodic), **more}, **rest} if not (rest or more):
            return mixture_name("product", [lifelong, episodic])
        case str() if (parts := split_name(value)) is not None:
            return mixture_name(*parts)
        case dict():
            forms = "{mix: {NAME: WEIGHT, ...}} or {product: {lifelong: NAME, episodic: NAME}}"
            raise ValueError(f"expected the name of a method, {forms}, got {shorten(str(cast(Any, value)))}")
        case _:
            return value


class MethodBlock(_Block):
    """An intrinsic reward, or none, with its configuration."""

    unknown_key_hint: ClassVar[str] = "a method's own settings go under 'config'"

    reward: Annotated[str | None, BeforeValidator(_name_mixture, str | MixBlock | ProductBlock | None)] = None
    """The intrinsic reward, as `harness list methods` names it; null or ``none`` for no bonus. ``mix: {NAME: WEIGHT, ...}`` is
    the weighted sum of several, and ``product: {lifelong: NAME, episodic: NAME}`` the product of two; what is under ``config``
    then has one part for each, by its name."""

    preset: str | None = None
    """Published settings of the intrinsic reward; null for its first preset."""

    config: Settings = Field(default_factory=dict)
    """Settings of the intrinsic reward, over the preset's."""

    combine: Annotated[dict[str, JsonValue], BeforeValidator(_expand_combine, Mode | Combination | None)] = Field(
        default_factory=dict
    )
    """How bonus and extrinsic reward combine: ``sum`` or ``two_critics``, or a mapping of mode and weights."""

    phases: Annotated[
        dict[Name, dict[str, JsonValue] | None], BeforeValidator(_null_to_empty, dict[Name, PhaseBlock | None] | None)
    ] = Field(default_factory=dict, json_schema_extra=_NAME_PATTERN)
    """Parts of each run, by a name of your choice, laid over the preset's; null drops one of those."""

    snapshot: str | None = None
    """Folder of a finished run, from whose last checkpoint every run begins instead of from new networks. ``{task}``,
    ``{seed}`` and keys of the environment are filled in; ``*`` stands for any text, where that leaves one folder."""

    algorithm: Annotated[MethodAlgorithmBlock, BeforeValidator(_null_to_empty, MethodAlgorithmBlock | None)] = (
        MethodAlgorithmBlock()
    )
    """Settings of the algorithm for this method, over the suite's."""

    environment: Annotated[MethodEnvironmentBlock, BeforeValidator(_null_to_empty, MethodEnvironmentBlock | None)] = (
        MethodEnvironmentBlock()
    )
    """How this method's learner sees every task, over what tasks and suite say: only settings that change neither the task
    nor its scores, such as ``size`` on Atari or ``reward_transform``. The report names what differs between methods."""

    precision: PrecisionChoice | None = None
    """The formats in which this method's networks compute, instead of the suite's."""

    config_by_task: Annotated[
        dict[Name, dict[str, JsonValue]], BeforeValidator(_null_to_empty, dict[Name, dict[str, JsonValue]] | None)
    ] = Field(default_factory=dict, json_schema_extra=_NAME_PATTERN)
    """Settings of the intrinsic reward on single tasks, by task, over ``config``."""

    @model_validator(mode="before")
    @classmethod
    def _keep_weights(cls, content: Any) -> Any:
        """Weights that stand beside the names of a mixture's members are settings of the mixture."""
        block = _as_mapping(content)
        config, weights = _as_mapping(block.get("config")), _as_mapping(block.get("reward")).get("mix")
        if not weights or not _as_mapping(weights) or not (config or block.get("config") in (None, {})):
            return content
        together = {**_as_mapping(weights), **_as_mapping(config.get("weights"))}
        return {**block, "config": {**config, "weights": together}}

    @field_validator("reward")
    @classmethod
    def _none_is_null(cls, reward: str | None) -> str | None:
        return None if reward == "none" else reward

    @model_validator(mode="after")
    def _has_a_reward(self) -> MethodBlock:
        if self.reward is None:
            for key in ("preset", "config", "combine", "phases", "config_by_task"):
                if getattr(self, key):
                    raise ValueError(f"{key} has no meaning without a reward: add 'reward: NAME' or remove it")
        return self


_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(s|m|min|h|d|)")
_UNIT_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "": 1}


def parse_duration(text: str) -> float:
    """Seconds of a time as people write it.

    >>> parse_duration("90m"), parse_duration("1.5 h"), parse_duration("20")
    (5400.0, 5400.0, 20.0)

    Raises:
        ValueError: The text is no time, or none that lasts.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise ValueError(f'expected a time such as 30m, 2h or 600 (seconds), got "{text}"')
    return float(found[1]) * _UNIT_SECONDS[found[2]]


def _check_duration(value: Any) -> Any:
    """A number of seconds or a text for `parse_duration`, as text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{value:g}" if value < 1e6 else f"{value:.0f}"
    if isinstance(value, str):
        parse_duration(value)
    return value


class CheckpointBlock(_Block):
    """When a run saves what it needs to continue."""

    every: int | None = Field(default=None, gt=0, le=MAX_COUNT)
    """Steps between checkpoints; null for the distance between evaluations."""

    replay_steps: Annotated[int, Field(gt=0)] | Literal["auto"] | None = "auto"
    """Steps of each environment after which all episodes are ended together and seeded anew, so that resuming never repeats
    more actions than these; null for never. ``auto``: 20 times the longest episode, where its length is known. Environments
    that save their own state are never cut."""

    minutes: float | None = Field(default=10.0, gt=0)
    """Minutes after the last checkpoint at which the next update is followed by another, so that no more are lost; null for
    never. It changes no number, so runs may be resumed with another value."""


class Suite(_Block):
    """Tasks x methods x seeds, a budget, and how to evaluate."""

    suite: Name
    """The suite's name; its results lie in a folder of this name."""

    description: str = ""
    """What the suite is for, in a sentence."""

    environment: Annotated[EnvironmentBlock, BeforeValidator(_null_to_empty, EnvironmentBlock | None)] = EnvironmentBlock()
    """The environment family and its settings, for every task that does not say otherwise."""

    tasks: dict[Name, Annotated[TaskBlock, BeforeValidator(_null_to_empty, TaskBlock | None)]] = _NON_EMPTY_BY_NAME
    """The environments, by a name of your choice; where the family allows it, the name says which environment."""

    algorithm: AlgorithmBlock
    """The base algorithm and its settings, for every method that does not say otherwise."""

    methods: dict[Name, Annotated[MethodBlock, BeforeValidator(_null_to_empty, MethodBlock | None)]] = _NON_EMPTY_BY_NAME
    """What is compared, by a name of your choice; an empty block is the baseline without a bonus."""

    seeds: Annotated[tuple[Seed, ...], AfterValidator(_check_distinct), BeforeValidator(_expand_seeds, int | str | list[Seed])]
    """A count N for seeds 0 to N-1, a range such as 0-4, or a list."""

    steps: int = Field(gt=0, le=MAX_COUNT)
    """Environment steps of each run, over all its environments."""

    evaluation: EvaluationSpec
    """When and how a policy is scored."""

    precision: PrecisionChoice = Precision()
    """The formats in which networks compute: ``float32``, ``bf16``, or one for each of ``policy`` and ``bonus``. bf16 is for
    GPUs and for CPUs with instructions for it; others imitate it slowly. Part of a run's identity where it is not float32."""

    checkpoint: Annotated[CheckpointBlock, BeforeValidator(_null_to_empty, CheckpointBlock | None)] = CheckpointBlock()
    """When a run saves what it needs to continue."""

    stall: Annotated[str | None, BeforeValidator(_check_duration, int | float | str | None)] = None
    """A time such as ``30m`` or ``2h``: a run that reports no update and no evaluation for that long is stopped as failed. It
    has to be longer than the longest rollout, update or evaluation, and than loading everything; null for never."""

    tune: Annotated[TuneBlock, BeforeValidator(_null_to_empty, TuneBlock | None)] = TuneBlock()
    """How `harness tune` searches for a method's settings; no run depends on it."""

    executor: Annotated[dict[str, Settings], BeforeValidator(_null_to_empty, dict[str, Settings | None] | None)] = Field(
        default_factory=dict
    )
    """Settings of executors by their names, as `harness list executors` has them; no run's numbers depend on them."""

    trackers: Annotated[
        dict[str, Settings],
        BeforeValidator(_expand_trackers, dict[str, Settings | None] | list[str] | str | None),
    ] = Field(default_factory=dict)
    """Where runs are followed while they train, as `harness list trackers` has it: one name, a list of names, or settings by
    name. No run depends on it."""

    profiles: Annotated[dict[str, Settings], BeforeValidator(_null_to_empty, dict[str, Settings] | None)] = Field(
        default_factory=dict
    )
    """Named scales: each is a part of a suite, laid over this one. There, null drops a task or a method."""

    _all_tasks: dict[str, TaskBlock] = PrivateAttr(default_factory=dict)

    @property
    def stall_seconds(self) -> float | None:
        """`stall` in seconds."""
        return None if self.stall is None else parse_duration(self.stall)

    @property
    def all_tasks(self) -> dict[str, TaskBlock]:
        """The tasks as written, including those that nobody asked for; what tasks share must not depend on who asks."""
        return self._all_tasks or self.tasks

    def select(self, section: SuiteSection, names: Collection[str]) -> Suite:
        """The suite with only these tasks or methods."""
        kept = {name: block for name, block in getattr(self, section).items() if name in names}
        suite = self.model_copy(update={section: kept})
        suite._all_tasks = self.all_tasks
        return suite
