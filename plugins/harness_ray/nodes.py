"""Whether the nodes of a cluster can train at all: each is asked once for its version of the harness."""

from __future__ import annotations

import re
from typing import Any

from harness import __version__
from harness.errors import UserError, printable

_ANSWER_SECONDS = 60.0
"""Time in which a node may start a worker and import; one that is slower is believed."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def check_nodes() -> None:
    """Ask every node that is there, all at once.

    Raises:
        UserError: A node cannot load the harness, or has another version of it; tells the node and what would be right.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from harness_ray import task

    ask: Any = ray.remote(task.version)
    asked: dict[Any, str] = {}
    for node in ray.nodes():
        if node["Alive"]:
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            answer = ask.options(num_cpus=0, max_retries=0, scheduling_strategy=there).remote()
            asked[answer] = printable(str(node["NodeManagerHostname"]))
    for answer in ray.wait(list(asked), num_returns=len(asked), timeout=_ANSWER_SECONDS)[0]:
        _check_answer(answer, asked[answer])


def _check_answer(answer: Any, host: str) -> None:
    import ray
    import ray.exceptions

    remedy = "Ray must be started there with the Python in which the same harness is installed as here"
    try:
        version: Any = ray.get(answer)
    except ray.exceptions.NodeDiedError:  # whoever asks for room next no longer counts it
        return
    except ray.exceptions.RayError as error:
        raise UserError(f"node {host} of the Ray cluster cannot load the harness: {cause_of(error)}; {remedy}") from None
    if version != __version__:
        raise UserError(
            f"node {host} of the Ray cluster has harness {printable(str(version), 40)}, this machine {__version__}; {remedy}"
        )


def cause_of(error: Exception) -> str:
    """Why a task failed, in one line: what its function raised, which Ray puts last, or the first sentence of Ray's own."""
    import ray.exceptions

    text = without_colours(str(error)).strip() or type(error).__name__
    if isinstance(error, ray.exceptions.RayTaskError):
        return printable(text.splitlines()[-1])
    return printable(" ".join(text.split()).partition(". ")[0])


def without_colours(text: str) -> str:
    """A message of Ray's without the codes that colour it on a terminal."""
    return _COLOUR.sub("", text)
