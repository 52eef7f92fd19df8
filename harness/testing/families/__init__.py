"""The conformance kit for environment families: what their author runs against `harness.environments.base.HarnessVecEnv`.

* `FamilyConformance`: a class of pytest tests to inherit from; it is all that most families' tests need
* `run_family_checks` and `Family`: the same checks without pytest, which ``harness check FAMILY`` runs
"""

from harness.testing.families.checks import FAMILY_CHECKS, FamilyCheck
from harness.testing.families.conformance import FamilyConformance
from harness.testing.families.family import Family, Rollout
from harness.testing.families.runner import run_family_checks

__all__ = ["FAMILY_CHECKS", "Family", "FamilyCheck", "FamilyConformance", "Rollout", "run_family_checks"]
