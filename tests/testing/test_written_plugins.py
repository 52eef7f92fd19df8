"""What ``new-plugin`` writes passes its kit as it stands; that pip installs it is among the slow tests."""

from __future__ import annotations

import importlib
from functools import partial
from pathlib import Path

import pytest
from support.conformance import LONG

from harness.config import EnvironmentConfig
from harness.registry import Registry
from harness.registry.discovery import Plugin, PluginInfo, builtin_plugin
from harness.scaffold import KINDS, NewPlugin
from harness.testing import ALGORITHM_CHECKS, CHECKS, AlgorithmSubject, Subject
from harness.testing.families import Family, run_family_checks
from harness.testing.outcomes import CheckResult, result_of


def registry_with_written(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Registry]:
    """The name of what is written, and a registry in which it is."""
    plugin = NewPlugin(f"written_{kind}", KINDS[kind])
    for path, text in plugin.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    module = importlib.import_module(f"{plugin.package}.plugin")
    found = tuple(getattr(module, f"harness_{kind}s")())
    info = PluginInfo(plugin.name, plugin.distribution, "0.1.0", module.__name__)
    return plugin.name, Registry([builtin_plugin(), Plugin(info, found)])


def results(kind: str, name: str, registry: Registry) -> list[CheckResult]:
    """How every check of its kit ends that does not take seconds."""
    if kind == "environment":
        family = registry.environment(name)
        config_class = registry.config_class(family)
        assert issubclass(config_class, EnvironmentConfig)
        return list(run_family_checks(Family(family, config_class, family.example, registry.load(family.make))))
    if kind == "algorithm":
        learner = AlgorithmSubject.named(name, registry=registry)
        return [result_of(check.name, check.description, partial(check.run, learner)) for check in ALGORITHM_CHECKS]
    method = Subject.named(name, registry=registry)
    return [result_of(check.name, check.description, partial(check.run, method)) for check in CHECKS if check.name not in LONG]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_passes_its_kit(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, registry = registry_with_written(kind, tmp_path, monkeypatch)
    found = results(kind, name, registry)
    assert [result for result in found if result.outcome == "failed"] == []
    assert sum(result.outcome == "passed" for result in found) >= 8
