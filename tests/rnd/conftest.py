"""Makes the reader of the reference numbers importable, and keeps torch to one thread: two are slower on small machines."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
torch.set_num_threads(1)
