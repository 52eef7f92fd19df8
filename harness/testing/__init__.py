"""The conformance kit: what a plugin's author runs against their method or algorithm.

* `MethodConformance`: a class of pytest tests to inherit from; it is all that most plugins' tests need
* `run_checks` and `Subject`: the same checks without pytest, which ``harness check METHOD`` runs
* `AlgorithmConformance`, `run_algorithm_checks` and `AlgorithmSubject`: the same for algorithms
* `ConformanceCase`, `Script`, `ScriptedVecEnv`, `random_script`: what the checks are made of, for tests of one's own

What a method claims beyond the interface, it says in `harness.rewards.IntrinsicReward.guarantees`; the kit holds it to that.
"""

from harness.testing.algorithms import ALGORITHM_CHECKS, AlgorithmCase, AlgorithmConformance, AlgorithmSubject
from harness.testing.checks import CHECKS, Check
from harness.testing.conformance import MethodConformance
from harness.testing.outcomes import CheckFailed, CheckResult, NotApplicable
from harness.testing.runner import run_algorithm_checks, run_checks
from harness.testing.scripted_envs import (
    ENVIRONMENT_KINDS,
    EnvironmentKind,
    Script,
    ScriptedVecEnv,
    constant_script,
    random_script,
    recurring_script,
)
from harness.testing.subject import ConformanceCase, Subject

__all__ = [
    "ALGORITHM_CHECKS",
    "CHECKS",
    "ENVIRONMENT_KINDS",
    "AlgorithmCase",
    "AlgorithmConformance",
    "AlgorithmSubject",
    "Check",
    "CheckFailed",
    "CheckResult",
    "ConformanceCase",
    "EnvironmentKind",
    "MethodConformance",
    "NotApplicable",
    "Script",
    "ScriptedVecEnv",
    "Subject",
    "constant_script",
    "random_script",
    "recurring_script",
    "run_algorithm_checks",
    "run_checks",
]
