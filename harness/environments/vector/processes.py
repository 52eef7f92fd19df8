"""Environments in processes of their own, which write into shared memory.

The memory is anonymous: it has no name that could stay behind, whatever kills the processes. A worker ends when its pipe
does, so none outlives the process that began it.
"""

from __future__ import annotations

import multiprocessing as mp
import signal
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from harness.environments.vector.shared_arrays import Layout, SharedArrays
from harness.environments.vector.stepping import EnvFactory, Stepper
from harness.errors import HarnessError, RunError, UserError

_CONTEXT = mp.get_context("spawn")
_CLOSE_TIMEOUT = 5.0  # seconds for a worker to close its environments


def shared_buffer(size: int) -> Any:
    """A buffer that workers see as well."""
    return _CONTEXT.RawArray("b", size)


class EnvWorker:
    """A process with some of a batch's environments; see `harness.environments.vector.stepping.Stepper`.

    Args:
        factories: Make the environments; they are pickled.
        first: The row of the first one.
        layout: Shapes and dtypes of the shared arrays.
        buffers: Memory of the shared arrays, made by `shared_buffer`.
        metrics: Names of the measurements in the last info of an episode.
    """

    def __init__(
        self, factories: Sequence[EnvFactory], first: int, layout: Layout, buffers: list[Any], metrics: Sequence[str]
    ) -> None:
        self._pipe, child_pipe = _CONTEXT.Pipe()
        arguments = (child_pipe, list(factories), first, layout, buffers, list(metrics))
        self._process = _CONTEXT.Process(target=_work, args=arguments, daemon=True)
        self._process.start()
        child_pipe.close()

    def begin(self, command: str) -> None:
        """Have it ``reset`` or ``step``.

        Raises:
            RuntimeError: The process is gone.
        """
        try:
            self._pipe.send(command)
        except OSError:
            raise RuntimeError(self._exit_message()) from None

    def finish(self) -> None:
        """Wait until it has.

        Raises:
            HarnessError: What an environment has raised of this kind: its message is for people.
            RuntimeError: An environment has raised anything else, or the process is gone.
        """
        try:
            problem = self._pipe.recv()
        except (EOFError, OSError):
            raise RuntimeError(self._exit_message()) from None
        if isinstance(problem, HarnessError):
            raise problem
        if problem:
            raise RuntimeError(f"an environment failed in its process:\n{problem}")

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(_CLOSE_TIMEOUT)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()

    def _exit_message(self) -> str:
        self._process.join(_CLOSE_TIMEOUT)
        return f"a process of environments ended with exit code {self._process.exitcode}"


def _work(
    pipe: Connection, factories: list[EnvFactory], first: int, layout: Layout, buffers: list[Any], metrics: list[str]
) -> None:
    # Ctrl-C reaches all processes of a terminal; this one ends when the one that began it does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stepper: Stepper | None = None
    try:
        while True:
            command = pipe.recv()
            try:
                stepper = stepper or Stepper(factories, first, SharedArrays(layout, buffers), metrics)
                getattr(stepper, command)()
            except (RunError, UserError) as error:
                pipe.send(type(error)(str(error)) if type(error) in (RunError, UserError) else UserError(str(error)))
            except Exception:  # noqa: BLE001 - whatever it is, the other process must be told
                pipe.send(traceback.format_exc())
            else:
                pipe.send("")
    except (EOFError, OSError):
        if stepper:
            stepper.close()
