"""How many threads work on a report's arithmetic: one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_blas_thread() -> Generator[None]:
    """Within the block linear algebra has one thread, whatever the environment's variables say; afterwards as many as before.

    The matrices of resamples are small: several threads spend most of their time waiting for each other, the more so the busier
    a machine is.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        yield
