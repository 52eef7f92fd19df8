"""Searching for a method's settings with Optuna: many seeds, many workers, and never on the seeds of an evaluation.

space.py     which settings are searched, and where
trials.py    from a trial's values to its runs; the seeds that only tuning uses
scores.py    from a trial's runs to its scores, partial ones included
storage.py   where a study is kept: journal, SQLite, or a database server
trial_claims.py  which process has claimed which trial, and which trials are abandoned
samplers.py  Optuna's samplers, seeded by study and trial
pruners.py   pruners that fit the order in which a trial's scores arrive
study.py     one study: opens it, checks its definition, hands out and ends its trials
active_trial.py  a trial under way
tuner.py     the loop that keeps workers busy until the budget is spent
request.py   what a study is asked for
search.py    a whole call: the search, the confirmation, the settings found
forecast.py  what a study will take
optuna_internals.py  everything of Optuna that has no public name
record.py    a study as plain data in its folder: what the report reads
confirm.py   the best trials again, on fresh seeds
false_alarms.py  how often a confirmation errs where settings make no difference
best.py      the settings recommended, as a part of a suite
"""
