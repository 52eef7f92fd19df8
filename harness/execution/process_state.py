"""What a run may have changed of the process that trained it, so that the next one does not begin there."""

from __future__ import annotations

import locale
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SET_BY_LIBRARIES = frozenset(
    {
        "CUBLAS_WORKSPACE_CONFIG",
        "KMP_DUPLICATE_LIB_OK",
        "KMP_INIT_AT_FORK",
        "LD_LIBRARY_PATH",
        "MPLBACKEND",
        "MPLCONFIGDIR",
        "MUJOCO_GL",
        "PYGAME_HIDE_SUPPORT_PROMPT",
        "PYOPENGL_PLATFORM",
        "QT_QPA_FONTDIR",
        "QT_QPA_PLATFORM_PLUGIN_PATH",
        "SDL_AUDIODRIVER",
        "SDL_VIDEODRIVER",
        "TORCHINDUCTOR_CACHE_DIR",
    }
)
"""Variables that torch, OpenCV, pygame, EnvPool, MuJoCo and their users set once, always alike: no number depends on them."""


@dataclass(frozen=True)
class ProcessState:
    """The state of this process that all runs in it share; two are equal if nothing of it was changed.

    Attributes:
        folder: The working directory; empty if it is gone.
        environment: Environment variables, apart from those that libraries set.
        umask: Permissions that new files lack.
        locale: Language settings of the C library.
        handlers: Handler of each signal.
        streams: Device, inode and Python object of each standard stream; ``None`` where it is closed.
        import_path: Where Python looks for modules.
        numerics: Whether torch and NumPy calculate as they do when they are loaded.
    """

    folder: str
    environment: dict[str, str]
    umask: int
    locale: str
    handlers: tuple[Any, ...]
    streams: tuple[tuple[int, int, int] | None, ...]
    import_path: tuple[str, ...]
    numerics: bool

    @classmethod
    def now(cls) -> ProcessState:
        """The state at present."""
        return cls(
            folder=_working_directory(),
            environment={name: value for name, value in os.environ.items() if name not in _SET_BY_LIBRARIES},
            umask=_umask(),
            locale=locale.setlocale(locale.LC_ALL),
            handlers=tuple(signal.getsignal(number) for number in sorted(signal.valid_signals())),
            streams=tuple(_stream(number, name) for number, name in enumerate(("stdin", "stdout", "stderr"))),
            import_path=tuple(sys.path),
            numerics=_calculates_as_loaded(),
        )


def _working_directory() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return ""


def _umask() -> int:
    mask = os.umask(0o077)  # there is no other way to read it everywhere
    os.umask(mask)
    return mask


def _stream(descriptor: int, name: str) -> tuple[int, int, int] | None:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    stream = getattr(sys, name)
    return None if stream is None or stream.closed else (status.st_dev, status.st_ino, id(stream))


def _calculates_as_loaded() -> bool:
    """Modules that nobody has loaded are not loaded for this."""
    torch: Any = sys.modules.get("torch")
    numpy: Any = sys.modules.get("numpy")
    as_loaded = True
    if torch is not None:
        as_loaded = torch.get_default_dtype() == torch.float32 and torch.is_grad_enabled()
        as_loaded = as_loaded and torch.get_default_device().type == "cpu"
    if numpy is not None:
        as_loaded = as_loaded and numpy.geterr() == {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
    return as_loaded
