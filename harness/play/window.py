"""Pictures as they come, in a window of the desktop."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.errors import UserError
from harness.play.pictures import enlarge


class Closed(Exception):
    """The window was closed."""


class Window:
    """A window that shows one picture after the other.

    Args:
        title: The title of the window.

    Raises:
        UserError: There is no desktop here, or Python came without tkinter.
    """

    def __init__(self, title: str) -> None:
        try:
            import tkinter
        except ImportError:
            raise UserError("--window needs tkinter, which this Python came without; use --show or --video FILE") from None
        try:
            self._root = tkinter.Tk()
        except tkinter.TclError as error:
            raise UserError(f"--window: no window can be opened here ({error}); use --show or --video FILE") from None
        self._root.title(title)
        self._label = tkinter.Label(self._root)
        self._label.pack()
        self._closed = False
        self._root.protocol("WM_DELETE_WINDOW", self._note_closed)
        self._make_image: Any = tkinter.PhotoImage

    def show(self, picture: np.ndarray) -> None:
        """Show a picture, uint8 ``(height, width, 3)``.

        Raises:
            Closed: The window was closed.
        """
        if self._closed:
            raise Closed
        large = np.ascontiguousarray(enlarge(picture))
        header = f"P6 {large.shape[1]} {large.shape[0]} 255 ".encode()
        image = self._make_image(master=self._root, data=header + large.tobytes(), format="PPM")
        self._label.configure(image=image)
        self._label.image = image  # type: ignore[attr-defined]  # tkinter shows an image as long as somebody holds it
        self._root.update()

    def close(self) -> None:
        """Take the window away."""
        self._root.destroy()

    def _note_closed(self) -> None:
        self._closed = True
