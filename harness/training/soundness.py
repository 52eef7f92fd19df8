"""Numbers that are not finite end a run before they reach a checkpoint, with a sentence that says how to go on."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch

from harness.algorithms.base import Learner
from harness.algorithms.method_output import as_number, is_broken_loss
from harness.errors import HarnessError, RunError
from harness.registry.error_summary import summarise_error
from harness.runs.folder import RunFolder
from harness.runs.kept import kept_step
from harness.runs.lock import AlreadyClaimed
from harness.training.assembly import Assembly

_WEIGHTS = ("weight", "bias", "log_std")
"""How the names of weights end, which must not be infinite either; other tensors may be, such as bounds and masks."""


class SoundnessCheck:
    """Checks what a learner and a method have become.

    Args:
        assembly: What trains the run, before its first step: a tensor of the method in which there is NaN from the beginning,
            such as a mark of empty places, may have it later as well.
    """

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._marked = set(self._broken_in_method())

    def metrics(self, metrics: Mapping[str, Any]) -> dict[str, float]:
        """What an iteration of the learner returned, as numbers.

        Raises:
            RunError: Something of it is no number, or a loss is not finite.
        """
        found: dict[str, float] = {}
        for name, value in metrics.items():
            number = as_number(value)
            if number is None:
                raise RunError(f"the learner's iterate() returned {name!r}: {str(value)[:40]}, where a number is promised")
            found[name] = number
            if is_broken_loss(name, number):
                raise RunError(f"{name!r} of the learner is {number}, which is not finite; a smaller step size may help")
        return found

    def state(self) -> None:
        """Check weights, moments of optimisers and statistics, before they are scored or saved.

        Raises:
            RunError: There is NaN in one of them, or infinity in a weight.
        """
        broken = list(_broken(self._assembly.learner.state_dict(), "learner"))
        broken += [name for name in self._broken_in_method() if name not in self._marked]
        if broken:
            more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
            raise RunError(f"{broken[0]}{more} holds numbers that are not finite: what was learned since is lost")

    def restored(self, folder: RunFolder) -> None:
        """Check what a checkpoint held: those written by earlier versions may not be sound.

        Args:
            folder: The folder of the run.

        Raises:
            RunError: It is not.
        """
        try:
            self.state()
        except RunError as error:
            raise RunError(f"{folder.checkpoint}: {error}; run again with --fresh to start over") from error

    def _broken_in_method(self) -> Iterator[str]:
        reward = self._assembly.reward
        return iter(()) if reward is None else _broken(dict(reward.state_dict()), "method")


def _broken(tree: Any, path: str) -> Iterator[str]:
    """The places of a tree in which there is NaN, or infinity in a weight."""
    if isinstance(tree, Mapping):
        for key, part in cast(Mapping[Any, Any], tree).items():
            yield from _broken(part, f"{path}/{key}")
    elif isinstance(tree, list | tuple):
        for index, part in enumerate(cast(Sequence[Any], tree)):
            yield from _broken(part, f"{path}/{index}")
    elif isinstance(tree, torch.Tensor | np.ndarray):
        tensor = torch.as_tensor(tree)
        finite = torch.isfinite if path.endswith(_WEIGHTS) else _no_nan
        if tensor.is_floating_point() and not bool(finite(tensor).all()):
            yield path


def _no_nan(tensor: torch.Tensor) -> torch.Tensor:
    return ~torch.isnan(tensor)


@contextmanager
def explained_failures(check: SoundnessCheck, learner: Learner, folder: RunFolder) -> Generator[None]:
    """Say with every failure of training where it happened, and how to go on.

    Args:
        check: Looks for the cause of an exception that says nothing itself.
        learner: Knows how many steps were taken.
        folder: The folder of the run.

    Raises:
        RunError: Training failed for a reason that can be told.
        AlreadyClaimed: Another process took the run over.
    """
    try:
        yield
    except AlreadyClaimed:  # nothing failed: the run is somebody else's by now
        raise
    except RunError as error:
        raise RunError(f"{error} (after step {learner.step:,}); {_remedy(folder)}") from error
    except HarnessError:
        raise
    except Exception as error:
        try:
            check.state()
        except RunError as cause:
            found = f"{cause} (after step {learner.step:,}: {summarise_error(error)[:200]})"
            raise RunError(f"{found}; {_remedy(folder)}") from error
        raise


def _remedy(folder: RunFolder) -> str:
    saved = kept_step(folder)
    if saved is None:
        return "there is no checkpoint yet: once the cause is mended, run again to begin anew"
    good = f"the checkpoint at step {saved:,} is from before that"
    return f"{good}: once the cause is mended, run again to go on from it, or with --fresh to start over"
