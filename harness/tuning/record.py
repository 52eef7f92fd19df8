"""A study as plain data in its folder, ``study.json``: what the report reads, without the storage and its URL."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution
from optuna.trial import FrozenTrial, TrialState
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from harness.errors import ResultsError
from harness.runs.files import write_text_atomic
from harness.tuning.confirm import Confirmation
from harness.tuning.study import DIRECTIONS, STUDY_FORMAT, TuningStudy
from harness.tuning.trials import STUDY_RECORD_FILE


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
    name: str
    suite: str
    method: str
    storage: str
    definition: dict[str, JsonValue]
    options: dict[str, Any]
    trials: list[dict[str, Any]]
    confirmed: list[dict[str, Any]] = []

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
    if not kept and file.exists():
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
    try:
        return StudyRecord.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ResultsError(f"{file}: cannot be read ({error.strerror or error})") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise ResultsError(f"{file}: not a record of a study ({first['msg']})") from None


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
        values=data["values"],
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
