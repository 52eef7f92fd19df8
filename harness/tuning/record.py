"""A study as plain data in its folder, ``study.json``: what the report reads, without the storage and its URL."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution
from optuna.trial import FrozenTrial, TrialState
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator, model_validator

from harness.config.secrets import masked
from harness.errors import ResultsError
from harness.registry.error_summary import summarise_error
from harness.runs.files import write_text_atomic
from harness.runs.guarded import MIB, Unreadable, read_json
from harness.spec import MAX_COUNT
from harness.suites.tune_block import Objective
from harness.tuning.confirm import Confirmation
from harness.tuning.study import DIRECTIONS, STUDY_FORMAT, TuningStudy
from harness.tuning.trials import STUDY_RECORD_FILE

MAX_RECORD_BYTES = 512 * MIB

_LONGEST_NAME = 1000


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)


class _Parameter(_Shape):
    """What the report shows of a setting that was searched."""

    name: str
    scale: str
    range: list[JsonValue]
    when: list[JsonValue] | None

    @model_validator(mode="after")
    def _has_two_ends(self) -> Self:
        if self.scale != "choices" and not (len(self.range) == 2 and all(isinstance(one, int | float) for one in self.range)):
            raise ValueError("a range has two ends")
        return self


class _Definition(_Shape):
    """What the report shows of a study's definition."""

    tasks: dict[str, JsonValue]
    space: list[_Parameter]


class _Options(_Shape):
    """What the report needs of a study's options."""

    objectives: list[Objective] = Field(min_length=1)
    metric: Literal["iqm", "mean"]
    sampler: str
    pruner: str
    seeds: int = Field(gt=0, le=MAX_COUNT)


class _Trial(_Shape):
    """A trial as `_as_json` writes it."""

    number: int = Field(ge=0, le=MAX_COUNT)
    state: str
    values: list[float] | None
    params: dict[str, str | int | float | bool | None]
    distributions: dict[str, dict[str, JsonValue]]
    intermediate_values: dict[str, float]
    user_attrs: dict[str, JsonValue]
    start: str | None
    complete: str | None


class _Confirmed(_Shape):
    """A `Confirmation` as JSON has it."""

    trial: int | None
    default: bool
    settings: dict[str, str | int | float | bool | None]
    tuned: float | None
    scores: list[Annotated[tuple[str, float], Field(strict=False)]]
    planned: int = Field(ge=0, le=MAX_COUNT)


def _keeping(shape: type[_Shape]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A check that data has a shape; they stay as they are."""

    def check(data: dict[str, Any]) -> dict[str, Any]:
        shape.model_validate(data)
        return data

    return check


class StudyRecord(BaseModel):
    """The content of ``study.json``.

    Attributes:
        name: Name of the study.
        suite: Name of the suite.
        method: Name of the method.
        storage: Where the study is kept, as ``optuna-dashboard`` takes it, without passwords.
        definition: What the scores depend on; see `harness.tuning.study.StudyDefinition.as_json`.
        options: The suite's ``tune`` block, with what the command line said.
        trials: Each as JSON.
        confirmed: What was run again on fresh seeds.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal[1] = STUDY_FORMAT
    name: Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME)]
    suite: str
    method: str
    storage: str
    definition: Annotated[dict[str, JsonValue], AfterValidator(_keeping(_Definition))]
    options: Annotated[dict[str, Any], AfterValidator(_keeping(_Options))]
    trials: list[Annotated[dict[str, Any], AfterValidator(_keeping(_Trial))]]
    confirmed: list[Annotated[dict[str, Any], AfterValidator(_keeping(_Confirmed))]] = []

    @field_validator("storage")
    @classmethod
    def _without_password(cls, storage: str) -> str:
        """Records of before passwords were hidden under whatever name may hold one."""
        return masked(storage)

    @property
    def objectives(self) -> list[str]:
        """Names of what was searched for."""
        return list(self.options["objectives"])

    def confirmations(self) -> list[Confirmation]:
        """What was run again."""
        return [Confirmation.of(one) for one in self.confirmed]

    def to_optuna_study(self) -> optuna.Study:
        """The study in memory, for Optuna's own functions."""
        directions = [DIRECTIONS[objective] for objective in self.objectives]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            optuna.logging.set_verbosity(optuna.logging.ERROR)
            study = optuna.create_study(study_name=self.name, directions=directions)
            study.add_trials([_from_json(trial) for trial in self.trials])
        return study


def write_study_record(study: TuningStudy, folder: Path, confirmed: Sequence[Confirmation] = ()) -> None:
    """Write or replace a study's record; confirmations of an earlier record stay unless there are new ones."""
    file = folder / STUDY_RECORD_FILE
    kept = [asdict(one) for one in confirmed]
    if not kept:
        with suppress(ResultsError):  # there is none, or it cannot be read and is replaced
            kept = read_study_record(file).confirmed
    distributions: dict[BaseDistribution, Any] = {}
    content = {
        "format": STUDY_FORMAT,
        "name": study.name,
        "suite": study.definition.suite.suite,
        "method": study.definition.method,
        "storage": study.handle.dashboard_url,
        "definition": study.definition.as_json(),
        "options": study.definition.options.model_dump(mode="json", exclude={"space"}),
        "confirmed": kept,
        "trials": [_as_json(trial, distributions) for trial in study.trials()],
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_text_atomic(file, json.dumps(content, allow_nan=False) + "\n")  # not indented, for that is slow


def read_study_record(file: Path) -> StudyRecord:
    """A study's record.

    Raises:
        ResultsError: It cannot be read, or is none.
    """
    content = read_json(file, MAX_RECORD_BYTES)
    if content is None:
        raise Unreadable(file, "cannot be read (No such file or directory)")
    try:
        record = StudyRecord.model_validate(content)
        record.to_optuna_study()
        record.confirmations()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "content"
        raise Unreadable(file, f"not a record of a study ({where}: {first['msg']})") from None
    except Exception as error:  # noqa: BLE001  Optuna raises whatever it likes about data that are not its own
        raise Unreadable(file, f"not a record of a study ({summarise_error(error)})") from None
    return record


def _as_json(trial: FrozenTrial, known: dict[BaseDistribution, Any]) -> dict[str, Any]:
    for found in trial.distributions.values():
        if found not in known:
            known[found] = json.loads(distribution_to_json(found))
    return {
        "number": trial.number,
        "state": trial.state.name,
        "values": trial.values,
        "params": trial.params,
        "distributions": {name: known[found] for name, found in trial.distributions.items()},
        "intermediate_values": {str(step): value for step, value in trial.intermediate_values.items()},
        "user_attrs": trial.user_attrs,
        "start": trial.datetime_start.isoformat() if trial.datetime_start else None,
        "complete": trial.datetime_complete.isoformat() if trial.datetime_complete else None,
    }


def _from_json(data: Mapping[str, Any]) -> FrozenTrial:
    return FrozenTrial(
        number=data["number"],
        state=TrialState[data["state"]],
        value=None,
        values=None if data["values"] is None else list(map(float, data["values"])),
        datetime_start=_time(data["start"]),
        datetime_complete=_time(data["complete"]),
        params=data["params"],
        distributions={name: json_to_distribution(json.dumps(d)) for name, d in data["distributions"].items()},
        user_attrs=data["user_attrs"],
        system_attrs={},
        intermediate_values={int(step): value for step, value in data["intermediate_values"].items()},
        trial_id=data["number"],
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
