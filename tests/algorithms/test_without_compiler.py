"""Torch's compiler is not loaded by processes that compile nothing."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import torch
from harness.algorithms.lean_adam import use_lean_adam
from harness.algorithms.without_compiler import leave_compiler_out

leave_compiler_out()
layer = torch.nn.Linear(3, 2)
optimizer = torch.optim.Adam(layer.parameters())
use_lean_adam(optimizer)
for _ in range(2):
    optimizer.zero_grad()
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
print("torch._dynamo" in sys.modules)
assert torch.compile(lambda x: x + 1, backend="eager")(torch.ones(1)).item() == 2
print("torch._dynamo" in sys.modules)
"""


def test_an_optimiser_is_built_stepped_saved_and_loaded_without_it_and_compiling_works_afterwards() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False", "True"]
