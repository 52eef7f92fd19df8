"""Real kills of real processes; `benchmarks/kill_and_resume.py` is the same at full length."""

from __future__ import annotations

import random
from pathlib import Path

import kill_and_resume
import pytest

CASES = {f"{spec.environment.family}-{spec.method}": spec for spec in kill_and_resume.specs()}


@pytest.mark.slow
@pytest.mark.parametrize("case", ["deep_sea-rnd_two_critics"])
def test_killed_and_resumed_equals_unbroken(tmp_path: Path, case: str) -> None:
    equal, line = kill_and_resume.check(CASES[case], tmp_path, kills=3, rng=random.Random(1))
    assert equal, line
    assert "killed 3 times" in line


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_killed_often_and_resumed_equals_unbroken(tmp_path: Path, case: str) -> None:
    equal, line = kill_and_resume.check(CASES[case], tmp_path, kills=4, rng=random.Random(2))
    assert equal, line


def test_a_difference_would_be_found(tmp_path: Path) -> None:
    spec = CASES["deep_sea-none"]
    short = spec.model_copy(update={"steps": 480})
    for results in ("one", "other"):
        kill_and_resume.run(short, tmp_path / results)
    folders = [kill_and_resume.RunFolder.of(short, tmp_path / results) for results in ("one", "other")]
    assert kill_and_resume.differences(*folders) == []
    text = folders[0].evaluations_file.read_text()
    folders[0].evaluations_file.write_text(text.replace(",8,", ",9,"))
    assert kill_and_resume.differences(*folders) == ["evaluations.csv"]
