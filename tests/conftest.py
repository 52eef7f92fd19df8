"""Shared by all tests.

Torch has one thread, as in training; two are slower on small machines. Hypothesis has no deadline: a busy machine is no bug.
"""

from __future__ import annotations

import hypothesis
import torch

torch.set_num_threads(1)
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")
