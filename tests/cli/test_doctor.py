"""What a machine has and lacks, and that no probe can stop the others."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest
from support.distributions import install

from harness.cli import diagnosis, requirements
from harness.cli.diagnosis import Finding, diagnose

LIGHT = {
    name: diagnosis.PROBES[name]
    for name in ("harness", "packages", "plugins", "machine", "Atari ROMs", "Qt", "results folder")
}


@pytest.fixture
def light(monkeypatch):
    """Without the probes that start processes or load every suite."""
    monkeypatch.setattr("harness.cli.diagnosis.PROBES", LIGHT)


@pytest.mark.usefixtures("light")
def test_nothing_that_is_needed_is_missing_here(workplace, harness):
    code, output, errors = harness("doctor", "--json")
    assert (code, errors) == (0, "")
    found = json.loads(output)
    assert found["missing"] == 0
    states = {finding["topic"]: finding["state"] for finding in found["findings"]}
    assert states["packages"] == states["Python"] == states["clock"] == states["extra atari"] == "good"
    texts = {finding["topic"]: finding["text"] for finding in found["findings"]}
    assert f"torch {metadata.version('torch')}" in texts["packages"]
    assert "can be written" in texts["results folder"]
    assert not (workplace / "results").exists()
    assert harness("doctor")[1].endswith("nothing that the harness needs is missing\n")


def test_a_probe_that_fails_is_told_and_the_others_go_on(tmp_path):
    def broken(_: Path):
        yield Finding("first", "good", "seen")
        raise RuntimeError("no\x1b such thing")

    probes = {"broken": broken, "other": lambda _: iter([Finding("other", "good", "fine")])}
    first, failed, other = diagnose(tmp_path, probes)
    assert (first.text, other.text) == ("seen", "fine")
    assert (failed.topic, failed.state) == ("broken", "unknown")
    assert failed.text == "cannot be looked at: RuntimeError: no\\x1b such thing"


@pytest.mark.parametrize("name", list(diagnosis.PROBES))
def test_every_probe_survives_a_python_that_knows_nothing(name, tmp_path, monkeypatch):
    def nothing(*arguments: object, **options: object) -> object:
        raise OSError("nothing works")

    for module in ("metadata.version", "metadata.distribution", "subprocess.run", "tempfile.NamedTemporaryFile", "find_spec"):
        monkeypatch.setattr(f"harness.cli.diagnosis.{module}", nothing)
    monkeypatch.setattr("harness.suites.files.packaged_folder", nothing)
    findings = list(diagnose(tmp_path, {name: diagnosis.PROBES[name]}))
    assert findings


@pytest.mark.usefixtures("light")
def test_what_is_needed_and_missing_is_an_error_with_its_command(workplace, harness, monkeypatch):
    install(workplace, "needy", "1", {})
    wanted = "Requires-Dist: numpy>=99\nRequires-Dist: not-there>=1\nRequires-Dist: typer>=0.1\n"
    wanted += "Provides-Extra: more\nRequires-Dist: not-either<2 ; extra == 'more'\nProvides-Extra: all\n"
    file = workplace / "needy-1.dist-info" / "METADATA"
    file.write_text(file.read_text().rstrip() + "\n" + wanted)
    monkeypatch.syspath_prepend(str(workplace))
    monkeypatch.setattr(requirements, "DISTRIBUTION", "needy")
    code, output, _ = harness("doctor")
    assert code == 1
    lines = output.splitlines()
    (at,) = [i for i, line in enumerate(lines) if line.startswith("missing")]
    assert "numpy" in lines[at]
    assert "not-there not installed (wanted: >=1)" in lines[at]
    assert lines[at + 1].endswith("-m pip install 'numpy>=99' 'not-there>=1'")
    (optional,) = [i for i, line in enumerate(lines) if "extra more" in line]
    assert lines[optional].startswith("note")
    assert lines[optional + 1].endswith("-m pip install 'exploration-harness[more]'")
    assert lines[-1] == "1 thing that the harness needs: see above"


@pytest.mark.usefixtures("light")
def test_a_results_folder_that_cannot_be_written_is_missing(workplace, harness):
    (workplace / "file").touch()
    code, output, _ = harness("doctor", "--results", "file", "--json")
    assert code == 1
    (found,) = [one for one in json.loads(output)["findings"] if one["state"] == "missing"]
    assert found["topic"] == "results folder"


@pytest.mark.slow
def test_the_whole_of_it_ends_well_in_an_empty_folder(workplace, harness):
    code, output, errors = harness("doctor", "--json")
    assert (code, errors) == (0, "")
    topics = {finding["topic"] for finding in json.loads(output)["findings"]}
    assert topics >= {"harness", "packages", "plugins", "suites", "GPUs", "Atari ROMs", "OpenGL", "Qt", "memory", "clock"}
