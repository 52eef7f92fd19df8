"""A suite of one's own, begun from another: as it is written, or with every setting."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from harness.planning.load import load

ROOT = Path(__file__).parents[2]
MIXED = """{suite: mixed,  # in one line
environment: {family: deep_sea, size: 4}, tasks: {n4: {}}, algorithm: {name: ppo, n_envs: 4, n_steps: 16, batch_size: 32},
methods: {both: {reward: {mix: {rnd: 1.0, counts: 0.5}}, combine: sum}, other: {algorithm: {name: dqn}}},
seeds: 0-1, steps: 2048, evaluation: {every: 512, episodes: 2}, profiles: {tiny: {steps: 1024}}}
"""


def digests(suite, **options):
    return [run.digest for run in load(suite, **options).runs]


def test_a_copy_keeps_comments_and_runs_under_its_own_name(workplace, harness):
    code, output, errors = harness("new-suite", "quick", "mine")
    assert (code, errors) == (0, "")
    assert "harness check mine.yaml" in output
    first, *lines = (workplace / "mine.yaml").read_text().splitlines()
    assert first == "# yaml-language-server: $schema=suite.schema.json"
    original = (ROOT / "suites" / "quick.yaml").read_text().splitlines()
    changed = [(old, new) for old, new in zip(original, lines, strict=True) if old != new]
    assert ("suite: quick", "suite: mine") in changed
    assert all("suites/quick.yaml" in old and "mine.yaml" in new for old, new in changed if old != "suite: quick")
    assert digests("mine.yaml") == digests("quick")
    assert load("mine.yaml").suite.suite == "mine"
    schema = json.loads((workplace / "suite.schema.json").read_text())
    jsonschema.validate(YAML(typ="safe").load((workplace / "mine.yaml").read_text()), schema)


def test_resolved_has_every_setting_with_what_gave_it(workplace, harness):
    assert harness("new-suite", "quick", "mine", "--resolved", "--profile", "smoke", "--dir", "deep")[0] == 0
    text = (workplace / "deep" / "mine.yaml").read_text()
    assert "      bonus_gamma: 0.99 # preset 'burda2018' of method 'rnd'\n" in text
    assert "  vf_coef: 0.5 # default of algorithm 'ppo'\n" in text
    assert "profiles" not in text
    assert digests("deep/mine.yaml") == digests("quick", profile="smoke")
    jsonschema.validate(YAML(typ="safe").load(text), json.loads((workplace / "deep" / "suite.schema.json").read_text()))


def test_mixtures_several_algorithms_and_flow_style_are_copied_too(workplace, harness):
    (workplace / "mixed.yaml").write_text(MIXED)
    for name, *options in (("as_written",), ("resolved", "--resolved")):
        assert harness("new-suite", "mixed.yaml", name, *options)[::2] == (0, "")
        assert digests(f"{name}.yaml") == digests("mixed.yaml")
    assert "{suite: as_written,  # in one line" in (workplace / "as_written.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("quikc", "mine"), "unknown suite 'quikc': did you mean 'quick'?"),
        (("quick", "a/b"), "cannot name a folder"),
        (("quick", "small"), "small.yaml: is there already"),
        (("quick", "mine", "--profile", "smoke"), "--profile goes with --resolved"),
        (("small.yaml", "mine", "--dir", "strange"), "suite.schema.json: is something else"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(workplace, harness, arguments, message):
    (workplace / "strange").mkdir()
    (workplace / "strange" / "suite.schema.json").write_text("{}")
    before = sorted(workplace.rglob("*"))
    code, _, errors = harness("new-suite", *arguments)
    assert code == 2
    assert message in errors
    assert sorted(workplace.rglob("*")) == before
