"""The settings that were found, as a part of a suite that ``harness run --set @FILE`` lays over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.runs.files import write_text_atomic
from harness.suites.written import yaml_text
from harness.tuning.parameters import Values
from harness.tuning.study import StudyDefinition
from harness.tuning.trials import method_block

BEST_FILE = "best.yaml"


def best_text(definition: StudyDefinition, settings: Values, comments: Sequence[str]) -> str:
    """The method's whole block with these settings in it, under comments.

    The block is complete: under another name it stands beside the suite's own method instead of replacing it.
    """
    block = method_block(definition.suite.methods[definition.method], settings)
    data = {"methods": {definition.method: block.model_dump(mode="json", exclude_unset=False, exclude_defaults=True)}}
    return yaml_text(data, comments)


def write_best(file: Path, definition: StudyDefinition, settings: Values, comments: Sequence[str]) -> None:
    """Write or replace the file."""
    write_text_atomic(file, best_text(definition, settings, comments))
