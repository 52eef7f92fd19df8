"""The JSON Schema of a suite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from toy_plugin import toy_registry

from harness.registry import installed
from harness.suites.model import MethodBlock, Suite
from harness.suites.schema import DEFINITIONS, DIALECT, suite_schema

TOY = suite_schema(toy_registry())


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for child in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from nodes(child)


@pytest.fixture(scope="module", params=["toy", "installed"])
def schema(request) -> dict[str, Any]:
    return TOY if request.param == "toy" else suite_schema()


def definition(name: str) -> dict[str, Any]:
    return TOY["$defs"][name]


def names(choice: dict[str, Any]) -> dict[str, str]:
    return {option["const"]: option["description"] for option in choice["anyOf"] if "const" in option}


def settings_of(block: str, key: str, name: str) -> dict[str, Any]:
    """What follows if a block names something."""
    condition = {"properties": {key: {"const": name}}, "required": [key]}
    return next(rule["then"] for rule in definition(block)["allOf"] if rule["if"] == condition)


def test_it_is_plain_json_of_the_dialect_that_it_names(schema):
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema
    assert schema["$schema"] == DIALECT
    assert suite_schema(toy_registry()) == TOY


def test_every_reference_leads_somewhere(schema):
    references = {node["$ref"] for node in nodes(schema) if isinstance(node.get("$ref"), str)}
    assert references
    assert {reference.removeprefix(DEFINITIONS) for reference in references} <= schema["$defs"].keys()


def test_it_has_every_key_of_a_suite_with_its_meaning(schema):
    assert schema["properties"].keys() == Suite.model_fields.keys()
    for key, field in Suite.model_fields.items():
        assert field.description
        assert schema["properties"][key].get("description", field.description) == field.description
    assert set(schema["required"]) == {key for key, field in Suite.model_fields.items() if field.is_required()}
    assert schema["$defs"]["MethodBlock"]["properties"].keys() == MethodBlock.model_fields.keys()


def test_what_is_installed_can_be_chosen_and_says_what_it_is():
    assert names(definition("EnvironmentBlock")["properties"]["family"])["maze"] == "Corridors."
    assert names(definition("AlgorithmBlock")["properties"]["name"]).keys() == {"climb", "duo"}
    assert names(definition("MethodBlock")["properties"]["reward"])["novel"] == "Rewards what is new."
    assert names(definition("DuoConfig")["properties"]["network"]) == {"flat": "One layer."}


def test_a_name_brings_its_settings_and_presets():
    assert settings_of("EnvironmentBlock", "family", "maze") == {"$ref": "#/$defs/MazeConfig"}
    assert definition("MazeConfig")["properties"]["map"]["description"] == "Which maze."
    duo = settings_of("MethodAlgorithmBlock", "name", "duo")
    assert duo["$ref"] == "#/$defs/DuoConfig"
    assert names(duo["properties"]["preset"]) == {"wide": "D 2022", "deep": "E 2023"}
    novel = settings_of("MethodBlock", "reward", "novel")["properties"]
    assert names(novel["preset"]) == {"paper": "A 2020", "code": "B 2021"}
    assert {"$ref": "#/$defs/NovelConfig"} in novel["config"]["anyOf"]
    assert definition("NovelConfig")["additionalProperties"] is False


def test_a_plugin_that_cannot_be_imported_is_named_without_settings():
    assert "gone" in names(definition("EnvironmentBlock")["properties"]["family"])
    with pytest.raises(StopIteration):
        settings_of("EnvironmentBlock", "family", "gone")


def test_a_profile_is_a_suite_of_which_nothing_is_required(schema):
    profile = schema["properties"]["profiles"]["anyOf"][0]["additionalProperties"]["anyOf"][0]
    assert profile["properties"].keys() == Suite.model_fields.keys()
    parts = [profile, *(part for name, part in schema["$defs"].items() if name.startswith("partial."))]
    for part in parts:
        required = [node for node in nodes(part) if isinstance(node.get("required"), list)]
        conditions = [node["if"] for node in nodes(part) if "if" in node]
        assert all(any(node is inner for condition in conditions for inner in nodes(condition)) for node in required)


def test_a_part_of_a_suite_asks_the_same_conditions():
    for block in ("EnvironmentBlock", "AlgorithmBlock", "MethodBlock"):
        whole, part = definition(block)["allOf"], definition(f"partial.{block}")["allOf"]
        assert [rule["if"] for rule in part] == [rule["if"] for rule in whole]


SUITE = {
    "suite": "grid",
    "environment": {"family": "deep_sea", "size": 8},
    "tasks": {"small": None, "large": {"environment": {"size": 12}, "normalise": {"low": 0, "high": 1}}},
    "algorithm": {"name": "ppo", "preset": "burda2018", "n_envs": 4, "network": "sb3"},
    "methods": {
        "ppo": None,
        "rnd": {"reward": "rnd", "preset": "pechac2024", "config": {"feature_dim": 64}, "combine": "sum"},
        "wide": {"reward": "rnd", "combine": {"mode": "sum"}, "algorithm": {"n_envs": 8}},
        "phased": {
            "reward": "rnd",
            "phases": {"a": {"share": 0.5, "once_per": "size"}, "b": {"reset": ["critics"]}, "c": None},
        },
        "begun": {"reward": "rnd", "snapshot": "results/x"},
    },
    "seeds": "0-4",
    "steps": 1e5,
    "evaluation": {"every": 1000},
    "profiles": {"smoke": {"steps": 4096, "algorithm": {"n_envs": 2}, "methods": {"wide": None, "rnd": {"reward": "rnd"}}}},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("environment", "siez"), 8),
        (("environment", "size"), 1),
        (("environment", "family"), "deepsea"),
        (("tasks", "large", "environment", "siez"), 8),
        (("tasks", ".hidden"), {}),
        (("algorithm", "n_env"), 4),
        (("algorithm", "preset"), "burda"),
        (("algorithm", "network"), "sb4"),
        (("methods", "rnd", "reward"), "rdn"),
        (("methods", "rnd", "preset"), "paper"),
        (("methods", "rnd", "config", "eta2"), 1),
        (("methods", "rnd", "config", "eta"), "x"),
        (("methods", "wide", "combine"), "add"),
        (("methods", "wide", "algorithm", "n_envs"), "x"),
        (("methods", "phased", "phases", "a", "shar"), 0.5),
        (("methods", "phased", "phases", "a", "share"), 2),
        (("methods", "phased", "phases", "b", "reset"), ["critic"]),
        (("methods", "phased", "phases", "a/b"), {}),
        (("seeds",), 1.5),
        (("profiles", "smoke", "algorithm", "n_env"), 1),
        (("profiles", "smoke", "evaluation"), {"evry": 5}),
    ],
)
def test_a_validator_accepts_a_suite_and_refuses_each_mistake(path, value):
    validator = pytest.importorskip("jsonschema").Draft202012Validator(suite_schema(installed()))
    assert list(validator.iter_errors(SUITE)) == []
    wrong = json.loads(json.dumps(SUITE))
    block = wrong
    for key in path[:-1]:
        block = block[key]
    block[path[-1]] = value
    assert not validator.is_valid(wrong)
