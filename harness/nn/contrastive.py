"""InfoNCE at many positions at once, in bounded memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

MAX_LOGITS = 2**23
"""Logits that exist at one time, 32 MiB in float32: 32 positions of a batch of 512."""


def positionwise_info_nce(queries: Tensor, keys: Tensor) -> Tensor:
    """Mean over positions p and samples n of ``-log softmax_m(queries[p, n] . keys[p, m])`` at ``m = n``.

    The gradient of a chunk of positions is known as soon as its loss is, so both are computed together and the logits are
    forgotten: `MAX_LOGITS` of the P * N * N, or one position's, exist at a time, and none during the backward pass.

    Args:
        queries: ``(P, N, C)``.
        keys: ``(P, N, C)``; those of the other samples at the same position are the negatives.
    """
    return _PositionwiseInfoNCE.apply(queries, keys)  # type: ignore[no-any-return]  # torch leaves apply without types


class _PositionwiseInfoNCE(Function):
    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor) -> Tensor:
        positions, samples, _ = queries.shape
        gradients = [
            torch.empty_like(side, memory_format=torch.contiguous_format) if needed else None
            for side, needed in zip((queries, keys), ctx.needs_input_grad, strict=True)
        ]
        loss = queries.new_zeros(())
        step = max(1, MAX_LOGITS // samples**2)
        for start in range(0, positions, step):
            part = slice(start, start + step)
            outputs = [None if gradient is None else gradient[part] for gradient in gradients]
            loss += _chunk(queries[part], keys[part], outputs, positions * samples)
        ctx.save_for_backward(*gradients)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, Tensor | None]:  # type: ignore[override]  # torch declares *grads, and gives one an output
        queries, keys = (None if gradient is None else gradient * upstream for gradient in ctx.saved_tensors)
        return queries, keys


def _chunk(queries: Tensor, keys: Tensor, gradients: list[Tensor | None], terms: int) -> Tensor:
    """The chunk's share of the loss, a mean of so many terms; its gradients are written where there is room for them."""
    logits = queries @ keys.mT
    diagonal = logits.diagonal(dim1=1, dim2=2)
    normaliser = logits.logsumexp(2)
    loss = (normaliser - diagonal).sum() / terms
    by_queries, by_keys = gradients
    if by_queries is None and by_keys is None:
        return loss
    by_logits = logits.sub_(normaliser.unsqueeze(2)).exp_()  # softmax, in the memory of the logits
    diagonal.sub_(1)
    by_logits.div_(terms)
    if by_queries is not None:
        torch.bmm(by_logits, keys, out=by_queries)
    if by_keys is not None:
        torch.bmm(by_logits.mT, queries, out=by_keys)
    return loss
