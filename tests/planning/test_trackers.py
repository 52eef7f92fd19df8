"""Trackers in a suite and beside it: how they are written, what is refused, and that no run depends on them."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML
from support.trackers import registry

from harness import experiment
from harness.config.secrets import masked_arguments, without_secret_values
from harness.errors import SuiteError, UnknownNameError
from harness.registry import Registry
from harness.registry.discovery import Plugin, discover
from harness.suites.schema import suite_schema
from harness.tracking.reports import FOLDER, hand_over

SUITE = """\
suite: tiny
environment: {family: deep_sea, size: 4}
tasks: {sea: }
algorithm: {name: ppo, n_envs: 4, n_steps: 16, batch_size: 32}
methods: {ppo: }
seeds: 1
steps: 512
evaluation: {every: 256}
"""


def plan(tmp_path: Path, written: str = "", **options):
    file = tmp_path / "tiny.yaml"
    file.write_text(SUITE + written)
    return experiment.plan(file, **options)


@pytest.mark.parametrize("written", ["[wandb]", "wandb", "{wandb: }", "{wandb: {}}"])
def test_one_is_named_in_any_form(tmp_path: Path, written: str) -> None:
    settings = plan(tmp_path, f"trackers: {written}\n").tracker_settings(["mlflow", "wandb"])
    assert list(settings) == ["wandb", "mlflow"]
    assert settings["wandb"] == {"wait_seconds": 120.0, "project": None, "entity": None, "mode": None, "tags": []}


def test_settings_come_from_the_suite_and_the_command_line_and_change_no_run(tmp_path: Path) -> None:
    overrides = [("trackers.wandb.mode", "offline")]
    followed = plan(tmp_path, "trackers: {wandb: {project: p}}\n", overrides=overrides)
    assert followed.tracker_settings()["wandb"].items() >= {"project": "p", "mode": "offline"}.items()
    assert followed.source("trackers.wandb.mode").origin == "--set trackers.wandb.mode=offline"
    assert followed.runs == plan(tmp_path).runs
    assert [run.digest for run in followed.runs] == [run.digest for run in plan(tmp_path).runs]
    assert not plan(tmp_path, "trackers: [wandb]\n", overrides=[("trackers", "null")]).tracker_settings()


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("[wandd]", "unknown tracker 'wandd': did you mean 'wandb'?"),
        ("{wandb: {mod: offline}}", "tracker 'wandb': unknown key 'mod': did you mean 'mode'?"),
        ("{wandb: {mode: of}}", "trackers.wandb.mode: tracker 'wandb': expected"),
        ("{tensorboard: {folder: x}}", "tracker 'tensorboard' has no settings: leave them out"),
        ("{mlflow: {tracking_uri: 'http://me:swordfish@host'}}", "what may be a password does not belong here"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, written: str, message: str) -> None:
    with pytest.raises(SuiteError) as refusal:
        plan(tmp_path, f"trackers: {written}\n")
    assert message in str(refusal.value)
    assert "tiny.yaml:9" in str(refusal.value)
    assert "swordfish" not in str(refusal.value)


def test_an_unknown_one_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown tracker 'wandd': did you mean 'wandb'"):
        experiment.run(plan(tmp_path), tmp_path / "results", trackers=["wandd"])
    assert not (tmp_path / "results").exists()


EDITED = {
    "[wandb]": True,
    "mlflow": True,
    "{wandb: {mode: offline}, tensorboard: }": True,
    "[wandd]": False,
    "{wandb: {m: 1}}": False,
}


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(suite_schema())


@pytest.mark.parametrize("written", EDITED)
def test_editors_know_them(schema: jsonschema.Draft202012Validator, written: str) -> None:
    suite = YAML(typ="safe").load(SUITE + f"trackers: {written}\n")
    assert schema.is_valid(suite) == EDITED[written]


def test_a_plugin_cannot_write_in_the_process_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from support.distributions import install

    source = (
        "from harness import *\n@hookimpl\ndef harness_trackers(): return [Tracker(name='x', tracker='m:C', inline=True)]\n"
    )
    install(tmp_path, "inline-tracker", "1.0", {"inline_tracker": "inline_tracker"}, inline_tracker=source)
    monkeypatch.syspath_prepend(str(tmp_path))
    (found,) = [plugin for plugin in discover() if not isinstance(plugin, Plugin)]
    assert "only the harness's own trackers write in the process of the run" in found.cause


def test_secrets_are_shown_nowhere() -> None:
    shown = masked_arguments(["run", "--set", "trackers.mlflow.tracking_uri=http://me:swordfish@host:5000", "--workers", "1"])
    assert shown == ["run", "--set", "trackers.mlflow.tracking_uri=http://me:***@host:5000", "--workers", "1"]
    environment = {"MLFLOW_TRACKING_URI": "http://me:sword%21fish@host", "WANDB_API_KEY": "0123456789", "HOME": "/me"}
    text = without_secret_values("sword!fish, sword%21fish and 0123456789 in /me at http://me:other@host", environment)
    assert text == "***, *** and *** in /me at http://me:***@host"


def test_a_report_is_handed_over_in_one_run_of_the_tracker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from support.trackers import read

    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    known: Registry = registry()
    report = tmp_path / "s" / "report"
    report.mkdir(parents=True)
    (report / "index.html").touch()
    chosen = {"diary": {"file": str(tmp_path / "diary"), "wait_seconds": 240.0}, "gone": {}, "tensorboard": {}}
    for _ in range(2):
        (notice,) = hand_over(report, "s", tmp_path, chosen, known)
        assert notice.startswith("the report was not given to tracker 'gone': ")
    lines = read(tmp_path / "diary")
    assert [line[1] for line in lines if line[0] == "begin"] == [None, "diary-1"]
    assert [line for line in lines if line[0] == "report"] == [["report", str(report), True]] * 2
    assert (tmp_path / "s" / FOLDER / "trackers.json").exists()
