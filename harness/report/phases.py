"""What a report says of phases: in words, and where they lie on curves."""

from __future__ import annotations

from collections.abc import Mapping

from harness.analysis.tables import Analysis
from harness.report.wording import join_names
from harness.runs.results import RunRecords
from harness.spec import PhaseSpec, RunSpec

PhaseBoundaries = Mapping[tuple[str, str], tuple[int, ...]]
"""Steps at which one phase gives way to the next, by method and task; empty where there is nothing to mark."""


def phase_boundaries(analysis: Analysis, records: RunRecords) -> PhaseBoundaries:
    """Where the phases of each method lie on each task."""
    rows = analysis.current_runs.drop_nulls("folder").select("label", "task", "folder").rows()
    return {(label, task): records[folder].spec.phase_boundaries for label, task, folder in rows}


def describe_phases(spec: RunSpec) -> str:
    """The phases of a run and where it begins; empty if it has none and begins from nothing."""
    parts = [_describe_phase(phase) for phase in spec.phases]
    if spec.start and spec.start.steps:
        parts[0] += f", once for several tasks (runs {spec.start.digest})"
    elif spec.start:
        parts.insert(0, f"from the snapshot {spec.start.path}")
    return "; ".join(parts)


def _describe_phase(phase: PhaseSpec) -> str:
    words = f"{phase.name}: {phase.steps:,} steps (extrinsic × {phase.extrinsic_weight:g}, bonus × {phase.intrinsic_weight:g})"
    if phase.reset:
        words += f", begins with new {join_names(phase.reset)}"
    return words if phase.train_reward else f"{words}, the bonus learns no more"
