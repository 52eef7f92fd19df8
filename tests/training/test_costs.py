"""What a run takes beside time is measured, where the machine tells, and goes on over attempts."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.specs import make_spec

from harness.runs.folder import RunFolder, RunStatus
from harness.training.costs import CostMeter, EnergyCounter
from harness.training.run import train


def counters(folder: Path, **values: int) -> None:
    """Two processors with a part each, as Linux shows them."""
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0", "intel-rapl"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "energy_uj").write_text(str(values.get(name.replace("intel-rapl:", "p"), 99)))
        (folder / name / "max_energy_range_uj").write_text("1000000000")


def status(**fields: float) -> RunStatus:
    return RunStatus(state="running", step=100, steps=200, started="", updated="", **fields)


def test_energy_is_that_of_whole_processors_and_survives_a_counter_that_begins_anew(tmp_path: Path) -> None:
    counters(tmp_path, p0=5_000_000, p1=999_000_000)
    counter = EnergyCounter(tmp_path)
    counters(tmp_path, p0=7_500_000, p1=1_000_000)
    assert counter.joules() == pytest.approx(2.5 + 2.0)
    assert counter.joules() == 0


def test_energy_is_unknown_where_nobody_tells(tmp_path: Path) -> None:
    assert EnergyCounter(tmp_path / "nowhere").joules() is None
    counters(tmp_path)
    counter = EnergyCounter(tmp_path)
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("denied")
    assert counter.joules() is None


def test_costs_go_on_from_earlier_attempts(tmp_path: Path) -> None:
    counters(tmp_path, p0=0, p1=0)
    meter = CostMeter(EnergyCounter(tmp_path))
    meter.begin(status(memory_bytes=10**15, energy_joules=40.0))
    counters(tmp_path, p0=2_000_000, p1=0)
    assert meter.fields() == {"memory_bytes": 10**15, "energy_joules": 42.0}
    half_known = CostMeter(EnergyCounter(tmp_path))
    half_known.begin(status())
    assert half_known.fields()["energy_joules"] is None  # of the first half nobody knows
    assert half_known.fields()["memory_bytes"] > 10**7


def test_a_run_records_its_memory(tmp_path: Path) -> None:
    spec = make_spec(steps=80, evaluate_every=80, checkpoint_every=80)
    train(spec, tmp_path)
    memory = RunFolder.of(spec, tmp_path).read().status.memory_bytes
    assert memory is not None
    assert 10**8 < memory < 10**11
