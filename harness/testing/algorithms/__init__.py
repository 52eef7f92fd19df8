"""The conformance kit for algorithms: what the author of a learner runs against it, and ``harness check ALGORITHM`` too."""

from harness.testing.algorithms.checks import ALGORITHM_CHECKS
from harness.testing.algorithms.conformance import AlgorithmConformance
from harness.testing.algorithms.subject import AlgorithmCase, AlgorithmSubject, LearnerRun

__all__ = ["ALGORITHM_CHECKS", "AlgorithmCase", "AlgorithmConformance", "AlgorithmSubject", "LearnerRun"]
