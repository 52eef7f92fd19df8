"""The command line: commands parse, call and print; what they call lives elsewhere.

app.py      the application, its exit codes and how errors are printed
options.py  what several commands take
run.py      run
tune.py     tune
results.py  status, report
suites.py   check, schema
plugins.py  new-plugin, and check for methods
listing.py  list, show
"""

from harness.cli.app import main

__all__ = ["main"]
