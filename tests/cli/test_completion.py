"""What a shell completes, and that it is light."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from harness.cli import completion


def complete(*words: str, folder: object) -> list[str]:
    """What bash is told for the last of some words, by a process that must not import what trains."""
    code = "import sys\nfrom harness.cli import main\ntry:\n    main()\nfinally:\n"
    code += (
        "    heavy = {'torch', 'stable_baselines3', 'matplotlib', 'polars', 'scipy', 'optuna', 'pandas'} & set(sys.modules)\n"
    )
    code += "    assert not heavy, heavy\n"
    asked = {"_HARNESS_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **asked}, capture_output=True, text=True, check=False)
    assert "Error" not in done.stderr, done.stderr
    return done.stdout.split()


def test_a_shell_is_told_of_suites_without_torch(workplace):
    assert complete("harness", "run", "qui", folder=workplace) == ["quick", "quick_sac"]


def test_profiles_are_those_of_the_suite(workplace):
    assert complete("harness", "run", "small.yaml", "--profile", "t", folder=workplace) == ["tiny"]


def test_suites_are_names_and_files(workplace):
    (workplace / "folder").mkdir()
    (workplace / "folder" / "sm.yml").touch()
    (workplace / "small.txt").touch()
    assert completion.suites("sm") == ["small_hard", "small_hard_sac", "small.yaml"]
    assert completion.suites("fo") == ["folder/"]
    assert completion.suites("folder/") == ["folder/sm.yml"]
    assert completion.suites("./f") == ["./folder/"]
    assert completion.suites("nowhere/x") == []
    assert {"quick", "minigrid", "small.yaml"} <= set(completion.suites(""))


def test_names_of_what_is_installed(workplace):
    assert "rnd" in completion.checkable("rn")
    assert completion.executors("loc") == ["local"]
    assert "deep_sea" in completion.names("deep")


@pytest.mark.parametrize("given", ["nowhere.yaml", "no_such_suite", "wrong.yaml", None])
def test_nothing_is_completed_of_a_suite_that_cannot_be_read(workplace, given):
    (workplace / "wrong.yaml").write_text("[")

    assert completion.methods(SimpleNamespace(params={"suite": given}, args=[]), "") == []
