"""Optuna's pruners, fitted to the order in which a trial's scores arrive."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, WilcoxonPruner

from harness.suites.tune_block import Pruner
from harness.tuning.storage import without_experimental_warnings

STARTUP_TRIALS = 5
"""Trials that ``median`` lets finish before it ends any."""

P_VALUE = 0.1
"""The p-value below which ``wilcoxon`` ends a trial that is behind the best."""


def reports_runs(kind: Pruner) -> bool:
    """Whether the pruner compares finished runs, each under its number, instead of the aggregate so far at each evaluation."""
    return kind == "wilcoxon"


def make_pruner(kind: Pruner, evaluations_per_run: Sequence[int]) -> BasePruner:
    """A pruner by its name in a suite.

    Args:
        kind: Name of the pruner.
        evaluations_per_run: Evaluations of each run of a trial; no trial ends before its first run has.
    """
    with without_experimental_warnings():
        match kind:
            case "median":
                return MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=evaluations_per_run[0] - 1)
            case "hyperband":
                return HyperbandPruner(
                    min_resource=evaluations_per_run[0], max_resource=max(sum(evaluations_per_run), evaluations_per_run[0] + 1)
                )
            case "wilcoxon":
                return WilcoxonPruner(p_threshold=P_VALUE)
            case _:
                return NopPruner()
