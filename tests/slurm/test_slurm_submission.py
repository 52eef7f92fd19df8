"""What is asked of Slurm, in which arrays, and what is asked for only once."""

from __future__ import annotations

import _thread
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from slurm.test_slurm_training import until
from support.fake_slurm import options_of
from support.specs import make_spec

from harness import experiment
from harness.cli import main
from harness.errors import UserError
from harness.execution.executor import Detached, ExecutionOptions
from harness.execution.stopping import StopRequest
from harness.runs.jobs import JOBS_FILE, submitted_jobs
from harness.spec import RunSpec, StartSpec
from harness_slurm.config import SlurmConfig, parse_minutes
from harness_slurm.executor import SlurmExecutor

SUITE = """\
suite: tiny
environment: {family: deep_sea, size: 4}
tasks: {sea: }
algorithm: {name: ppo, n_envs: 4, n_steps: 16, batch_size: 32}
methods: {ppo: }
seeds: 3
steps: 512
evaluation: {every: 256, episodes: 2}
executor:
  slurm: {partition: gpu, time: 90m}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.yaml"
    file.write_text(SUITE)
    return file


def begins_from(spec: RunSpec, seed: int) -> RunSpec:
    start = StartSpec(path=spec.path, digest=spec.digest, method_digest=spec.method_digest)
    return spec.model_copy(update={"method": "later", "seed": seed, "start": start})


class LeavingExecutor(SlurmExecutor):
    """One that is interrupted when it begins to follow its jobs."""

    @property
    def look_seconds(self) -> float:
        _thread.interrupt_main()
        return 0.01


def submit(specs: list[RunSpec], results: Path, config: SlurmConfig | None = None, **options) -> str:
    """Submit runs to a Slurm that runs nothing, and leave; what is said then."""
    executor = LeavingExecutor()
    given = executor.preflight(specs, ExecutionOptions(results, config=config or SlurmConfig(), **options))
    with pytest.raises(Detached) as farewell:
        executor.execute(specs, given, lambda event: None)
    return str(farewell.value)


def test_ctrl_c_leaves_the_jobs_in_the_queue(slurm, tmp_path, monkeypatch):
    def interrupted() -> None:
        """Instead of the question which jobs are in the queue, which is asked first when they are followed."""
        raise KeyboardInterrupt

    monkeypatch.setattr("harness_slurm.executor.live_jobs", interrupted)
    with pytest.raises(Detached, match=r"scancel 1001$"):
        SlurmExecutor().execute([make_spec()], ExecutionOptions(tmp_path / "results"), lambda event: None)
    assert [job.name for job in (slurm / "queue").iterdir()] == ["1001"]


def test_a_suite_is_one_array_with_what_its_settings_ask_for(slurm, tmp_path):
    config = SlurmConfig(
        partition="gpu",
        time=90,
        mem="8G",
        gpus=1,
        constraint="a100",
        account="lab",
        qos="low",
        setup=("module load cuda",),
        options={"exclude": "node13", "exclusive": True},
    )
    specs = [make_spec(seed=seed) for seed in range(3)]
    farewell = submit(specs, tmp_path / "results", config, workers=2)
    (script,) = slurm.glob("*.sh")
    options = options_of(script)
    expected = {
        "array": "0-2%2",
        "partition": "gpu",
        "time": "90",
        "mem": "8G",
        "gpus-per-node": "1",
        "constraint": "a100",
        "account": "lab",
        "qos": "low",
        "cpus-per-task": "1",
        "exclude": "node13",
        "exclusive": "",
        "requeue": "",
        "signal": "USR2@120",
    }
    assert options.items() >= expected.items()
    assert "dependency" not in options
    assert "\nmodule load cuda\n" in script.read_text()
    jobs = submitted_jobs(tmp_path / "results" / "test")
    assert {jobs[spec.path].job for spec in specs} == {"1001_0", "1001_1", "1001_2"}
    assert "3 unfinished runs go on without this command" in farewell
    assert farewell.endswith("scancel 1001")


def test_runs_that_begin_from_others_wait_for_these_alone(slurm, tmp_path):
    first, alone = make_spec(seed=0), make_spec(seed=1)
    submit([first, alone, begins_from(first, 0), begins_from(first, 1)], tmp_path / "results")
    scripts = [options_of(slurm / f"{number}.sh") for number in (1001, 1002, 1003)]
    assert [script.get("array") for script in scripts] == [None, None, "0-1%2"]
    assert [script.get("dependency") for script in scripts] == [None, None, "afterany:1001"]
    assert submitted_jobs(tmp_path / "results" / "test")[first.path].job == "1001"


def test_many_runs_are_several_arrays_and_a_job_holds_as_many_as_it_is_told(slurm, tmp_path):
    specs = [make_spec(seed=seed) for seed in range(7)]
    submit(specs, tmp_path / "results", SlurmConfig(runs_per_job=2, array_size=3))
    scripts = [options_of(slurm / f"{number}.sh") for number in (1001, 1002)]
    assert [script.get("array") for script in scripts] == ["0-2%3", None]
    assert scripts[0]["cpus-per-task"] == "2"
    jobs = submitted_jobs(tmp_path / "results" / "test")
    assert [jobs[spec.path].job for spec in specs] == [*("1001_0",) * 2, *("1001_1",) * 2, *("1001_2",) * 2, "1002"]


def test_what_is_in_the_queue_is_not_submitted_again_and_what_has_left_it_is(slurm, tmp_path):
    specs, results = [make_spec(seed=seed) for seed in range(3)], tmp_path / "results"
    submit(specs, results)
    submit(specs, results)
    assert len(list(slurm.glob("*.sh"))) == 1
    (slurm / "queue" / "1001_1").unlink()
    assert submit(specs, results).endswith("scancel 1001 1002")
    jobs = submitted_jobs(results / "test")
    assert [jobs[spec.path].job for spec in specs] == ["1001_0", "1002", "1001_2"]
    with pytest.raises(UserError, match="cancel them before --fresh: scancel 1001 1002"):
        SlurmExecutor().preflight(specs, ExecutionOptions(results, fresh=True))


def test_a_job_that_ends_before_its_run_is_told_with_its_log(slurm, tmp_path):
    spec, results = make_spec(), tmp_path / "results"
    threading.Thread(target=cancel_once_submitted, args=(slurm, "1001")).start()
    (outcome,) = SlurmExecutor().execute([spec], ExecutionOptions(results), lambda event: None)
    assert outcome.ending == "failed"
    assert outcome.error == (f"job 1001 is over, and the run is missing; the job's log: {results}/test/.slurm/1001_0_log.out")


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_while_sbatch_is_at_work_loses_no_job(slurm, suite, monkeypatch, times):
    """A terminal signals every process of the command, sbatch too; what is submitted by then would be submitted again."""
    monkeypatch.setenv("FAKE_SLURM_SECONDS", "1.5")
    command = [sys.executable, "-m", "harness", "run", str(suite), "--executor", "slurm"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True, cwd=suite.parent
    )
    until(lambda: list((slurm / "queue").iterdir()))
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.3)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert "the jobs of 3 unfinished runs go on without this command" in said
    assert "scancel 1001" in said
    assert {job.job for job in submitted_jobs(suite.parent / "results" / "tiny").values()} == {"1001_0", "1001_1", "1001_2"}


def test_an_interrupt_of_the_caller_while_jobs_are_submitted_arrives_once_they_are_recorded(slurm, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_SLURM_SECONDS", "0.5")
    threading.Thread(target=interrupt_once_submitted, args=(slurm,)).start()
    specs = [make_spec(seed=seed) for seed in range(2)]
    with pytest.raises(Detached, match=r"scancel 1001$"):
        SlurmExecutor().execute(specs, ExecutionOptions(tmp_path / "results"), lambda event: None)
    assert len(submitted_jobs(tmp_path / "results" / "test")) == 2


def interrupt_once_submitted(state: Path) -> None:
    until(lambda: list((state / "queue").iterdir()))
    _thread.interrupt_main()


def test_nothing_is_submitted_once_a_stop_is_requested(slurm, tmp_path):
    stop = StopRequest()
    stop.request()
    with pytest.raises(Detached, match="interrupted before a job was submitted"):
        SlurmExecutor().execute([make_spec()], ExecutionOptions(tmp_path / "results", stop=stop), lambda event: None)
    assert not list(slurm.glob("*.sh"))


def cancel_once_submitted(state: Path, job: str) -> None:
    until((state / "queue" / job).exists)
    (state / "queue" / job).unlink()


def test_status_names_the_jobs_of_runs_that_are_not_finished(slurm, suite, tmp_path, capsys):
    plan = experiment.plan(suite)
    submit(list(plan.runs), tmp_path / "results")
    assert [job.job for job in experiment.status(tmp_path / "results").jobs] == ["1001_0", "1001_1", "1001_2"]
    main(["status", str(tmp_path / "results")])
    assert "submitted: 3 unfinished runs in slurm job 1001 (1001_0, 1001_1, 1001_2)" in capsys.readouterr().out
    main(["status", str(tmp_path / "results" / "tiny"), "--json"])
    assert [job["job"] for job in json.loads(capsys.readouterr().out)["jobs"]] == ["1001_0", "1001_1", "1001_2"]


def test_a_damaged_record_of_jobs_is_no_obstacle(slurm, tmp_path):
    results = tmp_path / "results"
    submit([make_spec()], results)
    with (results / "test" / JOBS_FILE).open("a") as file:
        file.write('{"run": "test/task\n[]\n{}\n')
    assert len(submitted_jobs(results / "test")) == 1
    submit([make_spec()], results)
    assert len(list(slurm.glob("*.sh"))) == 1


def test_what_slurm_refuses_is_one_line(slurm, tmp_path, capfd):
    specs, config = [make_spec()], SlurmConfig(partition="nowhere")
    with pytest.raises(UserError) as refusal:
        SlurmExecutor().execute(specs, ExecutionOptions(tmp_path / "results", config=config), lambda event: None)
    assert str(refusal.value) == "sbatch refuses the jobs: sbatch: error: invalid partition specified: nowhere"
    assert capfd.readouterr() == ("", "")


def test_a_machine_without_slurm_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="needs sbatch and squeue and srun and scontrol, not found on this machine"):
        SlurmExecutor().preflight([make_spec()], ExecutionOptions(tmp_path / "results"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("cuda:1", "device 'cuda:1': jobs of Slurm are given their GPUs; use --device auto, cpu or cuda"),
        ("cuda", "device cuda, and jobs that ask for no GPU; add --set executor.slurm.gpus=1"),
    ],
)
def test_devices_that_jobs_do_not_have_are_refused(slurm, tmp_path, device, message):
    with pytest.raises(UserError) as refusal:
        SlurmExecutor().preflight([make_spec()], ExecutionOptions(tmp_path / "results", device=device))
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("4h", 240),
        ("90m", 90),
        ("1.5h", 90),
        ("2d", 2880),
        ("1-12:00:00", 2160),
        ("00:30:30", 31),
        ("1-06:00", 1800),
        (45, 45),
    ],
)
def test_times_are_those_of_slurm_and_of_people(text, minutes):
    assert parse_minutes(text) == minutes
    assert SlurmConfig.model_validate({"time": text}).time == minutes


@pytest.mark.parametrize("text", ["soon", "4 hours", "30:00", "-1h", "", "0m", 0])
def test_other_times_are_refused(text):
    with pytest.raises(ValueError, match=r"expected a time such as 4h|greater than 0"):
        SlurmConfig.model_validate({"time": text})
