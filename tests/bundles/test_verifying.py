"""Runs of a bundle trained again: what is true is the same to the digit, and what is forged, cut or re-seeded is found out."""

from __future__ import annotations

import json
import shutil

import pytest
from support.bundles import edit_record, forged, run_of, train_small
from support.in_process import InProcess

from harness import experiment
from harness.bundles.comparison import allowed_difference, compare
from harness.bundles.crosschecks import contradictions, packed_runs
from harness.bundles.unpacking import unpacked
from harness.cli import main
from harness.errors import UserError
from harness.execution.attempt import TRAIN
from harness.runs.folder import RunFolder


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """Runs are really trained, without the seconds that new processes take to load the libraries."""
    monkeypatch.setattr(
        "harness.execution.local.LocalExecutor.open_session", lambda executor, options: InProcess(options.results, TRAIN)
    )


def verify(bundle, **options):
    """One run at a time: two in one process would draw from the same streams."""
    return experiment.verify(bundle, workers=1, **options)


def other_build(results, torch="0.0.1"):
    for file in results.rglob("run.json"):
        record = json.loads(file.read_text())
        for provenance in [record["provenance"], *(attempt["provenance"] for attempt in record["attempts"])]:
            provenance["packages"]["torch"] = torch
        file.write_text(json.dumps(record))


def edit_last_evaluation(run, value):
    """Change the returns of the last evaluation, and the record with them, so that the two agree."""
    lines = (run / "evaluations.csv").read_text().splitlines()
    for at in (-1, -2):
        cells = lines[at].split(",")
        cells[lines[0].split(",").index("return")] = str(value)
        lines[at] = ",".join(cells)
    (run / "evaluations.csv").write_text("\n".join(lines) + "\n")
    edit_record(run, score=value)


def test_fault_verify_says_that_true_runs_are_the_same_to_the_digit(bundle):
    drawn = []
    found = verify(bundle, share=0.5, seed=3, on_drawn=drawn.extend)
    assert found.good
    assert (len(found.runs), found.finished, found.contradictions, found.untrainable) == (2, 4, [], [])
    assert [(run.finding, run.detail.partition(",")[0]) for run in found.runs] == [("same", "to the digit")] * 2
    assert [run.name for run in found.runs] == drawn


def test_the_draw_follows_from_its_seed_and_the_share_bounds_it(bundle, monkeypatch):
    monkeypatch.setattr("harness.bundles.verifying._train", lambda drawn, *rest: (_ for _ in ()).throw(UserError("stop here")))

    def drawn(share, seed):
        names = []
        with pytest.raises(UserError, match="stop here"):
            verify(bundle, share=share, seed=seed, on_drawn=names.extend)
        return tuple(names)

    assert drawn(0.5, 7) == drawn(0.5, 7)
    assert len({drawn(0.25, seed) for seed in range(8)}) > 2
    assert [len(drawn(share, 0)) for share in (1e-9, 0.25, 0.26, 1.0)] == [1, 1, 2, 4]


@pytest.mark.parametrize("share", [0, -1, 1.01, float("nan")])
def test_a_share_is_above_nothing_and_no_more_than_all(bundle, share):
    with pytest.raises(UserError, match="expected a number above 0 and at most 1"):
        verify(bundle, share=share)


def test_fault_forged_scores_are_found_by_training_again(trained, tmp_path):
    """Record and evaluations agree and every checksum is right: only the numbers themselves are not."""
    file = forged(trained, tmp_path, lambda copy: edit_last_evaluation(run_of(copy, 1), 0.99))
    found = verify(file, share=1, seed=0)
    assert found.contradictions == []
    assert not found.good
    (wrong,) = [run for run in found.runs if not run.good]
    assert wrong.finding == "different"
    assert wrong.name.endswith("seed-1")
    assert "evaluations.csv" in wrong.detail
    assert "return is 0.99 there and " in wrong.detail


@pytest.mark.slow  # as forged scores are, every day
def test_fault_a_reseeded_run_is_found_by_training_again(trained, tmp_path):
    """Seed 1 is called seed 7: a better draw in another's place."""

    def change(copy):
        shutil.rmtree(copy / "plans")
        run = run_of(copy, 1)
        record = json.loads((run / "run.json").read_text())
        record["spec"]["seed"] = 7
        (run / "run.json").write_text(json.dumps(record))
        run.rename(run.with_name("seed-7"))

    found = verify(forged(trained, tmp_path, change), share=1, seed=0)
    assert [run.name.rpartition("/")[2] for run in found.runs if run.finding == "different"] == ["seed-7"]


def contradictions_after(trained, tmp_path, change):
    with unpacked(forged(trained, tmp_path, change)) as found:
        runs, unusable = packed_runs(found.folder)
        lines = [*unusable, *contradictions(found.folder, runs)]
    assert not any(str(found.folder) in line for line in lines)
    return lines


def copy_seed(results):
    """Seed 1 once more as seed 2, with a record that says so."""
    source, target = run_of(results, 1), run_of(results, 2)
    shutil.rmtree(target)
    shutil.copytree(source, target)
    record = json.loads((target / "run.json").read_text())
    record["spec"]["seed"] = 2
    (target / "run.json").write_text(json.dumps(record))


def drop_rows(results):
    file = run_of(results, 1) / "progress.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))


FORGERIES = {
    "score in the record alone": (lambda it: edit_record(run_of(it, 1), score=0.99), "the record says a score of 0.99"),
    "evaluations alone": (
        lambda it: (run_of(it, 1) / "evaluations.csv").write_text("step,episode,return,length\n64,0,1.0,4\n64,1,1.0,4\n"),
        "and the last evaluation gives 1.0",
    ),
    "one seed twice": (copy_seed, "its log holds the numbers of"),
    "a shorter log": (drop_rows, "progress.csv ends at step"),
    "no log": (lambda it: (run_of(it, 1) / "progress.csv").unlink(), "progress.csv holds no steps"),
    "no evaluations": (lambda it: (run_of(it, 1) / "evaluations.csv").unlink(), "holds no evaluation"),
    "fewer episodes": (
        lambda it: [
            (run_of(it, 1) / "evaluations.csv").write_text(
                "".join((run_of(it, 1) / "evaluations.csv").read_text().splitlines(keepends=True)[:-1])
            )
        ],
        "has 1 episodes, and the settings ask for 2",
    ),
    "a run left out": (lambda it: shutil.rmtree(run_of(it, 1)), "a plan asks for it, and it is not in the bundle"),
    "finished too soon": (lambda it: edit_record(run_of(it, 1), step=32), "is called finished at step 32 of 64"),
}


@pytest.mark.parametrize(("change", "message"), FORGERIES.values(), ids=FORGERIES)
def test_fault_what_contradicts_itself_is_named_whichever_runs_are_drawn(trained, tmp_path, change, message):
    assert any(message in line for line in contradictions_after(trained, tmp_path, change))


def test_settings_that_are_not_those_of_the_digest_are_found(trained, tmp_path):
    def change(copy):
        run = run_of(copy, 1)
        record = json.loads((run / "run.json").read_text())
        record["spec"]["algorithm"]["config"]["gamma"] = 0.5
        (run / "run.json").write_text(json.dumps(record))

    copy = tmp_path / "small"
    shutil.copytree(trained, copy)
    change(copy)
    with pytest.raises(UserError, match="says that its digests are"):
        experiment.pack(copy, tmp_path / "x.zip")


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """The same runs, trained once more."""
    return train_small(tmp_path_factory.mktemp("again"))


def judged(trained, again, tmp_path, score, others):
    """What is said of seed 1 with another score, from another build, beside other seeds with these scores."""
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(trained, copy)
    other_build(copy)
    edit_last_evaluation(run_of(copy, 1), score)
    (run,) = [run for run in packed_runs(copy)[0] if run.name.endswith("seed-1")]
    found = compare(run, RunFolder(run_of(again, 1)), others)
    assert any(line.startswith("torch 0.0.1 there") for line in found.builds)
    return found


def test_on_another_build_numbers_may_differ_as_much_as_seeds_explain(trained, again, tmp_path):
    found = judged(trained, again, tmp_path, 0.2, [0.0, 0.5, 1.0])
    assert (found.finding, found.good) == ("explained", True)
    assert "3 other seeds explain a difference of" in found.detail
    assert judged(trained, again, tmp_path, 0.9, [0.0, 0.001, 0.002]).finding == "different"
    assert judged(trained, again, tmp_path, 0.9, [0.5, 0.5, 0.5]).finding == "different"


def test_too_few_other_seeds_decide_nothing_on_another_build(trained, again, tmp_path):
    found = judged(trained, again, tmp_path, 0.9, [0.1, 0.2])
    assert (found.finding, found.good) == ("undecided", False)


def test_the_same_numbers_on_another_build_are_the_same(trained, again, tmp_path):
    copy = tmp_path / "small"
    shutil.copytree(trained, copy)
    other_build(copy)
    for run in packed_runs(copy)[0]:
        found = compare(run, RunFolder(run_of(again, run.record.spec.seed)), [])
        assert (found.finding, found.detail) == ("same", "to the digit, on another build")
        assert any("torch" in line for line in found.builds)


def test_the_allowed_difference_holds_99_of_100_honest_pairs():
    import numpy as np

    rng = np.random.default_rng(0)
    draws = rng.normal(size=(500, 6))
    inside = [abs(one - two) <= allowed_difference(list(rest)) for one, two, *rest in draws]
    assert np.mean(inside) == pytest.approx(0.99, abs=0.015)


def test_runs_that_cannot_be_trained_here_are_named_and_not_drawn(bundle, monkeypatch):
    def refuse(self, config):
        raise UserError("minigrid is missing; pip install 'exploration-harness[minigrid]'")

    monkeypatch.setattr("harness.registry.registry.Registry.environment", refuse)
    found = verify(bundle, share=1)
    assert not found.good
    assert found.runs == []
    assert len(found.untrainable) == 4
    assert all("pip install" in line for line in found.untrainable)


def test_fault_command_packs_reports_and_verifies_with_exit_codes(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["pack", str(trained)]) == 0
    output = capsys.readouterr().out
    assert "bundle: small.zip, 4 runs in " in output
    assert "digest: " in output
    assert main(["verify", "small.zip", "--seed", "1", "--share", "0.2", "--workers", "1"]) == 0
    output = capsys.readouterr().out
    assert "training 1 run again (--seed 1): n4/ppo-" in output
    assert "to the digit" in output
    assert "1 of 1 run as in the bundle, drawn from 4 that can be trained here; 0 contradictions" in output

    file = forged(trained, tmp_path, lambda copy: edit_last_evaluation(run_of(copy, 1), 0.99))
    assert main(["verify", str(file), "--share", "1", "--workers", "1"]) == 1
    assert "DIFFERENT" in capsys.readouterr().out
    (tmp_path / "cut.zip").write_bytes(file.read_bytes()[:-30])
    for command in (["verify", "cut.zip"], ["report", "cut.zip"], ["verify", "none.zip"], ["pack", "none"]):
        assert main(command) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")


def test_a_report_on_a_bundle_lies_beside_it_and_tells_nothing_of_where_it_was_unpacked(bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["report", "small.zip", "--format", "csv"]) == 0
    ours = tmp_path / "small-report"
    assert (ours / "scores.csv").read_text().count("\n") == 5
    assert not [path.name for path in ours.iterdir() if path.is_file() and b"/tmp" in path.read_bytes()]
    assert main(["report", "small.zip", "--watch"]) == 2
    assert "does not change" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small-report", "small.zip"]


@pytest.mark.slow
def test_fault_report_reads_a_bundle_as_it_reads_its_folder(trained, bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["report", "small.zip", "--format", "md,csv"]) == 0
    assert main(["report", str(trained), "--format", "md,csv", "--out", "direct"]) == 0
    capsys.readouterr()
    ours, theirs = tmp_path / "small-report", tmp_path / "direct"
    assert (ours / "scores.csv").read_text() == (theirs / "scores.csv").read_text()
    first = {path.name: path.read_bytes() for path in ours.iterdir() if path.is_file()}
    assert not [name for name, data in first.items() if b"/tmp" in data]
    assert main(["report", "small.zip", "--format", "md,csv", "--out", "again"]) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir() if path.is_file()} == first
    assert main(["report", "a=small.zip", f"b={trained}", "--format", "csv", "--out", "both"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "both", "direct", "small-report", "small.zip"]
