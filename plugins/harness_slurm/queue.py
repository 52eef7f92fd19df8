"""What Slurm knows of jobs: those that wait or run are in its queue, all others are over."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from harness.errors import UserError

_ASK_SECONDS = 60.0


def live_jobs() -> set[str]:
    """The names of this user's jobs in the queue, each job of an array by its own, such as ``1234_5``.

    Raises:
        UserError: Slurm does not answer.
    """
    return {line.strip() for line in _ask(["squeue", "--me", "--noheader", "--array", "--format=%i"]).splitlines()}


def _ask(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ASK_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"{command[0]} does not answer: {error}") from None
    if done.returncode:
        cause = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise UserError(f"{command[0]} does not answer: {cause}")
    return done.stdout
