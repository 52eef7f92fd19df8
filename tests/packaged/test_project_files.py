"""What a stranger looks for before using or citing a project, and what the package says of itself."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import harness
from harness import version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize(
    "name",
    ["LICENSE", "CHANGELOG.md", "CITATION.cff", "CODE_OF_CONDUCT.md", "SECURITY.md", "CONTRIBUTING.md", "docs/formats.md"],
)
def test_the_floor_is_there_and_its_links_lead_somewhere(name):
    file = ROOT / name
    text = file.read_text()
    assert len(text) > 300
    for link in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (file.parent / link).exists(), link


def test_versions_and_licence_agree():
    citation = YAML(typ="safe").load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["version"] == harness.__version__ == citation["version"]
    assert PROJECT["license"] == citation["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    assert f"\n## {harness.__version__}\n" in (ROOT / "CHANGELOG.md").read_text()
    assert PROJECT["authors"] == [{"name": citation["authors"][0]["name"]}]


def test_version_names_the_commit(tmp_path, monkeypatch):
    assert re.fullmatch(r"[0-9a-f]{12}(-dirty)?|None", str(version.source_commit()))
    monkeypatch.setattr(version, "__file__", str(tmp_path / "harness" / "version.py"))
    monkeypatch.setattr(version, "DISTRIBUTION", "from-repository")
    assert version.source_commit() is None
    info = tmp_path / "from_repository-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: from-repository\nVersion: 1\n")
    (info / "direct_url.json").write_text('{"url": "x", "vcs_info": {"vcs": "git", "commit_id": "0123456789abcdef"}}')
    monkeypatch.syspath_prepend(str(tmp_path))
    assert version.source_commit() == "0123456789ab"
