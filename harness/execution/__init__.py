"""Carrying runs to the processes that train them.

events.py    what an executor tells while it works, and how a run ended
attempt.py   one attempt at one run, whose failure stays with it; for every executor
backlog.py   which run may start next
worker.py    a process that trains one run after another
crew.py      workers on this machine, given one run after another
local.py     the executor ``local``: a crew and a backlog
capacity.py  how many of them fit
"""
