"""The kit for algorithms: everything that is installed passes it, and what is wrong with an algorithm is found."""

from __future__ import annotations

import pytest
from support.algorithms import SMALL_ALGORITHMS

from harness.testing import ALGORITHM_CHECKS, AlgorithmSubject, Check, NotApplicable


@pytest.mark.parametrize("check", ALGORITHM_CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("algorithm", SMALL_ALGORITHMS)
def test_installed_algorithms_conform(algorithm: str, check: Check) -> None:
    settings = {key: value for key, value in SMALL_ALGORITHMS[algorithm].items() if key != "net_arch"}
    try:
        check.run(AlgorithmSubject.named(algorithm, config=settings))
    except NotApplicable as reason:
        pytest.skip(str(reason))
