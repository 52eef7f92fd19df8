"""Where a run's numbers come from: versions, machine, commit and command."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import torch

from harness.registry import Registry
from harness.runs.folder import COMMAND_VARIABLE
from harness.spec import RunSpec
from harness.version import DISTRIBUTION, installed_version, source_commit

_CORE_ENVIRONMENT_PACKAGES = ("gymnasium", "numpy")
_CORE_PACKAGES = ("torch", "stable-baselines3", "gymnasium", "numpy")


def provenance(spec: RunSpec, registry: Registry, device: torch.device) -> dict[str, Any]:
    """Everything about machine and software that could change a run's numbers, as JSON."""
    return {
        "command": os.environ.get(COMMAND_VARIABLE, " ".join(sys.argv)),
        "harness": metadata.version(DISTRIBUTION),
        "commit": source_commit(),
        "plugins": _plugins(spec, registry),
        "packages": {name: version for name in _packages(spec, registry) if (version := installed_version(name)) is not None},
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpu": _cpu(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
    }


def environment_versions(spec: RunSpec, registry: Registry) -> dict[str, str]:
    """Versions of what decides how the run's environments go on, by the name of the distribution."""
    family = ("environment", spec.environment.family)
    provider = registry.provider(*family)
    names = [*registry.packages(*family), *_CORE_ENVIRONMENT_PACKAGES]
    versions = {name: version for name in names if (version := installed_version(name)) is not None}
    return {provider.distribution: provider.version} | versions


def _plugins(spec: RunSpec, registry: Registry) -> dict[str, str]:
    providers = [registry.provider(kind, name) for kind, name in _used(spec, registry)]
    return {provider.name: f"{provider.distribution} {provider.version}" for provider in providers}


def _packages(spec: RunSpec, registry: Registry) -> list[str]:
    """Distributions whose versions decide the run's numbers: the core's, then what the used plugins declare, each once."""
    declared = [name for kind, name in _used(spec, registry) for name in registry.packages(kind, name)]
    return list(dict.fromkeys((*_CORE_PACKAGES, *declared)))


def _used(spec: RunSpec, registry: Registry) -> list[tuple[str, str]]:
    """The kind and name of everything that the run takes from plugins, sorted."""
    used = {("environment", spec.environment.family), ("algorithm", spec.algorithm.name)}
    if spec.reward is not None:
        used |= {("method", name) for name in registry.member_names(spec.reward.name)}
    network = spec.algorithm.config.get("network")
    if isinstance(network, str) and network in registry.networks:
        used.add(("network", network))
    return sorted(used)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())
