"""Ratios of contestants that take turns, and which of them moved."""

from __future__ import annotations

from pathlib import Path

from ratios import Ratio, describe_moves, load_ratios, measure, save_ratios


def test_contestants_take_turns_and_the_first_turns_do_not_count() -> None:
    calls: list[str] = []
    ticks = iter(range(1000))
    contestants = {name: lambda name=name: calls.append(name) for name in ("ours", "theirs")}
    seconds = measure(contestants, 3, lambda: float(next(ticks)), warm_up=2)
    assert calls == ["ours", "theirs"] * 5
    assert seconds == {"ours": [1.0] * 3, "theirs": [1.0] * 3}


def test_a_ratio_is_the_median_of_turns_with_the_noise_between_them() -> None:
    ratio = Ratio.of([2.0, 3.0, 4.0, 5.0, 30.0], [1.0] * 5)
    assert (ratio.value, ratio.noise) == (4.0, 1.0)
    assert str(ratio) == "4.00 ± 1.00"


def test_only_moves_beyond_the_noise_are_told(tmp_path: Path) -> None:
    before = {"a": Ratio(2.0, 0.05), "b": Ratio(2.0, 0.05), "c": Ratio(2.0, 0.5), "d": Ratio(1.0, 0.0)}
    file = tmp_path / "ratios.json"
    save_ratios(file, {"a": before["a"]}, threads=1)
    save_ratios(file, before, threads=1)
    assert load_ratios(file, 1) == before
    assert load_ratios(file, 2) == {}
    now = {"a": Ratio(1.5, 0.05), "b": Ratio(2.6, 0.05), "c": Ratio(1.5, 0.05), "e": Ratio(1.0, 0.0)}
    worse, lines = describe_moves(before, now)
    assert worse == ["a"]
    assert [line.rsplit("  ", 1)[1] for line in lines] == ["WORSE", "better", "as before"]
