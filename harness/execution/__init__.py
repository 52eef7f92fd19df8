"""Running specs: worker processes that train them, and the events they report.

events.py    the events that an executor reports, and the outcome of a run
attempt.py   one attempt at one run, which records its failure; for every executor
backlog.py   which run may start next
worker.py    a process that trains one run after another
crew.py      a pool of worker processes on this machine
local.py     the executor ``local``: a worker pool and a run queue
capacity.py  how many of them fit
"""
