"""Run a command of the documentation on a smaller scale: ``python documented_commands.py NAME ARGUMENTS``.

``harness run`` takes one small part of a suite and few steps, ``harness tune`` few trials, what watches for ever is ended
after a while, and pip installs packages of this machine into a folder of its own, without a network.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

SECONDS = 45
"""How long something is watched that never ends."""

SMALL = ("evaluation.every=256", "evaluation.episodes=2", "algorithm.n_envs=8")
ONE_PART = {"atari_hard": ("--task", "montezuma_revenge", "--method", "ppo"), "quick": ("--task", "n10")}


def smaller(arguments: list[str]) -> list[str]:
    """The arguments of ``harness``, for a small scale."""
    arguments = [re.sub(r"-1a2b3c4d(?=/)", _digest(argument), argument) for argument in arguments]
    if arguments[0] == "run" and "--dry-run" not in arguments:
        arguments = [
            "smoke" if before == "--profile" else each for before, each in zip(["", *arguments], [*arguments, ""], strict=True)
        ][:-1]
        settings = [f"--set={each}" for each in SMALL]
        part = ONE_PART.get(Path(arguments[1]).stem, ())
        return [*arguments, *settings, "--steps", "512", *([] if "--seeds" in arguments else ["--seeds", "1"]), *part]
    if arguments[0] == "run":
        part = ONE_PART.get(Path(arguments[1]).stem, ())
        return [*arguments, *part]
    if arguments[0] == "tune":
        at = arguments.index("--trials") + 1
        few = [*arguments[:at], "2", *arguments[at + 1 :]]
        budget = ("steps=512", "tune.seeds=1", "tune.confirm=1", "tune.confirm_seeds=1")
        settings = [f"--set={each}" for each in (*SMALL, *budget)]
        return [*few, *settings, "--set=tasks={n13: null, n16: null}"]
    return [*arguments, "--port", "0"] if arguments[0] == "watch" else arguments


def _digest(argument: str) -> str:
    """The digest of the run that stands where a page has a made-up one."""
    head = argument.partition("-1a2b3c4d/")[0]
    found = sorted(Path(head).parent.glob(f"{Path(head).name}-*"))
    return f"-{found[0].name.rpartition('-')[2]}" if found else "-1a2b3c4d"


def main(name: str, arguments: list[str]) -> int:
    """Run the command; what was only ended after a while has done well."""
    python = sys.executable
    if name == "python" and arguments[:2] == ["-m", "pip"]:
        name, arguments = "pip", arguments[2:]
    if name == "pip":
        package = arguments[-1].partition("[")[0]  # what its extras bring is here
        install = ["install", "-q", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
        command = [python, "-m", "pip", *install, "--target", os.environ["DOCUMENTED_SITE"], str(Path(package).resolve())]
    elif name == "harness":
        command = [python, "-m", "harness", *smaller(arguments)]
    elif name == "tensorboard":
        command = [python, "-m", "tensorboard.main", *arguments, "--port", "0"]
    else:
        command = [python, *arguments]
    endless = name == "tensorboard" or (name == "harness" and (arguments[0] == "watch" or "--watch" in arguments))
    try:
        return subprocess.run(command, check=False, timeout=SECONDS if endless else None).returncode
    except subprocess.TimeoutExpired:
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
