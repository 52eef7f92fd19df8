"""Where axes stand: within their figure, alike, and beside each other, whatever is written around them."""

from __future__ import annotations

import matplotlib
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from harness.report.drawing import Panel, Plot, Style
from harness.report.figure_settings import PAGE, paper_settings
from harness.report.sheets import draw_sheet


def panel(title: str, top: float = 1.0) -> Panel:
    def draw(axes: Axes) -> None:
        axes.plot([0, 49_152], [0, top])
        axes.set(xlabel="steps", ylabel="mean return", ylim=(-0.03 * top, 1.03 * top))

    return Panel(title, draw)


def sheet(panels: tuple[Panel, ...], columns: int, size: tuple[float, float], settings: dict[str, object]) -> Figure:
    with matplotlib.rc_context(settings):
        legend = {f"method {i}": Style("#0173b2") for i in range(9)}
        return draw_sheet(Plot("p", "A plot", panels, legend), columns, size)


@pytest.mark.parametrize("top", [0.001, 0.99, 3.0, 1e6])
@pytest.mark.parametrize(
    ("columns", "size", "settings"),
    [
        (3, (3.7, 2.9), PAGE),
        (2, (1.6, 1.5), paper_settings("DejaVu Sans")),
        (2, (1.6, 1.9), paper_settings("DejaVu Sans")),
        (1, (3.25, 2.4), paper_settings("DejaVu Sans")),
    ],
)
def test_what_is_written_around_axes_is_inside_the_figure_and_beside_its_neighbours(columns, size, settings, top):
    figure = sheet((panel("one", top), panel("two\nlines", top / 4), panel("three", top)), columns, size, settings)
    with matplotlib.rc_context(settings):
        renderer = FigureCanvasAgg(figure).get_renderer()
        boxes = [axes.get_tightbbox(renderer) for axes in figure.axes]
        boxes += [legend.get_window_extent(renderer) for legend in figure.legends]
    width, height = figure.bbox.size
    for box in boxes:
        assert box.x0 >= -0.5 and box.y0 >= -0.5 and box.x1 <= width + 0.5 and box.y1 <= height + 0.5
    for i, box in enumerate(boxes):
        assert not any(
            other.x0 < box.x1 - 1 and box.x0 < other.x1 - 1 and other.y0 < box.y1 - 1 and box.y0 < other.y1 - 1
            for other in boxes[i + 1 :]
        )


def test_axes_have_one_size():
    figure = sheet((panel("one"), panel("two", 1e6), panel("three", 0.001)), 3, (3.7, 2.9), PAGE)
    sizes = {tuple(axes.get_window_extent().size.round(6)) for axes in figure.axes}
    assert len(sizes) == 1


def test_a_panel_that_adds_axes_of_its_own_is_laid_out_too():
    def draw(axes: Axes) -> None:
        image = axes.imshow([[0.0, 1.0], [2.0, 3.0]])
        axes.figure.colorbar(image, ax=axes)

    figure = sheet((Panel("map", draw), panel("two")), 2, (3.7, 2.9), PAGE)
    assert figure.get_layout_engine() is None
    with matplotlib.rc_context(PAGE):
        renderer = FigureCanvasAgg(figure).get_renderer()
        assert all(axes.get_tightbbox(renderer).x1 <= figure.bbox.width + 0.5 for axes in figure.axes)
