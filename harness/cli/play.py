"""``play`` and ``export``: what a run has learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.display.console import open_console
from harness.cli.options import AsJson, print_json
from harness.errors import UserError

if TYPE_CHECKING:
    from harness.play.playing import Played

RunPath = Annotated[
    Path, typer.Argument(metavar="RUN", help="Folder of a run, the one with its run.json.", show_default=False, readable=False)
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]


def play(
    run: RunPath,
    episodes: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000, help="Episodes; as many as the run's own if not given.", show_default=False),
    ] = None,
    deterministic: Annotated[
        bool | None,
        typer.Option(
            "--deterministic/--sampled",
            help="Take the likeliest actions, or sample them; as the run's evaluations do if not given.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        list[int] | None,
        typer.Option(
            "--seed", min=0, help="Instead of the seeds of the run's last evaluation; repeatable.", show_default=False
        ),
    ] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Cut episodes after so many steps.", show_default=False)] = None,
    device: Device = "auto",
    show: Annotated[bool, typer.Option("--show", help="Show an episode in the terminal.")] = False,
    window: Annotated[bool, typer.Option("--window", help="Show an episode in a window of the desktop.")] = False,
    video: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Film an episode: FILE.gif, or FILE.mp4.", show_default=False)
    ] = None,
    strip: Annotated[
        bool, typer.Option("--strip", help="Keep pictures of an episode beside the results, for 'harness report'.")
    ] = False,
    episode: Annotated[int, typer.Option(min=1, help="The episode that is shown or filmed.")] = 1,
    fps: Annotated[float, typer.Option(min=0.1, max=120, help="Pictures per second.")] = 15.0,
    as_json: AsJson = False,
) -> int:
    """Play episodes with the policy that a run has learned so far, and print what they return.

    A run that is finished plays the episodes of its last evaluation again, to the same returns. Nothing in its folder is
    changed, and a run that is going on is not disturbed.
    """
    from harness import experiment
    from harness.cli.display.playing import Screen, as_document, print_played

    if as_json and (show or window):
        raise UserError("--json prints nothing but JSON; leave out --show or --window, or --json")
    if show and window:
        raise UserError("--show and --window: choose one")
    console = open_console()
    screen = Screen(console, fps, window=window, title=run.as_posix()) if show or window else None
    try:
        played: Played = experiment.play(
            run,
            episodes=episodes,
            deterministic=deterministic,
            seeds=seeds or (),
            max_steps=max_steps,
            device=device,
            filmed=episode - 1,
            video=video,
            fps=fps,
            strip=strip,
            on_frame=screen.show if screen else None,
            on_wait=None if as_json else lambda notice: open_console(stderr=True).print(notice),
        )
    finally:
        if screen:
            screen.close()
    if as_json:
        print_json(as_document(played))
    else:
        print_played(console, played)
    return 0


def export(
    run: RunPath,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.zip",
            help="Where to; named after task, method and seed, in this folder, if not given.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Write the policy of a run as a zip file that Stable-Baselines3 opens, such as with 'PPO.load(FILE)'.

    The environments must show it what the run's have shown: images with channels first, and vectors as they are.
    """
    from harness import experiment

    exported = experiment.export(run, out)
    if as_json:
        document = {"file": str(exported.file), "class": f"{exported.module}.{exported.algorithm}"}
        print_json({**document, "needs": list(exported.needs), "notes": list(exported.notes)})
        return 0
    console = open_console()
    console.print(f"exported: {exported.file}", soft_wrap=True)
    where = f"; {' and '.join(exported.needs)} must be installed there" if exported.needs else ""
    console.print(f"opened by: {exported.module}.{exported.algorithm}.load({str(exported.file)!r}){where}", soft_wrap=True)
    for note in exported.notes:
        console.print(f"note: {note}", soft_wrap=True)
    return 0
