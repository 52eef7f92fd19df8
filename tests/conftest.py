"""Shared by all tests.

Torch has one thread, as in training; two are slower on small machines. Hypothesis has no deadline: a busy machine is no bug.
Ctrl-C counts even where tests run in a shell's background, whose processes ignore it and hand that down to theirs.
"""

from __future__ import annotations

import signal

import hypothesis
import torch

signal.signal(signal.SIGINT, signal.default_int_handler)
torch.set_num_threads(1)
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")
