"""The conformance kit: what a plugin's author runs against their method.

* `MethodConformance`: a class of pytest tests to inherit from; it is all that most plugins' tests need
* `examine` and `Subject`: the same checks without pytest, which ``harness check METHOD`` runs
* `Lab`, `Script`, `ScriptedVecEnv`, `random_script`: what the checks are made of, for tests of one's own

What a method claims beyond the interface, it says in `harness.rewards.IntrinsicReward.promises`; the kit holds it to that.
"""

from harness.testing.checks import CHECKS, Check
from harness.testing.conformance import MethodConformance
from harness.testing.outcomes import Failed, NotApplicable, Result
from harness.testing.runner import examine
from harness.testing.subject import Lab, Subject
from harness.testing.worlds import WORLDS, Script, ScriptedVecEnv, World, constant_script, random_script

__all__ = [
    "CHECKS",
    "WORLDS",
    "Check",
    "Failed",
    "Lab",
    "MethodConformance",
    "NotApplicable",
    "Result",
    "Script",
    "ScriptedVecEnv",
    "Subject",
    "World",
    "constant_script",
    "examine",
    "random_script",
]
