"""The methods that come with the harness."""

from __future__ import annotations

from collections.abc import Sequence

from harness.registry import installed


def first_party_methods() -> list[str]:
    """Their names, sorted."""
    return sorted(name for name, method in installed().methods.items() if method.plugin.distribution == "exploration-harness")


def on_policy(methods: Sequence[str]) -> list[str]:
    """Those of them that on-policy learners can train with."""
    return [name for name in methods if "on_policy" in installed().method(name).works_with]
