"""What the catalogue says about plugins of every state."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.cli import catalogue
from harness.cli.display.catalogue import print_detail
from harness.errors import UnknownNameError
from harness.registry import Registry, hooks
from harness.registry.discovery import BrokenPlugin, Plugin, PluginInfo, builtin_plugin


@pytest.fixture
def registry():
    preset = hooks.Preset(name="published", source="a paper", config={"gamma": 0.5})
    descriptions = (
        hooks.Method(name="ppo", reward="a.b:C", config="no_such_module:Config", summary="A method.", presets=[preset]),
        hooks.AlgorithmPreset(algorithm="ppo", preset=preset),
    )
    guest = Plugin(PluginInfo("guest", "guest-package", "2.0", "guest.plugin"), descriptions)
    return Registry([builtin_plugin(), guest, BrokenPlugin("ill", "ill-package", "0.1", "ImportError: no")], ["away"])


def test_plugins_of_every_state_are_listed(registry):
    states = {plugin.name: (plugin.state, plugin.provides or plugin.cause) for plugin in catalogue.plugins(registry)}
    assert states["guest"] == ("in use", "method ppo")
    assert states["ill"] == ("broken", "ImportError: no")
    assert states["away"] == ("disabled", "named in HARNESS_DISABLE_PLUGINS")


def test_name_of_two_kinds_shows_both_and_a_broken_config_is_told(registry):
    method, algorithm = catalogue.describe(registry, "ppo")
    assert (method.entry.kind, algorithm.entry.kind) == ("method", "algorithm")
    assert "cannot import 'no_such_module:Config' of plugin 'guest' (guest-package 2.0)" in method.problem
    assert not method.settings
    assert algorithm.settings


def test_preset_of_another_plugin_names_it(registry):
    _, algorithm = catalogue.describe(registry, "ppo")
    (preset,) = algorithm.presets
    assert (preset.name, preset.plugin, preset.config) == ("published", "guest", {"gamma": 0.5})


def test_unknown_name_names_the_nearest_of_any_kind_and_broken_plugins(registry):
    with pytest.raises(UnknownNameError, match="did you mean 'local'") as caught:
        catalogue.describe(registry, "locl")
    assert "plugin 'ill' (ill-package 0.1) is broken" in str(caught.value)


def test_phases_of_a_preset_are_shown():
    preset = hooks.Preset(
        name="two", source="a paper", phases={"explore": {"share": 0.5, "extrinsic_weight": 0}, "exploit": {}}
    )
    method = hooks.Method(name="m", reward="a.b:C", config="no_such_module:Config", presets=[preset])
    known = Registry([Plugin(PluginInfo("guest", "guest-package", "2.0", "guest.plugin"), [method])])
    (detail,) = catalogue.describe(known, "m")
    console = Console(file=io.StringIO(), width=200)
    print_detail(console, detail)
    assert isinstance(console.file, io.StringIO)
    assert "phase explore: share: 0.5, extrinsic_weight: 0" in console.file.getvalue()
