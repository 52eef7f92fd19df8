"""Processes that share a results directory finish each run exactly once, whoever is killed or stopped."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from many_processes import Options, Round

needs_namespaces = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="other hosts are namespaces, which root alone may make"
)


@pytest.mark.slow
def test_three_processes_of_which_one_is_killed_finish_each_run_once(tmp_path: Path) -> None:
    report = Round(tmp_path, Options(processes=3, runs=4, kills=1), seed=0).run()
    assert report.problems == []
    assert report.finished == 4


@pytest.mark.slow
@needs_namespaces
def test_the_loser_on_another_host_changes_nothing_when_it_wakes(tmp_path: Path) -> None:
    options = Options(processes=2, runs=2, steps=4000, kills=0, stops=1, hosts=2)
    report = Round(tmp_path, options, seed=1).run()
    assert report.problems == []
    assert report.finished == 2
    assert report.lost >= 1


@pytest.mark.slow
def test_eight_processes_of_which_two_are_killed(tmp_path: Path) -> None:
    report = Round(tmp_path, Options(), seed=2).run()
    assert report.problems == []
    assert report.finished == 40


@pytest.mark.slow
@needs_namespaces
def test_eight_processes_on_two_hosts_with_clocks_an_hour_apart(tmp_path: Path) -> None:
    report = Round(tmp_path, Options(stops=2, hosts=2), seed=3).run()
    assert report.problems == []
    assert report.finished == 40
