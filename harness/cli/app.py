"""The application: its commands, its exit codes, and how errors are printed.

Exit codes: 0 all good; 1 some runs failed, or something could not be read; 2 invalid input, nothing was started or written;
130 interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from harness import __version__
from harness.cli import (
    bundles,
    doctor,
    licences,
    listing,
    new_suite,
    play,
    plugins,
    prune,
    report,
    results,
    run,
    suites,
    tune,
    watch,
)
from harness.cli.display.console import open_console
from harness.errors import UserError, shorten
from harness.version import source_commit

_EPILOG = (
    "Exit codes: 0 all good, 1 some runs failed or something could not be read, 2 invalid input, 130 interrupted. "
    "Environment: HARNESS_DISABLE_PLUGINS=name,name passes over plugins; NO_COLOR=1 turns colours off."
)

# Typer has no public name for the class of all mistakes on the command line; this is one of them.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


class _Interrupted(BaseException):
    """A `KeyboardInterrupt` on its way past Typer, which would end the program without a word."""


@contextmanager
def _interrupts_pass() -> Generator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise _Interrupted from None


class _Commands(TyperGroup):
    """All commands."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        with _interrupts_pass():
            return super().make_context(*arguments, **options)

    def invoke(self, *arguments: Any, **options: Any) -> Any:
        with _interrupts_pass():
            return super().invoke(*arguments, **options)


app = typer.Typer(
    cls=_Commands,
    help="Benchmark exploration bonuses on Stable-Baselines3: suites in, reports out.",
    epilog=_EPILOG,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("run")(run.run)
app.command("tune", epilog=tune.EPILOG)(tune.tune)
app.command("report")(report.report)
app.command("status")(results.status)
app.command("prune")(prune.prune)
app.command("pack")(bundles.pack)
app.command("verify")(bundles.verify)
app.command("watch")(watch.watch)
app.command("play")(play.play)
app.command("export")(play.export)
app.command("list")(listing.list_)
app.command("show")(listing.show)
app.command("doctor")(doctor.doctor)
app.command("licences")(licences.licences)
app.command("check")(suites.check)
app.command("schema")(suites.schema)
app.command("new-plugin")(plugins.new_plugin)
app.command("new-suite")(new_suite.new_suite)


def _flowing(text: str) -> str:
    """A text with each of its paragraphs in one line, so that a terminal breaks it where its own width ends."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


for each in app.registered_commands:
    each.help = _flowing(getattr(each.callback, "__doc__", None) or "")


def _print_version(wanted: bool) -> None:
    if wanted:
        commit = source_commit()
        typer.echo(f"harness {__version__}" + (f" (commit {commit})" if commit else ""))
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print version and commit, and exit.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@cache
def _commands() -> Callable[..., Any]:
    """All commands, made once: Typer itself makes them anew, from every annotation, whenever one is called."""
    return typer.main.get_command(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; a user's mistake prints one line for each thing to mend, never a traceback.

    Ctrl-C is raised as `KeyboardInterrupt`, unless the command knows what to do.

    Args:
        arguments: Those of the command line; this process's if not given.
    """
    try:
        return _commands()(args=arguments, prog_name="harness", standalone_mode=False) or 0
    except _Interrupted:
        raise KeyboardInterrupt from None
    except UserError as error:
        return _print_error(str(error))
    except _UsageError as error:
        context = getattr(error, "ctx", None)
        hint = f" (see '{context.command_path} --help')" if context else ""
        return _print_error(shorten(error.format_message().rstrip("."), most=500) + hint)  # type: ignore[attr-defined]  # the base of Typer's usage errors, of whichever Click it brings, has it


def _print_error(message: str) -> int:
    console = open_console(stderr=True)
    for line in message.splitlines():
        console.print(Text.assemble(("error: ", "bold red"), line), soft_wrap=True)
    return 2
