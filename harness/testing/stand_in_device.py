"""A device that is none: it computes on the CPU, and is as strict as a GPU about what may be mixed with what.

Tensors carry a mark of where they are said to be, which every call of torch hands on to its results. What a GPU would refuse
is refused here: tensors of both places in one call, a generator of the other place, NumPy's view of a tensor that is away.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

STAND_IN = torch.device("cpu", 1)
"""What the device is called; no machine has a second one of these."""

_CPU = torch.device("cpu")
_MARK = "_harness_stand_in"
_GENERATOR = torch.Generator
_MAKE_SUBCLASS = Tensor._make_subclass
_MAY_MIX = {"copy_", "__setitem__", "set_data", "_has_compatible_shallow_copy_type"}
_INDEXING = {"__getitem__"}
_NO_VIEW = {"numpy", "__array__"}
_NO_RESULT = {"item", "tolist", "__bool__", "__float__", "__int__", "__index__", "__len__", "__repr__", "__format__"}


class WrongDevice(RuntimeError):
    """Something that a GPU would refuse."""


class StandInGenerator(_GENERATOR):
    """A generator that remembers for which of the two places it was made."""

    stand_in: bool

    def __new__(cls, device: Any = "cpu") -> Any:
        """Make a generator on the CPU, whatever the device is called."""
        make: Any = _GENERATOR.__new__
        made = make(cls, "cpu")
        made.stand_in = _is_stand_in(device)
        return made

    def __init__(self, device: Any = "cpu") -> None:
        """Nothing is left to do."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]  # a property in C, which its description makes an attribute
        """The place for which it was made."""
        return STAND_IN if self.stand_in else _CPU


@contextmanager
def stand_in_device() -> Generator[torch.device]:
    """Let `STAND_IN` be a device during a block, in which torch must not use a real GPU.

    Yields:
        The device, by which tensors are said to be away.
    """
    torch.Generator = StandInGenerator  # made by a class, which no mode of torch sees
    setattr(Tensor, "_make_subclass", staticmethod(_make_subclass))  # noqa: B010  # nor are parameters that are made
    try:
        with _StandInMode():
            yield STAND_IN
    finally:
        torch.Generator = _GENERATOR
        del Tensor._make_subclass


class _StandInMode(TorchFunctionMode):
    """Keeps the marks and looks at every call."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Look at one call of torch, make it on the CPU, and mark what comes out."""
        options, name = dict(kwargs or {}), _name(func)
        if name == "device" and func is not torch.device:
            return STAND_IN if _is_away(args[0]) else func(*args, **options)
        if name in _NO_VIEW and _is_away(args[0]):
            raise WrongDevice(f"{name}: NumPy cannot look at a tensor on a device; move it by .cpu() first")
        target, given, options = _without_device(name, args, options)
        tensors = list(_tensors((given, options)))
        away = [one for one in tensors if _is_away(one)]
        if name in ("to", "cpu", "cuda", "type", "type_as") and target is not None:
            return _moved(func(*given, **options), args[0], target)
        _check_mixture(name, tensors, away, args)
        there = bool(away) if target is None else target == STAND_IN
        _check_generator(name, options.get("generator"), there)
        result = func(*given, **options)
        if name == "set_data":
            _mark(args[0], _is_away(args[1]))
        if there and name not in _NO_RESULT:
            for one in _tensors(result):
                _mark(one, away=True)
        return result


def _name(func: Callable[..., Any]) -> str:
    """The function's name; a property's is that of the property, with ``set_`` before it where it is set."""
    name = getattr(func, "__name__", "")
    if name in ("__get__", "__set__"):
        attribute = getattr(getattr(func, "__self__", None), "__name__", "")
        return attribute if name == "__get__" else f"set_{attribute}"
    return name


def _is_stand_in(device: object) -> bool:
    return device is not None and str(device) == str(STAND_IN)


def _is_away(value: object) -> bool:
    return isinstance(value, Tensor) and getattr(value, _MARK, False)


def _mark(tensor: Tensor, away: bool) -> None:
    setattr(tensor, _MARK, away)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from _tensors(list(cast(Mapping[Any, Any], value).values()))
    elif isinstance(value, (tuple, list)):
        for one in cast(Sequence[Any], value):
            yield from _tensors(one)


def _without_device(
    name: str, args: Sequence[Any], options: dict[str, Any]
) -> tuple[torch.device | None, Sequence[Any], dict[str, Any]]:
    """The device that a call names, if it does, and the call with the CPU in its place."""
    if name == "cpu":
        return _CPU, args, options
    found: torch.device | None = None
    if options.get("device") is not None:
        found = STAND_IN if _is_stand_in(options["device"]) else torch.device(options["device"])
        options = {**options, "device": _CPU if found == STAND_IN else found}
    elif name == "to" and len(args) > 1 and not isinstance(args[1], torch.dtype):
        if isinstance(args[1], Tensor):
            found = STAND_IN if _is_away(args[1]) else args[1].device
        else:
            found = STAND_IN if _is_stand_in(args[1]) else torch.device(args[1])
            args = (args[0], _CPU if found == STAND_IN else found, *args[2:])
    elif name.startswith("new_") or name.endswith("_like"):
        found = STAND_IN if _is_away(args[0]) else None
    return found, args, options


def _make_subclass(cls: type[Any], data: Tensor, requires_grad: bool = False, **kwargs: Any) -> Any:
    made = _MAKE_SUBCLASS(cls, data, requires_grad, **kwargs)
    _mark(made, _is_away(data))
    return made


def _moved(result: Tensor, source: Tensor, target: torch.device) -> Tensor:
    """The result of a call that moves; between the places it is a copy, as it would be."""
    away = target == STAND_IN
    if away != _is_away(source) and (result is source or result.data_ptr() == source.data_ptr()):
        result = result.clone()
    _mark(result, away)
    return result


def _check_mixture(name: str, tensors: list[Tensor], away: list[Tensor], args: Sequence[Any]) -> None:
    """Refuse tensors of both places in one call; single numbers and indices may come from the CPU."""
    here = [one for one in tensors if not _is_away(one) and one.dim() > 0]
    if not away or not here or name in _MAY_MIX:
        return
    if name in _INDEXING and _is_away(args[0]):
        return
    shapes = ", ".join(str(tuple(one.shape)) for one in here[:3])
    raise WrongDevice(f"{name}: a tensor on the device meets one that is not there, of shape {shapes}")


def _check_generator(name: str, generator: object, there: bool) -> None:
    if generator is not None and there != getattr(generator, "stand_in", False):
        made, needed = ("the CPU", "the device") if there else ("the device", "the CPU")
        raise WrongDevice(f"{name}: random numbers on {needed} are drawn from a generator of {made}")
