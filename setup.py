"""What pyproject.toml cannot say: packages name the commit that they were built from, since they take no history along."""

from __future__ import annotations

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

sys.path.insert(0, str(Path(__file__).parent))
from harness.version import COMMIT_FILE, source_commit


def _write_commit(package: Path) -> None:
    file = package / COMMIT_FILE
    file.unlink(missing_ok=True)  # of an earlier build
    if commit := source_commit():
        file.write_text(f"{commit}\n", encoding="utf-8")


class _Build(build_py):
    """Modules and data, and the commit."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:  # a checkout answers for itself
            _write_commit(Path(self.build_lib) / "harness")


class _Sdist(sdist):
    """Sources, and the commit."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        _write_commit(Path(base_dir) / "harness")


setup(cmdclass={"build_py": _Build, "sdist": _Sdist})
