"""Faults e and f: trials that others have, and a database that is away for a while."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import psutil
import pytest
import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState
from sqlalchemy.exc import IntegrityError, OperationalError
from support.postgres import Server, running_server
from support.tuning import environment

from harness.runs.lock import Owner
from harness.tuning.outages import Outages, StorageAway, StorageBack, StorageLost, is_outage
from harness.tuning.study import Limit
from harness.tuning.trial_claims import OWNER_ATTRIBUTE
from harness.tuning.tuner import TrialEnded, TrialsElsewhere, TrialStarted


@pytest.fixture(scope="module")
def database():
    with running_server() as server:
        yield server


@pytest.fixture
def schema(database: Server) -> str:
    """An empty place in the database: a schema of its own."""
    import psycopg

    name = f"s{time.monotonic_ns()}"
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    return f"{database.url}?options=-csearch_path%3D{name}"


def join(place, trials: int, storage: str = "", seconds: str = "0.2", grace: int = 60) -> subprocess.Popen[str]:
    """Start a process that works on the study and begins a trial."""
    command = [sys.executable, "-m", "support.joined_tuning", str(place.folder), storage, str(trials), "1", str(grace)]
    variables = environment(SYNTHETIC_SECONDS=seconds)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=variables)
    assert process.stdout is not None
    while "TrialProgressed" not in process.stdout.readline():
        assert process.poll() is None
    return process


def kill(process: subprocess.Popen[str]) -> None:
    everyone = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    psutil.wait_procs(everyone, timeout=20)


def test_fault_e_the_trial_of_a_killed_tuner_is_taken_over_at_once(place, schema):
    kill(join(place, 1, schema, grace=900))
    study, events = place.study(storage=schema, grace_seconds=900), []
    began = time.monotonic()
    assert place.tune(study, 1, on_event=events.append) == "complete"
    assert time.monotonic() - began < 450  # its heartbeat would count for 900
    (started,) = [event for event in events if isinstance(event, TrialStarted)]
    assert started.resumed
    assert [trial.state for trial in study.trials()] == [TrialState.COMPLETE]


@pytest.mark.parametrize("kind", ["journal", pytest.param("database", marks=pytest.mark.slow)])
def test_fault_e_the_last_trial_is_waited_for(place, request, kind):
    storage = request.getfixturevalue("schema") if kind == "database" else None
    study, events = place.study(storage=storage), []
    process = join(place, 1, storage or "", seconds="0.5")
    assert place.tune(study, 1, wait=False) == "complete"
    assert study.unfinished() == 1
    assert place.tune(study, 1, on_event=events.append) == "complete"
    assert events == [TrialsElsewhere(1)]
    assert [trial.state for trial in study.trials()] == [TrialState.COMPLETE]
    process.communicate(timeout=60)


def test_fault_e_a_trial_on_another_machine_is_taken_over_once_no_heartbeat_was_seen_for_the_grace(place, schema):
    """And not because of what its heartbeat says, which is old after any outage."""
    study = place.study(storage=schema, grace_seconds=4)
    claimed = study.ask(Limit(1))
    assert claimed is not None
    trial_id = claimed.trial._trial_id
    study.trial_claims._mine[trial_id][1].set()  # it beats no more
    owner = replace(Owner.this_process(), boot="another", namespace="another")
    study.handle.storage.set_trial_system_attr(trial_id, OWNER_ATTRIBUTE, owner.__dict__)
    with study.handle.storage.engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE trial_heartbeats SET heartbeat = heartbeat - interval '1 hour'"))
    other, began = place.study(storage=schema, grace_seconds=4), time.monotonic()
    with other.trial_claims.exclusive():
        assert other.trial_claims.abandoned([trial_id]) == []
    assert place.tune(other, 1) == "complete"
    assert time.monotonic() - began >= 4
    assert not study.tell(claimed.trial, [0.5], TrialState.COMPLETE, {})  # it is another's by now
    assert [trial.state for trial in other.trials()] == [TrialState.COMPLETE]


def test_fault_e_a_tuner_that_lost_its_trial_does_not_end_it(place, schema):
    study = place.study(storage=schema)
    claimed = study.ask(Limit(1))
    assert claimed is not None
    trial_id = claimed.trial._trial_id
    winner = replace(Owner.this_process(), token="theirs")
    study.handle.storage.set_trial_system_attr(trial_id, OWNER_ATTRIBUTE, winner.__dict__)
    assert not study.tell(claimed.trial, [0.5], TrialState.COMPLETE, {"steps": 1})
    (trial,) = study.trials()
    assert trial.state == TrialState.RUNNING
    assert "steps" not in trial.user_attrs
    with study.handle.storage.engine.connect() as connection:  # and leaves the winner's heartbeat alone
        assert connection.execute(sqlalchemy.text("SELECT count(*) FROM trial_heartbeats")).scalar() == 1


@pytest.mark.slow
def test_fault_f_an_outage_is_waited_out(place, database, schema):
    study, events = place.study(storage=schema), []

    def on_event(event):
        events.append(event)
        if isinstance(event, TrialStarted) and event.number == 1:
            database.stop()
            threading.Timer(6.0, database.start).start()

    assert place.tune(study, 4, on_event=on_event, workers=2) == "complete"
    assert any(isinstance(event, StorageAway) for event in events)
    (back,) = [event for event in events if isinstance(event, StorageBack)]
    assert back.seconds >= 1
    assert sorted(event.number for event in events if isinstance(event, TrialEnded)) == [0, 1, 2, 3]
    found = study.trials()
    assert [trial.state for trial in found] == [TrialState.COMPLETE] * 4
    assert len({json.dumps(trial.params) for trial in found}) == 4


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> bool:
        self.now += seconds
        return True


def away(error: Exception | None = None):
    def action():
        raise error or OperationalError("select", {}, Exception("gone"))

    return action


def test_fault_f_pauses_grow_and_end_with_the_limit():
    clock, events = Clock(), []
    outages = Outages("postgresql://me@host/db", 100.0, clock)
    with outages.handled_by(events.append, clock.pause), pytest.raises(StorageLost, match=r"within 100 seconds.*--storage-t"):
        outages.wait_out(away())
    assert [event.pause for event in events] == [1, 2, 4, 8, 16, 30, 30, 9]
    assert clock.now == 100


def test_fault_f_what_is_no_outage_is_not_waited_out():
    outages = Outages("somewhere", 100.0)
    with pytest.raises(StorageLost, match="IntegrityError"):
        outages.wait_out(away(IntegrityError("insert", {}, Exception("twice"))))
    wrapped = StorageInternalError("commit")
    wrapped.__cause__ = OperationalError("commit", {}, Exception("gone"))
    assert is_outage(wrapped)
    wrapped.__cause__ = IntegrityError("insert", {}, Exception("twice"))
    assert not is_outage(wrapped)


def test_fault_f_a_request_to_stop_ends_the_waiting():
    outages = Outages("somewhere", 100.0)
    with outages.handled_by(lambda event: None, lambda seconds: False), pytest.raises(StorageLost):
        outages.wait_out(away())
