"""Many workers, and workers that are killed: no trial is lost, repeated or stuck."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest
from support.postgres import PASSWORD, server
from support.tuning import environment, rows


def join(place, trials, *, storage="", workers=1, grace=60, seconds="0.05", overrides=()):
    """Start a process that works on the study, in a process group of its own."""
    arguments = [str(place.folder), storage, str(trials), str(workers), str(grace), *overrides]
    return subprocess.Popen(
        [sys.executable, "-m", "support.joined_tuning", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment(SYNTHETIC_SECONDS=seconds),
    )


def finish(process, seconds=900):
    output, errors = process.communicate(timeout=seconds)
    assert process.returncode == 0, errors
    assert errors == ""
    return output


def kill(process):
    """At once, with everything it has started."""
    everyone = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    psutil.wait_procs(everyone, timeout=20)


def check_whole(study, trials):
    """Each trial once, complete, with all of its runs and settings of its own."""
    found = study.trials()
    assert [trial.number for trial in found] == list(range(trials))
    assert {trial.state.name for trial in found} == {"COMPLETE"}
    assert len({json.dumps(trial.params) for trial in found}) == trials
    assert all(trial.user_attrs["runs"] == len(study.specs) for trial in found)
    assert all(len(trial.intermediate_values) == study.evaluation_order.total for trial in found)


def killed_and_resumed(place, trials, kills, seed):
    rng, killed = random.Random(seed), 0
    while killed < kills:
        process = join(place, trials, workers=2)
        line = process.stdout.readline()
        assert line, process.stderr.read()  # it has begun: from here on any instant may be its last
        time.sleep(rng.uniform(0.0, 3.0))
        if process.poll() is not None:
            process.communicate()
            break
        kill(process)
        killed += 1
    finish(join(place, trials, workers=2))
    check_whole(place.study(), trials)
    return killed


def test_study_killed_again_and_again_is_whole_in_the_end(place):
    assert killed_and_resumed(place, trials=6, kills=2, seed=1) == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_study_killed_ten_times_is_whole_in_the_end(place, seed):
    assert killed_and_resumed(place, trials=60, kills=10, seed=seed) == 10


@pytest.mark.slow
def test_killed_and_resumed_by_one_worker_gives_the_trials_of_an_unbroken_study(place, tmp_path):
    process = join(place, 6)
    while "TrialEnded(number=2" not in process.stdout.readline():
        pass
    time.sleep(0.3)
    kill(process)
    finish(join(place, 6))
    broken = place.study()
    whole = place.study(name="whole")
    place.tune(whole, 6)
    assert rows(broken) == rows(whole)


def share(place, trials, storage="", grace=60):
    processes = [join(place, trials, storage=storage, grace=grace) for _ in range(4)]
    outputs = [finish(process) for process in processes]
    started = [line.split("(")[1].split(",")[0] for text in outputs for line in text.splitlines() if "TrialStarted" in line]
    assert len(started) == len(set(started)) == trials  # nobody took what another had
    assert sum("TrialStarted" in text for text in outputs) >= 2
    check_whole(place.study(storage=storage or None, grace_seconds=grace), trials)


@pytest.mark.slow
def test_four_processes_share_one_journal(place):
    share(place, 12)


@pytest.mark.slow
def test_four_processes_share_one_journal_for_long(place):
    share(place, 100)


@pytest.mark.slow
def test_four_processes_share_one_sqlite_file(place):
    share(place, 8, f"sqlite:///{place.folder / 'study.db'}")


@pytest.fixture(scope="module")
def database():
    with server() as url:
        yield url


@pytest.fixture
def schema(database):
    """An empty place in the database: a schema of its own."""
    import psycopg

    name = f"s{time.monotonic_ns()}"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    return f"{database}?options=-csearch_path%3D{name}"


@pytest.mark.slow
def test_four_processes_share_one_postgresql_database(place, schema):
    share(place, 12, schema)


@pytest.mark.slow
def test_dead_worker_on_postgresql_is_missed_and_its_trial_taken_over(place, schema):
    process = join(place, 3, storage=schema, grace=4, seconds="0.5")
    while "TrialProgressed" not in process.stdout.readline():
        pass
    kill(process)
    limit = time.monotonic() + 100
    while "resumed=True" not in finish(join(place, 3, storage=schema, grace=4)):
        assert time.monotonic() < limit
    check_whole(place.study(storage=schema, grace_seconds=4), 3)


@pytest.mark.slow  # without training it is tried in ``test_storage_secrets.py``
def test_nothing_that_the_command_leaves_or_says_knows_the_password(place, schema):
    """With real training, whose ``run.json`` records the command."""
    options = ["--trials", "1", "--seeds", "1", "--steps", "128", "--confirm", "0", "--task", "n4", "--workers", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "harness", "tune", "toy.yaml", "--method", "rnd", *options, "--storage", schema],
        check=False,
        capture_output=True,
        text=True,
        cwd=place.folder,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    assert PASSWORD in schema
    assert PASSWORD not in done.stdout + done.stderr
    assert "postgresql+psycopg://tester:***@127.0.0.1" in done.stdout
    files = [file for file in place.results.rglob("*") if file.is_file()]
    assert {"run.json", "study.json", "best.yaml", "index.html"} <= {file.name for file in files}
    for file in files:
        assert PASSWORD.encode() not in file.read_bytes(), file
    (record,) = [json.loads(file.read_text()) for file in files if file.name == "run.json"]
    assert "--storage 'postgresql://tester:***@127.0.0.1" in record["provenance"]["command"]


def test_wrong_password_is_one_line_without_it(place, schema):
    from harness.errors import StudyError

    with pytest.raises(StudyError, match="password authentication failed") as caught:
        place.study(storage=schema.replace(PASSWORD, "n0t-the-0ne"))
    assert "n0t-the-0ne" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_stopped_by_ctrl_c_it_gives_its_trial_back_at_once(place):
    process = join(place, 4, seconds="0.3")
    while "TrialProgressed" not in process.stdout.readline():
        pass
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    study = place.study()
    running = [trial._trial_id for trial in study.trials() if trial.state.name == "RUNNING"]
    with study.trial_claims.exclusive():
        assert study.trial_claims.abandoned(running) == running != []
