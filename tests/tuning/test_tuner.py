"""Studies in one process: what they find, that they find it again, and what ends a trial."""

from __future__ import annotations

import json
import math

import pytest
from optuna.trial import TrialState
from support.synthetic_training import BEST, NOISE, true_score
from support.tuning import rows

from harness.runs.folder import RunFolder
from harness.tuning.pruners import STARTUP_TRIALS
from harness.tuning.scores import EvaluationOrder, aggregate
from harness.tuning.study import Limit
from harness.tuning.tuner import MAX_CONSECUTIVE_FAILURES, Budget, TrialEnded, TrialStarted, tune


def test_the_known_optimum_is_found(place):
    study = place.study()
    assert place.tune(study, 40) == "complete"
    best = study.best_trial()
    assert abs(math.log10(best.params["config.learning_rate"] / BEST["config.learning_rate"])) < 0.2
    assert abs(best.params["algorithm.gae_lambda"] - BEST["algorithm.gae_lambda"]) < 0.02
    first = study.trials()[0]
    assert first.user_attrs["default"]
    assert first.params == {"config.learning_rate": 1e-4, "algorithm.gae_lambda": 0.95}
    assert first.values[0] == pytest.approx(true_score(study.specs[0]), abs=3 * NOISE)


def test_the_objective_is_the_report_s_aggregate_of_all_tasks_and_seeds(place):
    study = place.study("tasks.n5.normalise.high=2")
    place.tune(study, 1)
    scores = []
    for spec in study.specs:
        record = RunFolder.of(spec, place.results).read()
        scores.append((spec.task, record.status.score / {"n4": 1, "n5": 2}[spec.task]))
    (trial,) = study.trials()
    assert trial.values == [pytest.approx(aggregate(scores, "iqm"))]
    assert len(scores) == 4
    assert [trial.intermediate_values[position] for position in sorted(trial.intermediate_values)][-1] == trial.values[0]
    assert sorted(trial.intermediate_values) == list(range(12))  # 4 runs of 3 evaluations
    assert trial.user_attrs["steps"] == 4 * 300


def test_places_of_evaluations_are_the_same_whatever_the_rollout(place):
    study = place.study()
    evaluation_order = EvaluationOrder(study.specs)
    assert [evaluation_order.position(0, step) for step in (100, 128, 256, 300, 320)] == [0, 0, 1, 2, 2]
    assert [evaluation_order.position(1, step) for step in (192, 300)] == [3, 5]
    assert evaluation_order.total == 12


@pytest.mark.parametrize(
    "sampler",
    ["tpe", "cmaes", *(pytest.param(name, marks=pytest.mark.slow) for name in ("grid", "gp", "random"))],
)
def test_same_seed_same_trials_even_if_stopped_and_started(place, sampler):
    options = [f"tune.sampler={sampler}", "tune.grid_points=4"]
    whole, broken = place.study(*options), place.study(*options, name="broken")
    place.tune(whole, 14)
    for trials in (4, 14):
        place.tune(broken, trials)
        broken = place.study(*options, name="broken")
    assert rows(whole) == rows(broken)
    assert len({json.dumps(row[3]) for row in rows(whole)}) == 14
    other = place.study(*options, "tune.seed=1", name="other")
    place.tune(other, 4)
    assert rows(other)[1:] != rows(whole)[1:4]


def test_a_trial_that_was_left_is_taken_over_and_its_finished_runs_are_not_run_again(place):
    study = place.study()
    seen = []

    def stop(event):
        seen.append(event)
        if len(list(place.results.rglob("evaluations.csv"))) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.tune(study, 2, on_event=stop)
    (left,) = study.trials()
    assert left.state == TrialState.RUNNING
    finished = {
        spec.path: RunFolder.of(spec, place.results).record_file.stat().st_mtime_ns
        for spec in study.specs
        if RunFolder.of(spec, place.results).record_file.exists() and RunFolder.of(spec, place.results).state() == "finished"
    }
    assert len(finished) >= 2

    again, seen = place.study(), []
    place.tune(again, 2, on_event=seen.append)
    assert isinstance(seen[0], TrialStarted)
    assert (seen[0].number, seen[0].resumed, seen[0].values) == (0, True, left.params)
    assert [trial.state for trial in again.trials()] == [TrialState.COMPLETE] * 2
    for path, changed in finished.items():
        assert (place.results / path / "run.json").stat().st_mtime_ns == changed


def test_a_trial_whose_owner_lives_is_left_alone(place):
    owner, other = place.study(), place.study()
    claimed = owner.ask(Limit(1))
    assert claimed is not None
    assert other.ask(Limit(1)) is None
    owner.trial_claims.release(claimed.trial._trial_id)
    again = other.ask(Limit(1))
    assert again is not None
    assert (again.trial.number, again.resumed, again.values) == (0, True, claimed.values)


def test_a_trial_that_ends_while_others_look_for_abandoned_ones_is_not_begun_again(place, monkeypatch):
    owner, other = place.study(), place.study()
    claimed = owner.ask(Limit(1))
    look = other.trial_claims.abandoned

    def ended_meanwhile(running):
        assert running == [claimed.trial._trial_id]
        owner.optuna_study.tell(claimed.trial, 0.5)  # by an older version, which did not keep others out meanwhile
        return look(running)

    monkeypatch.setattr(other.trial_claims, "abandoned", ended_meanwhile)
    assert other.ask(Limit(1)) is None
    assert [trial.state for trial in other.trials()] == [TrialState.COMPLETE]


def test_failing_runs_fail_their_trial_with_its_reason_and_the_search_gives_up_in_the_end(place):
    study = place.study("algorithm.clip_range=0.3")
    ended = []
    assert place.tune(study, 20, on_event=ended.append) == "failing"
    failed = [event for event in ended if isinstance(event, TrialEnded)]
    assert len(failed) == MAX_CONSECUTIVE_FAILURES
    assert failed[0].error.endswith("ZeroDivisionError: of all things")
    assert study.trials()[0].user_attrs["error"] == failed[0].error
    assert study.best_trial() is None


def test_values_that_do_not_go_together_fail_one_trial_only(place):
    space = "{rnd: {algorithm: {n_steps: [2, 16]}}}"
    study = place.study(f"tune.space={space}", "tune.parameters=[algorithm.n_steps]", "tune.sampler=grid")
    assert place.tune(study, 2) == "complete"
    assert sorted(trial.state.name for trial in study.trials()) == ["COMPLETE", "FAIL"]
    (failed,) = [trial for trial in study.trials() if trial.state == TrialState.FAIL]
    assert "batch_size 32 is larger than a rollout" in failed.user_attrs["error"]


@pytest.mark.parametrize("pruner", ["median", pytest.param("hyperband", marks=pytest.mark.slow), "wilcoxon"])
def test_pruners_end_hopeless_trials_and_spare_the_best(place, pruner):
    study = place.study(f"tune.pruner={pruner}", "tune.seeds=3", "tune.sampler=random")
    place.tune(study, 14)
    pruned = [trial for trial in study.trials() if trial.state == TrialState.PRUNED]
    whole = sum(spec.steps for spec in study.specs)
    assert pruned
    assert all(trial.user_attrs["steps"] < whole and trial.user_attrs["runs"] >= 1 for trial in pruned)
    true = {trial.number: true_score(study.definition.specs(trial.params)[0]) for trial in study.trials()}
    assert all(true[trial.number] < true[study.best_trial().number] for trial in pruned)
    if pruner == "median":
        assert min(trial.number for trial in pruned) >= STARTUP_TRIALS
    if pruner == "wilcoxon":
        assert max(len(trial.intermediate_values) for trial in study.complete_trials()) == len(study.specs)


def test_two_objectives_give_a_front(place):
    study = place.study("tune.objectives=[score, seconds]")
    place.tune(study, 12)
    assert {len(trial.values) for trial in study.complete_trials()} == {2}
    front = study.optuna_study.best_trials
    for one in front:
        assert not any(
            other.values[0] > one.values[0] and other.values[1] < one.values[1] for other in study.complete_trials()
        )


def test_budgets_in_steps_and_time(place):
    study = place.study()
    assert tune(study, place.results, place.workers(), budget=Budget(Limit(steps=3000))) == "complete"
    assert len(study.trials()) == 3  # of 1,200 steps each: the third began below 3,000
    study = place.study(name="timed")
    assert tune(study, place.results, place.workers(), budget=Budget(seconds=0.0)) == "time"
    assert [trial.state for trial in study.trials()] == [TrialState.RUNNING]
    assert tune(study, place.results, place.workers(), budget=Budget(Limit(1))) == "complete"
    assert [trial.state for trial in study.trials()] == [TrialState.COMPLETE]


def test_runs_that_only_pre_train_are_run_and_have_no_score(place):
    phases = "{explore: {share: 0.5, extrinsic_weight: 0, once_per: size}, exploit: {}}"
    study = place.study(f"methods.rnd.phases={phases}", "steps=640", "evaluation.every=128", "tune.seeds=1")
    assert [spec.pretraining for spec in study.specs] == [True, True, False, False]
    place.tune(study, 2)
    for trial in study.trials():
        assert (trial.state, trial.user_attrs["runs"], trial.user_attrs["steps"]) == (TrialState.COMPLETE, 4, 2 * 640)
        assert len(trial.intermediate_values) == study.evaluation_order.total
    scores = [RunFolder.of(spec, place.results).read().status.score for spec in study.specs if not spec.pretraining]
    assert study.trials()[0].values == [pytest.approx(sum(scores) / 2)]


def test_runs_of_a_study_are_no_runs_of_the_suite(place):
    study = place.study()
    place.tune(study, 1)
    ours = {spec.path for spec in study.specs}
    theirs = {spec.path for spec in place.plan().runs}
    assert not ours & theirs
    assert all(path.startswith("toy/tuning/toy-rnd/") for path in ours)
