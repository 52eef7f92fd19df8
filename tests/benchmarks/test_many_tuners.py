"""Tuners on two hosts that share a study in PostgreSQL lose no trial and repeat none, whoever is killed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from many_tuners import Options, Study
from support.postgres import server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="other hosts are namespaces, which root alone may make"
    ),
]


@pytest.mark.parametrize(
    "options",
    [Options(tuners=2, trials=6), Options(tuners=4, trials=12)],
    ids=["the only one of its host", "one of four"],
)
def test_the_trial_of_a_tuner_that_is_killed_is_taken_over(tmp_path: Path, options: Options) -> None:
    with server() as url:
        report = Study(tmp_path, url, options, seed=1).run()
    assert report.problems == []
    assert report.complete == options.trials
    assert report.taken_over == 1
