"""The method beside a real learner of every kind that it declares."""

from __future__ import annotations

import math

from harness.config import KIND_AXES
from harness.errors import UserError
from harness.testing.algorithms.subject import AlgorithmCase, AlgorithmSubject
from harness.testing.outcomes import NotApplicable, require
from harness.testing.subject import ConformanceCase, Subject

_BATCH_SIZE = 12
"""Half of the rollout that the kit takes, so that no minibatch is left over."""


def learners(subject: Subject) -> None:
    """An installed algorithm of each kind trains an iteration with the method's bonus, and all numbers are finite."""
    tried = False
    for kind in sorted(KIND_AXES["learner"] & subject.method.works_with):
        for name in subject.registry.algorithms_for(subject.method):
            if subject.registry.algorithm_config(name).kind == kind:
                tried |= any(_trains(AlgorithmSubject.named(name, registry=subject.registry), case) for case in subject.cases)
                break
    if not tried:
        raise NotApplicable("no installed algorithm takes the environments that it is tried in")


def _trains(algorithm: AlgorithmSubject, case: ConformanceCase) -> bool:
    """Train with the method; false where the algorithm does not take such environments."""
    if case.kind.actions not in algorithm.config.actions:
        return False
    small = {"batch_size": _BATCH_SIZE} if "batch_size" in algorithm.config_class.model_fields else {}
    smaller = AlgorithmSubject.named(algorithm.algorithm.name, config=small, registry=algorithm.registry)
    try:
        run = AlgorithmCase(smaller, case.kind).build(bonus=case.build_for)
    except UserError:
        return False
    name = algorithm.algorithm.name
    assert run.bonus_env is not None
    for metrics in run.iterate():
        found = metrics | run.bonus_env.pop_metrics()
        wrong = {column: value for column, value in found.items() if not math.isfinite(value)}
        require(not wrong, f"finite numbers from algorithm {name}", wrong)
    return True
