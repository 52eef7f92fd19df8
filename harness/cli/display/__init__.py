"""What people see: tables, live progress on a terminal, plain lines elsewhere.

formatting.py      numbers and durations as people read them
console.py         a terminal or not, and tables for both
progress_state.py  the progress of a suite
progress.py        that progress drawn live, or printed line by line
tuning.py          the progress of a study, likewise
states.py          the states of runs
forecast.py        what a plan will take
catalogue.py       what is installed
"""
