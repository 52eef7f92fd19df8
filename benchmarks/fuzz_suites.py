"""Mutate suites, and see that each is either planned or refused in words for people, at once.

    python benchmarks/fuzz_suites.py --count 10000 --seed 0

Each case takes one of the suites that are shipped, or of those of the examples, and changes its bytes, its structure, values,
keys or options of the command line. It is read, validated and planned as ``check`` and ``run`` do, in this process. An
exception that is none of `harness.errors`, a case that takes more than five seconds of the processor, or one that fills the
memory, counts as a failure:
its suite is kept in ``--keep``. Prints the figures as one line of JSON; exits with 1 after a failure.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from watchdog import Figures, run_driver, watched

from harness.errors import UserError
from harness.planning.load import load
from harness.planning.snapshots import resolve_snapshots
from harness.suites.yaml import read_yaml
from harness.tuning.space import check_search_spaces

ROOT = Path(__file__).parents[1]

VALUES: Sequence[Any] = [
    *(None, True, False, 0, 1, -1, 2**31, 2**53, 2**63, 10**30, -(10**30), 0.5, -0.0, 1e30, 1e-300, 1.7e308),
    *("", "0", "none", "null", "0-4", "0-99999999", "@", "..", "../x", "/etc/passwd", "{task}", "{}", "%s", "\\", "*"),
    *("é", "\u202e", "\u0000", "\ufeff", "😀", "a" * 300, "x.y", "rnd", "ppo", "sac", "two_critics", "sum", "[]", "1e6", "-"),
    *([], {}, [[]], [None], {"": None}, {"a": {"b": {}}}, [1, 2, 3], ["a", "a"], {"mode": "sum"}, {"low": 1, "high": 0}),
]
KEYS = [
    "",
    "suite",
    "tasks",
    "methods",
    "steps",
    "seeds",
    "config",
    "algorithm",
    "environment",
    "profiles",
    "reward",
    "preset",
]
KEYS += ["family", "name", "combine", "phases", "once_per", "share", "snapshot", "normalise", "tune", "space", "every", "zzz"]
KEYS += ["config_by_task", "checkpoint", "evaluation", "1", "true", "null", "~", "a.b", "é", "model_config", "__class__"]
SNIPPETS = ["&a ", "*a", "!!python/object:os.system ", "? ", ": ", "- ", "---\n", "...\n", "%YAML 1.1\n", "|\n", ">-\n", "\t"]
SNIPPETS += [
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "#",
    "<<: *a",
    "\r",
    "\x00",
    "\x85",
    "\ufeff",
    "\\x",
    "@",
    "`",
    "!",
    ",",
    "1_0",
    "0o8",
]
OPTIONS = [
    "steps=VALUE",
    "seeds=VALUE",
    "tasks.x=VALUE",
    "a.b.c=VALUE",
    "algorithm.n_envs=VALUE",
    "tune.seeds=VALUE",
    ".=VALUE",
]


def suite_files() -> list[Path]:
    """The suites of this checkout."""
    return [*sorted((ROOT / "suites").glob("*.yaml")), *sorted((ROOT / "examples").glob("*/suites/*.yaml"))]


def mutate(text: str, draw: random.Random) -> bytes:
    """A suite with one to five mutations of one kind."""
    times = draw.randint(1, 5)
    if draw.random() < 0.4:
        return _mutate_bytes(text.encode(), draw, times)
    tree = YAML(typ="safe", pure=True).load(text)
    for _ in range(times):
        draw.choice([_set_value, _set_value, _drop, _add_key, _rename, _swap, _wrap])(tree, draw)
    return json.dumps(tree, ensure_ascii=draw.random() < 0.5).encode("utf-8", errors="surrogatepass")


def _mutate_bytes(data: bytes, draw: random.Random, times: int) -> bytes:
    for _ in range(times):
        at, end = sorted(draw.randrange(len(data) + 1) for _ in range(2))
        end = min(end, at + draw.choice([1, 8, 200]))
        replaced = draw.choice(
            [
                b"",
                bytes(draw.randrange(256) for _ in range(draw.randint(1, 4))),
                draw.choice(SNIPPETS).encode(),
                data[at:end] * draw.choice([2, 50]),
                str(draw.choice(VALUES)).encode(),
                b" " * draw.randint(1, 5),
            ]
        )
        data = data[:at] + replaced + data[draw.choice([at, end]) :]
    return data


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container of a tree with each of its keys."""
    found: list[tuple[Any, Any]] = []
    todo = [tree]
    while todo:
        node = todo.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        found += [(node, key) for key in keys]
        todo += [node[key] for key in keys]
    return found


def _place(tree: Any, draw: random.Random) -> tuple[Any, Any]:
    return draw.choice(_places(tree) or [({"": None}, "")])


def _set_value(tree: Any, draw: random.Random) -> None:
    node, key = _place(tree, draw)
    node[key] = _copy(draw.choice(VALUES))


def _drop(tree: Any, draw: random.Random) -> None:
    node, key = _place(tree, draw)
    del node[key]


def _add_key(tree: Any, draw: random.Random) -> None:
    node, _ = _place(tree, draw)
    if isinstance(node, dict):
        node[draw.choice(KEYS)] = _copy(draw.choice(VALUES))


def _rename(tree: Any, draw: random.Random) -> None:
    node, key = _place(tree, draw)
    if isinstance(node, dict):
        node[draw.choice([*KEYS, str(draw.choice(VALUES)), f"{key}x"])] = node.pop(key)


def _swap(tree: Any, draw: random.Random) -> None:
    (one, key), (other, name) = _place(tree, draw), _place(tree, draw)
    one[key], other[name] = _copy(other[name]), _copy(one[key])


def _wrap(tree: Any, draw: random.Random) -> None:
    node, key = _place(tree, draw)
    for _ in range(draw.choice([1, 1, 40])):
        node[key] = draw.choice([[node[key]], {"a": node[key]}])


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


def check_suite(file: Path, draw: random.Random) -> None:
    """What ``check`` and ``run`` do before anything is trained."""
    profiles = list(read_yaml(file).child("profiles").mapping)
    overrides: list[tuple[str, str]] = []
    if draw.random() < 0.3:
        key, _, _ = draw.choice(OPTIONS).partition("=")
        overrides = [(key, str(draw.choice(VALUES)))]
    seeds = str(draw.choice(VALUES)) if draw.random() < 0.1 else None
    steps = str(draw.choice(VALUES)) if draw.random() < 0.1 else None
    profile = draw.choice([*profiles, "nowhere"]) if draw.random() < 0.4 else None
    plan = load(file, profile=profile, overrides=overrides, seeds=seeds, steps=steps)
    plan = resolve_snapshots(plan)
    for run in itertools.islice(plan.runs, 20):
        run.model_validate_json(run.model_dump_json())
        assert run.path, run
    assert json.dumps({key: [source.value, source.origin] for key, source in plan.sources.items()})
    check_search_spaces(plan)


def fuzz(cases: range, seed: int, keep: Path, check: Callable[[Path, random.Random], None] = check_suite) -> Figures:
    """Try mutated suites.

    Args:
        cases: Numbers of the cases.
        seed: Seed of all of them; a case depends on its number and this alone.
        keep: Folder for suites that fail.
        check: What is done with each.
    """
    texts = [file.read_text(encoding="utf-8") for file in suite_files()]
    for name in suite_files():  # what is found out once about this machine, such as how it draws, is not a case's to wait for
        with contextlib.suppress(UserError):  # an example that is not installed
            load(name)
    figures = Figures()
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "suite.yaml"
        for case in cases:
            draw = random.Random(f"{seed}-{case}")
            content = mutate(draw.choice(texts), draw)
            file.write_bytes(content)
            problem = watched(lambda draw=draw: check(file, draw), figures)
            if problem:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"suite-{seed}-{case}.yaml").write_bytes(content)
                figures.fail(f"case {case} of seed {seed}: {problem}")
    return figures


if __name__ == "__main__":
    sys.exit(run_driver(fuzz, __doc__, 10_000, "suites"))
