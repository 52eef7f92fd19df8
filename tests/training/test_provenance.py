"""What a run records of versions: the core's, and those that the plugins it uses declare."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import torch
from support import broken
from support.broken import broken_spec
from support.specs import make_spec

from harness.errors import RunError
from harness.registry import Registry, installed
from harness.registry.discovery import Plugin, PluginInfo, builtin_plugin
from harness.registry.hooks import EnvironmentFamily, Method
from harness.report.differences import describe_changes
from harness.runs.folder import Attempt, RunFolder, RunRecord
from harness.training import run
from harness.training.provenance import provenance
from harness.training.run import train

CORE = {name: metadata.version(name) for name in ("torch", "stable-baselines3", "gymnasium", "numpy")}
PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
FAMILIES = sorted(set(PROJECT["optional-dependencies"]) & set(installed().environments))


def packages(registry: Registry, reward: str | None = "rnd") -> dict[str, str]:
    return provenance(make_spec(reward=reward), registry, torch.device("cpu"))["packages"]


def registry(family: tuple[str, ...] = (), method: tuple[str, ...] = ()) -> Registry:
    known = [
        EnvironmentFamily(name="deep_sea", make="m:make", config="m:C", packages=family),
        EnvironmentFamily(name="other", make="m:make", config="m:C", packages=("scipy",)),
        Method(name="rnd", reward="m:R", config="m:C", packages=method),
    ]
    return Registry([builtin_plugin(), Plugin(PluginInfo("mine", "mine", "1", "mine"), tuple(known))])


def test_the_versions_of_the_core_are_recorded():
    assert packages(registry()) == CORE


def test_packages_of_used_plugins_are_recorded_once_and_absent_ones_left_out():
    found = packages(registry(("polars", "not-installed-anywhere"), ("polars", "pluggy", "torch")))
    assert found == CORE | {name: metadata.version(name) for name in ("polars", "pluggy")}
    assert "pluggy" not in packages(registry(("polars",), ("pluggy",)), reward=None)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_declares_everything_that_its_extra_installs(family):
    required = {re.match(r"[\w.-]+", line)[0] for line in PROJECT["optional-dependencies"][family]}
    assert required <= set(installed().environment(family).packages)


def test_fault_i_every_attempt_keeps_its_own_provenance(tmp_path, monkeypatch):
    spec = broken_spec({"fault": "nan", "after": 12})
    monkeypatch.setattr(run, "installed", broken.registry)
    monkeypatch.setattr(run, "provenance", lambda *_: {"plugins": {"mine": "mine 0.1"}, "command": "one"})
    with pytest.raises(RunError):
        train(spec, tmp_path)
    monkeypatch.setattr(run, "provenance", lambda *_: {"plugins": {"mine": "mine 0.2"}, "command": "two"})
    monkeypatch.setattr(broken.BrokenMethod, "bonus", lambda self, transitions: 0 * transitions.reward)
    train(spec, tmp_path)
    record = RunFolder.of(spec, tmp_path).read()
    assert [(one.step, one.provenance["command"]) for one in record.attempts] == [(0, "one"), (16, "two")]
    assert all(one.host and one.started for one in record.attempts)
    assert record.provenance == record.attempts[-1].provenance
    assert describe_changes(record.attempts) == ["plugin mine mine 0.1, then mine 0.2 from step 16"]


def test_fault_i_a_record_of_before_tells_of_the_attempt_that_it_knows():
    (file,) = (Path(__file__).parents[1] / "fixtures/november/finished/november/n3").glob("rnd_sum-*/seed-0/run.json")
    old = RunFolder(file.parent).read()
    assert old.attempts == []
    resumed = old.with_attempt(1024, {**old.provenance, "device": "another"})
    assert [(one.step, one.provenance) for one in resumed.attempts[:1]] == [(0, old.provenance)]
    assert resumed.attempts[0].host == old.status.history[0].host
    assert describe_changes(resumed.attempts) == [f"device {old.provenance['device']}, then another from step 1,024"]
    assert RunRecord.model_validate(resumed.model_dump(mode="json")) == resumed


def attempts(*facts):
    return [Attempt(started="", step=step, host="", provenance={"plugins": {"p": version}}) for step, version in facts]


@pytest.mark.parametrize(
    ("tried", "changes"),
    [
        ([(0, "1"), (8, "1")], 0),
        ([(0, "1"), (0, "2")], 0),  # nothing of the first was kept
        ([(0, "1"), (8, "2"), (8, "1"), (16, "1")], 0),  # nor of the second here
        ([(0, "1"), (8, "2"), (16, "1")], 2),
        ([(0, "1")], 0),
        ([], 0),
    ],
)
def test_fault_i_only_changes_that_a_run_went_on_with_count(tried, changes):
    assert len(describe_changes(attempts(*tried))) == changes
