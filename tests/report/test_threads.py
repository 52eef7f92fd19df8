"""A report does its arithmetic on one thread, whatever this process or its environment allow."""

from __future__ import annotations

import numpy as np
import pytest
from report.section_plugin import THREADS_SEEN, description, registry_with
from report.synthetic import write_suite
from threadpoolctl import threadpool_info, threadpool_limits

from harness.report.build import build_report


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.mark.usefixtures("no_figures")
def test_linear_algebra_has_one_thread_within_a_report_and_as_many_as_before_after_it(tmp_path):
    results = write_suite(tmp_path / "results", {"ppo": 3.0, "rnd": 6.0}, seeds=1)
    THREADS_SEEN.clear()
    assert np.linalg.norm(np.eye(2) @ np.ones(2)) > 0  # there is a library to be bounded
    with threadpool_limits(limits=2, user_api="blas"):
        assert blas_threads() == {2}
        build_report([results], tmp_path / "out", formats=["md"], registry=registry_with(description("counts_threads")))
        assert blas_threads() == {2}
    assert THREADS_SEEN == [1]
