"""Plugins are found, and a broken one is named, rolled back, and in nobody's way."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from support.distributions import install

from harness.algorithms.ppo.config import PPOConfig
from harness.errors import PluginError, UnknownNameError
from harness.registry import DISABLE_VARIABLE, Registry, hooks
from harness.registry.discovery import BrokenPlugin, Plugin, PluginInfo, builtin_plugin

REPORT = """
import json, sys
from harness.registry import installed
found = installed()
print(json.dumps({
    "methods": {name: provided.plugin.name for name, provided in found.methods.items()},
    "executors": {name: provided.plugin.name for name, provided in found.executors.items()},
    "presets": {a: list(found.presets(p.description)) for a, p in found.algorithms.items()},
    "plugins": [plugin.name for plugin in found.plugins],
    "broken": {plugin.name: [plugin.distribution, plugin.version, plugin.cause] for plugin in found.broken},
    "imported": sorted(set(sys.modules) & {"torch", "numpy", "fake_good", "fake_exit"}),
}))
"""

GOOD = """
from harness import Algorithm, AlgorithmPreset, Method, Preset, hookimpl
print("a plugin that talks while it is imported")

@hookimpl
def harness_methods():
    return [Method(name="good", reward="fake_good:Reward", config="fake_good:Config")]

@hookimpl
def harness_algorithm_presets():
    return [AlgorithmPreset(algorithm="ppo", preset=Preset(name="good2020", source="somewhere"))]
"""


def method_plugin(expression: str) -> str:
    return f"from harness import Method, Preset, hookimpl\n\n@hookimpl\ndef harness_methods(): return {expression}\n"


BROKEN = {
    "import_error": ("import a_module_that_is_not_there", "No module named 'a_module_that_is_not_there'"),
    "syntax": ("def broken(:", "SyntaxError"),
    "exits": ("raise SystemExit('goodbye')", "SystemExit: goodbye"),
    "base_exception": ("class Panic(BaseException): ...\nraise Panic('from another language')", "Panic: from another"),
    "no_hook": ("from harness import hookimpl", "implements no hook"),
    "hook_raises": (method_plugin("1 / 0"), "ZeroDivisionError: division by zero"),
    "wrong_type": (method_plugin("'rnd'"), "must return a list of Method, not str 'rnd'"),
    "wrong_item": (method_plugin("['rnd']"), "it contains str 'rnd'"),
    "wrong_field": (method_plugin("[Method(name=3, reward='a:B', config='a:B')]"), "Method 3: name: Input should be"),
    "wrong_path": (method_plugin("[Method(name='m', reward='a.B', config='a:B')]"), "reward: must be an import path"),
    "wrong_names": (
        method_plugin("[Method(name='m', reward='a:B', config='a:B', works_with='on_policy')]"),
        "works_with: Input should be a valid set",
    ),
    "no_learner": (
        method_plugin("[Method(name='m', reward='a:B', config='a:B', works_with={'discrete'})]"),
        "works_with: must name on_policy, off_policy or both, not only ['discrete']",
    ),
    "wrong_preset": (
        method_plugin("[Method(name='m', reward='a:B', config='a:B', presets=[Preset(name='', source='')])]"),
        "Preset '': name: must be letters",
    ),
    "signature": (
        "from harness import hookimpl\n@hookimpl\ndef harness_methods(registry): return []",
        "Argument(s) {'registry'} are declared in the hookimpl but can not be found in the hookspec",
    ),
    "misspelt": ("from harness import hookimpl\n@hookimpl\ndef harness_method(): return []", "unknown hook 'harness_method'"),
    "duplicate": (
        method_plugin("[Method(name='unique', reward='a:B', config='a:B'), Method(name='good', reward='a:B', config='a:B')]"),
        "the method 'good' is already provided by plugin 'good' (a-good-one 1.2)",
    ),
    "twice": (
        method_plugin("[Method(name='m', reward='a:B', config='a:B')] * 2"),
        "it provides the method 'm' twice",
    ),
    "builtins_name": (
        "from harness import Executor, hookimpl\n@hookimpl\n"
        "def harness_executors(): return [Executor(name='local', executor='a:B')]",
        "the executor 'local' is already provided by plugin 'builtin' (exploration-harness",
    ),
    "same_preset": (
        "from harness import AlgorithmPreset, Preset, hookimpl\n@hookimpl\ndef harness_algorithm_presets():\n"
        "    return [AlgorithmPreset(algorithm='ppo', preset=Preset(name='good2020', source=''))]",
        "the preset of algorithm 'ppo' 'good2020' is already provided by plugin 'good'",
    ),
}  # fmt: skip


def report(site, **environment):
    done = subprocess.run(
        [sys.executable, "-c", REPORT],
        env={**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """One sound plugin among every kind of broken one."""
    site = tmp_path_factory.mktemp("site")
    install(site, "a-good-one", "1.2", {"good": "fake_good"}, fake_good=GOOD)
    for name, (source, _) in BROKEN.items():
        install(site, f"broken-{name}", "0.3", {name: f"fake_{name}"}, **{f"fake_{name}": source})
    install(site, "other-good", "2.0", {"good": "fake_other"}, fake_other="import torch")
    return report(site)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_plugin_is_named_with_its_cause(crowded, name):
    distribution, version, cause = crowded["broken"][name]
    assert (distribution, version) == (f"broken-{name}", "0.3")
    assert BROKEN[name][1] in cause
    assert "\n" not in cause


def test_broken_plugins_leave_no_trace_and_harm_no_other(crowded):
    assert crowded["methods"]["good"] == "good"
    assert crowded["executors"] == {"local": "builtin", "ray": "ray", "slurm": "slurm"}
    assert "unique" not in crowded["methods"]
    assert not set(BROKEN) & set(crowded["plugins"])


def test_preset_of_another_plugin_joins_the_algorithm(crowded):
    assert "good2020" in crowded["presets"]["ppo"]


def test_second_plugin_of_a_name_is_reported(tmp_path):
    install(tmp_path, "a-good-one", "1.2", {"good": "fake_good"}, fake_good=GOOD)
    install(tmp_path, "b-good-one", "2.0", {"good": "fake_b"}, fake_b=GOOD.replace('"good"', '"better"'))
    found = report(tmp_path)
    assert found["broken"]["good"][2] == "a plugin of this name is already in use: 'good' (a-good-one 1.2)"
    assert "better" not in found["methods"]


def test_package_without_metadata_is_still_guarded(tmp_path):
    install(tmp_path, "half-gone", "1.0", {"gone": "fake_gone"})
    (tmp_path / "half_gone-1.0.dist-info" / "METADATA").unlink()
    assert "No module named 'fake_gone'" in report(tmp_path)["broken"]["gone"][2]


def test_disabled_plugin_is_not_even_imported(tmp_path):
    install(tmp_path, "a-good-one", "1.2", {"good": "fake_good"}, fake_good=GOOD)
    install(tmp_path, "exits", "1.0", {"exits": "fake_exit"}, fake_exit="raise SystemExit")
    found = report(tmp_path, **{DISABLE_VARIABLE: "good, exits"})
    assert found["imported"] == []
    assert "good" not in found["methods"]
    assert "exits" not in found["broken"]


def plugin(name, *descriptions):
    return Plugin(PluginInfo(name, f"{name}-package", "1.0", f"{name}.plugin"), descriptions)


def test_unknown_name_suggests_and_mentions_what_is_broken():
    method = hooks.Method(name="rnd", reward="a:B", config="a:C")
    found = Registry([plugin("rnd", method), BrokenPlugin("icm", "icm-package", "0.1", "ImportError: no")], ["snd"])
    assert found.method("rnd") is method
    with pytest.raises(UnknownNameError, match="did you mean 'rnd'") as caught:
        found.method("rdn")
    assert "plugin 'icm' (icm-package 0.1) is broken: ImportError: no" in str(caught.value)
    assert "plugin 'snd' is disabled by HARNESS_DISABLE_PLUGINS" in str(caught.value)


def test_what_cannot_be_imported_names_path_plugin_and_cause():
    family = hooks.EnvironmentFamily(name="maze", make="no_such_package.maze:make", config="json:JSONDecoder")
    found = Registry([plugin("maze", family)])
    with pytest.raises(PluginError) as caught:
        found.load(family.make)
    assert str(caught.value) == (
        "cannot import 'no_such_package.maze:make' of plugin 'maze' (maze-package 1.0): "
        "ModuleNotFoundError: No module named 'no_such_package'"
    )
    with pytest.raises(PluginError, match=r"of plugin 'maze' .* must be a subclass of harness\.EnvironmentConfig"):
        found.config_class(family)
    with pytest.raises(PluginError, match="has no attribute 'nothing'"):
        found.load("json:nothing")


def test_builtin_plugin_is_sound_and_its_configs_load():
    found = Registry([builtin_plugin()])
    assert found.broken == []
    assert found.config_class(found.algorithm("ppo")) is PPOConfig
    assert found.provider("executor", "local").distribution == "exploration-harness"


def test_every_first_party_plugin_is_sound():
    found = report("")
    assert found["broken"] == {}
    assert "torch" not in found["imported"]
