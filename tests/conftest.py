"""Shared by all tests.

Torch has one thread, as in training; two are slower on small machines. Hypothesis has no deadline, for a busy machine is no
bug, and draws the same examples every time; ``pytest --hypothesis-profile fresh`` draws new ones, and four times as many where
a test does not say how many make it true.
Ctrl-C counts even where tests run in a shell's background, whose processes ignore it and hand that down to theirs.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import torch

from harness.runs import guarded

FIRST = ("testing/test_installed_plugins.py", "ray/test_ray.py", "cli/test_run_end_to_end.py", "tuning/test_processes.py")
"""Files whose tests take longest or share what takes long to make: one process begins with them, and keeps them."""

signal.signal(signal.SIGINT, signal.default_int_handler)
torch.set_num_threads(1)
hypothesis.settings.register_profile("fresh", deadline=None)
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=25)
hypothesis.settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files named above first, each as it is."""
    items.sort(key=lambda item: not item.path.as_posix().endswith(FIRST))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """The names of all files that were opened by the guarded reader."""
    counts: Counter[str] = Counter()
    original = os.open

    def count(path: Path, flags: int, *rest: int) -> int:
        counts[Path(path).name] += 1
        return original(path, flags, *rest)

    monkeypatch.setattr(guarded.os, "open", count)
    yield counts


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports of this process come without figures, which take most of the time."""
    from harness.report.figures import Pictures

    monkeypatch.setattr("harness.report.rendering.draw_pictures", lambda plot, panels, sheets: Pictures((), {}))


@pytest.fixture
def any_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made has whatever weights: to decompose large matrices, for orthogonal ones, takes seconds."""
    monkeypatch.setattr(torch.nn.init, "orthogonal_", lambda weight, *_, **__: weight)
