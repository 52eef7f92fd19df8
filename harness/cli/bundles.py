"""``pack`` and ``verify``: evidence in one file, and whether it is true."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from harness.cli.display.console import open_console
from harness.cli.options import MAX_WORKERS
from harness.errors import UserError, plural

if TYPE_CHECKING:
    from harness.bundles.verifying import Verification
    from harness.execution.events import RunEvent
    from harness.report.folders import NamedFolder

_MAX_SEED = 2**63 - 1
_WORDS = {
    "same": ("same", "green"),
    "explained": ("explained", "green"),
    "undecided": ("undecided", "yellow"),
    "different": ("DIFFERENT", "red"),
    "failed": ("FAILED", "red"),
}


def pack(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="A results directory, or a part of it.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The bundle; NAME.zip here if not given.", show_default=False),
    ] = None,
) -> int:
    """Write the data of results into one checksummed file that others can report on and verify.

    It holds records, tables, plans, resolved suites, studies and the report's text: nothing that runs, and no weights. The
    same results give the same bytes; the digest that is printed names their content.
    """
    from harness import experiment

    console = open_console()
    file = out or Path(f"{results.resolve().name or 'results'}.zip")
    found = experiment.pack(results, file)
    studies = f" and {found.studies} of tuning" if found.studies else ""
    console.print(
        f"bundle: {found.file}, {plural(found.runs, 'run')}{studies} in {plural(found.members, 'file')}, {found.size:,} bytes",
        soft_wrap=True,
    )
    console.print(f"digest: {found.digest}", soft_wrap=True)
    return 0


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="What 'harness pack' wrote.", show_default=False)],
    share: Annotated[float, typer.Option(help="Share of its finished runs to train again, at least one.")] = 0.1,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, max=_MAX_SEED, help="Of the draw of these runs; a new one each time if not given.", show_default=False
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", "-w", min=1, max=MAX_WORKERS, help="Runs at a time; one per core if not given.", show_default=False
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> int:
    """Train a random share of a bundle's runs again, and say run by run whether the numbers are the same.

    With the same versions on the same kind of machine they must be the same to the digit; on others, within what the cell's
    other seeds explain. Everything in it is checked against itself first. The exit code is 1 where anything is not as it
    should be, and 2 where the file is no bundle, or was cut or changed since it was packed.
    """
    from harness import experiment
    from harness.cli.signals import stop_on_signals
    from harness.execution.stopping import StopRequest

    console, stop = open_console(), StopRequest()
    draw = secrets.randbelow(2**31) if seed is None else seed

    def on_drawn(names: Sequence[str]) -> None:
        console.print(f"training {plural(len(names), 'run')} again (--seed {draw}): {', '.join(names)}", soft_wrap=True)

    with stop_on_signals(stop, lambda: True):
        found = experiment.verify(
            bundle,
            share=share,
            seed=draw,
            workers=workers,
            device=device,
            on_drawn=on_drawn,
            on_event=lambda event: _print_event(console, event),
            stop=stop,
        )
    _print(console, found)
    return 130 if found.interrupted else 0 if found.good else 1


def _print_event(console: Console, event: RunEvent) -> None:
    from harness.execution.events import RunEnded

    if isinstance(event, RunEnded):
        console.print(Text(f"{event.outcome.ending:9} {event.outcome.spec.label}"), soft_wrap=True)


def _print(console: Console, found: Verification) -> None:
    for line in found.contradictions:
        console.print(Text(f"contradiction: {line}", style="red"), soft_wrap=True)
    for line in found.untrainable:
        console.print(Text(f"cannot be trained here: {line}", style="yellow"), soft_wrap=True)
    for run in found.runs:
        word, style = _WORDS[run.finding]
        builds = f"; another build ({'; '.join(run.builds)})" if run.builds else "; the same build"
        built = "" if run.finding == "failed" else builds
        console.print(Text(f"{word:9}  {run.name}  {run.detail}{built}", style=style), soft_wrap=True)
    right = sum(run.good for run in found.runs)
    able, wrong = found.finished - len(found.untrainable), plural(len(found.contradictions), "contradiction")
    console.print(
        f"{right} of {plural(len(found.runs), 'run')} as in the bundle, drawn from {able} that can be trained here; {wrong};"
        f" digest {found.digest}",
        soft_wrap=True,
    )


@contextmanager
def bundles_as_folders(
    roots: Sequence[Path | NamedFolder], out: Path | None
) -> Generator[tuple[list[Path | NamedFolder], Path | None]]:
    """Results directories in the place of bundles, and the folder of their report.

    Bundles lie in a temporary folder meanwhile, which is the working directory, so that no report tells where that was.

    Args:
        roots: Results directories and bundles, as they were given.
        out: Folder of the report as it was given; ``None`` for the usual place, which is beside a bundle.
    """
    from dataclasses import replace

    from harness.bundles.manifest import ENDING

    files = [one if isinstance(one, Path) else one.path for one in roots]
    packed = [file.suffix == ENDING and file.is_file() for file in files]
    if not any(packed):
        yield list(roots), out
        return
    place = out or (files[0].with_name(f"{files[0].stem}-report") if packed[0] else files[0] / "report")
    with ExitStack() as stack:
        found: list[Path | NamedFolder] = []
        work = stack.enter_context(_temporary_folder())
        for index, (one, file, is_bundle) in enumerate(zip(roots, files, packed, strict=True)):
            path = _unpack(file, work, index) if is_bundle else file.absolute()
            found.append(path if isinstance(one, Path) else replace(one, path=path))
        absolute = place.absolute()
        stack.enter_context(contextlib.chdir(work))
        yield found, absolute


@contextmanager
def _temporary_folder() -> Generator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="harness-bundle-") as place:
        yield Path(place)


def _unpack(file: Path, work: Path, index: int) -> Path:
    """Unpack a bundle, and return its folder as it is seen from the working directory."""
    from harness.bundles.unpacking import unpack

    place = work / f"bundle-{index + 1}"
    place.mkdir()
    return unpack(file, place).folder.relative_to(work)


def refuse_to_watch(roots: Sequence[Path | NamedFolder]) -> None:
    """Refuse to look again and again at what never changes."""
    from harness.bundles.manifest import ENDING

    for one in roots:
        path = one if isinstance(one, Path) else one.path
        if path.suffix == ENDING and path.is_file():
            raise UserError(f"--watch: {path} is a bundle, which does not change")
