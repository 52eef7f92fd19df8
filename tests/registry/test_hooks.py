"""Every hook does something that is tested here, and is documented: none can be added without either."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from typing import get_args, get_type_hints

import pytest
from support.distributions import install

from harness.registry import Registry, hooks
from harness.registry.discovery import Plugin, discover

SPECIFICATIONS = {name: found for name, found in vars(hooks).items() if hasattr(found, f"{hooks.GROUP}_spec")}

EXAMPLES = {
    "harness_methods": ("Method(name='x', reward='m:R', config='m:C')", lambda known: known.method("x").reward == "m:R"),
    "harness_environments": (
        "EnvironmentFamily(name='x', make='m:make', config='m:C')",
        lambda known: known.environment("x").make == "m:make",
    ),
    "harness_networks": ("Network(name='x', build='m:B')", lambda known: known.network("x").build == "m:B"),
    "harness_algorithms": (
        "Algorithm(name='x', learner='m:L', config='m:C', presets=[Preset(name='p', source='s')])",
        lambda known: list(known.presets(known.algorithm("x"))) == ["p"],
    ),
    "harness_algorithm_presets": (
        "AlgorithmPreset(algorithm='ppo', preset=Preset(name='x', source='s', config={'n_envs': 3}))",
        lambda known: known.presets(hooks.Algorithm(name="ppo", learner="", config=""))["x"].config == {"n_envs": 3},
    ),
    "harness_executors": ("Executor(name='x', executor='m:C')", lambda known: known.executor("x").executor == "m:C"),
    "harness_trackers": ("Tracker(name='x', tracker='m:C')", lambda known: known.tracker("x").tracker == "m:C"),
    "harness_report_sections": (
        "ReportSection(name='x', build='m:build', scope='study')",
        lambda known: known.report_sections["x"].description.scope == "study",
    ),
}
"""For each hook what a plugin may return from it, and whether the registry has got it."""


def test_every_hook_is_tried_here():
    assert SPECIFICATIONS.keys() == EXAMPLES.keys()


@pytest.mark.parametrize("hook", EXAMPLES)
def test_what_a_plugin_returns_is_provided(tmp_path, monkeypatch, hook):
    description, found = EXAMPLES[hook]
    module = f"plugin_of_{hook}"
    source = f"from harness import *\nfrom harness import hookimpl\n@hookimpl\ndef {hook}(): return [{description}]\n"
    install(tmp_path, "hook-example", "1.0", {"hook_example": module}, **{module: source})
    monkeypatch.syspath_prepend(str(tmp_path))
    (plugin,) = [plugin for plugin in discover() if isinstance(plugin, Plugin) and plugin.info.name == "hook_example"]
    assert found(Registry([plugin]))


@pytest.mark.parametrize("hook", SPECIFICATIONS)
def test_every_hook_says_what_it_is_for_and_what_it_returns(hook):
    assert len((inspect.getdoc(SPECIFICATIONS[hook]) or "").split()) >= 5
    (returned,) = get_args(get_type_hints(SPECIFICATIONS[hook])["return"])
    meaning = inspect.getdoc(returned) or ""
    for field in fields(returned):
        assert re.search(rf"\b{field.name}\b", meaning), f"{returned.__name__}.{field.name} is not documented"
    assert returned.__name__ in dir(__import__("harness"))
