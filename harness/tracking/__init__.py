"""Runs followed elsewhere while they train: what a tracker is, the process it works in, and how nothing of it harms a run.

base.py       the interface of a tracker, and what it is told of a run
protocol.py   the messages between a run and the process of its tracker
process.py    that process: it makes the tracker and hands it one message after another
link.py       the run's end: a bounded queue, and the time after which the run goes on without its tracker
inline.py     the harness's own tracker, which writes in the process of the run
followers.py  all trackers of one run
identity.py   by what name each tracker knows the run, kept beside it
reports.py    a finished report, handed to the trackers
"""
