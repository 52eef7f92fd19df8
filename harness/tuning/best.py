"""The settings that were found, as a part of a suite that ``harness run --set @FILE`` lays over it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML

from harness.runs.files import write_text_atomic
from harness.tuning.parameters import Values
from harness.tuning.study import StudyDefinition
from harness.tuning.trials import method_block

BEST_FILE = "best.yaml"
_COLUMNS = 120


def best_text(definition: StudyDefinition, settings: Values, comments: Sequence[str]) -> str:
    """The method's whole block with these settings in it, under comments.

    The block is complete: under another name it stands beside the suite's own method instead of replacing it.
    """
    block = method_block(definition.suite.methods[definition.method], settings)
    data = {"methods": {definition.method: block.model_dump(mode="json", exclude_unset=False, exclude_defaults=True)}}
    buffer = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel infers None from its default, and reads a bool
    yaml.width = _COLUMNS
    yaml.dump(data, buffer)
    return "".join(f"# {' '.join(comment.split())}\n" for comment in comments) + buffer.getvalue()


def write_best(file: Path, definition: StudyDefinition, settings: Values, comments: Sequence[str]) -> None:
    """Write or replace the file."""
    write_text_atomic(file, best_text(definition, settings, comments))
