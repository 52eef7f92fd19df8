"""Installed packages, as pip leaves them on the disk, for tests of how plugins are found."""

from __future__ import annotations

import textwrap
from pathlib import Path


def install(site: Path, distribution: str, version: str, entry_points: dict[str, str], **modules: str) -> None:
    """Write modules, and a ``.dist-info`` that names entry points in the group ``harness``; put ``site`` on the path."""
    info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text("[harness]\n" + "".join(f"{n} = {v}\n" for n, v in entry_points.items()))
    for name, source in modules.items():
        (site / f"{name}.py").write_text(textwrap.dedent(source))
