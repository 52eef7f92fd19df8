"""Published settings are valid, and say what the method's code has by default nowhere else."""

from __future__ import annotations

import pytest

from harness.registry import installed
from harness.spec import Combination

METHODS = ("counts", "pseudo_counts", "ngu", "ride", "e3b", "noveld", "re3", "apt", "icm_apt")
PRESETS = [(name, preset) for name in METHODS for preset in installed().presets(installed().method(name))]


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_every_preset_is_valid_and_names_its_source(name: str, preset: str) -> None:
    method = installed().method(name)
    chosen = installed().presets(method)[preset]
    config = installed().config_class(method).model_validate(chosen.config)
    assert chosen.config.items() <= config.model_dump(mode="json").items()
    assert Combination.model_validate(chosen.combine).mode == "sum"
    assert "@" in chosen.source or "arXiv" in chosen.source or chosen.source.split()[0] in ("RLLTE", "RE3", "a", "the", "APT")


@pytest.mark.parametrize(("name", "preset"), [("ride", "raileanu2020"), ("noveld", "bebold"), ("e3b", "henaff2022")])
def test_sums_are_bounded_where_the_authors_bound_them(name: str, preset: str) -> None:
    combine = installed().presets(installed().method(name))[preset].combine
    assert Combination.model_validate(combine).clip_total == 1


def test_only_methods_without_episodic_memory_work_off_policy() -> None:
    off_policy = {name for name in METHODS if "off_policy" in installed().method(name).works_with}
    assert off_policy == {"re3", "apt", "icm_apt"}
