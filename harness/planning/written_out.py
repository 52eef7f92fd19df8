"""A plan as a suite file in which every setting is written, with what gave it beside it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from harness.errors import UserError
from harness.planning.expand import TWO_CRITICS_ONLY
from harness.planning.load import load_data
from harness.planning.plan import Plan
from harness.planning.recorded import asked_for
from harness.suites.locations import KeyPath, dotted

_OWN_KEYS = ("family", "name", "preset")
"""What stands beside the settings of an environment or an algorithm."""


def written_out(plan: Plan, name: str) -> str:
    """A suite file without profiles that has the runs of a plan under another name, and every setting of theirs in it.

    Args:
        plan: The plan of a suite file.
        name: What the suite is to be called.

    Raises:
        UserError: Something in the plan cannot be written in a suite file.
    """
    data: dict[str, Any] = {**asked_for(plan.tree.to_data(), plan), "suite": name}
    data.pop("profiles", None)
    for path, value in _stated(plan):
        source = plan.sources.get(dotted(path))
        if value not in (None, []) or source is None or source.kind != "default":  # nothing is said by nothing
            _set(data, path, value)
    origins = {key: source.origin for key, source in plan.sources.items() if source.kind not in ("suite", "profile", "option")}
    methods, tasks = data["methods"], data["tasks"]
    shared = {method for method, block in methods.items() if "name" not in block["algorithm"]}
    _share(data, "algorithm", {method: methods[method]["algorithm"] for method in shared}, origins, "methods")
    family = data.get("environment", {}).get("family")
    same = {
        task: block["environment"] for task, block in tasks.items() if block["environment"].get("family", family) == family
    }
    _share(data, "environment", same, origins, "tasks")
    for block, key in [*((block, "algorithm") for block in methods.values()), *((b, "environment") for b in tasks.values())]:
        if not block[key]:
            del block[key]
    text = _as_yaml(data, origins)
    wanted = [spec.model_copy(update={"suite": name}) for spec in plan.runs]
    if [spec.digest for spec in load_data(text, plan.registry).runs] != [spec.digest for spec in wanted]:
        raise UserError(f"{plan.file}: cannot be written out so that its runs stay the same: copy it as it is written")
    return text


def _stated(plan: Plan) -> Iterator[tuple[KeyPath, Any]]:
    """Every value of the plan's blocks that a suite may say, with the place for it."""
    for block in plan.blocks:
        values = dict(block.values)
        if block.path[2:] == ("combine",):
            unused = TWO_CRITICS_ONLY if values["mode"] != "two_critics" else ("normaliser_start",)
            values = {key: value for key, value in values.items() if key not in unused}
        yield from (((*block.path, key), value) for key, value in values.items())
    suite = plan.suite.model_dump(mode="json", include={"seeds", "steps", "evaluation", "checkpoint", "stall"})
    yield from (((key,), value) for key, value in suite.items())


def _set(data: dict[str, Any], path: KeyPath, value: Any) -> None:
    *above, last = path
    for key in above:
        below = data.get(str(key))
        data[str(key)] = data = dict(cast(Mapping[str, Any], below)) if isinstance(below, Mapping) else {}
    data[str(last)] = value


def _share(
    data: dict[str, Any], key: str, blocks: Mapping[str, dict[str, Any]], origins: dict[str, str], section: str
) -> None:
    """Write what all blocks agree in once, at the top."""
    if not blocks:
        return
    first, *others = blocks.values()
    common = {one: value for one, value in first.items() if all(one in other and other[one] == value for other in others)}
    data[key] = {**dict(data.get(key) or {}), **common}
    owner = next(iter(blocks))
    for one in common:
        if origin := origins.get(dotted((section, owner, key, one))):
            origins[f"{key}.{one}"] = origin
        for block in blocks.values():
            del block[one]
    for one in [*data[key]]:
        if one not in common and one not in _OWN_KEYS and all(one in block for block in blocks.values()):
            del data[key][one]  # each says it for itself


def _as_yaml(data: Mapping[str, Any], origins: Mapping[str, str]) -> str:
    yaml, buffer = YAML(pure=True), io.StringIO()
    yaml.width = 4096
    yaml.dump(_commented(data, origins), buffer)
    return buffer.getvalue()


def _commented(data: Mapping[str, Any], origins: Mapping[str, str], path: Sequence[str] = ()) -> CommentedMap:
    """The same data, in which what a suite did not say itself is followed by what gave it."""
    found = CommentedMap()
    for key, value in data.items():
        below = (*path, key)
        if isinstance(value, Mapping) and value:
            found[key] = _commented(cast(Mapping[str, Any], value), origins, below)
            continue
        found[key] = value
        if origin := origins.get(dotted(below)):
            found.yaml_add_eol_comment(origin, key)
    return found
