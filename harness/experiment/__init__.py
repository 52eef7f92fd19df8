"""Experiments from Python: `plan`, `run`, `tune`, `report` and `status`, which the command line is a view of.

    from harness import experiment

    plan = experiment.plan("suites/quick.yaml", profile="smoke")
    result = experiment.run(plan, "results", on_event=print)
    experiment.report(result)

Nothing here prints, ends the process or changes anything of it; what goes wrong is raised from the tree in `harness.errors`.
A `StopRequest` has every run save at its next update and stop there: make it from a signal handler or another thread. Ctrl-C
stops the workers at once and is raised as `KeyboardInterrupt`. After either, the same call goes on from what the disk holds.
Training happens in processes of their own, so a script that calls this needs torch only for `forecast` and reports.
"""

from __future__ import annotations

from harness.execution.stopping import StopRequest
from harness.experiment.evidence import pack, verify
from harness.experiment.outcomes import OnEvent, PlanStarted, ReportResult, RunResult, StatusResult
from harness.experiment.policies import export, play
from harness.experiment.reporting import report, report_currency, track_report
from harness.experiment.running import forecast, plan, run
from harness.experiment.states import StatusReader, prune, status
from harness.experiment.tuning import forecast_tuning, tune

__all__ = [
    "OnEvent",
    "PlanStarted",
    "ReportResult",
    "RunResult",
    "StatusReader",
    "StatusResult",
    "StopRequest",
    "export",
    "forecast",
    "forecast_tuning",
    "pack",
    "plan",
    "play",
    "prune",
    "report",
    "report_currency",
    "run",
    "status",
    "track_report",
    "tune",
    "verify",
]
