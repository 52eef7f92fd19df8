"""The command line: commands parse, call and print; what they call lives elsewhere.

app.py      the application, its exit codes and how errors are printed
options.py  what several commands take
run.py      run
tune.py     tune
launch.py   what is shown of run; tuning.py of tune
signals.py  what signals do meanwhile
results.py  status, report; live.py status --watch
watch.py    watch
suites.py   check, schema
plugins.py  new-plugin, and check for methods
new_suite.py  new-suite
doctor.py   doctor, with what it looks at in diagnosis.py and requirements.py
completion.py  what a shell completes
licences.py  licences
meanings.py what a name on the command line means
listing.py  list, show

Nothing is imported here before `main` is called, which knows what to say when it is interrupted while it imports the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; see `harness.cli.app.main`. Ctrl-C at any time prints one line.

    Args:
        arguments: Those of the command line; this process's if not given.
    """
    try:
        from harness.cli import app

        return app.main(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
