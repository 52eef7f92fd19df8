"""What is too large to be a suite is refused at once, with a sentence, however it arrives (fault r)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli import main
from harness.errors import SuiteError, UserError
from harness.planning.load import load
from harness.suites.overrides import apply_override
from harness.suites.yaml import MAX_BYTES, MAX_DEPTH, parse_yaml, read_yaml

SUITE = """\
suite: toy
environment: {{family: deep_sea}}
tasks: {tasks}
algorithm: {{name: ppo}}
methods: {methods}
seeds: {seeds}
steps: {steps}
evaluation: {{every: 100_000}}
profiles: {profiles}
"""


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Writes the suite with some of its parts replaced."""

    def write(**parts: object) -> Path:
        file = tmp_path / "suite.yaml"
        whole = {"tasks": "{n4: {}}", "methods": "{ppo: {}}", "seeds": 1, "steps": 1_000_000, "profiles": "{small: {}}"}
        file.write_text(SUITE.format_map(whole | parts))
        return file

    return write


@contextmanager
def within(seconds: float) -> Generator[None]:
    """Fails if the block takes more processor time; what else is busy on the machine does not count."""
    began = time.process_time()
    yield
    assert time.process_time() - began < seconds


def refusal(file: Path, **options) -> str:
    with pytest.raises(UserError) as caught:
        load(file, **options)
    assert all(len(line) < 400 for line in str(caught.value).splitlines())
    return str(caught.value)


def mapping(stem: str, count: int) -> str:
    return "{" + ", ".join(f"{stem}{i}: {{}}" for i in range(count)) + "}"


# --- the file --------------------------------------------------------------------------------------------------------
def test_fault_r_one_line_of_fifty_megabytes_is_refused_unread(tmp_path):
    file = tmp_path / "suite.yaml"
    with file.open("wb") as suite:
        suite.write(b"suite: [")
        suite.truncate(50_000_000)
    with within(0.5):
        assert f"is larger than {MAX_BYTES:,} bytes" in refusal(file)


def test_fault_r_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "suite.yaml"
    file.write_bytes(b"a" * (MAX_BYTES + 1))
    real = os.fstat
    monkeypatch.setattr("harness.suites.yaml.os.fstat", lambda number: os.stat_result([*real(number)[:6], 1, 0, 0, 0]))
    with pytest.raises(SuiteError, match="is larger than"):
        read_yaml(file)


@pytest.mark.parametrize("command", [["check", "{}"], ["run", "{}"], ["check", "quick.yaml", "--set", "@{}"]])
def test_fault_r_fifo_is_no_suite(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick.yaml").write_text("suite: quick")
    os.mkfifo(tmp_path / "pipe.yaml")
    with within(5):
        assert main([part.format(tmp_path / "pipe.yaml") for part in command]) == 2
    assert "is not a regular file" in capsys.readouterr().err


def test_fault_r_devices_are_no_suites():
    for device in ("/dev/zero", "/dev/null"):
        with within(0.5), pytest.raises(SuiteError, match="is not a regular file"):
            read_yaml(Path(device))


def test_fault_r_text_of_an_option_has_the_same_limit():
    with pytest.raises(SuiteError, match=r"--set a=x: is larger than"):
        parse_yaml("x" * (MAX_BYTES + 1), "--set a=x", root=("a",))


@pytest.mark.parametrize(
    "text",
    [
        "a: [" + "1," * 240_000 + "]",
        "a: {" + ",".join(f"k{i}: 1" for i in range(40_000)) + "}",
        "a: '" + "x y " * 120_000 + "'",
        "a: |\n" + "  x\n" * 120_000,
        "# c\n" * 120_000,
        "\n" * 490_000,
        "- " * 240_000,
        "[" * 490_000,
        "? " * 240_000,
        "a: &x [1]\nb: [" + "*x," * 160_000 + "]",
        "&a " * 160_000,
        "%" * 490_000,
        '"' + "\\x41" * 120_000 + '"',
        "x: " + "9" * 490_000,
        "x: 0." + "9" * 490_000,
        "x: 1e" + "9" * 490_000,
        "x: " + "1_" * 240_000,
    ],
    ids=lambda text: text[:8],
)
def test_fault_r_whatever_fits_is_read_or_refused_in_seconds(text):
    with within(5):
        try:
            parse_yaml(text, "suite.yaml")
        except SuiteError as error:
            assert len(str(error)) < 500


# --- numbers of runs -------------------------------------------------------------------------------------------------
def test_fault_r_ten_thousand_tasks_and_seeds_are_refused_at_once(write, capsys):
    file = write(tasks=mapping("t", 9_000), seeds=10_000)
    with within(5):
        assert main(["check", str(file)]) == 2
    assert "90,000,000 runs (9,000 tasks x 1 method x 10,000 seeds) are more than 100,000" in capsys.readouterr().err


def test_fault_r_more_values_than_any_suite_has_are_refused_while_they_are_read(write):
    with within(5):
        assert "more than 10,000 values" in refusal(write(tasks=mapping("t", 20_000)))


def test_fault_r_profiles_and_what_is_selected_count(write):
    file = write(tasks=mapping("t", 50), methods=mapping("m", 50), seeds=10_000, profiles="{small: {seeds: 2}}")
    assert "seeds: 25,000,000 runs" in refusal(file)
    assert len(load(file, profile="small").runs) == 5_000
    assert len(load(file, tasks=["t3"], methods=["m4"]).runs) == 10_000


def test_fault_r_the_largest_suites_are_expanded_in_seconds(write):
    with within(5):
        plan = load(write(tasks=mapping("t", 10), seeds=10_000))
    assert len(plan.runs) == len({(run.task, run.seed) for run in plan.runs}) == 100_000
    assert plan.runs[-1].path.endswith("/seed-9999")
    with within(5):
        assert len(load(write(tasks=mapping("t", 2_000))).runs) == 2_000


def test_fault_r_every_pair_of_task_and_method_is_checked_so_pairs_are_limited_too(write):
    file = write(tasks=mapping("t", 200), methods=mapping("m", 200))
    assert "40,000 pairs of task and method are more than 10,000" in refusal(file)


def test_fault_r_every_profile_is_checked_so_profiles_are_limited_too(write):
    with within(5):
        assert "profiles: 101 profiles are more than 100" in refusal(write(profiles=mapping("p", 101)))
    with within(8):
        message = refusal(write(tasks=mapping("t", 9_000), profiles=mapping("p", 100)))
    assert "profiles: 100 profiles of a suite of this size are more than can be checked" in message


def test_fault_r_pretraining_of_many_seeds_takes_seconds(write):
    methods = "{m: {reward: rnd, phases: {pre: {share: 0.5, once_per: size, extrinsic_weight: 0}, fine: {}}}}"
    tasks = "{" + ", ".join(f"t{i}: {{environment: {{size: {4 + i}}}}}" for i in range(4)) + "}"
    with within(5):
        runs = load(write(tasks=tasks, methods=methods, seeds=10_000)).runs
    assert [run.seed for run in runs[:8]] == [0] * 8
    assert [run.pretraining for run in runs[:8]] == [True] * 4 + [False] * 4
    begun = [run.start.path for run in runs[-4:] if run.start]
    assert begun == [run.path for run in runs[-8:-4]]
    assert all(path.endswith("/seed-9999") for path in begun)


# --- the command line ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "0-99999999"], "expected between 1 and 10,000 seeds"),
        (["--seeds", "99999999"], "expected between 1 and 10,000 seeds"),
        (["--seeds", "9" * 5_000], "expected a count such as 5"),
        (["--seeds", "0-" + "9" * 100_000], "expected a count such as 5"),
        (["--seeds", ",".join(["1-9999"] * 10_000)], "expected between 1 and 10,000 seeds"),
        (["--steps", "10^30"], 'expected a whole number, got "10^30"'),
        (["--steps", "1" + "0" * 30], "expected at most 1000000000000000"),
        (["--steps", "1" + "0" * 290], "expected at most 1000000000000000"),
        (["--steps", "1" + "0" * 100_000], "a number of more than 300 digits"),
        (["--steps", "1e30"], "expected a whole number"),
        (["--steps", "2e15"], "expected at most 1000000000000000"),
        (["--steps", "1e999"], "is too large"),
        (["--steps", "-1e30"], "expected"),
        (["--set", "evaluation.every=" + "9" * 40], "evaluation.every: expected at most 1000000000000000"),
        (["--set", "evaluation.episodes=9000000000000000"], "evaluation.episodes: expected at most 1000000000000000"),
        (["--set", "checkpoint.every=" + "9" * 40], "checkpoint.every: expected at most 1000000000000000"),
        (["--set", "tasks.n4.steps=" + "9" * 40], "tasks.n4.steps: expected at most 1000000000000000"),
        (["--set", "a." * 30_000 + "b=1"], f"a key of more than {MAX_DEPTH} parts"),
        (["--set", "." * 60_000 + "=1"], f"a key of more than {MAX_DEPTH} parts"),
        (["--set", "a" * 100_000 + "=1"], "unknown key"),
        (["--set", "steps=" + "[" * 100_000], "nested more than"),
        (["--set", "x=" + "y" * 100_000], "unknown key"),
        (["--profile", "p" * 100_000], "unknown profile"),
        (["--profile", "\x1b[31m"], "unknown profile"),
        (["--task", "t" * 100_000], "unknown task"),
        (["--method", "m" * 100_000], "unknown method"),
        (["--workers", "1000000000"], "--workers"),
        (["--workers", "9" * 1_000], "--workers"),
        (["--workers", "9" * 5_000], "--workers"),
        (["--executor", "e" * 100_000], "unknown executor"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_fault_r_options_have_limits(write, capsys, options, message):
    file = write()
    with within(5):
        assert main(["run", str(file), "--dry-run", *options]) == 2
    said = capsys.readouterr().err
    assert message in said.replace("'", "") or message in said
    assert len(said) < 3_000
    assert "\x1b[31m" not in said


@pytest.mark.parametrize(
    "options",
    [
        ["--workers", "1000000000"],
        ["--trials", "1" + "0" * 30],
        ["--seeds", "1" + "0" * 30],
        ["--confirm", "1" + "0" * 30],
        ["--total-steps", "1e300"],
        ["--total-steps", "9" * 5_000],
        ["--time", "9" * 5_000 + "h"],
        ["--time", "1e9h"],
        ["--study", "s" * 100_000],
    ],
    ids=" ".join,
)
def test_fault_r_options_of_tune_have_limits(write, capsys, tmp_path, monkeypatch, options):
    monkeypatch.setattr("harness.tuning.search.search_settings", lambda *_: pytest.fail("the study was begun"))
    file = write(tasks="{n4: {normalise: {low: 0, high: 1}}}", methods="{rnd: {reward: rnd}}")
    with within(5):
        assert main(["tune", str(file), "-m", "rnd", "--results", str(tmp_path / "results"), *options]) == 2
    said = capsys.readouterr().err
    assert options[0].lstrip("-").replace("total-steps", "total") in said
    assert len(said) < 1_000
    assert not (tmp_path / "results").exists()


@given(st.text(max_size=40), st.text(max_size=40))
def test_fault_r_any_override_is_laid_over_or_refused(key, value):
    tree = parse_yaml("suite: toy\ntasks: {a: {}}\nmethods: {b: {}}", "suite.yaml")
    try:
        apply_override(tree, key, value)
    except UserError as error:
        assert len(str(error)) < 1_000
