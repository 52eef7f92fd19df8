"""What ``report`` takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folders = Annotated[
    list[str],
    typer.Argument(
        metavar="RESULTS... or NAME=DIR...",
        help="Results directories, parts of them, or bundles of 'harness pack'; with names, their methods are kept apart.",
        show_default=False,
    ),
]
Out = Annotated[Path | None, typer.Option(help="Where to; 'report' in the first directory if not given.", show_default=False)]
Baseline = Annotated[str | None, typer.Option(help="Method that the others are compared with.", show_default=False)]
Formats = Annotated[
    str,
    typer.Option(
        "--format",
        help="Which of html, pdf (the page on paper), md, latex (a table for a paper), latex-all (every table), figures"
        " (vector files for a paper, and pictures), csv, json (for rliable and marl-eval) and npz (scores as arrays of"
        " NumPy), separated by commas.",
    ),
]
FigureFont = Annotated[
    str, typer.Option(help="With --format figures: family of the paper's font, such as STIXGeneral (Times) or cmr10.")
]
Published = Annotated[bool, typer.Option("--published", help="Lay the published numbers of these tasks beside ours.")]
PublishedFrom = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE", help="Published numbers of your own, a CSV file or a folder; repeatable.", show_default=False
    ),
]
Intervals = Annotated[
    str, typer.Option(help="expanded: intervals that hold with few seeds; rliable: the plain percentiles of rliable.")
]
EachSeed = Annotated[
    bool, typer.Option("--each-seed", help="Draw the learning curve of every seed, as a thin line below the mean.")
]
Watch = Annotated[bool, typer.Option("--watch", help="Make the report again as runs change, until all are done or Ctrl-C.")]
Cache = Annotated[
    bool,
    typer.Option("--cache/--no-cache", help="Keep what was read beside the results, for the next report; not with --out."),
]
OnlyMethods = Annotated[
    list[str] | None,
    typer.Option("--method", "-m", metavar="NAME", help="Show this method alone; repeatable.", show_default=False),
]
OnlyTasks = Annotated[
    list[str] | None,
    typer.Option("--task", "-t", metavar="NAME", help="Show this task alone; repeatable.", show_default=False),
]
Rename = Annotated[
    list[str] | None,
    typer.Option(metavar="OLD=NEW", help="Call a method something else; repeatable.", show_default=False),
]
Order = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME[,NAME...]", help="Methods in this order, the others after them; repeatable.", show_default=False
    ),
]
Compare = Annotated[
    bool, typer.Option("--compare", help="With old=DIR new=DIR: say what changed, task by task, with intervals.")
]
