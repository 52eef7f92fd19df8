"""Running specs: executors, worker processes that train runs, and the events they report.

executor.py        what an executor is
events.py          the events that an executor reports, and the outcome of a run
attempt.py         one attempt at one run, which records its failure; for every executor
run_queue.py       which run may start next
held_runs.py       runs that other processes have, and what becomes of them
session.py         workers that start and stop runs one by one, and the loop that trains a plan with them
carry.py           a plan's runs with any executor, those of others included
local.py           the executor ``local``
preflight.py       checks of this machine: device, results directory, replay buffers
stopping.py        the request to stop, and the signals that make it
worker_pool.py     the worker processes of this machine
worker_process.py  one of them, seen from its parent
log_tail.py        the end of what it prints
environment.py     what of this process's environment workers get
silence.py         runs that are not heard of: notices, and the suite's stall
worker.py          a process that trains one run after another
process_state.py   what a run may have changed of its process
capacity.py        how many runs fit on this machine
replay_memory.py   how many replay buffers do
forecast.py        what a plan will take
measuring.py       what one run will take, measured in a process of its own
"""
