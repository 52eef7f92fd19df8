"""Runs as tasks of a Ray cluster: of this machine, and of several nodes of which one is lost."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import ray
from ray.cluster_utils import Cluster
from support.specs import make_spec
from training.test_run import content

import harness_ray
from harness.errors import UserError
from harness.execution.events import RunEnded, RunEvent, RunProgressed, RunStarted
from harness.execution.executor import ExecutionOptions, load_tuning_executor
from harness.registry import installed
from harness.runs.folder import RunFolder
from harness.runs.jobs import submitted_jobs
from harness.spec import RunSpec
from harness.training.run import train
from harness_ray.config import RayConfig
from harness_ray.executor import RayExecutor

pytestmark = [
    pytest.mark.xdist_group("ray"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves its own log files open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SMALL = {"object_store_memory": 80 << 20, "include_dashboard": False}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head of one core."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **SMALL})
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture(autouse=True)
def _disconnected() -> Iterator[None]:
    yield
    ray.shutdown()


def options(cluster: Cluster, results: Path, **settings) -> ExecutionOptions:
    return ExecutionOptions(results, config=RayConfig(address=cluster.address, **settings))


def execute(specs: list[RunSpec], given: ExecutionOptions, on_event: Callable[[RunEvent], None] = lambda event: None):
    executor = RayExecutor()
    return executor.execute(specs, executor.preflight(specs, given), on_event)


def states(spec: RunSpec, results: Path) -> list[str]:
    return [entry.state for entry in RunFolder.of(spec, results).read().status.history]


@pytest.mark.slow
def test_a_run_is_trained_on_the_cluster_and_leaves_what_it_leaves_here(cluster, tmp_path):
    spec, events = make_spec(steps=320, evaluate_every=320), []
    handler = signal.getsignal(signal.SIGTERM)
    (outcome,) = execute([spec], options(cluster, tmp_path / "there"), events.append)
    assert (outcome.spec, outcome.ending, outcome.error) == (spec, "finished", "")
    assert (events[0], events[-1]) == (RunStarted(spec), RunEnded(outcome))
    train(spec, tmp_path / "here")
    assert content(tmp_path / "there", spec) == content(tmp_path / "here", spec)
    (job,) = submitted_jobs(tmp_path / "there" / spec.suite).values()
    assert (job.run, job.executor, len(job.job)) == (spec.path, "ray", 8)
    assert not ray.is_initialized()
    assert signal.getsignal(signal.SIGTERM) is handler


@pytest.mark.slow
def test_what_no_node_has_room_for_is_refused(cluster, tmp_path):
    with pytest.raises(UserError, match="no node of the Ray cluster has room for a run, which asks for 64 CPU; if"):
        RayExecutor().preflight([make_spec()], options(cluster, tmp_path, cpus=64))
    assert not ray.is_initialized()
    grows = ExecutionOptions(tmp_path, workers=3, config=RayConfig(address=cluster.address, cpus=64))
    assert RayExecutor().preflight([make_spec()], grows).workers == 3


def test_a_device_is_rays_to_give(tmp_path):
    with pytest.raises(UserError, match="device 'cuda:1': Ray gives runs their GPUs; use --device auto, cpu or cuda"):
        RayExecutor().preflight([make_spec()], ExecutionOptions(tmp_path, device="cuda:1"))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1: .*; start one: ray start --head --port 1"),
        ("ray://127.0.0.1:1", "Ray's address 'ray://127.0.0.1:1': expected auto, or HOST:PORT"),
        ("127.0.0.1", "Ray's address '127.0.0.1': expected auto, or HOST:PORT"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line(tmp_path, address, message):
    given = ExecutionOptions(tmp_path / "results", config=RayConfig(address=address))
    with pytest.raises(UserError, match=message) as refusal:
        RayExecutor().preflight([make_spec()], given)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("error", [Exception, RuntimeError, TimeoutError, AssertionError])
def test_whatever_keeps_ray_from_starting_is_one_line(tmp_path, monkeypatch, error):
    """On a machine with too much to do it raises a plain Exception."""

    def init(**_: object) -> None:
        raise error("The current node timed out during startup.\nThis could happen because the GCS has become overloaded.")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(UserError, match="no Ray cluster can be used at 'this machine': The current node timed out") as refusal:
        RayExecutor().preflight([make_spec()], ExecutionOptions(tmp_path / "results"))
    assert "\n" not in str(refusal.value)


def test_it_tunes():
    assert isinstance(load_tuning_executor("ray", installed()), RayExecutor)


@pytest.mark.parametrize(("text", "size"), [("4G", 4 << 30), ("500MB", 500 << 20), ("7", 7), (None, 0)])
def test_memory_is_written_as_for_slurm(text, size):
    assert RayConfig(memory=text).memory_bytes == size


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "message"),
    [
        (
            'raise ImportError("nothing of the kind")',
            "cannot load the harness: ImportError: nothing of the kind; Ray must",
        ),
        ('__path__ = [ELSEWHERE]; import harness; harness.__version__ = "0.0.7"', "has harness 0.0.7, this machine "),
    ],
)
def test_a_node_that_cannot_train_is_named_before_anything_starts(tmp_path, monkeypatch, package, message):
    """The workers of this cluster find another package in place of the executor's."""
    other = tmp_path / "other" / "harness_ray"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text(package.replace("ELSEWHERE", repr(str(Path(harness_ray.__file__).parent))))
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(other.parent))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **SMALL})
    try:
        with pytest.raises(UserError, match=message) as refusal:
            RayExecutor().preflight([make_spec()], options(made, tmp_path / "results"))
        assert str(refusal.value).startswith("node ")
        assert "\n" not in str(refusal.value)
        assert not ray.is_initialized()
    finally:
        made.shutdown()


@pytest.mark.slow
def test_a_run_that_is_stopped_stays_resumable_and_no_event_of_it_follows(cluster, tmp_path):
    specs = [make_spec(steps=100_000, checkpoint_every=320), make_spec(steps=320, evaluate_every=320, seed=1)]
    executor = RayExecutor()
    session = executor.open_session(executor.preflight(specs, options(cluster, tmp_path)))
    try:
        session.start(specs[0])
        while not any(isinstance(event, RunProgressed) for event in session.wait(60)):
            pass
        session.stop(specs[0])
        assert session.running == 0
        assert states(specs[0], tmp_path) == ["running", "interrupted"]
        session.start(specs[1])
        events: list[RunEvent] = []
        while session.running:
            events += session.wait(60)
        assert {event.spec.seed for event in events if isinstance(event, RunProgressed)} <= {1}
        assert events[-1].outcome.ending == "finished"
    finally:
        session.close()


@pytest.mark.slow
def test_a_suite_outlives_a_node_and_ends_as_on_one_machine(cluster, tmp_path):
    """Each node has a core of the kind that runs ask for; the one that is lost trains a run that has saved."""
    specs = [make_spec(steps=3200, evaluate_every=1600, checkpoint_every=320, seed=seed) for seed in range(2)]
    nodes = [cluster.add_node(num_cpus=1, resources={"training": 1}, **SMALL) for _ in range(2)]
    cluster.wait_for_nodes()
    lost: list[RunSpec] = []

    def on_event(event: RunEvent) -> None:
        if not lost and isinstance(event, RunProgressed) and event.progress.step > 320:
            lost.append(event.spec)
            with warnings.catch_warnings(action="ignore"):
                cluster.remove_node(_node_of(event.spec, tmp_path / "there", nodes), allow_graceful=False)

    given = options(cluster, tmp_path / "there", resources={"training": 1})
    outcomes = execute(specs, given, on_event)
    assert [outcome.ending for outcome in outcomes] == ["finished"] * 2
    assert states(lost[0], tmp_path / "there")[-2:] == ["running", "finished"]
    assert states(lost[0], tmp_path / "there").count("running") == 2
    for spec in specs:
        train(spec, tmp_path / "here")
        assert content(tmp_path / "there", spec) == content(tmp_path / "here", spec)


def _node_of(spec: RunSpec, results: Path, nodes: list):
    """The node whose raylet is an ancestor of the process that trains the run."""
    process = psutil.Process(RunFolder.of(spec, results).read().status.history[-1].pid)
    ancestors = {process.pid, *(parent.pid for parent in process.parents())}
    for node in nodes:
        if any(info.process.pid in ancestors for info in node.all_processes["raylet"]):
            return node
    raise AssertionError(f"{spec.label} is on none of the nodes")
