"""Results that were trained once for all tests of bundles."""

from __future__ import annotations

import pytest
from support.bundles import train_small

from harness.bundles.packing import pack


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The results of a small suite, with a checkpoint's folder, event files and a page that are not to be packed."""
    results = train_small(tmp_path_factory.mktemp("trained"))
    (results / "report").mkdir()
    (results / "report" / "index.html").write_text("<script>alert(1)</script>")
    (results / "report" / "report.md").write_text("# Report")
    (results / "report" / "scores.csv").write_text("task,score\n")
    return results


@pytest.fixture
def bundle(trained, tmp_path):
    """A bundle of them."""
    return pack(trained, tmp_path / "small.zip").file
