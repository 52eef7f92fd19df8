"""What is said about the method: its configuration, its presets, and the kinds of environments it takes."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from harness.config import Config
from harness.config.describe import describe_settings
from harness.spec import Combination
from harness.testing.outcomes import CheckFailed, NotApplicable, require
from harness.testing.scripted_envs import ENVIRONMENT_KINDS
from harness.testing.subject import ConformanceCase, Subject


def config(subject: Subject) -> None:
    """The defaults are valid, survive JSON, and every field is described."""
    model = subject.config_class
    defaults = validated(model, validated(model, {}, "no settings").model_dump(), "the defaults")
    again = validated(model, defaults.model_dump(mode="json"), "the defaults after a way through JSON")
    require(again == defaults, "the same configuration after a way through JSON", f"{again!r} instead of {defaults!r}")
    silent = [setting.name for setting in describe_settings(model) if not setting.meaning]
    require(not silent, f"a docstring under every field of {model.__name__}", f"none under {', '.join(silent)}")


def presets(subject: Subject) -> None:
    """Every preset is valid and names its source."""
    if not subject.method.presets:
        raise NotApplicable("it has no presets")
    for preset in subject.method.presets:
        validated(subject.config_class, preset.config, f"preset {preset.name!r}")
        validated(Combination, preset.combine, f"combine of preset {preset.name!r}")
        require(preset.source.strip(), f"a source for preset {preset.name!r}", "an empty one")


def environment_kinds(subject: Subject) -> None:
    """Every kind of environment is taken, or refused by a `harness.errors.UserError` that says why."""
    cases = [ConformanceCase(subject, kind) for kind in ENVIRONMENT_KINDS]
    refusals = [case.refusal for case in cases]
    require("" not in refusals, "a message that says why a kind of environment is refused", "an empty one")
    if None not in refusals:
        raise CheckFailed(f"expected one kind of environment to be accepted, got {refusals[0]!r}")
    for case, refusal in zip(cases, refusals, strict=True):
        if refusal is None:
            case.run_rollouts(case.build(), 1)


def validated(model: type[Config], values: Any, what: str) -> Config:
    """A configuration of these values.

    Raises:
        CheckFailed: They are not valid; the message calls them ``what``.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CheckFailed(f"expected {what} to be valid, got {where}: {first['msg']}") from None
