"""What suites will take, from speeds that were measured; and where suites are found."""

from __future__ import annotations

import json

import pytest
from report.synthetic import make_spec, write_run
from support.distributions import install

from harness.errors import ResultsError
from harness.runs.files import csv_text
from harness.runs.speeds import SPEED_COLUMNS, Speed, estimate_cost, measured_speeds, settings_digest
from harness.spec import AlgorithmSpec
from harness.suites.files import installed_suite_files


def table(file, *rows):
    file.write_text(
        csv_text([SPEED_COLUMNS, *(("s", "", "f", "m", digest, speed, "a machine", "a date") for digest, speed in rows)])
    )
    return file


def test_hours_are_steps_over_speed_of_every_run():
    specs = [make_spec(task, method, seed) for task in ("a", "b") for method in ("ppo", "rnd") for seed in (0, 1)]
    ppo, rnd = settings_digest(specs[0]), settings_digest(specs[2])
    speeds = {ppo: Speed(100.0, "here"), rnd: Speed(50.0, "there")}
    estimate = estimate_cost(specs, speeds)
    assert estimate.hours == pytest.approx((4 * 10_000 / 100 + 4 * 10_000 / 50) / 3600)
    assert (estimate.origins, estimate.unknown) == (("here", "there"), ())
    del speeds[rnd]
    assert estimate_cost(specs, speeds) == estimate_cost(specs[:2] + specs[2:4], speeds)
    assert (estimate_cost(specs, speeds).hours, estimate_cost(specs, speeds).unknown) == (None, ("rnd",))


def test_a_speed_belongs_to_settings_and_family_not_to_names_or_budget():
    spec = make_spec("a", "rnd", 0)
    same = make_spec("b", "rnd", 1, suite="other", steps=5, normalise=None)
    assert settings_digest(spec) == settings_digest(same)
    for change in (
        {"algorithm": AlgorithmSpec(name="ppo", config={"n_envs": 9})},
        {"environment": spec.environment.model_copy(update={"family": "other"})},
        {"reward": None},
    ):
        assert settings_digest(spec.model_copy(update=change)) != settings_digest(spec)


def test_finished_runs_count_before_tables_and_unfinished_ones_not_at_all(tmp_path):
    ppo, rnd = (settings_digest(make_spec("north", method, 0)) for method in ("ppo", "rnd"))
    speeds = table(tmp_path / "speeds.csv", (ppo, 5), (rnd, 7))
    write_run(tmp_path / "results", "north", "ppo", 0)  # 10,000 steps in 100 s
    write_run(tmp_path / "results", "north", "rnd", 0, state="failed")
    found = measured_speeds(tmp_path / "results", [speeds, tmp_path / "absent.csv"])
    assert found[ppo] == Speed(100.0, f"finished runs in {tmp_path / 'results'}")
    assert found[rnd] == Speed(7.0, "a machine, a date")
    assert measured_speeds(tmp_path / "nowhere", []) == {}


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "inf", "nan"])
def test_what_is_no_speed_is_refused(tmp_path, speed):
    with pytest.raises(ResultsError, match=r"speeds\.csv: row 2: steps_per_second is no speed"):
        measured_speeds(tmp_path / "nowhere", [table(tmp_path / "speeds.csv", ("a", 1), ("b", speed))])


def test_another_table_is_refused(tmp_path):
    (tmp_path / "speeds.csv").write_text("suite,speed\nquick,3\n")
    with pytest.raises(ResultsError, match="without the columns profile, family"):
        measured_speeds(tmp_path / "nowhere", [tmp_path / "speeds.csv"])


def test_installed_packages_bring_their_suites(tmp_path, monkeypatch):
    source, site = tmp_path / "a source", tmp_path / "site"
    (source / "suites").mkdir(parents=True)
    (site / "wheel_package" / "suites").mkdir(parents=True)
    for file in (source / "suites/mine.yaml", site / "wheel_package/suites/theirs.yaml", site / "wheel_package/other.yaml"):
        file.write_text("suite: x")
    install(site, "editable-package", "1", {})
    install(site, "wheel-package", "1", {})
    install(site, "odd-package", "1", {})
    origin = {"url": source.as_uri(), "dir_info": {"editable": True}}
    (site / "editable_package-1.dist-info/direct_url.json").write_text(json.dumps(origin))
    (site / "odd_package-1.dist-info/direct_url.json").write_text("[")
    record = "wheel_package/suites/theirs.yaml,,\nwheel_package/other.yaml,,\n"
    (site / "wheel_package-1.dist-info/RECORD").write_text(record)
    monkeypatch.syspath_prepend(str(site))
    names = ["editable-package", "wheel-package", "odd-package", "not-there", "editable-package"]
    assert [file.name for file in installed_suite_files(names)] == ["mine.yaml", "theirs.yaml"]
