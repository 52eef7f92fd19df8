"""The parts of these pages that follow from data, between two marks in the page's text.

python docs/generate.py            # writes tables of docs/environments.md, claims.md and suites/*.md, and docs/reference
python docs/generate.py --check    # exit code 1 if a page does not hold what would be written

What is known of each task comes from tests/fidelity/validated.yaml, what reaches networks from tests/fidelity/observations.csv
(benchmarks/observations.py), what random actions earn from suites/random_success.csv (benchmarks/random_success.py), how often
intervals are right from harness/analysis/coverage.csv (benchmarks/interval_coverage.py).
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "environments.md"
VALIDATED = ROOT / "tests" / "fidelity" / "validated.yaml"
OBSERVATIONS = ROOT / "tests" / "fidelity" / "observations.csv"
RANDOM_SUCCESS = ROOT / "suites" / "random_success.csv"
CLAIMS = ROOT / "docs" / "claims.md"
COVERAGE = ROOT / "harness" / "analysis" / "coverage.csv"
NULL_COMPARISONS = {
    "verdict": "the report's verdict",
    "improvement without one half": "an interval of the probability of improvement without 0.5",
    "iqms apart": "intervals of the IQMs that do not overlap",
}
"""What may look like a difference where there is none, by its name in the table."""
BEGIN, END = "<!-- generated from {}: python docs/generate.py -->", "<!-- end -->"
Row = dict[str, Any]


def read_csv(path: Path) -> list[dict[str, str]]:
    """Rows by the names of the first line."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# --------------------------------------------------------------------------------------------------------------------
# What is known of each task
# --------------------------------------------------------------------------------------------------------------------
def suites() -> dict[str, Row]:
    """Every suite as its file has it."""
    yaml = YAML(typ="safe")
    return {path.stem: yaml.load(path) for path in sorted((ROOT / "suites").glob("*.yaml"))}


def tasks_of_suites() -> dict[str, list[str]]:
    """Every suite's tasks in the order of its file."""
    return {name: list(suite["tasks"]) for name, suite in suites().items()}


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


def tasks_table() -> str:
    """One row for each task of each suite."""
    entries = {(suite, task): entry for suite, task, entry in validations()}
    lines = [_header("suite", "task", "compared with", "in what", "solved by an oracle", "test")]
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


# --------------------------------------------------------------------------------------------------------------------
# What reaches the first layer
# --------------------------------------------------------------------------------------------------------------------
def observations_table() -> str:
    """One row for each kind of observation and each first layer; what sees the same shares a row."""
    lines = [
        _header(
            "observations", "declared", "network: algorithms", "policy, checkpoint", "method", "weight", "divided by", "range"
        )
    ]
    groups: dict[tuple[str, ...], dict[str, list[str]]] = {}
    refused: dict[str, dict[str, list[str]]] = {}
    for row in read_csv(OBSERVATIONS):
        if row["refused"]:
            refused.setdefault(row["variant"], {}).setdefault(row["network"], []).append(row["algorithm"])
            continue
        assert row["policy"] == row["checkpoint"]
        seen = tuple(row[name] for name in ("variant", "declared", "policy", "method", "layer", "scale", "low", "high"))
        groups.setdefault(seen, {}).setdefault(row["network"], []).append(row["algorithm"])
    for (variant, declared, policy, method, layer, scale, low, high), networks in groups.items():
        cells = [variant, declared, _by_network(networks), policy, method, layer, scale, f"{low} to {high}"]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "Refused before anything is trained, with the reason, because a network's layers do not fit:", ""]
    lines += [_header("observations", "network: algorithms")]
    return "\n".join([*lines, *(f"| {variant} | {_by_network(networks)} |" for variant, networks in refused.items())])


def _header(*names: str) -> str:
    """The first two lines of a table."""
    return f"| {' | '.join(names)} |\n" + "|---" * len(names) + "|"


def _by_network(networks: Mapping[str, list[str]]) -> str:
    """Algorithms by network; networks of the same algorithms together."""
    together: dict[str, list[str]] = {}
    for network, algorithms in networks.items():
        together.setdefault(", ".join(algorithms), []).append(network)
    return "; ".join(f"{', '.join(same)}: {algorithms}" for algorithms, same in together.items())


# --------------------------------------------------------------------------------------------------------------------
# What random actions earn
# --------------------------------------------------------------------------------------------------------------------
def random_table(name: str, suite: Row) -> str:
    """One row for each task of a suite: what its score of 0 stands for, and what random actions earned."""
    measured = {row["task"]: row for row in read_csv(RANDOM_SUCCESS) if row["suite"] == name and not row["profile"]}
    lines = [_header("task", "`low`", "mean return", "successes", "positive returns", "episodes", "mean length")]
    for task, settings in suite["tasks"].items():
        low = ((settings or {}).get("normalise") or {}).get("low")
        cells = [f"`{task}`", "none" if low is None else f"{low:g}", *_measured_cells(measured.get(task))]
        lines.append(f"| {' | '.join(cells)} |")
    if not measured.keys() >= suite["tasks"].keys():
        missing = " ".join(task for task in suite["tasks"] if task not in measured)
        lines += ["", f"Not measured yet (-): `python benchmarks/random_success.py suites/{name}.yaml --tasks {missing}`."]
    return "\n".join(lines)


def _measured_cells(row: Mapping[str, str] | None) -> list[str]:
    if row is None:
        return ["-"] * 5
    share = f"{100 * float(row['success']):.3g} %"
    shares = [share, ""] if row["counted"] == "success" else ["", share]
    mean = f"{float(row['mean_return']):.3g} ± {float(row['standard_error']):.2g}"
    return [mean, *shares, row["episodes"], f"{float(row['mean_length']):.0f}"]


# --------------------------------------------------------------------------------------------------------------------
# How often intervals and verdicts are right
# --------------------------------------------------------------------------------------------------------------------
def coverage_table(*, null: bool) -> str:
    """One row for each figure, kind of interval and distribution of scores; a column for each number of seeds.

    Args:
        null: Whether to show how often methods that do not differ look as if they did, instead of how often truth is held.
    """
    rows = [row for row in read_csv(COVERAGE) if (row["what"] in NULL_COMPARISONS) == null]
    seeds = sorted({int(row["seeds"]) for row in rows})
    kinds = {"expanded": "the report's", "rliable": "rliable's percentiles", "test": "exact test"}
    lines = [_header("what", "made by", "scores", "tasks", *(f"{n} seeds" for n in seeds))]
    for key in dict.fromkeys((row["what"], row["intervals"], row["scores"], row["tasks"]) for row in rows):
        rates = {int(row["seeds"]): float(row["rate"]) for row in rows if key == _key(row)}
        name = NULL_COMPARISONS.get(key[0], key[0].replace("iqm", "IQM"))
        cells = [name, kinds.get(key[1], key[1]), *key[2:], *(f"{100 * rates[n]:.1f} %" for n in seeds)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"{rows[0]['simulations']} simulated experiments for each figure."])


def _key(row: Mapping[str, str]) -> tuple[str, str, str, str]:
    return row["what"], row["intervals"], row["scores"], row["tasks"]


# --------------------------------------------------------------------------------------------------------------------
# Pages
# --------------------------------------------------------------------------------------------------------------------
def pages() -> dict[Path, str]:
    """Every page that holds a table, with its tables made anew."""
    text = replaced(PAGE, PAGE.read_text(), VALIDATED, tasks_table())
    made = {PAGE: replaced(PAGE, text, OBSERVATIONS, observations_table())}
    text = replaced(CLAIMS, CLAIMS.read_text(), COVERAGE, coverage_table(null=False))
    made[CLAIMS] = replaced(CLAIMS, text, COVERAGE, coverage_table(null=True), ", null comparisons")
    for name, suite in suites().items():
        page = PAGE.parent / "suites" / f"{name}.md"
        if page.exists():
            made[page] = replaced(page, page.read_text(), RANDOM_SUCCESS, random_table(name, suite))
    return made


def replaced(page: Path, text: str, source: Path, table: str, part: str = "") -> str:
    """A page's text with another table between the marks of its source.

    Args:
        page: Where the text is from.
        text: The whole page.
        source: The data that the mark names.
        table: What is to stand there.
        part: Words that follow the source's name in the mark, where one page has several tables of it.
    """
    begin = BEGIN.format(source.relative_to(ROOT).as_posix() + part)
    before, _, rest = text.partition(begin)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{page}: the marks {begin!r} and {END!r} are missing")
    return f"{before}{begin}\n{table}\n{END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; say which pages are not current")
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    import reference_pages

    made = {**pages(), **reference_pages.pages()}
    stale = {page: text for page, text in made.items() if not page.exists() or text != page.read_text()}
    for page, text in stale.items():
        if options.check:
            sys.stderr.write(f"{page.relative_to(ROOT)} is not current: python docs/generate.py\n")
        else:
            page.write_text(text)
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
