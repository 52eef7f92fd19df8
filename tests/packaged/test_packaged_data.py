"""Data that is shipped: from a checkout, and out of an archive."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from harness.cli import suite_catalogue
from harness.errors import SuiteError, UnknownNameError
from harness.packaged import on_disk, packaged_folder
from harness.planning.load import load
from harness.registry import installed
from harness.suites.files import find_suite, is_suite_name, packaged_suites

ROOT = Path(__file__).parents[2]


def test_a_checkout_ships_what_is_edited_at_its_top():
    assert packaged_folder("suites") == ROOT / "suites"
    assert packaged_folder("published") == ROOT / "results" / "published"
    assert {file.stem for file in (ROOT / "suites").glob("*.yaml")} <= packaged_suites().keys()


def test_out_of_an_archive_files_are_copied_once(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("inside/suites/a.yaml", "suite: a\n")
        archive.writestr("inside/suites/speeds.csv", "suite\n")
        archive.writestr("inside/suites/deeper/b.yaml", "suite: b\n")
    folder = on_disk(zipfile.Path(tmp_path / "x.zip", "inside/suites/"))
    assert sorted(file.name for file in folder.iterdir()) == ["a.yaml", "speeds.csv"]
    assert (folder / "a.yaml").read_text() == "suite: a\n"
    assert on_disk(zipfile.Path(tmp_path / "x.zip", "inside/suites/")) == folder
    assert list(on_disk(zipfile.Path(tmp_path / "x.zip", "inside/none/")).iterdir()) == []


def test_what_did_not_come_along_does_not_exist():
    assert not packaged_folder("nothing").exists()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("quick", True),
        ("quick.v2", True),
        ("quick.yaml", False),
        ("quick.yml", False),
        ("./quick", False),
        ("a/b", False),
        ("", False),
    ],
)
def test_a_name_has_no_folder_and_no_yaml(text, named):
    assert is_suite_name(text) is named


def test_a_name_is_a_packaged_suite_and_a_path_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "suites" / "quick.yaml").read_text()
    (tmp_path / "quick").write_text(text.replace("suite: quick", "suite: mine"))
    assert load("quick").file == ROOT / "suites" / "quick.yaml"
    assert load("quick").runs == load(ROOT / "suites" / "quick.yaml").runs
    assert load("./quick").suite.suite == load(Path("quick")).suite.suite == "mine"


def test_unknown_names_get_the_nearest_one_and_files_are_told_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UnknownNameError, match=r"unknown suite 'quikc': did you mean 'quick'\?.*by its path, such as quikc\.yaml"
    ):
        load("quikc")
    (tmp_path / "mine.yaml").touch()
    with pytest.raises(UnknownNameError, match=r"unknown suite 'mine'.* a file is given by its path: \./mine\.yaml"):
        load("mine")
    with pytest.raises(SuiteError, match=r"min\.yaml: no such file: did you mean mine\.yaml\?"):
        load("min.yaml")
    with pytest.raises(SuiteError, match=r"elsewhere/quick\.yaml: no such file: did you mean the packaged suite 'quick'\?"):
        load("elsewhere/quick.yaml")
    assert find_suite("far/away.yaml") == Path("far/away.yaml")  # its reader says that it is not there


def test_fault_a_profile_that_some_suites_lack_is_no_error_in_list_suites():
    entries = suite_catalogue.suites(installed(), ROOT / "suites", profile="curiosity")
    having = {entry.suite: entry.runs for entry in entries if entry.runs}
    assert set(having) == {"quick"}
    assert not [entry.problem for entry in entries if entry.problem]
    with pytest.raises(UnknownNameError, match=r"unknown profile 'laptopp': did you mean 'laptop'\?"):
        suite_catalogue.suites(installed(), ROOT / "suites", profile="laptopp")
