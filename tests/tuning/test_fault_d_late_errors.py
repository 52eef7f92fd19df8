"""Fault d, of ``tune``: files that cannot be written at the end cost nothing that was searched."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from support.leftovers import as_everybody

TUNE = ("tune", "toy.yaml", "-m", "rnd", "--trials", "2", "--confirm", "0")
FOLDER = Path("results/toy/tuning/toy-rnd")


def no_space(*arguments, **options):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_fault_d_an_out_file_that_could_not_be_written_is_refused_before_the_search(harness, place):
    (place.folder / "shut").mkdir(mode=0o555)
    with as_everybody():
        assert harness(*TUNE, "--out", "shut/best.yaml")[::2] == (
            2,
            "error: --out shut/best.yaml: nothing may be written in shut\n",
        )
    assert harness(*TUNE, "--out", "shut")[::2] == (2, "error: --out shut: is a folder; name a file in it\n")
    assert not (place.folder / "results").exists()


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize(
    ("function", "said", "code"),
    [
        ("harness.tuning.best.write_text_atomic", "best.yaml: the settings found cannot be written (No space left", 1),
        ("harness.tuning.record.write_text_atomic", "the record of the study cannot be written (No space left", 1),
        ("harness.runs.output.write_bytes_atomic", "No space left on device); the study is kept, for a report elsewhere:", 0),
    ],
)
def test_fault_d_a_full_disk_at_the_end_keeps_the_study(harness, place, monkeypatch, function, said, code):
    with monkeypatch.context() as patched:
        patched.setattr(function, no_space)
        found, output, errors = harness(*TUNE)
    assert (found, errors) == (code, "")
    assert said in output
    assert "done: 2 of 2 trials" in output
    found, output, errors = harness(*TUNE)  # the same command writes what is missing
    assert (found, errors) == (0, "")
    assert "started" not in output
    assert (FOLDER / "best.yaml").exists() and (FOLDER / "report/index.html").exists()
