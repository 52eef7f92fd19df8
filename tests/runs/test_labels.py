"""Which runs count to one method: tasks of several versions of training together, versions of one task never."""

from __future__ import annotations

from support.specs import make_spec

from harness.runs.folder import RunRecord, RunStatus
from harness.runs.labels import label_digests
from harness.spec import RunSpec

STATUS = RunStatus(state="finished", step=1, steps=1, started="", updated="")


def labels(*specs: RunSpec) -> list[str]:
    records = {
        str(number): RunRecord(digest=spec.digest, method_digest=spec.method_digest, spec=spec, provenance={}, status=STATUS)
        for number, spec in enumerate(specs)
    }
    found = label_digests(records)
    return [found[folder] for folder in records]


def run(task: str, version: int, **changes: object) -> RunSpec:
    return make_spec().model_copy(update={"task": task, "training_version": version, **changes})


def test_as_recorded_where_all_runs_are_of_the_first_version() -> None:
    specs = run("a", 1), run("a", 1, seed=1), run("b", 1, checkpoint_every=7)
    assert labels(*specs) == [spec.method_digest for spec in specs]


def test_tasks_of_both_versions_are_one_method() -> None:
    assert len(set(labels(run("grid", 1), run("car", 2), run("other_car", 2, checkpoint_every=7, replay_steps=50)))) == 1


def test_runs_of_one_task_before_and_after_are_never_one_method() -> None:
    grid, before, after = labels(run("grid", 1), run("car", 1), run("car", 2, seed=1))
    assert grid == after != before


def test_versions_hide_no_other_difference() -> None:
    other = make_spec(algorithm={"gamma": 0.5})
    grid, car = labels(run("grid", 1), run("car", 2, algorithm=other.algorithm))
    assert grid != car


def test_tasks_with_budgets_of_their_own_are_one_method() -> None:
    short, long, again = labels(run("a", 1), run("b", 1, steps=3200), run("b", 1, steps=3200, seed=1))
    assert short == long == again
    assert len(set(labels(run("a", 1), run("b", 2, steps=3200), run("c", 1, steps=6400)))) == 1


def test_two_budgets_on_one_task_are_two_methods() -> None:
    short, long, other = labels(run("a", 1), run("a", 1, steps=3200), run("b", 1, steps=6400))
    assert len({short, long, other}) == 3
    both = labels(*(run(task, 1, steps=steps) for task in "ab" for steps in (1600, 3200)))
    assert both[0] == both[2] != both[1] == both[3]


def test_budgets_hide_no_other_difference() -> None:
    other = make_spec(algorithm={"gamma": 0.5})
    short, long = labels(run("a", 1), run("b", 1, steps=3200, algorithm=other.algorithm))
    assert short != long


def test_different_distances_between_checkpoints_stay_apart_in_the_first_version() -> None:
    one, other, car = labels(run("grid", 1), run("grid", 1, checkpoint_every=7), run("car", 2))
    assert one != other
    assert car not in (one, other)
