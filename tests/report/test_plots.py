"""What figures look like where it decides what a reader concludes."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure
from report.synthetic import write_run, write_suite

from harness.analysis.tables import analyse
from harness.report.drawing import method_styles
from harness.report.figures import draw_pictures, inline_svgs, render_files
from harness.report.phases import phase_boundaries
from harness.report.plots import SuitePlots
from harness.runs.results import read_results
from harness.spec import PhaseSpec


def plots_of(results, marks=None) -> SuitePlots:
    return SuitePlots(analyse(read_results([results]), "synthetic", "ppo"), marks or {})


def axes_of(panel):
    axes = Figure().add_subplot()
    panel.draw(axes)
    return axes


def test_every_method_looks_different_and_the_baseline_is_grey():
    styles = method_styles([f"m{i}" for i in range(20)] + ["ppo"], "ppo")
    assert len({(style.colour, style.line) for style in styles.values()}) == 21
    red, green, blue = (int(styles["ppo"].colour[i : i + 2], 16) for i in (1, 3, 5))
    assert max(red, green, blue) - min(red, green, blue) < 20
    assert method_styles(["ppo", "b", "a"], "ppo") == method_styles(["a", "ppo", "b"], "ppo")


def test_scores_are_drawn_from_zero(tmp_path):
    write_suite(tmp_path, {"ppo": 8.0, "rnd": 9.0}, seeds=3, spread=0.1)
    plots = plots_of(tmp_path)
    assert axes_of(plots.aggregates().panels[0]).get_xlim()[0] == 0
    assert axes_of(plots.efficiency().panels[0]).get_ylim()[0] == 0
    assert axes_of(plots.task_curves().panels[0]).get_ylim()[0] == 0
    assert axes_of(plots.improvement().panels[0]).get_xlim() == (0, 1)


def test_differences_that_mean_nothing_do_not_fill_a_panel(tmp_path):
    for seed in range(3):
        for method, score in (("ppo", -0.001), ("rnd", -0.002)):
            write_run(tmp_path, "north", method, seed, curve={5_000: [0.0], 10_000: [score * (1 + seed)]})
    bottom, top = axes_of(plots_of(tmp_path).task_curves().panels[0]).get_ylim()
    assert bottom < -0.002
    assert top == pytest.approx(1.0)  # a tenth of the way from 0 to 10


def test_a_line_is_solid_only_where_all_runs_are(tmp_path):
    write_suite(tmp_path, {"ppo": 1.0}, tasks=["north"], seeds=3)
    write_run(tmp_path, "north", "ppo", 3, state="failed", steps=range(1000, 4001, 1000))
    dotted, solid = axes_of(plots_of(tmp_path).task_curves().panels[0]).get_lines()
    assert solid.get_linestyle() == "-"
    assert list(solid.get_xdata()) == [1000, 2000, 3000, 4000]
    assert list(dotted.get_xdata()) == list(range(1000, 10_001, 1000))


def test_marks_stand_behind_labels_and_in_the_legend(tmp_path):
    write_suite(tmp_path, {"ppo": 1.0, "rnd": 2.0}, seeds=3)
    plots = plots_of(tmp_path, {"rnd": " †"})
    assert list(plots.profiles().legend) == ["ppo", "rnd †"]
    labels = [text.get_text() for text in axes_of(plots.aggregates().panels[0]).get_yticklabels()]
    assert labels == ["ppo", "rnd †"]
    assert b"rnd \xe2\x80\xa0" in render_files(plots.profiles())["svg"]


def test_the_next_phase_is_marked_where_it_begins_in_the_colour_of_its_method(tmp_path):
    write_suite(tmp_path, {"ppo": 1.0}, tasks=["north"], seeds=3)
    weights = {"extrinsic_weight": 1.0, "intrinsic_weight": 1.0}
    phases = (PhaseSpec(name="a", steps=4000, **weights), PhaseSpec(name="b", steps=6000, **weights))
    write_suite(tmp_path, {"rnd": 2.0}, tasks=["north"], seeds=3, phases=phases)
    results = read_results([tmp_path])
    analysis = analyse(results, "synthetic", "ppo")
    plots = SuitePlots(analysis, {}, phase_boundaries(analysis, results.records))
    for plot in (plots.task_curves(), plots.efficiency()):
        assert plot
        upright = [line for line in axes_of(plot.panels[0]).get_lines() if set(line.get_xdata()) == {4000}]
        assert [line.get_color() for line in upright] == [plots.styles["rnd"].colour]


def test_pictures_that_are_drawn_together_are_those_that_are_drawn_one_by_one(tmp_path):
    write_suite(
        tmp_path, {"ppo": 1.0, "rnd": 2.0}, tasks=["north", "a_task_with_a_name_that_needs_more_than_one_line"], seeds=3
    )
    plots = plots_of(tmp_path, {"rnd": " †"})
    for plot in (plots.aggregates(), plots.profiles(), plots.task_curves()):
        together = draw_pictures(plot, panels=True, sheets=("svg", "png"))
        assert list(together.panels) == inline_svgs(plot)
        assert together.sheets == render_files(plot)
