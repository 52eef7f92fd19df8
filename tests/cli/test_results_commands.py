"""``status``, and what ``run`` says when there is nothing to do, on folders as runs leave them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.planning.load import load
from harness.runs.folder import RunFolder, RunRecord, RunStatus, now
from harness.runs.lock import Claim
from harness.runs.plans import record_plan
from harness.runs.status import group_runs, read_runs_below, summarise_plan


def leave(spec, state, *, step=1024, score=0.5, error=None, results=Path("results")):
    """A run's folder with a record in some state."""
    folder = RunFolder.of(spec, results)
    folder.path.mkdir(parents=True)
    facts = {"step": step, "score": score, "error": error, "steps_per_second": 100.0}
    status = RunStatus(state=state, steps=spec.steps, started=now(), updated=now(), **facts)
    record = RunRecord(digest=spec.digest, method_digest=spec.method_digest, spec=spec, provenance={}, status=status)
    folder.write(record)
    episodes = "".join(f"{step},{i},{score},100\n" for i in range(spec.evaluation.episodes))
    folder.evaluations_file.write_text("step,episode,return,length\n" + episodes)
    return folder


@pytest.fixture
def plan(workplace):
    return list(load("small.yaml").runs)


@pytest.fixture
def mixed(plan):
    """Two finished, one failed, one running, one whose process is gone, a truncated and a foreign file; two missing."""
    record_plan(plan, Path("results"))
    leave(plan[0], "finished", step=2048, score=0.0)
    leave(plan[4], "finished", step=2048, score=0.99)
    leave(plan[1], "failed", error="ValueError: no").error_log.write_text("the traceback")
    leave(plan[2], "running")
    running = leave(plan[3], "running")
    running.progress_file.write_text("time/total_timesteps,time/fps\n1024,50\n1536,64\n1600,")
    truncated = leave(plan[5], "finished")
    truncated.record_file.write_text(truncated.record_file.read_text()[:200])
    foreign = Path("results/elsewhere")
    foreign.mkdir()
    (foreign / "run.json").write_text('{"speed": 3}')
    claim = Claim(running.path / "claim")
    claim.acquire()
    yield plan
    claim.release()


def test_status_tells_the_truth_about_each_run(mixed, harness):
    code, output, _ = harness("status", "results", "--json")
    assert code == 1  # for what could not be read
    status = json.loads(output)
    found = {(run["task"], run["method"], run["seed"]): run for run in status["runs"]}
    states = {key: run["state"] for key, run in found.items()}
    assert states == {
        ("n4", "ppo", 0): "finished",
        ("n4", "ppo", 1): "finished",
        ("n4", "rnd", 0): "failed",
        ("n5", "ppo", 0): "interrupted",
        ("n5", "rnd", 0): "running",
        ("n4", "rnd", 1): "missing",
        ("n5", "ppo", 1): "missing",
        ("n5", "rnd", 1): "missing",
    }
    running = found["n5", "rnd", 0]
    assert (running["step"], running["steps_per_second"], running["seconds_left"]) == (1536, 64.0, 8.0)
    assert found["n4", "ppo", 1]["normalised"] == 1.0
    assert found["n4", "rnd", 0]["error"] == "ValueError: no"
    assert len(status["skipped"]) == status["unreadable"] == 2


def test_status_in_words(mixed, harness):
    code, output, _ = harness("status", "results")
    lines = output.splitlines()
    assert code == 1
    columns = "task method finished running interrupted failed missing steps/s left score normalised"
    assert lines[0].split() == columns.split()
    assert next(line.split() for line in lines if line.startswith("n4")) == ["n4", "ppo", "2", "0.495", "0.500"]
    failed = RunFolder.of(mixed[1], Path("results"))
    assert f"failed: n4/rnd/seed-0: ValueError: no (log: {failed.error_log})" in lines
    assert sum(line.startswith("skipped: ") and "run.json" in line for line in lines) == 2
    # 512 + 1024 + 1024 steps of what is there and three times 2048 of what is missing, at 64 steps a second
    states = "2 finished, 1 running, 1 interrupted, 1 failed, 3 missing"
    assert lines[-1] == f"8 runs: {states}; 2 things could not be read; about 2 min 16 s left"


def test_status_with_a_plan_shows_what_is_missing(mixed, workplace, harness):
    RunFolder.of(mixed[5], Path("results")).record_file.unlink()
    for root in ("results", "results/small"):
        _, output, _ = harness("status", root, "--suite", "small.yaml", "--json")
        states = [run["state"] for run in json.loads(output)["runs"]]
        assert len(states) == 8
        assert states.count("missing") == 3


def test_configurations_of_one_name_are_told_apart(plan):
    other = plan[0].model_copy(update={"steps": 4096})
    leave(plan[0], "finished")
    leave(other, "finished")
    leave(plan[1], "finished")
    names = {group.method for group in group_runs(read_runs_below([Path("results")]).runs)}
    assert names == {"ppo · 2,048 steps", "ppo · 4,096 steps", "rnd"}


def test_same_folder_given_twice_counts_once(plan):
    leave(plan[0], "finished")
    assert len(read_runs_below([Path("results"), Path("results/small"), Path.cwd() / "results"]).runs) == 1


def test_a_plan_is_scored_with_the_constants_that_its_runs_carry(plan):
    leave(plan[0], "finished", score=0.99)
    changed = plan[0].model_copy(update={"normalise": plan[0].normalise.model_copy(update={"high": 1.98})})
    (summary,) = summarise_plan([changed], Path("results"))
    assert summary.normalised == 1.0


def test_finished_suite_is_left_alone_without_loading_torch(plan, workplace):
    for spec in plan:
        leave(spec, "finished", step=spec.steps)
    before = {path: path.stat().st_mtime_ns for path in workplace.rglob("*")}
    code = (
        "import sys; from harness.cli import main; r = main(['run', 'small.yaml']); print('torch' in sys.modules); sys.exit(r)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    *_, nothing, report, torch_loaded = done.stdout.splitlines()
    assert nothing == "nothing to do: 8 runs finished in results/small"
    assert report == "for a report: harness report results/small"
    assert torch_loaded == "False"
    assert {path: path.stat().st_mtime_ns for path in workplace.rglob("*")} == before


def test_report_lays_published_numbers_beside_ours_where_it_is_asked_to(plan, workplace, harness):
    for spec in plan:
        leave(spec, "finished")
    code, _, errors = harness("report", "results", "--published", "--format", "csv", "--out", "with")
    assert (code, errors) == (0, "")
    assert (workplace / "with/published.csv").read_text().count("\n") == 1  # nothing is published of these tasks
    own = "environment,family,settings,method,reward,metric,value,source,confidence\n"
    (workplace / "own.csv").write_text(own + "DeepSea,deep_sea,size=4,RND,rnd,final_return,0.99,Table 1,paper\n")
    harness("report", "results", "--published-from", "own.csv", "--format", "csv", "--out", "own")
    assert (
        (workplace / "own/published.csv").read_text().splitlines()[1].startswith("small,n4,rnd,final_return,DeepSea,RND,0.99")
    )
    harness("report", "results", "--format", "csv", "--out", "without")
    assert not (workplace / "without/published.csv").exists()
    code, _, errors = harness("report", "results", "--published-from", "absent.csv", "--out", "never")
    assert code == 2
    assert errors == "error: absent.csv: cannot be read (No such file or directory)\n"
