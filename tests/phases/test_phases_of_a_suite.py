"""Phases in a suite: what they become, and what is refused before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.specs import make_spec

from harness.errors import SuiteError
from harness.planning.load import load
from harness.planning.phases import phase_lengths
from harness.spec import PhaseSpec, RunSpec, StartSpec
from harness.suites.model import PhaseBlock

PHASED = """
suite: sea
environment: {{family: deep_sea, size: 5}}
tasks: {{five: {{}}}}
algorithm: {{name: ppo, n_envs: 4, n_steps: 10, batch_size: 20}}
methods:
  rnd:
    reward: rnd
    combine: {combine}
    phases:
      {phases}
seeds: 1
steps: 1_000
evaluation: {{every: 500}}
"""


def plan(phases: str, combine: str = "sum", **options: Any) -> list[RunSpec]:
    file = Path("sea.yaml")
    file.write_text(PHASED.format(phases=phases.replace("\n", "\n      "), combine=combine))
    return list(load(file, **options).runs)


def refusal(phases: str, combine: str = "sum") -> str:
    with pytest.raises(SuiteError) as caught:
        plan(phases, combine)
    return str(caught.value)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# --- what they become ----------------------------------------------------------------------------------------------
def test_sizes_are_resolved_and_weights_inherited():
    (spec,) = plan(
        "a: {share: 0.25, extrinsic_weight: 0}\nb: {steps: 400, reset: [optimizers, critics]}\nc: {intrinsic_weight: 3}"
    )
    assert spec.phases == (
        PhaseSpec(name="a", steps=250, extrinsic_weight=0, intrinsic_weight=1),
        PhaseSpec(name="b", steps=400, extrinsic_weight=2, intrinsic_weight=1, reset=("critics", "optimizers")),
        PhaseSpec(name="c", steps=350, extrinsic_weight=2, intrinsic_weight=3),
    )
    assert spec.phase_boundaries == (250, 650)
    assert [spec.phase_at(step) for step in (0, 249, 250, 649, 650, 2000)] == [0, 0, 1, 1, 2, 2]
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


def test_a_phase_without_a_size_takes_the_rest_wherever_it_stands():
    (spec,) = plan("a: {}\nb: {share: 0.3}")
    assert [phase.steps for phase in spec.phases] == [700, 300]


def test_command_line_changes_a_phase():
    (spec,) = plan(
        "a: {share: 0.5}\nb: {}", overrides=[("methods.rnd.phases.a.steps", "120"), ("methods.rnd.phases.a.share", "null")]
    )
    assert [phase.steps for phase in spec.phases] == [120, 880]


def test_a_preset_gives_phases_that_the_suite_changes_by_name(tmp_path):
    from harness.planning.phases import resolve_phases
    from harness.registry.hooks import Preset
    from harness.suites.model import MethodBlock
    from harness.suites.validation import ValidationFailed

    preset = Preset(name="p", source="", phases={"a": {"share": 0.5, "extrinsic_weight": 0.0}, "b": {"train_reward": False}})

    def read(written: dict) -> dict[str, PhaseBlock]:
        return resolve_phases(MethodBlock(reward="x", phases=written), preset, ("phases",))

    assert list(read({})) == ["a", "b"]
    assert read({"a": {"steps": 7}})["a"] == PhaseBlock(steps=7, extrinsic_weight=0)
    assert list(read({"a": None})) == ["b"]
    with pytest.raises(ValidationFailed, match="did you mean 'a'"):
        read({"aa": None})


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6), st.integers(1000, 10**9))
def test_shares_of_the_whole_add_up_to_it(parts, steps):
    phases = {str(i): PhaseBlock(share=min(part / sum(parts), 1)) for i, part in enumerate(parts)}
    assert sum(phase_lengths(phases, steps)) == steps


# --- identity ------------------------------------------------------------------------------------------------------
def test_digests_of_todays_suites_stay_what_they_are():
    quick = Path(__file__).parents[2] / "suites/quick.yaml"
    digests = {(run.task, run.method): run.digest for run in load(quick).runs}
    assert digests["n10", "ppo"] == "c952120a"
    assert digests["n16", "ppo_rnd"] == "94421c14"
    as_in_november = load(quick, overrides=[("methods.ppo_rnd.combine.normaliser_start", "prior")]).runs
    assert {(run.task, run.method): run.digest for run in as_in_november}["n16", "ppo_rnd"] == "b0c0fe6b"


def test_the_digest_changes_with_phases_and_start_but_not_with_where_the_start_lies():
    spec = make_spec(reward="rnd")
    phase = PhaseSpec(name="a", steps=1600, extrinsic_weight=0, intrinsic_weight=1)
    start = StartSpec(path="p", digest="1" * 8, method_digest="2" * 8)
    phased, started = spec.model_copy(update={"phases": (phase,)}), spec.model_copy(update={"start": start})
    assert len({spec.digest, phased.digest, started.digest}) == 3
    assert spec.model_copy(update={"pretraining": True}).digest == spec.digest

    def moved(**changes: Any) -> RunSpec:
        return spec.model_copy(update={"start": start.model_copy(update=changes)})

    assert moved(path="q").digest == started.digest
    assert moved(digest="3" * 8).digest != started.digest
    assert moved(digest="3" * 8).method_digest == started.method_digest
    assert moved(method_digest="3" * 8).method_digest != started.method_digest
    assert moved(seed=3).digest != started.digest


# --- what is refused -----------------------------------------------------------------------------------------------
REFUSED = {
    "a: {share: 0.5}\nb: {steps: 500}\nc: {}":
        ("10: ", "on task 'five', 'a' and 'b' of 1,000 steps leave none for 'c': shorten them"),
    "a: {share: 1.5}": ("11: a.share: ", "expected at most 1.0, got 1.5"),
    "a: {share: 0.5, steps: 10}": ("11: a.steps: ", "steps and share both say how long the phase is: keep one"),
    "a: {}\nb: {}":
        ("12: b: ", "phases 'a' and 'b' have no size, and only one can take the rest: give the others steps or a share"),
    "a: {steps: 500}\nb: {steps: 300}":
        ("10: ", "on task 'five', the phases add up to 800 of 1,000 steps: leave out the size of one, to take the rest"),
    "a: {steps: 30}\nb: {}":
        ("11: a.steps: ", "on task 'five', 30 steps are fewer than one iteration, between two of which phases change: 40"),
    "a: {steps: 50}\nb: {reset: [critic]}": ("12: b.reset.0: ", "expected 'actor', 'critics', 'optimizers' or 'replay', got"),
    "a: {steps: 50}\nb: {reset: [replay]}":
        ("12: b.reset: ", "algorithm 'ppo' has no replay to reset, only: actor, critics, optimizers"),
    "a: {steps: 50, reset: [actor]}\nb: {}":
        ("11: a.reset: ", "the first phase begins with everything new: 'reset' has a meaning in later ones"),
    "a: {steps: 50, extrinsic_weight: 0, intrinsic_weight: 0}\nb: {}":
        ("11: a: ", "both weights are 0, so that there is nothing to learn from"),
    "a: {steps: 50, extrinsic_wieght: 0}\nb: {}":
        ("11: a.extrinsic_wieght: ", "unknown key 'extrinsic_wieght': did you mean 'extrinsic_weight'?"),
    "a: {steps: 50}\nb: {once_per: size}":
        ("12: b.once_per: ", "only the first phase can be shared: the others begin where it ended"),
    "a: {once_per: size}":
        ("11: a.once_per: ", "there is no other phase to begin where this one ended: add one, or remove 'once_per'"),
    "a: {steps: 50, once_per: sise}\nb: {}":
        ("11: a.once_per: ", "environment family 'deep_sea' has no setting 'sise': did you mean 'size'?"),
    "a: null\nb: {}": ("11: a: ", "null drops a phase of the preset, and there is none of this name"),
    "a b: {}": ("11: a b: ", "'a b' cannot name a folder"),
}  # fmt: skip


@pytest.mark.parametrize("phases", REFUSED)
def test_what_is_wrong_is_told_with_place_and_remedy(phases):
    place, message = REFUSED[phases]
    assert message in refusal(phases)
    assert (
        refusal(phases)
        .replace("methods.rnd.phases.", "")
        .replace("methods.rnd.phases: ", "")
        .startswith(f"sea.yaml:{place}{message}")
    )


def test_phases_need_a_reward():
    file = Path("none.yaml")
    file.write_text(
        PHASED.format(phases="a: {}", combine="sum").replace("reward: rnd", "reward: none").replace("    combine: sum\n", "")
    )
    with pytest.raises(SuiteError, match="phases has no meaning without a reward"):
        load(file)


def test_phases_in_a_profile_nobody_asked_for_are_read_too():
    file = Path("profile.yaml")
    file.write_text(
        PHASED.format(phases="a: {steps: 50}\n      b: {}", combine="sum")
        + "profiles: {big: {methods: {rnd: {phases: [1]}}}}\n"
    )
    with pytest.raises(SuiteError, match=r"profiles\.big\.methods\.rnd\.phases"):
        load(file)
