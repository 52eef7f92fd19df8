"""The conformance kit lets sound methods pass and finds every mistake that it claims to find."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import pytest
import torch
from support.conformance import LONG, QuickConformance
from testing.toy_methods import (
    BROKEN,
    CRASHING,
    SOUND,
    SOUND_ON_POLICY,
    CountsBesideItsState,
    ImagesCrash,
    NeverLearns,
    PlantedCounts,
    Represents,
    Sound,
    on_steps,
    subject,
)

from harness.errors import UnknownNameError
from harness.testing import CHECKS, CheckFailed, Subject, run_checks
from harness.testing.checks.devices import moves
from harness.testing.outcomes import CheckResult, result_of

BY_NAME = {check.name: check for check in CHECKS}
MISTAKES = [(check, mistake) for check, mistakes in BROKEN.items() for mistake in mistakes]


def result(check: str, examined: Subject) -> CheckResult:
    """What one check says."""
    return result_of(check, BY_NAME[check].description, partial(BY_NAME[check].run, examined))


def quick_checks(examined: Subject) -> dict[str, CheckResult]:
    """What the checks say that do not take seconds, by name."""
    return {name: result(name, examined) for name in BY_NAME if name not in LONG}


def failed(results: dict[str, CheckResult]) -> list[CheckResult]:
    return [one for one in results.values() if one.outcome == "failed"]


@pytest.mark.parametrize("method", SOUND, ids=lambda method: method.__name__)
def test_sound_methods_pass(method):
    if method is not Sound:
        assert failed(quick_checks(subject(method))) == []
        return
    results = {one.check: one for one in run_checks(subject(method))}
    assert failed(results) == []
    missing = {"episodes"} if torch.cuda.is_available() else {"cuda", "episodes"}
    assert {name for name, one in results.items() if one.outcome == "not applicable"} == missing


@pytest.mark.parametrize("method", SOUND_ON_POLICY, ids=lambda method: method.__name__)
def test_sound_methods_that_follow_episodes_pass(method):
    results = quick_checks(subject(method, works_with={"on_policy"}))
    assert failed(results) == []
    assert results["episodes"].outcome == "passed"


@pytest.mark.slow
@pytest.mark.parametrize("method", [*SOUND[1:], *SOUND_ON_POLICY], ids=lambda method: method.__name__)
@pytest.mark.parametrize("check", sorted(LONG))
def test_sound_methods_pass_what_takes_seconds(check, method):
    works_with = {"on_policy"} if method in SOUND_ON_POLICY else {"on_policy", "off_policy"}
    assert result(check, subject(method, works_with=works_with)).outcome == "passed"


def test_a_sound_counter_of_the_time_before_episodes_were_followed_passes():
    assert failed(quick_checks(on_steps(PlantedCounts))) == []


def test_a_method_for_off_policy_algorithms_alone_is_examined_as_one():
    assert failed(quick_checks(subject(Represents, works_with={"off_policy"}))) == []
    calls = []

    class Noted(Represents):
        def observe_batch(self, transitions):
            calls.append(len(transitions))
            super().observe_batch(transitions)

    (case, *_) = subject(Noted, works_with={"off_policy"}).cases
    case.run_rollouts(case.build(), 1, 2)
    assert calls == [24, 24]


def test_what_no_replay_buffer_feeds_is_not_examined_for_it():
    assert result("off_policy", subject(NeverLearns, works_with={"on_policy"})).outcome == "not applicable"


@pytest.mark.parametrize(("check", "mistake"), MISTAKES, ids=lambda value: value)
def test_every_mistake_is_found(check, mistake):
    with pytest.raises(CheckFailed, match=r"expected .+, got .+"):
        BY_NAME[check].run(BROKEN[check][mistake])


@pytest.mark.parametrize(("check", "method"), [(c, m) for c, methods in CRASHING.items() for m in methods])
def test_what_a_method_raises_is_told_with_its_place(check, method):
    found = result(check, subject(method))
    assert found.outcome == "failed"
    assert "expected no exception, got " in found.message
    if method is ImagesCrash:
        assert "RuntimeError: mat1 and mat2 shapes cannot be multiplied" in found.message
        assert "toy_methods.py:" in found.message


def test_every_check_has_a_method_that_fails_it():
    assert {check.name for check in CHECKS} - {"cuda"} == BROKEN.keys()


def test_moving_to_another_device_goes_through_a_checkpoint():
    """Tried on the CPU, so that what the check for GPUs does is tested where there is none."""
    here = torch.device("cpu")
    moves(subject().cases[0], here)
    with pytest.raises(CheckFailed, match="same numbers on cpu as on the CPU"):
        moves(subject(CountsBesideItsState).cases[0], here)


def test_messages_say_what_was_expected_and_what_came():
    with pytest.raises(CheckFailed) as failure:
        BY_NAME["learns"].run(subject(NeverLearns))
    expected = "the bonus of visited states to fall behind that of new ones by 10% within 40 rollouts"
    assert str(failure.value) == f"vectors with continuous actions: expected {expected}, got 0.0%"


def test_a_subject_is_configured_as_a_suite_would():
    assert Subject.named("rnd").settings["feature_dim"] == 512
    assert Subject.named("rnd", preset="pechac2024", config={"feature_dim": 8}).settings["feature_dim"] == 8
    with pytest.raises(UnknownNameError, match="did you mean 'pechac2024'"):
        Subject.named("rnd", preset="pechac2025")


class TestInherited(QuickConformance):
    """How a plugin uses it, with a toy in the place of an installed method."""

    @classmethod
    def subject(cls):
        return subject()


@pytest.mark.slow
def test_as_plugins_use_it(tmp_path):
    """One failing, one skipped and one passing test, each named after its check."""
    (tmp_path / "test_plugin.py").write_text(
        textwrap.dedent("""
        from testing.toy_methods import NeverLearns, subject
        from harness.testing import MethodConformance

        class TestMine(MethodConformance):
            @classmethod
            def subject(cls):
                return subject(NeverLearns, presets=())
        """)
    )
    arguments = ["-q", "-rA", "-p", "no:cacheprovider", "-k", "presets or metrics or learns", f"--rootdir={tmp_path}"]
    command = [sys.executable, "-m", "pytest", *arguments, "test_plugin.py"]
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": tests, "PATH": ""}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout
    assert "PASSED test_plugin.py::TestMine::test_conforms[metrics]" in done.stdout
    assert "FAILED test_plugin.py::TestMine::test_conforms[learns]" in done.stdout
    assert "it has no presets" in done.stdout
    assert "1 failed, 1 passed, 1 skipped" in done.stdout
