"""The JSON Schema of a suite, for completion and checks in an editor.

It names what is installed: every environment family, algorithm, network, method and preset, with the settings of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from harness.errors import PluginError
from harness.registry import Provided, Registry, installed
from harness.registry.hooks import Algorithm, Method
from harness.suites.model import MixBlock, ProductBlock, Suite

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DEFINITIONS = "#/$defs/"

Json = dict[str, Any]


def suite_schema(registry: Registry | None = None) -> Json:
    """The schema (JSON Schema, draft 2020-12) of a suite file, as plain data.

    Args:
        registry: What is installed by default. A plugin whose configuration cannot be imported is left out.
    """
    registry = registry or installed()
    families, algorithms, methods = map(
        partial(_config_classes, registry), (registry.environments, registry.algorithms, registry.methods)
    )
    with_settings = {name: found for name, found in registry.executors.items() if found.description.config}
    executors = _config_classes(registry, with_settings)
    trackers = _config_classes(registry, {n: each for n, each in registry.trackers.items() if not each.description.inline})
    configs = dict.fromkeys(
        [*families.values(), *algorithms.values(), *methods.values(), *executors.values(), *trackers.values()]
    )
    references, document = models_json_schema([(model, "validation") for model in (Suite, *configs)])
    definitions = document["$defs"]
    for model in configs:  # presets may give what a configuration requires
        _definition(definitions, references[model, "validation"]).pop("required", None)

    def references_to(models: Mapping[str, type[BaseModel]]) -> dict[str, Json]:
        return {name: references[model, "validation"] for name, model in models.items()}

    _add_environments(definitions, registry, references_to(families))
    _add_algorithms(definitions, registry, references_to(algorithms))
    _add_methods(definitions, registry, references_to(methods))
    _add_executors(definitions, references_to(executors))
    _add_trackers(definitions, registry, references_to(trackers))
    parts = {_partial_name(name): _partial(schema) for name, schema in definitions.items()}
    suite = definitions.pop("Suite")
    profile = {"anyOf": [parts.pop(_partial_name("Suite")), {"type": "null"}]}
    suite["properties"]["profiles"]["anyOf"][0]["additionalProperties"] = profile
    return {"$schema": DIALECT, **suite, "$defs": {**definitions, **parts}}


def _config_classes(registry: Registry, provided: Mapping[str, Provided[Any]]) -> dict[str, type[BaseModel]]:
    models: dict[str, type[BaseModel]] = {}
    for name, found in provided.items():
        with suppress(PluginError):
            models[name] = registry.config_class(found.description)
    return models


# --------------------------------------------------------------------------------------------------------------------
# The blocks whose keys depend on what they name
# --------------------------------------------------------------------------------------------------------------------
def _add_environments(definitions: Json, registry: Registry, references: Mapping[str, Json]) -> None:
    block = definitions["EnvironmentBlock"]
    block["properties"]["family"] |= _choice(_summaries(registry.environments))
    _allow_settings(definitions, block, "family", references)
    of_a_method = definitions["MethodEnvironmentBlock"]
    of_a_method.pop("additionalProperties")
    of_a_method |= {"allOf": [{"anyOf": [{}, *references.values()]}], "unevaluatedProperties": False}


def _add_algorithms(definitions: Json, registry: Registry, references: Mapping[str, Json]) -> None:
    for reference in references.values():
        properties = _definition(definitions, reference)["properties"]
        if "network" in properties:
            properties["network"] |= _choice(_summaries(registry.networks))
    settings = {
        name: {**reference, "properties": {"preset": _presets(registry, registry.algorithm(name))}}
        for name, reference in references.items()
    }
    for block in (definitions["AlgorithmBlock"], definitions["MethodAlgorithmBlock"]):
        block["properties"]["name"] |= _choice(_summaries(registry.algorithms))
        _allow_settings(definitions, block, "name", settings)


def _add_methods(definitions: Json, registry: Registry, references: Mapping[str, Json]) -> None:
    block = definitions["MethodBlock"]
    names = _choice({**_summaries(registry.methods), "none": "No bonus: the baseline."})["anyOf"]
    mixtures = [{"$ref": f"{DEFINITIONS}{model.__name__}"} for model in (MixBlock, ProductBlock)]
    by_sign = {"type": "string", "pattern": "[+*]", "description": "Several methods, with + or * between their names."}
    block["properties"]["reward"] |= {"anyOf": [*names, by_sign, *mixtures]}
    block["allOf"] = [
        _if_named(
            "reward",
            name,
            {
                "properties": {
                    "config": {"anyOf": [reference, {"type": "null"}]},
                    "preset": _presets(registry, registry.method(name)),
                }
            },
        )
        for name, reference in references.items()
    ]


def _add_executors(definitions: Json, references: Mapping[str, Json]) -> None:
    settings = {name: {"anyOf": [reference, {"type": "null"}]} for name, reference in references.items()}
    executor = definitions["Suite"]["properties"]["executor"]
    executor["anyOf"][0] = {"type": "object", "properties": settings, "additionalProperties": False}


def _add_trackers(definitions: Json, registry: Registry, references: Mapping[str, Json]) -> None:
    inline = {name: {"type": "null"} for name in registry.trackers if name not in references}
    settings = inline | {name: {"anyOf": [reference, {"type": "null"}]} for name, reference in references.items()}
    trackers, name = definitions["Suite"]["properties"]["trackers"], _choice(_summaries(registry.trackers))
    by_name = {"type": "object", "properties": settings, "additionalProperties": False}
    trackers["anyOf"] = [by_name, {"type": "array", "items": name}, *name["anyOf"], {"type": "null"}]


def _allow_settings(definitions: Json, block: Json, name_key: str, settings: Mapping[str, Json]) -> None:
    """Let a block take the keys of what it names; or, if it names nothing, of anything that it may inherit."""
    for reference in settings.values():
        _definition(definitions, reference).pop("additionalProperties", None)
    nothing_named = {"if": {"not": {"required": [name_key]}}, "then": {"anyOf": [{}, *settings.values()]}}
    block["allOf"] = [*(_if_named(name_key, name, keys) for name, keys in settings.items()), nothing_named]
    block.pop("additionalProperties")
    block["unevaluatedProperties"] = False


def _if_named(key: str, name: str, then: Json) -> Json:
    return {"if": {"properties": {key: {"const": name}}, "required": [key]}, "then": then}


# --------------------------------------------------------------------------------------------------------------------
# Small parts
# --------------------------------------------------------------------------------------------------------------------
def _definition(definitions: Json, reference: Json) -> Json:
    return definitions[reference["$ref"].removeprefix(DEFINITIONS)]


def _summaries(provided: Mapping[str, Provided[Any]]) -> dict[str, str]:
    return {name: found.description.summary for name, found in provided.items()}


def _presets(registry: Registry, description: Method | Algorithm) -> Json:
    return _choice({name: preset.source for name, preset in registry.presets(description).items()})


def _choice(described: Mapping[str, str]) -> Json:
    """One of some names, or null; each carries its description, which an ``enum`` could not."""
    names: list[Json] = [{"const": name, "description": text} for name, text in described.items()]
    return {"anyOf": [*names, {"type": "null"}]}


def _partial_name(name: str) -> str:
    return f"partial.{name}"


def _partial(schema: Any) -> Any:
    """The schema of a part, in which nothing is required; conditions stay as they are."""
    if isinstance(schema, list):
        return [_partial(entry) for entry in cast(list[Any], schema)]
    if not isinstance(schema, dict):
        return schema
    entries = cast(dict[str, Any], schema)
    changed = {key: value if key == "if" else _partial(value) for key, value in entries.items() if key != "required"}
    if "$ref" in changed:
        changed["$ref"] = DEFINITIONS + _partial_name(changed["$ref"].removeprefix(DEFINITIONS))
    return changed
