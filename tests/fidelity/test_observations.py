"""Policy, method and checkpoint see the array that the family declares, for every family, network and algorithm installed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import prod
from typing import Any

import pytest
from observations import VARIANTS, Row, look, pairs, read_table

from harness.registry import installed

QUICK = {"classic_control", "classic_control, continuous", "deep_sea", "minigrid", "minigrid, flat", "minigrid, image"}
"""Variants that take about a second for each pair."""

SMALL_NETWORKS = {"sb3", "minigrid"}
"""Networks that are tried with every algorithm every day, and not with PPO alone."""

EXACT = ("declared", "policy", "method", "checkpoint", "layer", "scale", "refused")


@cache
def recorded() -> dict[tuple[str, str, str], Row]:
    return {(row.variant, row.network, row.algorithm): row for row in read_table()}


def sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(" x ")]


def cases() -> Iterator[Any]:
    for variant, network, algorithm in recorded():
        quick = variant in QUICK and (network in SMALL_NETWORKS or algorithm == "ppo")
        name = f"{variant}-{network}-{algorithm}".replace(" ", "_")
        yield pytest.param(variant, network, algorithm, id=name, marks=[] if quick else [pytest.mark.slow])


@pytest.mark.parametrize(("variant", "network", "algorithm"), cases())
def test_everybody_sees_the_declared_array(variant: str, network: str, algorithm: str) -> None:
    """What `look` asserts on its way, and that its findings are those of the page's table."""
    found, known = look(variant, network, algorithm), recorded()[variant, network, algorithm]
    assert {name: getattr(found, name) for name in EXACT} == {name: getattr(known, name) for name in EXACT}
    if not found.refused:
        kind, weight = found.layer.split(" ", 1)
        shape = sizes(found.policy)
        assert sizes(weight)[1] == (shape[0] if kind == "Conv2d" else prod(shape))
        for seen, once in ((found.low, known.low), (found.high, known.high)):
            assert float(seen) == pytest.approx(float(once), rel=0.1, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_pair_is_in_the_table(variant: str) -> None:
    assert [key[1:] for key in recorded() if key[0] == variant] == list(pairs(variant))


def test_every_family_network_and_algorithm_is_in_the_table() -> None:
    known = installed()
    seen = [row for row in recorded().values() if not row.refused]
    assert {VARIANTS[row.variant][0] for row in seen} == set(known.environments)
    assert {row.network for row in seen} == set(known.networks)
    assert {row.algorithm for row in seen} == set(known.algorithms)
    assert list(dict.fromkeys(row.variant for row in recorded().values())) == list(VARIANTS)


def test_shapes_are_unlucky_ones_too() -> None:
    """Images whose smallest axis is not that of the channels."""
    images = [sizes(row.policy) for row in recorded().values() if row.declared.startswith("image")]
    assert len([shape for shape in images if shape[0] > min(shape[1:])]) >= 20


def test_a_transposed_view_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Stable-Baselines3 did before: rows of the grid as channels."""
    from harness_minigrid.networks import MiniGridCNN

    features = MiniGridCNN.features
    monkeypatch.setattr(MiniGridCNN, "features", lambda self, x: features(self, x.transpose(2, 3)))
    with pytest.raises(AssertionError, match="not close"):
        look("minigrid", "minigrid", "ppo")


def test_a_second_scaling_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness_minigrid.networks import MiniGridCNN

    features = MiniGridCNN.features
    monkeypatch.setattr(MiniGridCNN, "features", lambda self, x: features(self, x / 255))
    with pytest.raises(AssertionError, match="not close"):
        look("minigrid", "minigrid", "ppo")


def test_a_method_that_looks_at_something_else_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness_rnd.reward import RND

    view = RND.view
    monkeypatch.setattr(RND, "view", lambda self, x: view(self, x)[..., ::-1].copy())
    with pytest.raises(AssertionError, match="not equal"):
        look("minigrid", "minigrid", "ppo")
