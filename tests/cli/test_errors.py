"""Bad input: one clear line for each mistake, exit code 2, nothing started, nothing written."""

from __future__ import annotations

import pytest

import harness.cli.listing
from harness.cli import main

CASES = {
    "no such suite": ("run nothing.yaml", "nothing.yaml: no such file"),
    "no such command": ("rnu small.yaml", "No such command 'rnu'. Did you mean 'run'? (see 'harness --help')"),
    "no such option": ("run small.yaml --profil tiny", "No such option: --profil"),
    "missing argument": ("run", "Missing argument 'SUITE'"),
    "no such profile": ("run small.yaml --profile papr", "unknown profile 'papr'"),
    "no such method": ("run small.yaml --method rdn", "did you mean 'rnd'?"),
    "no such task": ("run small.yaml --task n44", "did you mean 'n4'?"),
    "no such executor": ("run small.yaml --executor locl", "unknown executor 'locl': did you mean 'local'?"),
    "no such executor, dry": ("run small.yaml --executor locl --dry-run", "did you mean 'local'?"),
    "no such device": ("run small.yaml --device gpu", "unknown device 'gpu'"),
    "no GPU here": ("run small.yaml --device cuda", "cuda"),
    "no workers": ("run small.yaml --workers 0", "Invalid value for '--workers'"),
    "bad seeds": ("run small.yaml --seeds many", "--seeds many"),
    "negative steps": ("run small.yaml --steps -5", "--steps -5"),
    "misspelt override": ("run small.yaml --set algorithm.n_env=8", "did you mean 'n_envs'?"),
    "override without value": ("run small.yaml --set steps", "expected key=value"),
    "JSON of nothing": ("run small.yaml --json", "--json goes with --dry-run"),
    "results below a file": ("run small.yaml --results small.yaml/results", "small.yaml/results: cannot be written"),
    "check a missing file": ("check small.yaml nothing.yaml", "nothing.yaml: no such file"),
    "status of nowhere": ("status nowhere", "nowhere: no such results directory"),
    "status of nothing": ("status .", "no runs in .: give a results directory"),
    "status of nowhere with a plan": ("status nowhere --suite small.yaml", "nowhere: no such results directory"),
    "report of nowhere": ("report nowhere", "nowhere"),
    "report of nothing": ("report .", "no runs in ."),
    "report in no format": (
        "report . --format ,",
        "--format names no format: html, pdf, md, latex, latex-all, figures, csv, json and npz are known",
    ),
    "list what is not": ("list method", "unknown kind 'method': did you mean 'methods'?"),
    "show what is not": ("show rdn", "unknown name 'rdn': did you mean 'rnd'?"),
}


@pytest.mark.parametrize(("command", "message"), CASES.values(), ids=CASES)
def test_mistake_gets_one_line_and_leaves_nothing(workplace, harness, command, message):
    if "cuda" in command:
        torch = pytest.importorskip("torch")
        if torch.cuda.is_available():
            pytest.skip("there is a GPU here")
    code, _, errors = harness(*command.split())
    assert code == 2
    (line,) = errors.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert [path.name for path in workplace.iterdir()] == ["small.yaml"]


def test_each_of_several_mistakes_gets_its_line(workplace, harness):
    suite = workplace / "small.yaml"
    suite.write_text(suite.read_text().replace("steps: 2048", "steps: -1").replace("every: 512", "evry: 512"))
    code, _, errors = harness("run", "small.yaml")
    assert code == 2
    assert [line[:18] for line in errors.splitlines()] == ["error: small.yaml:"] * 3
    assert "did you mean 'every'?" in errors


def test_foreign_run_folder_stops_a_run_before_it_starts(workplace, harness):
    from harness.planning.load import load

    folder = workplace / "results" / load("small.yaml").runs[3].path
    folder.mkdir(parents=True)
    (folder / "run.json").write_text('{"format": 1, "dig')
    code, _, errors = harness("run", "small.yaml")
    assert code == 2
    assert errors.startswith(f"error: {(folder / 'run.json').relative_to(workplace)}: cannot be read")
    assert len(errors.splitlines()) == 1
    assert sum(path.is_file() for path in (workplace / "results").rglob("*")) == 1


def test_bug_keeps_its_traceback(workplace, monkeypatch):
    def broken(*_args, **_kwargs):
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(harness.cli.listing, "print_json", broken)
    with pytest.raises(ZeroDivisionError):
        main(["list", "methods", "--json"])
