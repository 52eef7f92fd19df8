"""Published numbers as data: what papers and public logs say of methods on environments, each with its metric and source.

A file of published numbers is a CSV table with the columns of `PublishedNumber`. It names our environments and rewards
itself, so that nothing here knows one by name. Metrics come from a controlled vocabulary, `METRICS`, which says of each what
of ours, if anything, may stand beside it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue, ValidationError, field_validator, model_validator

from harness.config import Config
from harness.errors import ResultsError, suggest
from harness.packaged import packaged_folder
from harness.spec import RunSpec

Counterpart = Literal["score", "held_out_score", "success", "training_return"]


@dataclass(frozen=True)
class Metric:
    """What a published number measures.

    Attributes:
        title: The metric's name in a few words.
        meaning: What it is.
        counterpart: What of our runs measures the same: their ``score``, the ``held_out_score`` of runs that are evaluated on
            levels held out from training, the measurement ``success``, or the ``training_return`` in progress.csv; ``None`` if
            nothing does.
        caveat: How far the two may be compared, or why there is nothing of ours.
        clipped: Whether it measures clipped rewards, not the environment's own.
    """

    title: str
    meaning: str
    counterpart: Counterpart | None
    caveat: str
    clipped: bool = False


METRICS: Mapping[str, Metric] = {
    "final_return": Metric(
        "Return at the end of training",
        "The mean raw, undiscounted return of the policy when training ends.",
        "score",
        "Ours are the scores of this report: evaluation episodes on seeds of their own. Most published ones are means over"
        " the last training episodes, so small differences mean nothing even with the same budget. Scores on levels that are"
        " held out from training measure something else and do not stand here.",
    ),
    "held_out_return": Metric(
        "Return on held-out levels",
        "The mean raw return, when training ends, on levels that training never saw.",
        "held_out_score",
        "Ours are the scores of runs that were evaluated on levels held out from training (held_out is 1 among the other"
        " measurements). Which levels are held out, and of how many, differs between publications.",
    ),
    "success_rate": Metric(
        "Success rate",
        "The fraction of episodes that reach the goal, when training ends.",
        "success",
        "Ours is “success” among the other measurements, at the last evaluation.",
    ),
    "raw_score": Metric(
        "Raw score, protocol not stated",
        "A raw score whose source states neither budget nor seeds, or that one paper quotes from another.",
        "score",
        "Ours are the scores of this report. Without a protocol a published number is a check of the order of magnitude, never"
        " a target.",
    ),
    "max_return": Metric(
        "Highest return in training",
        "The highest raw return of any training episode, averaged over seeds.",
        None,
        "Nothing of ours stands beside it: the log has means over training episodes, not their maximum, and a maximum over"
        " more episodes is higher by chance alone.",
    ),
    "best_return": Metric(
        "Best run",
        "The raw return of the best of all runs.",
        None,
        "Nothing of ours stands beside it: the best of few runs and the best of many are not comparable.",
    ),
    "training_return": Metric(
        "Mean return over all of training",
        "The area under the curve of raw training returns, divided by its length: it rewards learning early.",
        "training_return",
        "Ours is the mean of rollout/ep_rew_mean in progress.csv over the steps of finished runs. That column is a mean over"
        " the latest 100 training episodes, so ours weighs steps equally where the publication weighs episodes equally.",
    ),
    "clipped_training_reward": Metric(
        "Mean clipped training reward over all of training",
        "The area under the curve of what the learner sees: the sum over an episode of max(0, sign r), averaged over training."
        " It counts rewards and not points, and is neither a score nor a return.",
        None,
        "Nothing of ours stands beside it, and it must not be read against any score here: runs log raw returns only, from"
        " which clipped ones cannot be recovered.",
        clipped=True,
    ),
    "final_clipped_reward": Metric(
        "Clipped training reward at the end of training",
        "The sum over an episode of max(0, sign r), averaged over the last episodes of training. It counts rewards and not"
        " points.",
        None,
        "Nothing of ours stands beside it: runs log raw returns only, from which clipped ones cannot be recovered.",
        clipped=True,
    ),
}
"""The controlled vocabulary, in the order in which a report shows it."""


CONFIDENCE: Mapping[str, str] = {
    "paper": "the paper's text or tables",
    "figure": "an image, read by eye",
    "readme": "a README",
    "documentation": "a documentation",
    "computed": "public logs, computed from them",
}
"""How a number was taken."""


POPULATION_DEVIATION = "population standard deviation over seeds"
"""A `PublishedNumber.spread_kind` that divides by the number of seeds, where ours divide by one less."""


class PublishedNumber(Config):
    """One number with everything that is needed to judge it: one row of a file."""

    environment: str = Field(min_length=1)
    """Name of the environment in the source."""

    family: str = ""
    """Our environment family; empty if no family has this environment."""

    settings: dict[str, str] = Field(default_factory=dict)
    """What of the family's configuration makes a task this environment; written ``game=pitfall;size=84``."""

    method: str = Field(min_length=1)
    """Name of the method in the source."""

    algorithm: str = ""
    """Our base algorithm; empty if any will do."""

    reward: str = ""
    """Our intrinsic reward, ``none`` for no bonus; empty if no method of ours is the one that was published."""

    metric: str
    """One of `METRICS`."""

    value: float
    """The number."""

    spread: float | None = Field(default=None, ge=0)
    """How much it varies; empty if not published."""

    spread_kind: str = ""
    """What `spread` is, such as a standard deviation over seeds."""

    seeds: int | None = Field(default=None, gt=0)
    """Runs behind the number; empty if not published."""

    frames: int | None = Field(default=None, gt=0)
    """Emulator or simulator frames of each run; empty if not published."""

    steps: int | None = Field(default=None, gt=0)
    """Steps of each run, in decisions of the agent; empty if not known."""

    source: str = Field(min_length=1)
    """Where the number stands, precisely."""

    confidence: str
    """How it was taken: one of `CONFIDENCE`."""

    remark: str = ""
    """What else the source says of how it was measured."""

    @field_validator("settings", mode="before")
    @classmethod
    def _from_text(cls, settings: Any) -> Any:
        if not isinstance(settings, str):
            return settings
        pairs = [part.partition("=") for part in settings.split(";") if part]
        if not all(key and equals for key, equals, _ in pairs):
            raise ValueError(f"expected 'key=value' pairs separated by ';', got {settings!r}")
        return {key: value for key, _, value in pairs}

    @field_validator("spread", "seeds", "frames", "steps", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("metric")
    @classmethod
    def _is_in_the_vocabulary(cls, metric: str) -> str:
        if metric not in METRICS:
            raise ValueError(f"unknown metric {metric!r}{suggest(metric, METRICS)}")
        return metric

    @field_validator("confidence")
    @classmethod
    def _is_known(cls, confidence: str) -> str:
        if confidence not in CONFIDENCE:
            raise ValueError(f"unknown confidence {confidence!r}{suggest(confidence, CONFIDENCE)}")
        return confidence

    @model_validator(mode="after")
    def _is_whole(self) -> PublishedNumber:
        if bool(self.family) != bool(self.settings):
            raise ValueError("family and settings are given together or not at all")
        if self.spread is not None and not self.spread_kind:
            raise ValueError("spread_kind must say what the spread is")
        return self

    @property
    def sample_deviation(self) -> float | None:
        """The spread as a sample standard deviation over seeds, which ours are; ``None`` where it is no population one."""
        if self.spread is None or self.seeds is None or self.seeds < 2 or self.spread_kind != POPULATION_DEVIATION:
            return None
        return self.spread * (self.seeds / (self.seeds - 1)) ** 0.5

    def matches_task(self, spec: RunSpec) -> bool:
        """Whether a run's environment is the one of this number."""
        config = spec.environment.config
        return spec.environment.family == self.family and all(
            key in config and _text(config[key]) == value for key, value in self.settings.items()
        )

    def matches_method(self, spec: RunSpec) -> bool:
        """Whether a run's method is the one of this number, its settings aside."""
        reward = spec.reward.name if spec.reward else "none"
        return self.reward == reward and self.algorithm in ("", spec.algorithm.name)


def _text(value: JsonValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# --------------------------------------------------------------------------------------------------------------------
# Files
# --------------------------------------------------------------------------------------------------------------------
def packaged_files() -> list[Path]:
    """The files that come with the harness.

    Raises:
        ResultsError: There are none, as when the package was copied without its data.
    """
    tables = [file for file in sorted(packaged_folder("published").glob("*.csv")) if _is_table(file)]
    if not tables:
        raise ResultsError("the published numbers did not come with this installation: name a file with --published-from")
    return tables


def read_published(paths: Iterable[Path]) -> list[PublishedNumber]:
    """Every number in files, or in the files of folders, in their order.

    Raises:
        ResultsError: A path does not exist, holds no table, or a row is wrong; the message names file and line.
    """
    numbers = [number for path in paths for file in _files(path) for number in _read(file)]
    if not numbers:
        raise ResultsError("no published numbers in what was given")
    return numbers


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return [file for file in sorted(path.glob("*.csv")) if _is_table(file)]


def _is_table(file: Path) -> bool:
    """Whether a file of a folder is one of published numbers: other tables may lie beside them."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        return "metric" in next(csv.reader(text), list[str]())


def _read(file: Path) -> Iterator[PublishedNumber]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text, restkey="", strict=True)
            missing = {name for name, field in PublishedNumber.model_fields.items() if field.is_required()}
            if missing := sorted(missing - set(reader.fieldnames or ())):
                raise ResultsError(f"{file}: is no table of published numbers: without the columns {', '.join(missing)}")
            for row in reader:
                yield _number(row, f"{file}:{reader.line_num}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ResultsError(f"{file}: cannot be read ({getattr(error, 'strerror', None) or error})") from error


def _number(row: Mapping[str, Any], location: str) -> PublishedNumber:
    if "" in row or None in row.values():
        raise ResultsError(f"{location}: has another number of fields than the head of the table")
    try:
        return PublishedNumber.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        key = "".join(f"{part}: " for part in first["loc"][:1])
        raise ResultsError(f"{location}: {key}{first['msg'].removeprefix('Value error, ')}") from None
