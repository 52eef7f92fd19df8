"""Licences of what is installed, and the page that lists them."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

from harness.cli.licences import licence_of

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def required(extras=()):
    """Names of the packages that pyproject.toml itself names, for always or for some extras."""
    texts = (
        PROJECT["dependencies"]
        if not extras
        else [text for extra in extras for text in PROJECT["optional-dependencies"][extra]]
    )
    return {re.split(r"[<>=!~;\[ ]", text)[0].lower().replace("_", "-") for text in texts} - {"exploration-harness"}


def test_nothing_that_is_always_needed_stands_under_the_gpl(harness):
    code, output, errors = harness("licences", "--json")
    assert (code, errors) == (0, "")
    found = {one["package"].lower().replace("_", "-"): one for one in json.loads(output)}
    assert {name for name, one in found.items() if one["needed"] == "always"} >= required()
    assert [name for name, one in found.items() if one["licence"] == "not said"] == []
    copyleft = {name for name, one in found.items() if "GPL" in one["licence"] and "LGPL" not in one["licence"]}
    assert copyleft <= {"ale-py"}
    assert not [name for name, one in found.items() if "GPL" in one["licence"] and one["needed"] == "always"]
    if "ale-py" in found:
        assert (found["ale-py"]["needed"], found["ale-py"]["licence"][:3]) == ("atari", "GPL")


def test_the_page_names_everything_that_the_project_asks_for():
    page = (ROOT / "docs" / "licences.md").read_text()
    listed = {row.lower().replace("_", "-") for row in re.findall(r"^\| (\S+) \|", page, re.MULTILINE)}
    extras = PROJECT["optional-dependencies"].keys() - {"all", "dev"}
    assert required() | required(extras) <= listed, "harness licences --markdown > docs/licences.md"
    assert "**ale-py**" in page


def test_a_package_says_its_licence_in_one_of_several_ways(tmp_path):
    def said(lines):
        folder = tmp_path / f"x{len(list(tmp_path.iterdir()))}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: x\nVersion: 1\n{lines}\n")
        return licence_of(metadata.PathDistribution(folder))

    assert said("License-Expression: MIT\nLicense: something else") == "MIT"
    assert said("License: MIT\nClassifier: License :: OSI Approved :: BSD License") == "BSD License"
    assert said("License: Apache 2.0\nClassifier: License :: OSI Approved") == "Apache 2.0"
    assert said("License: " + "words " * 40).endswith("words ...") or len(said("License: " + "words " * 40)) == 60
    assert said("Summary: nothing") == "not said"
