"""What methods and environments answer is checked where it enters; what is not finite never reaches a checkpoint."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.broken import BrokenMethod, BrokenVecEnv, broken_spec, registry

from harness.errors import RunError
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.spec import RunSpec
from harness.training import checkpoints, run
from harness.training.run import train


@pytest.fixture(autouse=True)
def _with_broken_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "installed", registry)


def failure(spec: RunSpec, results: Path) -> str:
    with pytest.raises(RunError) as refused:
        train(spec, results)
    return str(refused.value)


BONUSES = {
    "scalar": r"bonus\(\) returned a tensor of shape \(\), where \(SIZE,\) is promised",
    "column": r"bonus\(\) returned a tensor of shape \(SIZE, 1\), where \(SIZE,\) is promised",
    "short": r"bonus\(\) returned a tensor of shape \(LESS,\), where \(SIZE,\) is promised",
    "whole": r"bonus\(\) returned a tensor of int64, where float32 is promised",
    "array": r"bonus\(\) returned an object of type ndarray, where a tensor is promised",
    "none": r"bonus\(\) returned an object of type NoneType",
    "gradient": r"bonus\(\) returned a tensor that carries a gradient; compute it under torch\.no_grad\(\)",
    "device": r"bonus\(\) returned a tensor on meta, where cpu is promised",
    "no_metrics": r"update\(\) returned an object of type NoneType, where metrics by name are promised",
    "word": r"update\(\) returned 'loss': small, where a number by name is promised",
    "vector": r"update\(\) returned 'loss': tensor\(\[0\., 0\.\]\), where a number",
}


@pytest.mark.parametrize("fault", BONUSES)
@pytest.mark.parametrize(("algorithm", "mode"), [("ppo", "sum"), ("ppo", "two_critics"), ("sac", "sum")])
def test_fault_g_a_bonus_that_is_none_is_refused_with_its_method(
    tmp_path: Path, algorithm: str, mode: str, fault: str
) -> None:
    size = 4 if algorithm == "sac" else 2
    sentence = BONUSES[fault].replace("SIZE", str(size)).replace("LESS", str(size - 1))
    with pytest.raises(RunError, match=rf"^method 'broken': {sentence}.* \(after step \d+\); there is no checkpoint yet"):
        train(broken_spec({"fault": fault}, algorithm=algorithm, mode=mode), tmp_path)


@pytest.mark.parametrize("algorithm", ["ppo", "sac"])
@pytest.mark.parametrize("fault", ["", "double", "tensor", "nan_measure"])
def test_what_means_the_same_is_taken(tmp_path: Path, algorithm: str, fault: str) -> None:
    spec = broken_spec({"fault": fault}, algorithm=algorithm, steps=32)
    assert train(spec, tmp_path).state == "finished"
    _, rows = read_csv_rows(RunFolder.of(spec, tmp_path).progress_file)
    assert float(rows[-1]["intrinsic/bonus_mean"]) == 0.5
    assert fault != "tensor" or float(rows[-1]["intrinsic/loss"]) == 0.25


ANSWERS = {
    "nan_reward": "environment 1 of BrokenVecEnv returned a reward of nan",
    "inf_reward": "environment 1 of BrokenVecEnv returned a reward of inf",
    "double_rewards": r"returned rewards of float64 \(2,\), where float32 \(2,\) is promised",
    "column_rewards": r"returned rewards of float32 \(2, 1\), where float32 \(2,\)",
    "list_rewards": "returned rewards that are of type list",
    "nan_observation": "environment 1 of BrokenVecEnv returned an observation with nan in it",
    "double_observations": r"returned observations of float64 \(2, 3\), declared are float32 \(2, 3\)",
    "other_shape": r"returned observations of float32 \(2, 2\), declared are float32 \(2, 3\)",
    "dictionary": "returned observations that are of type dict, where one array is promised",
    "whole_dones": r"returned dones of int64 \(2,\), where bool \(2,\) is promised",
    "few_infos": "returned 1 infos, where a list of 2 is promised",
    "three_parts": "not the four promised parts",
    "no_last": r"environment 0 of BrokenVecEnv ended an episode with an info whose terminal_observation is None",
    "odd_last": "terminal_observation is not finite",
    "no_limit": "whose TimeLimit.truncated is neither True nor False",
    "odd_metric": "measured rooms = many, which is not a finite number",
    "inf_metric": "measured rooms = inf, which is not a finite number",
}


@pytest.mark.parametrize("fault", ANSWERS)
def test_fault_g_answers_of_environments_that_break_a_promise(tmp_path: Path, fault: str) -> None:
    said = failure(broken_spec(family={"fault": fault, "after": 20}), tmp_path)
    assert "(after step 4" in said
    assert re.search(r"the checkpoint at step (32|48) is from before that: once the cause is mended", said)
    with pytest.raises(RunError, match=ANSWERS[fault]):
        raise RunError(said)


@pytest.mark.parametrize("fault", ["inf_reward", "nan_reward", "nan_observation", "column_rewards", "inf_metric"])
def test_fault_h_an_evaluation_that_is_not_finite_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    spec, evaluating = broken_spec(family={"fault": fault}), BrokenVecEnv.enable_metrics
    monkeypatch.setattr(BrokenVecEnv, "step_wait", lambda env: _step_wrong_only_in_evaluations(env, fault))
    monkeypatch.setattr(BrokenVecEnv, "enable_metrics", lambda env: setattr(env, "scores", True) or evaluating(env))
    said = failure(spec, tmp_path)
    with pytest.raises(RunError, match=ANSWERS[fault]):
        raise RunError(said)
    assert "of an evaluation (after step 32); the checkpoint at step 16 is from before that" in said
    _, rows = read_csv_rows(RunFolder.of(spec, tmp_path).evaluations_file)
    assert not rows


_step_wait = BrokenVecEnv.step_wait


def _step_wrong_only_in_evaluations(env: Any, fault: str) -> Any:
    env.config = env.config.model_copy(update={"fault": fault if hasattr(env, "scores") else ""})
    return _step_wait(env)


SPOILT = {
    "nan": ("its bonus for .*environment [01] is nan, which is not finite", 20),
    "inf": ("its bonus for .*environment [01] is inf, which is not finite", 20),
    "nan_loss": r"'loss' of its update\(\) is nan",
    "nan_weights": r"method/layer.weight holds numbers that are not finite",
    "inf_weights": r"method/layer.weight holds numbers that are not finite",
    "nan_buffer": r"method/level holds numbers that are not finite",
}


@pytest.mark.parametrize("fault", SPOILT)
@pytest.mark.parametrize(("algorithm", "mode"), [("ppo", "sum"), ("ppo", "two_critics"), ("sac", "sum")])
def test_fault_h_the_last_good_checkpoint_stays_and_the_repaired_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, algorithm: str, mode: str, fault: str
) -> None:
    sentence = SPOILT[fault] if isinstance(SPOILT[fault], str) else SPOILT[fault][0]
    spec = broken_spec({"fault": fault, "after": 20}, algorithm=algorithm, mode=mode)
    said = failure(spec, tmp_path)
    with pytest.raises(RunError, match=f"{sentence}.*"):
        raise RunError(said)
    folder = RunFolder.of(spec, tmp_path)
    found = checkpoints.load(folder.checkpoint)
    assert found is not None
    assert f"the checkpoint at step {found[0]:,} is from before that" in said
    assert "run again to go on from it, or with --fresh to start over" in said
    monkeypatch.setattr(BrokenMethod, "update", lambda self, transitions: {"loss": 0.1})
    monkeypatch.setattr(BrokenMethod, "bonus", lambda self, transitions: 0 * transitions.reward + 0.5)
    status = train(spec, tmp_path)
    assert (status.state, status.step, status.attempts) == ("finished", 64, 2)


def test_fault_h_a_checkpoint_of_before_that_holds_nan_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = broken_spec({"fault": "nan_weights", "after": 20})
    with monkeypatch.context() as earlier:
        earlier.setattr(run.SoundnessCheck, "state", lambda self: None)
        earlier.setattr(BrokenVecEnv, "close", lambda self: None)
        train(spec, tmp_path)
    folder = RunFolder.of(spec, tmp_path)
    folder.set_state("interrupted")
    said = failure(spec, tmp_path)
    assert said == (
        f"{folder.checkpoint}: method/layer.weight holds numbers that are not finite: what was learned since is lost;"
        " run again with --fresh to start over"
    )
    monkeypatch.setattr(BrokenMethod, "update", lambda self, transitions: {"loss": 0.1})
    assert train(spec, tmp_path, fresh=True).state == "finished"


def test_fault_h_a_learner_that_diverges_is_told(tmp_path: Path) -> None:
    spec = broken_spec(family={"length": 3})
    wild = spec.algorithm.model_copy(update={"config": spec.algorithm.config | {"learning_rate": 1e30, "max_grad_norm": None}})
    said = failure(spec.model_copy(update={"algorithm": wild}), tmp_path)
    assert "finite" in said
    assert "(after step " in said


def test_actions_that_are_not_finite_are_the_policys_fault(tmp_path: Path) -> None:
    from harness.environments.checked import CheckedVecEnv

    env = CheckedVecEnv(BrokenVecEnv(registry().config_class(registry().environment("broken"))(continuous=True), 2))
    env.reset()
    with pytest.raises(RunError, match=r"the policy's action for environment 1 is .*nan"):
        env.step(np.array([[0.0, 0.1], [np.nan, 0.2]]))
