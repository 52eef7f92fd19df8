"""Runs that are sent elsewhere: what the other machine refuses or goes on with, and what is seen of them here."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.specs import make_spec
from training.test_run import Interrupted, interrupted_at

from harness.execution.assignment import Assignment, train_assigned
from harness.execution.attempt import record_failure
from harness.execution.events import Outcome, RunEnded, RunProgressed, RunStarted
from harness.execution.executor import ExecutionOptions
from harness.execution.following import RunFollower
from harness.execution.versions import code_versions, version_difference
from harness.runs.folder import RunFolder
from harness.training.run import train


def sent(results: Path, fresh: bool = False, **changes) -> Assignment:
    """An assignment as it arrives elsewhere."""
    assignment = Assignment.create([make_spec()], ExecutionOptions(results, fresh=fresh))
    return Assignment.model_validate_json(assignment.model_copy(update=changes).model_dump_json())


def test_a_machine_with_other_code_fails_the_runs_with_a_sentence(tmp_path):
    versions = {**code_versions(), "torch": "1.0", "plugin 'gone'": "gone 2.0"}
    (outcome,) = train_assigned(sent(tmp_path, versions=versions))
    assert outcome.ending == "failed"
    assert "has other code than the machine that started this: plugin 'gone' is missing and not gone 2.0" in outcome.error
    assert "; torch is" in outcome.error
    assert RunFolder.of(make_spec(), tmp_path).read().status.error == outcome.error


def test_a_checkout_that_differs_in_a_file_is_other_code():
    here = code_versions()
    assert version_difference(here) == ""
    changed = here | {"plugin 'rnd'": here["plugin 'rnd'"][:-1] + "x"}
    assert "plugin 'rnd' is exploration-harness" in version_difference(changed)


def test_results_that_are_not_shared_are_a_sentence(tmp_path):
    assignment = sent(tmp_path / "results")
    (tmp_path / "results").rmdir()
    assert "results must lie on a disk that all machines share" in assignment.obstacle()


def test_a_fresh_run_is_started_over_once_and_then_goes_on(tmp_path):
    spec = make_spec()
    train(spec, tmp_path)
    assignment = sent(tmp_path, fresh=True)
    assert assignment.is_fresh(spec)
    with pytest.raises(Interrupted):
        train(spec, tmp_path, fresh=True, report=interrupted_at([0]))
    record = RunFolder.of(spec, tmp_path).read()
    later = record.status.model_copy(update={"started": "2099-01-01T00:00:00+00:00"})  # seconds are not told apart in a test
    RunFolder.of(spec, tmp_path).write(record.model_copy(update={"status": later}))
    assert not assignment.is_fresh(spec)
    assert not sent(tmp_path).is_fresh(spec)


def test_an_old_failure_is_no_event_and_a_new_one_is(tmp_path):
    spec = make_spec()
    record_failure(spec, tmp_path, "of old", "")
    follower = RunFollower([spec], tmp_path)
    assert follower.look() == []
    record_failure(spec, tmp_path, "just now", "")
    assert follower.look()[-1] == RunEnded(Outcome(spec, "failed", "just now"))
    assert follower.following == []


def test_what_is_seen_of_a_run_is_what_its_folder_shows(tmp_path):
    spec = make_spec(checkpoint_every=800)
    follower, events = RunFollower([spec], tmp_path), []
    train(spec, tmp_path, report=lambda progress: events.extend(follower.look()))
    events += follower.look()
    kinds = [type(event) for event in events]
    assert kinds[0] is RunStarted
    assert kinds.count(RunStarted) == kinds.count(RunEnded) == 1
    steps = [event.progress.step for event in events if isinstance(event, RunProgressed)]
    assert steps == sorted(steps)
    assert steps[-1] == spec.steps
    assert events[-1] == RunEnded(Outcome(spec, "finished"))
    assert follower.look() == []


def test_a_finished_run_counts_unless_it_is_to_start_over(tmp_path):
    spec = make_spec()
    train(spec, tmp_path)
    assert RunFollower([spec], tmp_path).look()[-1] == RunEnded(Outcome(spec, "finished"))
    assert RunFollower([spec], tmp_path, fresh=True).look() == []
