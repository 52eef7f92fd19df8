"""The locks agree with each other and with pyproject.toml, from which the trial of newest releases reads what there is."""

from __future__ import annotations

import re

import locks
import newest
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EVERYTHING = newest.dependencies(["all", "dev"])


@pytest.mark.parametrize("file", [locks.CPU, locks.CUDA], ids=lambda file: file.name)
def test_a_lock_pins_every_dependency_within_its_range_and_names_no_index(file) -> None:
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9a-z.]+", line) for line in lines)
    pinned = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    assert len(pinned) == len(lines)
    for each in EVERYTHING:
        assert Requirement(each.requirement).specifier.contains(pinned[canonicalize_name(each.name)]), each.requirement


def test_the_lock_for_cuda_has_the_other_one_and_the_libraries_of_cuda() -> None:
    cpu, cuda = ({line for line in file.read_text().splitlines() if "==" in line} for file in (locks.CPU, locks.CUDA))
    assert cpu < cuda
    assert {"nvidia-cublas", "nvidia-nccl-cu13", "triton"} <= {line.partition("==")[0] for line in cuda - cpu}


def test_dependencies_are_read_with_extras_and_without_bounds() -> None:
    found = {each.name: each for each in EVERYTHING}
    assert "exploration-harness" not in found
    assert {"torch", "envpool", "wandb", "pytest"} <= found.keys()
    assert found["pandas"].requirement == "pandas>=2.2.2,<3"
    assert found["pandas"].without_bounds == "pandas"
    assert found["psycopg"].without_bounds == "psycopg[binary]"
    assert found["pyqt5-qt5"].without_bounds == "pyqt5-qt5; platform_system == 'Linux'"
    assert newest.pins()["torch"] == "2.13.0"
