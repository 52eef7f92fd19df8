"""What ``harness doctor`` looks at: each probe tells what it found, and none can stop the others."""

from __future__ import annotations

import ctypes.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from harness import __version__
from harness.errors import SuiteError, UserError, printable
from harness.version import DISTRIBUTION, installed_version, source_commit

State = Literal["good", "note", "missing", "unknown"]

_GIB = 2**30
_LITTLE_MEMORY = 2 * _GIB
_LITTLE_DISK = 5 * _GIB
_CLOCK_SECONDS = 2.0
"""Seconds by which a file server's clock may differ from this machine's before it is said."""

_GPU_CODE = """
import json, torch
names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
print(json.dumps(f"torch {torch.__version__}; " + (", ".join(names) or "no CUDA GPU")))
"""
_GL_CODE = "import mujoco; context = mujoco.GLContext(64, 64); context.make_current(); context.free()"


@dataclass(frozen=True)
class Finding:
    """What a probe found.

    Attributes:
        topic: What it is about, in a word or two.
        state: ``good``; ``note`` for what only some need; ``missing`` for what all need; ``unknown`` where looking failed.
        text: What was found.
        remedy: The command that mends it, or what to do; empty if there is nothing to mend.
    """

    topic: str
    state: State
    text: str
    remedy: str = ""


Probe = Callable[[Path], Iterator[Finding]]


def diagnose(results: Path, probes: Mapping[str, Probe] | None = None) -> Iterator[Finding]:
    """Everything that the probes find, one after the other.

    Args:
        results: The results directory to look at, which need not exist.
        probes: The probes by topic; all by default.
    """
    for topic, probe in (probes or PROBES).items():
        try:
            yield from probe(results)
        except Exception as error:  # noqa: BLE001  whatever is broken here, the other probes have something to tell
            yield Finding(topic, "unknown", f"cannot be looked at: {type(error).__name__}: {printable(str(error), 200)}")


def pip(*arguments: str) -> str:
    """A command of the pip that belongs to this Python."""
    quoted = [f"'{argument}'" if set(argument) & set("[]<>=,;* ") else argument for argument in arguments]
    return " ".join([sys.executable, "-m pip install", *quoted])


def _harness(_: Path) -> Iterator[Finding]:
    commit = source_commit()
    yield Finding("harness", "good", f"{__version__}, commit {commit}" if commit else __version__)
    state: State = "good" if sys.version_info >= (3, 11) else "missing"
    remedy = "" if state == "good" else "install Python 3.11 or 3.12"
    yield Finding("Python", state, f"{platform.python_version()} at {sys.executable}, {platform.platform()}", remedy)


def _plugins(_: Path) -> Iterator[Finding]:
    from harness.registry import installed

    registry = installed()
    yield Finding("plugins", "good", f"{len(registry.plugins)} in use")
    for broken in registry.broken:
        yield Finding("plugins", "missing", str(broken), pip("--upgrade", broken.distribution) if broken.distribution else "")


def _suites(_: Path) -> Iterator[Finding]:
    from harness.planning.load import load
    from harness.suites.files import packaged_suites

    suites, usable = packaged_suites(), 0
    if not suites:
        yield Finding("suites", "missing", "no suite came with this installation", pip("--force-reinstall", DISTRIBUTION))
    for name, file in suites.items():
        try:
            load(file)
            usable += 1
        except SuiteError as error:
            first = str(error).splitlines()[0].partition(": ")[2]
            yield Finding("suites", "note", f"{name} cannot be run here: {printable(first, 300)}")
    if suites:
        yield Finding("suites", "good", f"{usable} of {len(suites)} packaged suites can be run here")


def _machine(_: Path) -> Iterator[Finding]:
    import psutil

    memory = psutil.virtual_memory()
    yield Finding("processors", "good", f"{len(os.sched_getaffinity(0))} of {os.cpu_count()} are for this process")
    little = memory.available < _LITTLE_MEMORY
    text = f"{memory.available / _GIB:.1f} GiB free of {memory.total / _GIB:.1f} GiB"
    yield Finding(
        "memory", "note" if little else "good", text, "end other programs, or give 'run' fewer --workers" if little else ""
    )


def _gpus(_: Path) -> Iterator[Finding]:
    done = subprocess.run([sys.executable, "-c", _GPU_CODE], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        yield Finding(
            "GPUs", "missing", f"torch cannot be imported: {printable(last, 300)}", pip("--force-reinstall", "torch")
        )
        return
    text = done.stdout.strip().splitlines()[-1].strip('"')
    driver = _listed_by_driver()
    if driver and "no CUDA GPU" in text:
        yield Finding(
            "GPUs", "note", f"{text}, but the driver lists {driver}", "install a build of torch for this driver's CUDA"
        )
    else:
        yield Finding("GPUs", "good", text)


def _listed_by_driver() -> str:
    """The GPUs that NVIDIA's driver lists."""
    if (command := shutil.which("nvidia-smi")) is None:
        return ""
    done = subprocess.run([command, "-L"], capture_output=True, text=True, timeout=30, check=False)
    return ", ".join(done.stdout.strip().splitlines()) if done.returncode == 0 else ""


def _roms(_: Path) -> Iterator[Finding]:
    try:
        files = metadata.distribution("ale-py").files or []
    except metadata.PackageNotFoundError:
        yield Finding("Atari ROMs", "note", "ale-py, which brings them, is not installed", pip("exploration-harness[atari]"))
        return
    roms = [file for file in files if file.suffix == ".bin" and Path(str(file.locate())).is_file()]
    if roms:
        yield Finding("Atari ROMs", "good", f"{len(roms)} games")
    else:
        yield Finding("Atari ROMs", "note", "ale-py has none", pip("--force-reinstall", "--no-deps", "ale-py"))


def _opengl(_: Path) -> Iterator[Finding]:
    from harness.environments.rendering_trial import rendering_problem

    if find_spec("mujoco") is None:
        yield Finding("OpenGL", "note", "not tried: mujoco, which renders with it, is not installed")
        return
    wanted = os.environ.get("MUJOCO_GL")
    problems: list[str] = []
    for engine in [wanted] if wanted else ["egl", "osmesa"]:
        problem = rendering_problem(_GL_CODE, {**os.environ, "MUJOCO_GL": engine})
        if not problem:
            yield Finding("OpenGL", "good", f"renders with {engine}")
            return
        problems.append(f"{engine}: {printable(problem, 150)}")
    remedy = "apt-get install libegl1 libosmesa6 (needed for observations that are pictures, and for videos)"
    yield Finding("OpenGL", "note", f"does not render ({'; '.join(problems)})", remedy)


def _qt(_: Path) -> Iterator[Finding]:
    with_pip = [name for name in ("PyQt5-Qt5", "PyQt5_Qt5") if installed_version(name)]
    if with_pip:
        yield Finding("Qt", "good", f"5 of the wheel PyQt5-Qt5 {installed_version(with_pip[0])}")
    elif library := ctypes.util.find_library("Qt5Gui"):
        yield Finding("Qt", "good", f"5 of the system ({library})")
    else:
        yield Finding("Qt", "note", "5 is not installed, which ProcGen draws with", pip("exploration-harness[procgen]"))


def _results(results: Path) -> Iterator[Finding]:
    import psutil

    from harness.execution.preflight import check_writable, nearest_existing
    from harness.runs.disks import disk_remark

    try:
        check_writable(results)
    except UserError as error:
        yield Finding("results folder", "missing", str(error), "give another directory with --results")
        return
    folder = nearest_existing(results).resolve()
    mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    kind = next((mounts[place] for place in (folder, *folder.parents) if place in mounts), "an unknown file system")
    free = shutil.disk_usage(folder).free
    text = f"{results} can be written: {kind}, {free / _GIB:.1f} GiB free"
    little = free < _LITTLE_DISK
    yield Finding(
        "results folder", "note" if little else "good", text, "make room, or give another --results" if little else ""
    )
    if remark := disk_remark(folder):
        yield Finding("results folder", "note", remark)
    yield _clock(folder)


def _clock(folder: Path) -> Finding:
    """The clock of the disk's server, by which other machines judge, against this machine's."""
    before = time.time()
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        written, after = Path(file.name).stat().st_mtime, time.time()
    apart = max(before - written, written - after, 0.0)
    if apart > _CLOCK_SECONDS:
        text = f"the results folder's clock is {apart:.0f} s away from this machine's"
        return Finding(
            "clock", "note", text, "synchronise the clocks, for example with chrony: owners of runs are judged by them"
        )
    return Finding("clock", "good", f"{time.strftime('%Y-%m-%d %H:%M:%S %Z')}, as the results folder's")


def _packages(_: Path) -> Iterator[Finding]:
    from harness.cli.requirements import check_requirements

    for checked in check_requirements():
        wanted = f"exploration-harness[{checked.extra}]" if checked.extra else ""
        state: State = "good" if not checked.unmet else "note" if checked.extra else "missing"
        remedy = pip(*([wanted] if wanted else checked.unmet)) if checked.unmet else ""
        yield Finding(f"extra {checked.extra}" if checked.extra else "packages", state, checked.text, remedy)


PROBES: Mapping[str, Probe] = {
    "harness": _harness,
    "packages": _packages,
    "plugins": _plugins,
    "suites": _suites,
    "machine": _machine,
    "GPUs": _gpus,
    "Atari ROMs": _roms,
    "OpenGL": _opengl,
    "Qt": _qt,
    "results folder": _results,
}
"""Every probe, in the order in which it is reported, by what it is about."""


def missing(findings: Sequence[Finding]) -> int:
    """How many things are missing that are needed."""
    return sum(finding.state == "missing" for finding in findings)
