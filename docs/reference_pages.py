"""The pages below docs/reference that follow from what is installed: suites, methods, environments, commands, modules.

``python docs/generate.py`` writes them with the tables of other pages. Only what the harness itself brings is shown, whatever
other plugins this machine has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from harness.cli import catalogue, suite_catalogue
from harness.config.describe import Setting, describe_settings
from harness.registry import Registry, installed

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
DISTRIBUTION = "exploration-harness"
MARK = "<!-- This page is generated: python docs/generate.py -->\n"
READMES = {"atari", "classic_control", "crafter", "curiosity", "deep_sea", "dm_control", "episodic", "manipulation", "mazes"}
READMES |= {"minigrid", "procgen", "proto_rl", "rnd", "snd", "vizdoom"}
"""Plugins with a page of their own."""


def pages() -> dict[Path, str]:
    """Every page with its text."""
    registry = installed()
    makers: dict[str, Callable[[Registry], Iterator[str]]] = {
        "suites": suites,
        "methods": methods,
        "environments": environments,
        "learners": learners,
        "commands": commands,
        "suite_keys": suite_keys,
        "plugin_api": plugin_api,
    }
    return {FOLDER / f"{name}.md": MARK + "\n".join(make(registry)).rstrip() + "\n" for name, make in makers.items()}


# --------------------------------------------------------------------------------------------------------------------
# Suites
# --------------------------------------------------------------------------------------------------------------------
def suites(registry: Registry) -> Iterator[str]:
    """Each suite: what it compares, how large it is, and its profiles."""
    yield "# Every suite\n"
    yield "A suite is a file in YAML; [what may stand in one](suite_keys.md). Budgets are those without a profile."
    yield "`harness run suites/NAME.yaml --dry-run` measures what one takes on your machine; `harness list suites` knows what"
    yield "was measured before.\n"
    for entry in suite_catalogue.suites(registry, ROOT / "suites"):
        page = ROOT / "docs" / "suites" / f"{entry.suite}.md"
        yield f"## {entry.suite}\n"
        yield f"{entry.description}.{f' [What makes it hard](../suites/{entry.suite}.md).' if page.exists() else ''}\n"
        yield "| | |\n|---|---|"
        yield f"| tasks | {codes(entry.tasks)} |"
        yield f"| methods | {codes(entry.methods)} |"
        yield f"| size | {entry.seeds} seeds, {entry.runs:,} runs, {entry.steps:,} steps each |"
        yield f"| profiles | {'; '.join(profiles(Path(entry.file)))} |\n"


def profiles(file: Path) -> Iterator[str]:
    """Each profile of a suite with what it sets of the size."""
    content: dict[str, Any] = YAML(typ="safe").load(file).get("profiles") or {}
    for name, block in content.items():
        sizes = [f"{block[key]:,} {key}" for key in ("seeds", "steps") if isinstance(block.get(key), int)]
        sizes += [f"changes {key}" for key in ("tasks", "methods") if block.get(key)]
        yield f"`{name}`{f' ({join(sizes)})' if sizes else ''}"


# --------------------------------------------------------------------------------------------------------------------
# What plugins provide
# --------------------------------------------------------------------------------------------------------------------
def methods(registry: Registry) -> Iterator[str]:
    """Each method with presets and settings."""
    yield "# Every method\n"
    yield "A method is what earns a bonus: `reward: NAME` in a suite. `harness show NAME` prints the same for what is"
    yield "installed on your machine, and `harness show NAME --space` what tuning searches. The first preset is the default.\n"
    yield from overview(registry, "methods")
    for name in own(registry, "methods"):
        yield from detail(registry, "methods", name)


def environments(registry: Registry) -> Iterator[str]:
    """Each environment family with its settings."""
    yield "# Every environment family\n"
    yield "`environment: {family: NAME}` in a suite. What is known of each task, and what reaches the networks, stands on"
    yield "[the page of environments](../environments.md).\n"
    yield from overview(registry, "environments")
    for name in own(registry, "environments"):
        yield from detail(registry, "environments", name)


def learners(registry: Registry) -> Iterator[str]:
    """Algorithms with presets and settings, networks, executors, trackers."""
    yield "# Algorithms, networks, executors, trackers\n"
    for kind, words in (
        ("algorithms", "`algorithm: {name: NAME}` in a suite."),
        ("networks", "`algorithm: {network: NAME}` of on-policy algorithms."),
        ("executors", "`--executor NAME`, with settings under `executor: {NAME: ...}` in a suite."),
        ("trackers", "`--tracker NAME`, or `trackers: [NAME]` in a suite, or `trackers: {NAME: ...}` with settings."),
    ):
        yield f"## {kind.capitalize()}\n\n{words}\n"
        yield from overview(registry, kind)
        if kind != "networks":
            for name in own(registry, kind):
                yield from detail(registry, kind, name, depth=3)


def own(registry: Registry, kind: str) -> list[str]:
    """The names of what the harness itself brings of a kind, sorted."""
    provided: dict[str, Any] = getattr(registry, kind)
    return sorted(name for name, each in provided.items() if each.plugin.distribution == DISTRIBUTION)


def overview(registry: Registry, kind: str) -> Iterator[str]:
    """A table of everything of a kind."""
    yield "| name | about | source |\n|---|---|---|"
    for entry in catalogue.entries(registry, kind):
        if entry.plugin.distribution == DISTRIBUTION:
            name = f"`{entry.name}`" if kind == "networks" else f"[`{entry.name}`](#{entry.name})"
            yield f"| {name} | {cell(entry.summary)} | {cell(entry.source)} |"
    yield ""


def detail(registry: Registry, kind: str, name: str, depth: int = 2) -> Iterator[str]:
    """One thing in full: facts, presets, settings."""
    described = next(each for each in catalogue.describe(registry, name) if each.entry.kind == kind.removesuffix("s"))
    yield f"{'#' * depth} {name} {{ #{name} }}\n"
    yield f"{described.entry.summary.rstrip('.')}.\n"
    facts = {title: text for title, text in described.entry.facts.items() if text and title != "presets"}
    plugin = described.entry.plugin.name
    if plugin in READMES:
        facts["more"] = f"[its page](../../plugins/harness_{plugin}/README.md)"
    yield "".join(f"* {title}: {f'`{text}`' if title == 'class' else text}\n" for title, text in facts.items())
    if described.presets:
        yield "| preset | source | settings |\n|---|---|---|"
        for preset in described.presets:
            values = {**preset.config, **{f"combine.{key}": value for key, value in preset.combine.items()}}
            values |= {f"phases.{key}": value for key, value in preset.phases.items()}
            yield f"| `{preset.name}` | {cell(preset.source)} | {settings_in_line(values)} |"
        yield ""
    yield from settings_table(described.settings)


def settings_in_line(values: dict[str, Any]) -> str:
    """Settings with their values in one cell of a table."""
    return "<br>".join(f"`{name}: {code(json.dumps(value))}`" for name, value in values.items())


def settings_table(settings: Iterable[Setting]) -> Iterator[str]:
    """A row for each setting."""
    settings = list(settings)
    if settings:
        yield "| setting | type | default | meaning | searched |\n|---|---|---|---|---|"
    for each in settings:
        kind = f"{each.type}{f', {each.bounds}' if each.bounds else ''}"
        yield f"| `{each.name}` | {cell(kind)} | `{code(each.default)}` | {cell(each.meaning)} | {cell(each.search)} |"
    yield ""


# --------------------------------------------------------------------------------------------------------------------
# Keys of a suite, commands, modules
# --------------------------------------------------------------------------------------------------------------------
def suite_keys(registry: Registry) -> Iterator[str]:
    """Every key of a suite's file, block after block."""
    from harness.spec import Combination, EvaluationSpec, Normalisation, Precision
    from harness.suites import model
    from harness.suites.tune_block import TuneBlock

    yield "# Every key of a suite\n"
    yield "`harness schema` writes the same for editors. Keys of a family, of an algorithm and of a method are on"
    yield "[their](environments.md) [own](learners.md) [pages](methods.md).\n"
    blocks = (
        ("The file", model.Suite),
        ("tasks: {NAME: ...}", model.TaskBlock),
        ("normalise: {...}", Normalisation),
        ("algorithm: {...}", model.AlgorithmBlock),
        ("methods: {NAME: ...}", model.MethodBlock),
        ("combine: {...}", Combination),
        ("phases: {NAME: ...}", model.PhaseBlock),
        ("evaluation: {...}", EvaluationSpec),
        ("checkpoint: {...}", model.CheckpointBlock),
        ("precision: {...}", Precision),
        ("tune: {...}", TuneBlock),
    )
    for title, block in blocks:
        yield f"## {title}\n"
        top = {}
        for each in describe_settings(block):
            top.setdefault(each.name, each)
        yield from suite_table(top.values())


def suite_table(settings: Iterable[Setting]) -> Iterator[str]:
    """A row for each key, whose types are told where they are plain."""
    yield "| key | type | default | meaning |\n|---|---|---|---|"
    for each in settings:
        kind = "a block" if re.search(r"[A-Z]\w+Block", each.type) else each.type
        bounds = f", {each.bounds}" if each.bounds else ""
        default = "" if "Block" in each.type else f"`{code(each.default)}`"
        yield f"| `{each.name}` | {cell(kind + bounds)} | {default} | {cell(each.meaning)} |"
    yield ""


def commands(registry: Registry) -> Iterator[str]:
    """Every command with its arguments and options, from the parser itself."""
    from typer.main import get_command

    from harness.cli.app import app

    yield "# Every command\n"
    yield "`harness COMMAND --help` prints the same. Exit codes: 0 all good; 1 some runs failed, or something could not be"
    yield "read; 2 invalid input, nothing was started; 130 interrupted, everything is resumable.\n"
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]  # a group, which Typer's name hides
        yield f"## harness {name}\n\n{' '.join((command.help or '').split())}\n"
        yield "| | | default |\n|---|---|---|"
        for parameter in command.params:
            flags = ", ".join([*parameter.opts, *parameter.secondary_opts])
            shown = flags if flags.startswith("-") else parameter.metavar or parameter.name.upper()
            default = parameter.default
            plain = isinstance(default, (int, float, str, Path)) and not isinstance(default, bool)
            yield f"| `{shown}` | {cell(getattr(parameter, 'help', '') or '')} | {f'`{default}`' if plain else ''} |"
        yield ""


def plugin_api(registry: Registry) -> Iterator[str]:
    """Every module that plugins may import, with everything public in it."""
    yield "# What plugins may import\n"
    yield "Each of these modules is kept stable for plugins ([the list with the rule](../extending/README.md)).\n"
    text = (ROOT / "docs" / "extending" / "README.md").read_text().partition("## What a plugin may import")[2]
    for module in re.findall(r"^\| `(harness\.[\w.]+)` \|", text, re.MULTILINE):
        yield f"## {module}\n\n::: {module}\n    options:\n      show_root_heading: false\n"


# --------------------------------------------------------------------------------------------------------------------
# Text
# --------------------------------------------------------------------------------------------------------------------
def join(words: Sequence[str]) -> str:
    """Words after each other."""
    return ", ".join(words)


def codes(names: Sequence[str]) -> str:
    """Names as code, after each other."""
    return ", ".join(f"`{name}`" for name in names)


def code(text: str) -> str:
    """Text as it can stand in a table's cell between backticks."""
    return " ".join(text.split()).replace("|", "\\|")


def cell(text: str) -> str:
    """Text as it can stand in a table's cell."""
    return code(text).replace("<", "&lt;")
