"""The parts of these pages that follow from data, between two marks in the page's text.

python docs/generate.py environments            # writes the table of docs/environments.md
python docs/generate.py environments --check    # exit code 1 if the page does not hold what would be written
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "environments.md"
VALIDATED = ROOT / "tests" / "fidelity" / "validated.yaml"
BEGIN, END = "<!-- generated from tests/fidelity/validated.yaml: python docs/generate.py environments -->", "<!-- end -->"
Row = dict[str, Any]


def tasks_of_suites() -> dict[str, list[str]]:
    """Every suite's tasks in the order of its file."""
    yaml = YAML(typ="safe")
    return {path.stem: list(yaml.load(path)["tasks"]) for path in sorted((ROOT / "suites").glob("*.yaml"))}


def validations() -> Iterator[tuple[str, str, Row]]:
    """Suite, task and entry for everything that the data say; tests' names are filled in."""
    known = tasks_of_suites()
    for entry in YAML(typ="safe").load(VALIDATED):
        for suite in entry["suites"]:
            for task in entry["tasks"]:
                if task in known.get(suite, ()):
                    yield suite, task, {kind: filled(entry[kind], suite, task) for kind in KINDS if kind in entry}


KINDS = ("compared", "solved", "neither")


def filled(value: Any, suite: str, task: str) -> Any:
    """A kind's fields with the placeholders of its test's name filled in."""
    if isinstance(value, str):
        return value
    return {**value, "test": value["test"].format(suite=suite, task=task)}


def table() -> str:
    """One row for each task of each suite."""
    entries = {(suite, task): entry for suite, task, entry in validations()}
    lines = ["| suite | task | compared with | in what | solved by an oracle | test |", "|---|---|---|---|---|---|"]
    for suite, tasks in tasks_of_suites().items():
        for task in tasks:
            entry = entries[suite, task]
            compared, solved = entry.get("compared"), entry.get("solved")
            files = dict.fromkeys(each["test"].partition("::")[0] for each in (compared, solved) if each)
            cells = [
                compared["with"] if compared else "nothing",
                compared["what"] if compared else entry.get("neither", ""),
                f"at least {solved['share']:.0%} of {solved['levels']}: {solved['how']}" if solved else "",
                ", ".join(f"`{file}`" for file in files),
            ]
            lines.append(f"| {suite} | `{task}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def page() -> str:
    """The page with its table made anew."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{PAGE}: the marks {BEGIN!r} and {END!r} are missing")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", choices=("environments",))
    parser.add_argument("--check", action="store_true", help="write nothing; say whether the page is current")
    options = parser.parse_args()
    new = page()
    if not options.check:
        PAGE.write_text(new)
    elif new != PAGE.read_text():
        sys.stderr.write(f"{PAGE.relative_to(ROOT)} is not current: python docs/generate.py {options.page}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
