"""Corrupt results folders, and see that each is read, or refused in words for people, at once.

    python benchmarks/fuzz_results.py --count 5000 --seed 0

A small suite is trained, tuned and reported on once. Each case corrupts a copy: files are cut, have bits flipped, numbers
grown or types changed, are swapped, replaced by folders, links, pipes or devices, or lose their permissions. Then the copy is
read as ``status`` (for people and as JSON), ``report``, ``run`` (which finds out what is finished) and ``tune`` (which opens
the study) read it, in this process; nothing is trained. An exception that is none of `harness.errors`, or a reader that takes
more than five seconds of the processor, counts as a failure, and so does a file that a report writes elsewhere. Prints the
figures as one line of JSON; exits with 1 after a failure.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from watchdog import Figures, run_driver, watched

from harness import experiment
from harness.cli import main as command_line
from harness.cli.display.changes import ChangeLines
from harness.cli.display.live import draw as draw_screen
from harness.planning.load import load
from harness.planning.plan import Plan
from harness.report.build import build_report
from harness.report.manifest import MANIFEST_FILE
from harness.runs import remembered, tree
from harness.runs.remembered import MEMORY_FOLDER
from harness.runs.status import summarise_plan
from harness.tuning.record import read_study_record
from harness.tuning.request import TuneRequest
from harness.tuning.storage import open_storage
from harness.tuning.study import StudyDefinition, TuningStudy
from harness.tuning.trials import find_study_records
from harness.watch.document import StatusDocument
from harness.watch.looks import Look
from harness.watch.page import Pages
from harness.watch.report import ReportState
from harness.watch.view import view

SUITE = """\
suite: small
environment: {family: deep_sea}
tasks:
  n3: {environment: {size: 3}, normalise: {low: 0, high: 1}}
  n4: {environment: {size: 4}, normalise: {low: 0, high: 1}}
algorithm: {name: ppo, n_envs: 2, n_steps: 16, batch_size: 16, n_epochs: 1}
methods:
  ppo: {}
  rnd: {reward: rnd, combine: sum}
seeds: 2
steps: 64
evaluation: {every: 32, episodes: 2}
tune: {trials: 3, seeds: 1, confirm: 1, confirm_seeds: 1, parameters: [config.learning_rate]}
"""

NUMBERS: list[Any] = [0, -1, 1.5, 1e300, 10**30, 2**63, -(2**70), 10**400, float("nan"), float("inf"), -float("inf"), 5e-324]
OTHERS: list[Any] = [None, True, "", "x", "../../x", "/etc/passwd", "\u202e\x1b[2J", "é" * 500, [], {}, [[]], {"a": 1}, ["x"]]
OTHERS += ["=1+1", "<script>", "finished", "running", "9999-99-99", "2026-11-21T12:00:00+00:00", "x/../../../y", "\ud800"]
TEXTS = [
    b"",
    b"\x00",
    b"\xff\xfe",
    b"nan",
    b"1e30",
    b"-1",
    b"9" * 5_000,
    b"[" * 100_000,
    b"{",
    b"\n",
    b",",
    b'"',
    b"null",
    b"\r",
]
TEXTS += [
    b'{"a":' * 2_000,
    b"step\n",
    b"step,return\n1,nan\n",
    b"step,return\n1e30,1\n",
    b"1e400",
    b"\xed\xa0\x80",
    b"[]",
    b"true",
]


remembered.FRESH_NS = tree.FRESH_NS = -(10**12)  # what a case has just written is kept all the same


def make_results(place: Path) -> Plan:
    """A suite with its results below a folder: finished runs, a study and a report."""
    suite = place / "small.yaml"
    suite.write_text(SUITE)
    plan = load(suite)
    result = experiment.run(plan, place / "results", workers=1)
    experiment.tune(load(suite, methods=["rnd"]), "rnd", place / "results", workers=1)
    experiment.report(result, formats=("csv",))
    experiment.report(place / "results", formats=("csv",))
    return plan


# --------------------------------------------------------------------------------------------------------------------
# Corruptions
# --------------------------------------------------------------------------------------------------------------------
def corrupt(results: Path, draw: random.Random) -> str:
    """Corrupt one to three things, and say what was done."""
    done: list[str] = []
    for _ in range(draw.randint(1, 3)):
        paths = sorted(path for path in results.rglob("*") if not path.is_symlink())
        weights = [8 if path.suffix in {".json", ".csv", ".log"} else 1 for path in paths]
        (path,) = draw.choices(paths, weights)
        way = draw.choice(_WAYS)
        with contextlib.suppress(OSError):  # such as a folder that another corruption has taken away
            way(path, paths, draw)
            done.append(f"{getattr(way, '__name__', way)[1:]} {path.relative_to(results)}")
    return "; ".join(done)


def _cut(path: Path, paths: list[Path], draw: random.Random) -> None:
    if path.is_file():
        os.truncate(path, draw.randrange(path.stat().st_size + 1))


def _flip(path: Path, paths: list[Path], draw: random.Random) -> None:
    if _is_small(path) and (data := bytearray(path.read_bytes())):
        for _ in range(draw.choice([1, 1, 20])):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(data)


def _insert(path: Path, paths: list[Path], draw: random.Random) -> None:
    if _is_small(path):
        data = path.read_bytes()
        at = draw.choice([0, len(data), draw.randrange(len(data) + 1)])
        path.write_bytes(data[:at] + draw.choice(TEXTS) + data[draw.choice([at, len(data)]) :])


def _change_value(path: Path, paths: list[Path], draw: random.Random) -> None:
    """A number, text or key of a JSON file or CSV file."""
    if not _is_small(path):
        return
    if path.suffix == ".csv":
        rows = [line.split(",") for line in path.read_text(errors="replace").splitlines()] or [[""]]
        row = draw.choice(rows)
        row[draw.randrange(len(row))] = str(draw.choice([*NUMBERS, "", "x", "=1", '"'])).replace("\ud800", "")
        path.write_text("\n".join(",".join(row) for row in rows) + "\n")
    if path.suffix == ".json":
        try:
            tree = json.loads(path.read_text())
        except (ValueError, RecursionError):  # corrupted before
            return
        node, key = draw.choice(_places(tree) or [({"": 0}, "")])
        match draw.randrange(5):
            case 0:
                del node[key]
            case 1 if isinstance(node, dict):
                node[str(draw.choice(OTHERS))] = node.pop(key)
            case 2:
                node[key] = draw.choice([_deep(node[key], 500), [node[key]] * 3, {"x": node[key]}])
            case _:
                node[key] = draw.choice(NUMBERS if draw.random() < 0.5 else OTHERS)
        path.write_text(json.dumps(tree))


def _is_small(path: Path) -> bool:
    return path.is_file() and path.stat().st_size < 10**6


def _deep(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found, todo = list[tuple[Any, Any]](), [tree]
    while todo:
        node = todo.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        found += [(node, key) for key in keys]
        todo += [node[key] for key in keys]
    return found


def _swap(path: Path, paths: list[Path], draw: random.Random) -> None:
    others = [one for one in paths if one.is_dir() == path.is_dir() and one not in path.parents and path not in one.parents]
    other = draw.choice(others)
    aside = path.with_name("aside")
    path.rename(aside)
    other.rename(path)
    aside.rename(other)


def _copy(path: Path, paths: list[Path], draw: random.Random) -> None:
    if path.is_dir() and path.name != "results":
        shutil.copytree(
            path, path.with_name(draw.choice(["seed-7", "copy", "\x1b[2J", "a\nb", "tuning", "report", "é" * 100]))
        )


def _remove(path: Path, paths: list[Path], draw: random.Random) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _replace(path: Path, paths: list[Path], draw: random.Random) -> None:
    """Something else under the same name: a folder, a link to nothing, to itself, to a device or to another file; a pipe."""
    _remove(path, paths, draw)
    match draw.randrange(6):
        case 0:
            path.mkdir()
        case 1:
            os.mkfifo(path)
        case _:
            path.symlink_to(draw.choice(["nothing", path.name, "/dev/zero", "/dev/null", "..", draw.choice(paths)]))


def _lock(path: Path, paths: list[Path], draw: random.Random) -> None:
    path.chmod(draw.choice([0, 0o200, 0o100, 0o444]))


def _add(path: Path, paths: list[Path], draw: random.Random) -> None:
    """A file that has a meaning, where it may have none."""
    folder = path if path.is_dir() else path.parent
    name = draw.choice(
        ["run.json", "study.json", "evaluations.csv", "progress.csv", "visits.json", "claim", "journal.log", "\x1b[31m.json"]
    )
    match draw.randrange(3):
        case 0:
            (folder / name).write_bytes(draw.choice(TEXTS))
        case 1:
            os.mkfifo(folder / name)
        case _:
            shutil.copyfile(draw.choice([one for one in paths if _is_small(one)]), folder / name)


def _grow(path: Path, paths: list[Path], draw: random.Random) -> None:
    if path.is_file():
        os.truncate(path, draw.choice([10**7, 5 * 10**7]))


_WAYS = [
    _cut,
    _flip,
    _flip,
    _insert,
    _insert,
    _change_value,
    _change_value,
    _change_value,
    _change_value,
    _swap,
    _copy,
    _remove,
]
_WAYS += [_replace, _lock, _add, _grow]


# --------------------------------------------------------------------------------------------------------------------
# Readers
# --------------------------------------------------------------------------------------------------------------------
def readers(place: Path, plan: Plan, draw: random.Random) -> dict[str, Callable[[], object]]:
    """Everything that reads a results folder, by name."""
    results, out = place / "results", place / "out"
    formats = (
        draw.choice([["csv"], ["csv"], ["csv"], ["md"], ["html"], ["latex", "latex-all"]]) if draw.random() < 0.2 else ["csv"]
    )
    return {
        "status": lambda: _command("status", str(results)),
        "status --json": lambda: json.loads(_command("status", str(results), "--json") or "{}"),
        "status --suite": lambda: experiment.status(results, plan),
        "status --watch, watch": lambda: _look_on(results),
        "report": lambda: build_report([results], out, formats=formats),
        "report with what was kept": lambda: _compare_reports(results, place, draw),
        "run": lambda: [run.state for run in summarise_plan(plan.runs, results)],
        "tune": lambda: _open_study(plan, results),
        "report of studies": lambda: [read_study_record(file).to_optuna_study() for file in find_study_records([results])[0]],
        "report of a study": lambda: build_report([results / "small" / "tuning"], out, formats=["csv", "latex"]),
    }


def _compare_reports(results: Path, place: Path, draw: random.Random) -> None:
    """A report that may believe what was kept before, also once that has been corrupted, against one that may not.

    They are four, so that they are made of tables alone: with figures they would take the time of several readers.
    """
    plain, kept, formats = place / "out" / "plain", results / "report", ["csv"]
    experiment.report(results, plain, formats=formats, cache=False)
    for _ in range(3):
        experiment.report(results, formats=formats)
        names = json.loads((plain / MANIFEST_FILE).read_text())["files"]
        differing = [name for name in (*names, MANIFEST_FILE) if (kept / name).read_bytes() != (plain / name).read_bytes()]
        assert not differing, f"what was kept changes {differing}"
        if files := sorted((results / MEMORY_FOLDER).glob("*.json*")):
            draw.choice([_cut, _flip, _insert, _change_value])(draw.choice(files), files, draw)
            shutil.rmtree(kept / draw.choice(["nothing", "."]), ignore_errors=True)


def _look_on(results: Path) -> None:
    """Two looks, each as a page, a screen, lines and JSON."""
    reader, changes, pages = experiment.StatusReader(results), ChangeLines(), Pages("results", 1.0)
    for number in range(2):
        look = Look(number, datetime.now(), reader.look())
        seen = view(look.found)
        pages.runs(look, ReportState())
        Console(file=io.StringIO(), force_terminal=True, width=100).print(draw_screen(seen, "results", 1.0, 100, 50))
        assert all(map(str.isprintable, changes.lines(seen)))
        json.loads(StatusDocument.of(look.found).as_json())


def _command(*arguments: str) -> str:
    """What a command prints; nothing where it refuses."""
    said, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        code = command_line(arguments)
    text = said.getvalue() + complained.getvalue()
    assert code in (0, 1, 2), code
    assert "Traceback" not in text, text[-500:]
    assert not set(text) & set("\x1b\x00\u202e"), "control characters are printed"
    return said.getvalue() if code == 0 else ""


def _open_study(plan: Plan, results: Path) -> None:
    request = TuneRequest.create(plan, "rnd", results)
    handle = open_storage(None, request.folder / "journal.log")
    try:
        TuningStudy(StudyDefinition.from_plan(plan, "rnd", request.study), handle).best_trial()
    finally:
        handle.close()


def fuzz(cases: range, seed: int, keep: Path, make: Callable[[Path], Plan] = make_results) -> Figures:
    """Try corrupted results folders.

    Args:
        cases: Numbers of the cases.
        seed: Seed of all of them; a case depends on its number, this, and what training left.
        keep: Folder for results that fail.
        make: Leaves results, a study among them, below a folder, and returns their plan.
    """
    figures = Figures()
    with tempfile.TemporaryDirectory() as temporary:
        original = Path(temporary) / "original"
        original.mkdir()
        plan = make(original)
        for case in cases:
            draw = random.Random(f"{seed}-{case}")
            place = Path(temporary) / f"case-{case}"
            shutil.copytree(original, place)
            done = corrupt(place / "results", draw)
            before = _outside(place)
            for name, read in readers(place, plan, draw).items():
                if problem := watched(read, figures):
                    figures.fail(f"case {case} of seed {seed} ({done}), {name}: {problem}")
                    _keep(place, keep / f"results-{seed}-{case}")
            if _outside(place) != before:
                figures.fail(f"case {case} of seed {seed} ({done}): written outside of the report")
            _clear(place)
    return figures


def _outside(place: Path) -> set[Path]:
    """What lies beside the results and the report."""
    return {path for path in place.iterdir() if path.name not in {"results", "out"}}


def _keep(place: Path, where: Path) -> None:
    where.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError, shutil.Error):
        shutil.copytree(place / "results", where, symlinks=True, dirs_exist_ok=True, ignore=_only_files)


def _only_files(folder: str, names: list[str]) -> set[str]:
    """Pipes, and whatever is too large to keep."""
    paths = {name: Path(folder) / name for name in names}
    return {name for name, path in paths.items() if not path.is_dir() and (not path.is_file() or path.stat().st_size > 10**6)}


def _clear(place: Path) -> None:
    for folder, _, _ in os.walk(place):
        Path(folder).chmod(0o700)
    shutil.rmtree(place)


if __name__ == "__main__":
    sys.exit(run_driver(fuzz, __doc__, 5_000, "results"))
