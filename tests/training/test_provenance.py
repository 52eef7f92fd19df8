"""What a run records of versions: the core's, and those that the plugins it uses declare."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import torch
from support.specs import make_spec

from harness.registry import Registry, installed
from harness.registry.discovery import Plugin, PluginInfo, builtin_plugin
from harness.registry.hooks import EnvironmentFamily, Method
from harness.training.provenance import provenance

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
