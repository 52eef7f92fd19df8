"""Measuring how fast suites train takes as long as it is told, and what is known is not measured again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import suite_speeds
from support.specs import make_spec

from harness.planning.load import load
from harness.runs.files import csv_text, read_csv_rows
from harness.runs.speeds import SPEED_COLUMNS, settings_digest

SUITE = """\
suite: tiny
environment: {family: deep_sea, size: 4}
tasks: {sea: }
algorithm: {name: ppo, n_envs: 4, n_steps: 16, batch_size: 32}
methods: {ppo: , rnd: {reward: rnd, combine: sum}}
seeds: 1
steps: 512
evaluation: {every: 256, episodes: 2}
"""


@pytest.mark.parametrize(
    ("steps_per_second", "timed"), [(1000.0, [256, 2048]), (40.0, [256, 1200]), (10.0, [256])], ids=["fast", "slow", "slowest"]
)
def test_a_method_is_timed_with_as_many_steps_as_its_seconds_allow(monkeypatch, steps_per_second, timed):
    asked: list[int] = []
    monkeypatch.setattr(suite_speeds, "timed", lambda spec, device, steps: asked.append(steps) or steps_per_second)
    assert suite_speeds.speed(make_spec(), "cpu", 2048, seconds=60) == steps_per_second
    assert asked == timed


def test_only_what_is_missing_is_measured(tmp_path: Path, monkeypatch):
    file, table = tmp_path / "tiny.yaml", tmp_path / "speeds.csv"
    file.write_text(SUITE)
    ppo, rnd = sorted(load(file).runs, key=lambda spec: spec.method)
    table.write_text(csv_text([SPEED_COLUMNS, ("tiny", "", "deep_sea", "ppo", settings_digest(ppo), "5", "theirs", "2026")]))
    command = ["suite_speeds.py", str(file), "--missing", "--machine", "this one", "--steps", "128"]
    monkeypatch.setattr(sys, "argv", command)
    suite_speeds.main()
    rows = {row["settings"]: row for row in read_csv_rows(table)[1]}
    assert rows.keys() == {settings_digest(ppo), settings_digest(rnd)}
    assert rows[settings_digest(ppo)]["machine"] == "theirs"
    assert (rows[settings_digest(rnd)]["method"], rows[settings_digest(rnd)]["machine"]) == ("rnd", "this one")
    assert float(rows[settings_digest(rnd)]["steps_per_second"]) > 0


def test_settings_of_single_tasks_share_a_speed(tmp_path: Path, monkeypatch):
    file, table = tmp_path / "tiny.yaml", tmp_path / "speeds.csv"
    tasks = "tasks: {sea: , lake: {environment: {size: 5}}}"
    method = "methods: {rnd: {reward: rnd, combine: sum, config_by_task: {lake: {eta: 0.5}}}}"
    file.write_text(
        "\n".join({"tasks": tasks, "methods": method}.get(line.split(":")[0], line) for line in SUITE.splitlines())
    )
    measured: list[str] = []
    monkeypatch.setattr(suite_speeds, "speed", lambda spec, *_: measured.append(spec.task) or 7.0)
    monkeypatch.setattr(sys, "argv", ["suite_speeds.py", str(file), "--machine", "this one"])
    suite_speeds.main()
    sea, lake = (settings_digest(spec) for spec in load(file).runs)
    assert measured == ["sea"]
    assert {row["settings"] for row in read_csv_rows(table)[1]} == {sea, lake}
    table.write_text(csv_text([SPEED_COLUMNS, ("other", "", "deep_sea", "rnd", sea, "5", "theirs", "2026")]))
    monkeypatch.setattr(sys, "argv", ["suite_speeds.py", str(file), "--machine", "this one", "--missing"])
    suite_speeds.main()
    assert measured == ["sea"]
    rows = {row["settings"]: row for row in read_csv_rows(table)[1]}
    assert (rows[sea]["suite"], rows[lake]["suite"]) == ("other", "tiny")
    assert (rows[lake]["steps_per_second"], rows[lake]["machine"], rows[lake]["date"]) == ("5", "theirs", "2026")
