"""How many threads work on a report's arithmetic: one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_blas_thread() -> Generator[None]:
    """Within the block linear algebra has one thread, whatever environment variables say; afterwards as many as before.

    Matrices of resamples are small: several threads spend most of their time waiting for each other, on a busy machine above
    all.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        yield
