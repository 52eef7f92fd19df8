"""Stands in for training where the processes around it are what is tested: a run is what the "family" of its spec names.

Importable by workers that find ``tests`` on their path; loads nothing heavy.
"""

from __future__ import annotations

import json
import locale
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from harness.runs.folder import RunFolder, RunRecord, RunStatus, now
from harness.runs.progress import RunProgress
from harness.spec import AlgorithmSpec, EnvironmentSpec, EvaluationSpec, RunSpec

TRAIN = "support.fake_training:train"
STEP_SECONDS = 0.02


def run_spec(family: str, seed: int = 0, steps: int = 10) -> RunSpec:
    return RunSpec(
        suite="processes",
        task="t",
        method=family,
        seed=seed,
        environment=EnvironmentSpec(family=family, config={}),
        algorithm=AlgorithmSpec(name="ppo", config={}),
        reward=None,
        steps=steps,
        evaluation=EvaluationSpec(every=10),
        checkpoint_every=10,
    )


def seen(spec: RunSpec, results: Path) -> dict[str, Any]:
    """What the process was like in which a run began."""
    return json.loads((RunFolder.of(spec, results).path / "seen.json").read_text())


def train(spec, results, *, device="auto", report=None, fresh=False, stop=None):
    folder = RunFolder.of(spec, results)
    with folder.claim():
        status = RunStatus(state="running", step=0, steps=spec.steps, started=now(), updated=now())
        folder.write(RunRecord(digest=spec.digest, method_digest=spec.method_digest, spec=spec, provenance={}, status=status))
        (folder.path / "seen.json").write_text(json.dumps(_process()))
        getattr(Misbehaviour, spec.environment.family, lambda: None)()
        for step in range(1, spec.steps + 1):
            time.sleep(STEP_SECONDS)
            if report:
                report(RunProgress(step, spec.steps, 50.0))
            if stop and stop():
                (folder.checkpoint / f"step-{step:012d}").mkdir(parents=True)
                return folder.set_state("interrupted", step=step).status
        return folder.set_state("finished", step=spec.steps, score=1.0).status


def _process() -> dict[str, Any]:
    mask = os.umask(0o077)
    os.umask(mask)
    return {
        "pid": os.getpid(),
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
        "umask": mask,
        "locale": locale.setlocale(locale.LC_ALL),
        "handler": signal.getsignal(signal.SIGALRM) == signal.SIG_DFL,
        "stdout": sys.stdout.closed,
        "path": sys.path,
    }


class Misbehaviour:
    """What plugins may do, by name."""

    @staticmethod
    def changes_folder() -> None:
        os.chdir("/")

    @staticmethod
    def changes_environment() -> None:
        os.environ["HARNESS_DISABLE_PLUGINS"] = "rnd"
        os.environ["OMP_NUM_THREADS"] = "77"
        del os.environ["PATH"]

    @staticmethod
    def changes_umask() -> None:
        os.umask(0o777)

    @staticmethod
    def changes_locale() -> None:
        locale.setlocale(locale.LC_ALL, "C" if locale.setlocale(locale.LC_ALL) != "C" else "C.UTF-8")

    @staticmethod
    def handles_signals() -> None:
        for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: os._exit(9))

    @staticmethod
    def changes_path() -> None:
        sys.path.insert(0, "/nowhere")

    @staticmethod
    def closes_output() -> None:
        sys.stdout.close()

    @staticmethod
    def closes_descriptors() -> None:
        os.close(0)
        os.close(1)

    @staticmethod
    def reads_input() -> None:
        assert sys.stdin.read() == ""
        assert os.read(0, 10) == b""

    @staticmethod
    def writes_messages() -> None:
        os.write(1, b'{"ending": "finished", "error": "", "leaving": false}\n')
        os.write(0, b"")

    @staticmethod
    def starts_processes() -> None:
        subprocess.run([sys.executable, "-c", "import sys; print('not a message'); sys.stdin.read()"], check=True)

    @staticmethod
    def prints_much() -> None:
        for _ in range(20 * 1024):
            os.write(2, b"x" * 1023 + b"\n")
        print("THE END")  # noqa: T201
        raise ZeroDivisionError("after much")

    @staticmethod
    def says_much() -> None:
        raise ValueError("\x1b[31m\x00" + "m" * 3_000_000 + "\r\x07 the end\nand another line")

    @staticmethod
    def cannot_say() -> None:
        class Mute(Exception):
            def __str__(self) -> str:
                raise RuntimeError("no")

        raise Mute

    @staticmethod
    def sleeps_for_ever() -> None:
        time.sleep(3600)
