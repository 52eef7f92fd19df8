"""Trackers for tests: one that writes down what it is told, and one that does what no tracker should."""

from __future__ import annotations

import ctypes
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from harness import Tracker, TrackerConfig
from harness.registry import Registry
from harness.registry.discovery import Plugin, PluginInfo, builtin_plugin, discover
from harness.tracking.base import Ending, RunTracker, TrackedRun

TRACKERS = (
    Tracker(name="diary", tracker="support.trackers:Diary", config="support.trackers:DiaryConfig", summary="Writes all down."),
    Tracker(name="faulty", tracker="support.trackers:Faulty", config="support.trackers:FaultyConfig"),
    Tracker(name="gone", tracker="support.no_such_module:Tracker"),
    Tracker(name="other", tracker="support.trackers:DiaryConfig"),
)


def registry() -> Registry:
    """What is installed, and these trackers."""
    plugins = list(discover())
    return Registry([builtin_plugin(), *plugins, Plugin(PluginInfo("tests", "", "", "support.trackers"), TRACKERS)])


class DiaryConfig(TrackerConfig):
    file: str = ""
    """Where everything is written down."""

    known_as: str | None = "diary-1"
    """What `begin` returns for a run that it does not know."""


class Diary(RunTracker):
    config: DiaryConfig

    def _write(self, what: str, *content: Any) -> None:
        with Path(self.config.file).open("a") as file:
            file.write(json.dumps([what, *content], default=str) + "\n")

    def begin(self, run: TrackedRun) -> str | None:
        random.seed(0)
        os.environ["OMP_NUM_THREADS"] = "7"
        sys.stdout.write("said aloud\n")
        os.write(1, b"said aloud\n")
        self._write("begin", run.id, run.step, run.kind, run.name, run.digest, sorted(run.config), sorted(run.provenance))
        return run.id or self.config.known_as

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        self._write("log", step, dict(metrics))

    def flush(self) -> None:
        self._write("flush")

    def add_report(self, folder: Path) -> None:
        self._write("report", folder, (folder / "index.html").exists())

    def end(self, ending: Ending) -> None:
        self._write("end", ending)


def read(file: Path) -> list[list[Any]]:
    """What a diary holds."""
    return [json.loads(line) for line in file.read_text().splitlines()]


Fault = Literal["raises", "exits", "dies", "crashes", "hangs", "asks", "closes", "leaves_processes", "quotes"]
Moment = Literal["begin", "log", "flush", "end"]


class FaultyConfig(TrackerConfig):
    fault: Fault = "raises"
    at: Moment = "log"


class Faulty(RunTracker):
    config: FaultyConfig

    def _come_to(self, moment: Moment) -> None:
        if moment == self.config.at:
            globals()[self.config.fault]()

    def begin(self, run: TrackedRun) -> str | None:
        self._come_to("begin")
        return None

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        self._come_to("log")

    def log_evaluation(self, step: int, episodes: Sequence[Mapping[str, float]]) -> None:
        self._come_to("log")

    def flush(self) -> None:
        self._come_to("flush")

    def end(self, ending: Ending) -> None:
        self._come_to("end")


def raises() -> None:
    raise LookupError("no such\nproject")


def exits() -> None:
    raise SystemExit("goodbye")


def dies() -> None:
    os._exit(3)


def crashes() -> None:
    ctypes.string_at(0)


def hangs() -> None:
    time.sleep(600)


def asks() -> None:
    input("Your key? ")


def closes() -> None:
    os.closerange(3, 100)
    time.sleep(600)


def leaves_processes() -> None:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    time.sleep(600)


def quotes() -> None:
    raise PermissionError(f"401 at http://me:swordfish@host/x for {os.environ['WANDB_API_KEY']}")
