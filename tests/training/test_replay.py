"""Environments that cannot save their state: checkpoints change nothing, and a resumed run does their actions again."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import off_policy
from support.specs import make_spec
from training.test_run import SMALL_RND, Interrupted, attempts_at, content, interrupted_at
from training.test_sac_run import Killer

from harness.environments.gymnasium import adapter
from harness.errors import RunError
from harness.runs import segments
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.runs.progress import RunProgress
from harness.spec import RunSpec
from harness.training import run as run_module
from harness.training.run import train

NEVER = 10**9
CARTPOLE: dict[str, Any] = {
    "family": "gymnasium",
    "environment": {"id": "CartPole-v1"},
    "algorithm": {"n_envs": 2, "n_steps": 8, "batch_size": 16, "n_epochs": 1},
    "steps": 320,
    "evaluate_every": 160,
}
"""Episodes of about 20 steps, rollouts of 8."""

PRIVATE_EYE: dict[str, Any] = {
    "family": "atari",
    "environment": {"game": "private_eye", "episode_steps": 50, "size": 42},
    "algorithm": {"n_envs": 2, "n_steps": 16, "batch_size": 32, "n_epochs": 1},
    "steps": 256,
    "evaluate_every": 256,
}
"""Episodes of 50 steps, which were cut at 32 when checkpoints still cut them."""

PPO = {
    "none": CARTPOLE,
    "sum": CARTPOLE | {"reward": "rnd", "config": SMALL_RND, "combine": {"mode": "sum"}},
    "two_critics": CARTPOLE | {"reward": "rnd", "config": SMALL_RND},
    "private_eye": PRIVATE_EYE,
    "cuts": CARTPOLE | {"replay_steps": 30},
}
SAC: dict[str, dict[str, Any]] = {
    "sac": {"environment": {"exact": False}},
    "sac_rnd": {"environment": {"exact": False}, "reward": "rnd", "config": off_policy.SMALL_RND},
    "sac_cuts": {"environment": {"exact": False}, "replay_steps": 30},
}


@pytest.fixture(autouse=True)
def _report_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "REPORT_SECONDS", 0.0)


def spec_of(case: str, checkpoint_every: int) -> RunSpec:
    if case in SAC:
        return off_policy.make_spec(**SAC[case], checkpoint_every=checkpoint_every)
    return make_spec(**PPO[case], checkpoint_every=checkpoint_every)


def train_case(case: str, spec: RunSpec, results: Path, **arguments: Any) -> None:
    (off_policy.train if case in SAC else train)(spec, results, **arguments)


def numbers(results: Path, spec: RunSpec) -> dict[str, object]:
    """What two runs share that differ in their checkpoints only: everything."""
    return content(results, spec)


GAMES = ("private_eye",)
"""Cases that take long to begin."""


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case in GAMES else ()) for case in (*PPO, *SAC)]
)
def test_checkpoints_change_nothing_and_neither_does_an_interruption(tmp_path: Path, case: str) -> None:
    never, every = spec_of(case, NEVER), spec_of(case, 1)
    assert never.digest == every.digest
    train_case(case, never, tmp_path / "never")
    train_case(case, every, tmp_path / "every")
    whole = numbers(tmp_path / "never", never)
    assert whole == numbers(tmp_path / "every", every)
    seldom, attempts = spec_of(case, never.steps // 5), 0
    report = interrupted_at([never.steps * 3 // 10, never.steps * 6 // 10, never.steps * 9 // 10])
    while attempts == 0 or RunFolder.of(seldom, tmp_path / "broken").read().status.state != "finished":
        attempts += 1
        with suppress(Interrupted):
            train_case(case, seldom, tmp_path / "broken", report=report)
    assert attempts == 4
    assert whole == numbers(tmp_path / "broken", seldom)
    assert not list(RunFolder.of(seldom, tmp_path / "broken").actions.glob("*"))


def test_episodes_longer_than_the_distance_between_checkpoints_are_logged(tmp_path: Path) -> None:
    spec = make_spec(**PRIVATE_EYE, checkpoint_every=32)
    train(spec, tmp_path)
    _, rows = read_csv_rows(RunFolder.of(spec, tmp_path).progress_file)
    assert [float(row["rollout/ep_len_mean"]) for row in rows if row["rollout/ep_len_mean"]] == [50.0] * 5


def test_a_cut_comes_at_the_first_iteration_that_fills_the_log_whatever_is_saved(tmp_path: Path) -> None:
    """Rollouts of 8 and 30 steps between cuts: at steps 32, 64, ... of each environment, and not at the end."""
    spec = make_spec(**PPO["cuts"], checkpoint_every=16)
    logged: dict[int, int] = {}
    train(spec, tmp_path, report=lambda progress: logged.update({progress.step: status(spec, tmp_path).logged_steps}))
    assert [logged[step] // 8 for step in range(16, 320, 16)] == [1, 2, 3, 0] * 4 + [1, 2, 3]
    assert status(spec, tmp_path).logged_steps == 0
    (checkpoint,) = RunFolder.of(spec, tmp_path).checkpoint.glob("step-*")
    assert json.loads((checkpoint / "state.json").read_text())["state"]["cuts"] == 4


def status(spec: RunSpec, results: Path) -> Any:
    return RunFolder.of(spec, results).read().status


def test_the_record_says_which_way_a_run_comes_back(tmp_path: Path) -> None:
    saved, replayed = make_spec(steps=160, evaluate_every=160), make_spec(**CARTPOLE)
    train(saved, tmp_path)
    train(replayed, tmp_path)
    assert status(saved, tmp_path).restores == "state"
    assert status(replayed, tmp_path).restores == "replay"


def interrupted(tmp_path: Path, **changes: Any) -> RunSpec:
    spec = make_spec(**(CARTPOLE | {"checkpoint_every": 32} | changes))
    with pytest.raises(Interrupted):
        train(spec, tmp_path, report=interrupted_at([208]))
    assert status(spec, tmp_path).logged_steps == 96
    return spec


def test_progress_of_the_replay_is_reported(tmp_path: Path) -> None:
    spec, seen = interrupted(tmp_path), list[RunProgress]()
    train(spec, tmp_path, report=seen.append)
    replayed = [progress.replayed for progress in seen if progress.replayed is not None]
    assert replayed == [pytest.approx(step / 96) for step in range(1, 97)]
    assert {progress.step for progress in seen if progress.replayed is not None} == {192}
    assert seen[95].replay_seconds_left == 0
    assert seen[96].replayed is None


def test_environments_that_went_another_way_are_named_with_the_step_and_the_checkpoint_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = interrupted(tmp_path)
    before = sorted(file for file in RunFolder.of(spec, tmp_path).checkpoint.rglob("*"))
    real = adapter.AdaptedEnv.step
    with monkeypatch.context() as patch:

        def other(self: Any, action: Any) -> Any:
            observation, reward, *rest = real(self, action)
            self.taken = getattr(self, "taken", 0) + 1
            return observation, reward + (self.taken == 50), *rest

        patch.setattr(adapter.AdaptedEnv, "step", other)
        with pytest.raises(RunError) as raised:
            train(spec, tmp_path)
    message = str(raised.value)
    assert "their rewards or ends differ from step 100 on" in message
    assert "depend on more than their seeds and actions" in message
    assert "--fresh" in message
    assert sorted(file for file in RunFolder.of(spec, tmp_path).checkpoint.rglob("*")) == before
    train(spec, tmp_path)
    assert status(spec, tmp_path).state == "finished"


def test_observations_that_differ_at_the_end_and_an_upgrade_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = interrupted(tmp_path)
    real = adapter.AdaptedEnv.step
    monkeypatch.setattr(
        adapter.AdaptedEnv, "step", lambda self, action: ((s := real(self, action))[0] + np.float32(1e-3), *s[1:])
    )
    (checkpoint,) = RunFolder.of(spec, tmp_path).checkpoint.glob("step-*")
    state = json.loads((checkpoint / "state.json").read_text())
    now = state["state"]["versions"]["gymnasium"]
    state["state"]["versions"]["gymnasium"] = "0.9"
    (checkpoint / "state.json").write_text(json.dumps(state))
    with pytest.raises(RunError, match=rf"at step 192 they show something else .*gymnasium was 0\.9 and is {now}.*--fresh"):
        train(spec, tmp_path)


def test_a_damaged_log_of_actions_is_told(tmp_path: Path) -> None:
    spec = interrupted(tmp_path)
    file = min(RunFolder.of(spec, tmp_path).actions.glob("*"))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(RunError, match=f"{file.name}: this part of the log of actions is damaged .*--fresh"):
        train(spec, tmp_path)
    file.unlink()
    with pytest.raises(RunError, match=f"{file.name}: .*it is missing"):
        train(spec, tmp_path)
    train(spec, tmp_path, fresh=True)


def test_files_of_actions_stay_few(tmp_path: Path) -> None:
    spec, most = make_spec(**(CARTPOLE | {"steps": 1024, "evaluate_every": 1024}), checkpoint_every=1), [0]
    folder = RunFolder.of(spec, tmp_path)
    train(spec, tmp_path, report=lambda _: most.append(len(list(folder.actions.glob("*")))))
    assert 2 <= max(most) <= 7  # of 64 checkpoints


def test_a_kill_at_any_operation_on_files_loses_no_action(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_spec(**CARTPOLE, checkpoint_every=32)
    train(spec, tmp_path / "whole")
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 200)  # several files for each checkpoint
    kills, done = 0, False
    while not done:
        with monkeypatch.context() as patch:
            killer = Killer(patch, 23 + 7 * kills)
            try:
                train(spec, tmp_path / "broken")
                done = True
            except Interrupted:
                kills += 1
            assert done or killer.left <= 0
    assert kills > 4
    assert content(tmp_path / "broken", spec) == content(tmp_path / "whole", spec)


def test_runs_of_before_whose_checkpoints_cut_episodes_are_refused_and_left_as_they_are(tmp_path: Path) -> None:
    spec = interrupted(tmp_path)
    old = spec.model_copy(update={"training_version": 1})
    folder, record = RunFolder.of(old, tmp_path), RunFolder.of(spec, tmp_path).read()
    RunFolder.of(spec, tmp_path).path.rename(folder.path.parent.mkdir(parents=True) or folder.path)
    folder.write(record.model_copy(update={"spec": old, "digest": old.digest, "method_digest": old.method_digest}))
    before = {file: file.read_bytes() for file in folder.path.rglob("*") if file.is_file()}
    refused = r"of November 2026 or earlier, whose checkpoints ended every episode.*run its suite anew"
    with pytest.raises(RunError, match=refused):
        train(old, tmp_path)
    assert before == {file: file.read_bytes() for file in folder.path.rglob("*") if file.is_file()}


def test_fault_e_events_and_csv_agree_at_each_resumed_checkpoint(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    spec = make_spec(**CARTPOLE, checkpoint_every=64)
    assert attempts_at(spec, tmp_path, interrupted_at([16, 112, 240])) == 4  # the first before any checkpoint
    folder = RunFolder.of(spec, tmp_path)
    events = EventAccumulator(str(folder.path), size_guidance={"scalars": 0})
    events.Reload()
    _, rows = read_csv_rows(folder.progress_file)
    for name in ("train/loss", "rollout/ep_rew_mean"):
        logged = [(int(row["time/total_timesteps"]), float(row[name])) for row in rows if row[name]]
        assert [(event.step, event.value) for event in events.Scalars(name)] == [
            (step, pytest.approx(value, rel=1e-6)) for step, value in logged
        ]
    evaluations = read_csv_rows(folder.evaluations_file)[1]
    assert [event.step for event in events.Scalars("eval/mean_reward")] == sorted({int(row["step"]) for row in evaluations})


def test_a_wrapper_that_remembers_what_was_before_a_seeding_is_refused(tmp_path: Path) -> None:
    """Running statistics of observations: what they saw before the last cut is in no log."""
    wrapped = {"id": "CartPole-v1", "wrappers": ["gymnasium.wrappers:NormalizeObservation"]}
    spec = make_spec(**(CARTPOLE | {"environment": wrapped}), checkpoint_every=32, replay_steps=40)
    with pytest.raises(Interrupted):
        train(spec, tmp_path, report=interrupted_at([144]))
    with pytest.raises(RunError, match=r"at step 128 they show something else .*depend on more than their seeds and actions"):
        train(spec, tmp_path)


def test_a_frame_stack_comes_back(tmp_path: Path) -> None:
    spec = make_spec(**(CARTPOLE | {"environment": {"id": "CartPole-v1", "frame_stack": 3}}), checkpoint_every=48)
    train(spec, tmp_path / "whole")
    assert attempts_at(spec, tmp_path / "broken", interrupted_at([112, 272])) == 3
    assert content(tmp_path / "whole", spec) == content(tmp_path / "broken", spec)
