"""PhaseSchedule in a run: the rewards that enter, what is frozen, what is reset, and no trace of an interruption."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.specs import make_spec
from training.test_run import attempts_at, content, interrupted_at

from harness.algorithms.ppo.learner import PPOLearner
from harness.registry import installed
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.spec import PhaseSpec, RunSpec
from harness.training import run as run_module
from harness.training.assembly import Assembly, assemble
from harness.training.phases import PhaseSchedule
from harness.training.run import train

SMALL_RND = {
    "statistics": "cumulative",
    "warm_up_steps": 3,
    "feature_dim": 16,
    "hidden": [16],
    "epochs": 2,
    "minibatches": 2,
    "minibatch_order": "shuffled",
    "keep": 0.5,
}


def phase(name: str, steps: int, **changes: Any) -> PhaseSpec:
    return PhaseSpec(name=name, steps=steps, **({"extrinsic_weight": 1, "intrinsic_weight": 1} | changes))


EXPLORE_EXPLOIT = (
    phase("explore", 700, extrinsic_weight=0),
    phase("exploit", 900, intrinsic_weight=0.2, train_reward=False, reset=("critics", "optimizers")),
)


def phased(*phases: PhaseSpec, mode: str = "sum", **changes: Any) -> RunSpec:
    spec = make_spec(reward="rnd", config=SMALL_RND, combine={"mode": mode}, **changes)
    return spec.model_copy(update={"phases": phases or EXPLORE_EXPLOIT})


ATARI = phased(
    phase("explore", 90, extrinsic_weight=0),
    phase("exploit", 102, train_reward=False, reset=("critics",)),
    mode="two_critics",
    family="atari",
    environment={"game": "montezuma_revenge", "episode_steps": 30, "size": 42},
    algorithm={"n_envs": 2, "n_steps": 16, "batch_size": 32, "n_epochs": 1},
    steps=192,
    evaluate_every=96,
    checkpoint_every=64,
)
CASES = {"sum": phased(), "two_critics": phased(mode="two_critics"), "atari": ATARI}


@pytest.fixture(autouse=True)
def _report_every_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "REPORT_SECONDS", 0.0)


@pytest.mark.parametrize("case", ["sum", *(pytest.param(case, marks=pytest.mark.slow) for case in ("two_critics", "atari"))])
def test_killed_in_either_phase_and_resumed_equals_unbroken(tmp_path: Path, case: str) -> None:
    spec = CASES[case]
    train(spec, tmp_path / "whole")
    report = interrupted_at([int(spec.steps * share) for share in (0.2, 0.45, 0.5, 0.7, 0.9)])
    assert attempts_at(spec, tmp_path / "broken", report) == 6
    assert content(tmp_path / "whole", spec) == content(tmp_path / "broken", spec)


def test_the_phase_stands_in_every_table_and_in_progress(tmp_path: Path) -> None:
    spec, seen = CASES["sum"], []
    train(spec, tmp_path, report=seen.append)
    folder = RunFolder.of(spec, tmp_path)
    rows = {int(row["time/total_timesteps"]): row["phase"] for row in read_csv_rows(folder.progress_file)[1]}
    assert {step for step, name in rows.items() if name == "explore"} == set(range(80, 721, 80))  # the first end from 700 on
    assert set(rows.values()) == {"explore", "exploit"}
    header, episodes = read_csv_rows(folder.evaluations_file)
    assert header.index("phase") == 4
    assert {row["phase"] for row in episodes if row["step"] == "800"} == {"exploit"}
    phases = {progress.step: progress.phase for progress in seen if progress.activity == "rollout"}
    assert [phases[step] for step in range(80, 721, 80)] == ["explore"] * 8 + ["exploit"]


def test_a_run_without_phases_has_no_column(tmp_path: Path) -> None:
    spec = make_spec(steps=160, evaluate_every=160)
    train(spec, tmp_path)
    for file in (RunFolder.of(spec, tmp_path).progress_file, RunFolder.of(spec, tmp_path).evaluations_file):
        assert "phase" not in read_csv_rows(file)[0]


def under_way(spec: RunSpec) -> tuple[Assembly, PPOLearner, PhaseSchedule]:
    """A run's parts after its first iteration."""
    parts = assemble(spec, torch.device("cpu"), installed())
    learner = parts.learner
    assert isinstance(learner, PPOLearner)
    phases = PhaseSchedule(spec, learner, parts.bonus_env)
    parts.base.reseed(range(parts.base.num_envs))
    learner.begin(spec.steps)
    phases.begin(0)
    learner.iterate()
    return parts, learner, phases


def test_each_phase_changes_the_rewards_that_the_learner_sees() -> None:
    parts, learner, phases = under_way(CASES["sum"])
    assert parts.bonus_env
    buffer = learner.model.rollout_buffer
    assert np.array_equal(buffer.rewards, parts.bonus_env.bonuses)
    phases.advance(700)
    assert phases.name == "exploit"
    seen: list[np.ndarray] = []
    step_wait = parts.learner_env.step_wait

    def watched() -> Any:
        step = step_wait()
        seen.append(step[1].copy())
        return step

    parts.learner_env.step_wait = watched  # type: ignore[method-assign]
    learner.iterate()
    extrinsic = np.stack(seen)
    assert extrinsic.any()
    assert parts.bonus_env.bonuses.any()
    assert np.array_equal(buffer.rewards, (extrinsic + 0.2 * parts.bonus_env.bonuses).astype(np.float32))


def test_two_critics_weigh_their_advantages_by_the_phase() -> None:
    _, learner, phases = under_way(CASES["two_critics"])
    buffer: Any = learner.model.rollout_buffer
    for boundary, weights in ((0, (0.0, 1.0)), (700, (1.0, 0.2))):
        phases.advance(boundary)
        learner.iterate()
        streams = buffer.returns.reshape(buffer.advantages.size, 2) - buffer.values.reshape(buffer.advantages.size, 2)
        expected = streams @ np.array(weights)
        np.testing.assert_allclose(buffer.advantages.reshape(-1), expected, rtol=1e-3, atol=1e-4)
        assert np.abs(expected).max() > 0.01


def flat(tree: Any) -> Any:
    """A state with tensors as bytes, for comparison to the bit."""
    if isinstance(tree, torch.Tensor):
        return tree.cpu().numpy().tobytes()
    if isinstance(tree, Mapping):
        return {key: flat(value) for key, value in tree.items()}
    return [flat(item) for item in tree] if isinstance(tree, list | tuple) else tree


@pytest.mark.parametrize("case", ["sum", "two_critics"])
def test_a_frozen_method_changes_in_no_bit_and_still_gives_its_bonus(case: str) -> None:
    parts, learner, phases = under_way(CASES[case])
    assert parts.reward and parts.bonus_env
    before = flat(parts.reward.state_dict())
    learner.iterate()
    learned = flat(parts.reward.state_dict())
    assert learned != before
    phases.advance(700)
    parts.bonus_env.pop_metrics()
    learner.iterate()
    learner.iterate()
    assert flat(parts.reward.state_dict()) == learned
    assert not any(name.endswith("loss") for name in parts.bonus_env.pop_metrics())
    assert parts.bonus_env.bonuses.all()


# --- resets --------------------------------------------------------------------------------------------------------
LEARNERS = {
    "mlp": make_spec(),
    "mlp, two critics": make_spec(reward="rnd", config=SMALL_RND),
    "shared convolutions": make_spec(family="atari", environment={"game": "pitfall", "size": 42}, algorithm={"n_envs": 2}),
    "published network": make_spec(
        family="atari",
        environment={"game": "pitfall", "size": 44},
        algorithm={"n_envs": 2, "network": "burda2018"},
        reward="rnd",
        config=SMALL_RND,
    ),
}
CRITICS_OWN = {
    "mlp": ("mlp_extractor.value_net.", "value_net."),
    "mlp, two critics": ("mlp_extractor.value_net.", "value_net."),
    "shared convolutions": ("value_net.",),
    "published network": ("value_net.", "features_extractor.network.value_residual."),
}


@pytest.fixture(scope="module", params=LEARNERS)
def learner(request: pytest.FixtureRequest) -> tuple[str, PPOLearner]:
    parts = assemble(LEARNERS[request.param], torch.device("cpu"), installed())
    assert isinstance(parts.learner, PPOLearner)
    optimizer = parts.learner.model.policy.optimizer
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            optimizer.state[parameter] = {
                "step": torch.tensor(7.0),
                "exp_avg": torch.ones_like(parameter),
                "exp_avg_sq": torch.ones_like(parameter),
            }
    parts.close()
    return request.param, parts.learner


def snapshot(learner: PPOLearner) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Weights, and moments by the name of what they belong to."""
    policy = learner.model.policy
    weights = {name: parameter.detach().numpy().tobytes() for name, parameter in policy.named_parameters()}
    return weights, {name: flat(policy.optimizer.state.get(parameter, {})) for name, parameter in policy.named_parameters()}


@pytest.mark.parametrize("parts", [("critics",), ("actor",), ("critics", "optimizers")], ids="+".join)
def test_what_is_reset_is_new_and_everything_else_stays_to_the_bit(
    learner: tuple[str, PPOLearner], parts: tuple[str, ...]
) -> None:
    name, ppo = learner
    policy_state = {key: value.clone() for key, value in ppo.model.policy.state_dict().items()}
    optimizer_state = ppo.model.policy.optimizer.state_dict()
    weights, moments = snapshot(ppo)
    torch.manual_seed(5)
    stream = torch.get_rng_state()
    ppo.reset(parts, seed=11)
    assert torch.equal(torch.get_rng_state(), stream)
    new_weights, new_moments = snapshot(ppo)
    try:
        for key in weights:
            owner = "critics" if key.startswith(CRITICS_OWN[name]) else "actor"
            constant = len({weights[key][i : i + 4] for i in range(0, len(weights[key]), 4)}) == 1  # biases begin at zero
            assert (new_weights[key] == weights[key]) == (owner not in parts or constant), key
            assert (new_moments[key] == {}) == (owner in parts or "optimizers" in parts), key
            assert new_moments[key] in ({}, moments[key])
        again, _ = snapshot(ppo), ppo.reset(parts, seed=11)
        assert snapshot(ppo)[0] == again[0]
        if {"actor", "critics"} & set(parts):
            ppo.reset(parts, seed=12)
            assert snapshot(ppo)[0] != again[0]
    finally:
        ppo.model.policy.load_state_dict(policy_state)
        ppo.model.policy.optimizer.load_state_dict(optimizer_state)


def test_the_policy_acts_as_before_when_critics_are_reset() -> None:
    _, learner, phases = under_way(CASES["sum"])
    observations = torch.rand(16, *learner.observations.shape[1:])
    policy = learner.model.policy
    logits = policy.get_distribution(observations).distribution.logits
    values = policy.predict_values(observations)
    phases.advance(700)
    assert torch.equal(policy.get_distribution(observations).distribution.logits, logits)
    assert not torch.equal(policy.predict_values(observations), values)
    assert not policy.optimizer.state
    learner.iterate()
    assert policy.optimizer.state
