"""Torch's compiler, left out of processes that compile nothing.

Optimisers load it with their first parameter group, only to tell it to leave them alone: seconds of every process, and memory.
"""

from __future__ import annotations

import inspect

from torch.optim import Optimizer

_TOLD = "__dynamo_disable"
"""Where torch keeps, with a function, what it calls instead of it; there it looks before it loads the compiler."""


def leave_compiler_out() -> None:
    """Let optimisers be built, saved and loaded without `torch.compile`'s machinery; whoever compiles loads it then."""
    for method in (Optimizer.add_param_group, Optimizer.zero_grad, Optimizer.state_dict, Optimizer.load_state_dict):
        function = inspect.unwrap(method)
        if not hasattr(function, _TOLD):
            setattr(function, _TOLD, function)
