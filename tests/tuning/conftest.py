"""A folder with a small suite in it, for studies whose runs take milliseconds."""

from __future__ import annotations

import pytest
from support.tuning import SUITE, TESTS, SuiteFolder


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    (tmp_path / "toy.yaml").write_text(SUITE)
    place = SuiteFolder(tmp_path)
    yield place
    place.close()
