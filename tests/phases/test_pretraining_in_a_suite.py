"""One pre-training run for all tasks of a domain, and snapshots: what a suite with them expands to, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from harness.errors import SuiteError
from harness.planning.load import load
from harness.planning.snapshots import resolve_snapshots
from harness.runs.folder import RunFolder, RunRecord, RunStatus
from harness.spec import RunSpec

pytestmark = pytest.mark.usefixtures("workplace")


def plan(*changes: tuple[str, str], **options: Any) -> list[RunSpec]:
    text = Path("ocean.yaml").read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    Path("changed.yaml").write_text(text)
    return list(resolve_snapshots(load("changed.yaml", **options)).runs)


def refusal(*changes: tuple[str, str], **options: Any) -> str:
    with pytest.raises(SuiteError) as caught:
        plan(*changes, **options)
    return str(caught.value)


def test_one_run_per_domain_method_and_seed_comes_before_those_that_begin_from_it():
    specs = plan()
    labels = [spec.label for spec in specs]
    assert labels[:8] == [
        "explore-reef/rnd/seed-0", "explore-cave/rnd/seed-0",
        "stand/ppo/seed-0", "stand/rnd/seed-0", "walk/ppo/seed-0", "walk/rnd/seed-0", "run/ppo/seed-0", "run/rnd/seed-0",
    ]  # fmt: skip
    assert len(specs) == 16
    runs = {spec.label: spec for spec in specs}
    parent, child = runs["explore-reef/rnd/seed-1"], runs["walk/rnd/seed-1"]
    assert (parent.pretraining, parent.steps, parent.normalise) == (True, 256, None)
    assert [phase.name for phase in parent.phases] == ["explore"]
    assert parent.environment.config["goal"] == "stand"
    assert child.start and (child.start.path, child.start.digest) == (parent.path, parent.digest)
    assert (child.first_step, child.steps, child.phase_boundaries) == (256, 512, (256,))
    assert [phase.name for phase in child.phases] == ["explore", "exploit"]
    assert runs["stand/ppo/seed-0"].start is None
    assert runs["stand/rnd/seed-0"].digest == runs["stand/rnd/seed-1"].digest
    assert len({spec.method_digest for spec in specs if spec.method == "rnd" and not spec.pretraining}) == 1


def test_a_task_alone_brings_the_same_pre_training_run_along():
    everything = {spec.path for spec in plan()}
    some = plan(tasks=["walk"], methods=["rnd"], seeds=[1])
    assert [spec.label for spec in some] == ["explore-reef/rnd/seed-1", "walk/rnd/seed-1"]
    assert {spec.path for spec in some} <= everything
    assert [spec.label for spec in plan(methods=["ppo"], seeds=[1])] == [
        "stand/ppo/seed-1",
        "walk/ppo/seed-1",
        "run/ppo/seed-1",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("{domain: cave, size: 5}", "{size: 5}"),
         "tasks 'stand' and 'run' have the same domain, reef, but differ in size (4 and 5): they cannot share a phase"),
        (("walk: {", "walk: {steps: 1024, "), "differ in the steps of that phase (256 and 512): they cannot share a phase"),
        (("once_per: domain", "once_per: domian"),
         "environment family 'reef' has no setting 'domian': did you mean 'domain'?"),
        (("{domain: cave, size: 5}", "{domain: a cave, size: 5}"), "'a cave' cannot name a folder"),
        (("reward: rnd", "reward: rnd\n    snapshot: there"), "runs that begin from a snapshot share no phase"),
    ],
)  # fmt: skip
def test_what_cannot_be_shared_is_refused_at_the_key(change, message):
    found = refusal(change)
    assert found.startswith("changed.yaml:1")
    assert "methods.rnd.phases.explore.once_per: " in found
    assert message in found


# --- snapshots -----------------------------------------------------------------------------------------------------
PHASES = Path(__file__).with_name("conftest.py").read_text().partition("    phases:\n")[2].partition("seeds:")[0]
SNAPSHOT = ("    phases:\n" + PHASES, "    snapshot: results/ocean/{task}/rnd-*/seed-{seed}\n")


def write_snapshot(spec: RunSpec, state: Any = "finished") -> RunFolder:
    """A run's folder as far as planning looks into it."""
    folder = RunFolder.of(spec, Path("results"))
    (folder.checkpoint / "step-000000000512").mkdir(parents=True)
    status = RunStatus(state=state, step=512, steps=512, started="", updated="")
    folder.write(RunRecord(digest=spec.digest, method_digest=spec.method_digest, spec=spec, provenance={}, status=status))
    return folder


def parents(**options: Any) -> list[RunSpec]:
    return [spec for spec in plan(("    phases:\n" + PHASES, ""), **options) if spec.method == "rnd"]


def test_a_snapshot_is_found_for_each_task_and_seed():
    for spec in parents():
        write_snapshot(spec)
    runs = [spec for spec in plan(SNAPSHOT) if spec.method == "rnd"]
    assert len(runs) == 6
    for spec, parent in zip(runs, parents(), strict=True):
        assert spec.start and not spec.phases
        assert (spec.start.path, spec.start.seed) == (str(RunFolder.of(parent, Path("results")).path.resolve()), None)
        assert spec.first_step == 0
    assert len({(spec.task, spec.digest) for spec in runs}) == 3


def test_one_seed_for_all_is_told_apart_by_the_digest():
    for spec in parents():
        write_snapshot(spec)
    fixed = [plan((SNAPSHOT[0], SNAPSHOT[1].replace("{seed}", seed)), tasks=["stand"], methods=["rnd"]) for seed in "01"]
    assert [{spec.start.seed for spec in runs if spec.start} for runs in fixed] == [{0}, {1}]
    assert len({spec.digest for runs in fixed for spec in runs}) == 2


def test_a_snapshot_may_begin_with_a_reset():
    for spec in parents():
        write_snapshot(spec)
    (run, *_) = plan(
        (SNAPSHOT[0], SNAPSHOT[1] + "    phases: {tune: {reset: [critics], intrinsic_weight: 0}}\n"), methods=["rnd"]
    )
    assert run.phases[0].reset == ("critics",)


def snapshot_refusal(*changes: tuple[str, str], options: dict[str, Any] | None = None) -> str:
    only = {"methods": ["rnd"], "tasks": ["stand"], "seeds": [0]}
    found = refusal(SNAPSHOT, *changes, **(options or only))
    assert re.match(r"changed\.yaml:1[345]: methods\.rnd\.snapshot: ", found), found
    return found


def test_a_missing_or_unfinished_snapshot_is_refused_with_the_remedy():
    assert "no run at results/ocean/stand/rnd-*/seed-0: run the suite that makes it first" in snapshot_refusal()
    assert "no run at gone/stand: run the suite" in snapshot_refusal(("results/ocean/{task}/rnd-*/seed-{seed}", "gone/{task}"))
    assert "unknown placeholder '{tsak}': did you mean 'task'?" in snapshot_refusal(("{task}/rnd", "{tsak}/rnd"))
    folder = write_snapshot(parents()[0], state="failed")
    assert "the run is failed at 512 of 512 steps; finish it first, with 'harness run'" in snapshot_refusal()
    (folder.checkpoint / "step-000000000512").rmdir()
    folder.set_state("finished")
    assert "the run's checkpoint is gone" in snapshot_refusal()
    folder.record_file.write_text("{")
    assert "cannot be read" in snapshot_refusal()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("size: 4", "size: 6"), "size of the environment is 4 there and 6 here"),
        (("family: reef,", "family: reef, domain: pond,"), "domain of the environment is 'reef' there and 'pond' here"),
        (("feature_dim: 8", "feature_dim: 9"), "feature_dim of the method's config is 8 there and 9 here"),
        (("mode: sum", "mode: two_critics"), "it combines rewards by 'sum', not 'two_critics'"),
        (("n_envs: 4", "n_envs: 8"), "n_envs of the algorithm is 4 there and 8 here"),
        (("reward: rnd", "reward: snd_vic"), "its method is 'rnd', not 'snd_vic'"),
    ],
)  # fmt: skip
def test_a_snapshot_of_another_kind_is_refused(change, message):
    write_snapshot(parents()[0])
    extra = (("    config: {warm_up_steps: 4, feature_dim: 8, hidden: [8], minibatch_order: shuffled}\n", ""),)
    found = snapshot_refusal(change, *(extra if "snd_vic" in change[1] else ()))
    assert f"{message}; a run begins from one of the same method and domain only" in found


def test_what_shapes_nothing_may_differ():
    write_snapshot(parents()[0])
    only = {"methods": ["rnd"], "tasks": ["stand"], "seeds": [0]}
    assert plan(SNAPSHOT, ("n_epochs: 1", "n_epochs: 2, learning_rate: 1e-5"), **only)
    assert plan((SNAPSHOT[0], SNAPSHOT[1].replace("{task}", "stand")), methods=["rnd"], tasks=["walk"], seeds=[0])


def test_several_fitting_runs_are_ambiguous():
    write_snapshot(parents()[0])
    write_snapshot(parents(steps=1024)[0])
    assert "fits 2 runs, such as" in snapshot_refusal()
