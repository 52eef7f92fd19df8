"""The file of submitted jobs lies in a results folder, so anything may be in its place."""

from __future__ import annotations

import os
from pathlib import Path

from harness.runs.jobs import JOBS_FILE, submitted_jobs


def test_fault_m_a_named_pipe_in_the_place_of_the_jobs_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / JOBS_FILE)
    writer = os.open(tmp_path / JOBS_FILE, os.O_RDWR)  # so that whoever reads it would wait for ever
    try:
        os.write(writer, b'{"run": "s/t/m-00000000/seed-0", "executor": "slurm", "job": "1", "submitted": ""}\n')
        assert submitted_jobs(tmp_path) == {}
    finally:
        os.close(writer)


def test_fault_m_lines_that_are_no_jobs_are_passed_over(tmp_path: Path) -> None:
    job = '{"run": "s/t/m-00000000/seed-0", "executor": "slurm", "job": "1_2", "submitted": "now"}'
    lines = ["[" * 100_000, "null", "{", job.replace("1_2", "0"), job]
    (tmp_path / JOBS_FILE).write_text("\n".join(lines) + "\n")
    assert [found.job for found in submitted_jobs(tmp_path).values()] == ["1_2"]
