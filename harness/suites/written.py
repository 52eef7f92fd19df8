"""Suites and parts of them, written as YAML."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML

_COLUMNS = 120


def yaml_text(data: Mapping[str, Any], comments: Sequence[str] = ()) -> str:
    """Data as YAML, under comments of one line each."""
    buffer = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel infers None from its default, and reads a bool
    yaml.width = _COLUMNS
    yaml.dump(dict(data), buffer)
    return "".join(f"# {' '.join(comment.split())}\n" for comment in comments) + buffer.getvalue()
