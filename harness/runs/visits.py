"""Where a run went: ``visits.json``, how often each cell of its environment's map was come to, in stretches of training.

The file is there only where the environment family tells positions, and only once a first stretch is over. It is replaced as
a whole at the end of each stretch, so that its size has a bound.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.runs.fencing import publishing
from harness.runs.files import write_text_atomic
from harness.runs.folder import RunFolder, RunRecord
from harness.runs.guarded import MIB, Unreadable, read_json
from harness.spec import MAX_COUNT

VISITS_FILE = "visits.json"

MARKS = (0.1, 0.4, 0.5, 0.9, 1.0)
"""The shares of training at which stretches end: those up to a tenth, the half and the end of it are told, with the bonus of
the tenth before each."""

_MAX_BYTES = 16 * MIB
_MAX_CELLS = 10_000
_LONGEST_NAME = 40

_Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
_Cell = Annotated[int, Field(ge=0, lt=_MAX_CELLS)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Name = Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME)]
_Range = tuple[_Number, _Number] | None


class _Content(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class MapRecord(_Content):
    """A map of cells, numbered row by row from the top; see `harness.environments.places.PlaceMap`.

    Attributes:
        rows: Number of rows.
        columns: Number of columns.
        row_axis: What rows are.
        column_axis: What columns are.
        row_range: The values at the upper and the lower edge; ``None`` where rows are counted.
        column_range: The values at the left and the right edge; ``None`` where columns are counted.
        walls: Cells where nobody can be, ascending.
    """

    rows: int = Field(ge=1, le=_MAX_CELLS)
    columns: int = Field(ge=1, le=_MAX_CELLS)
    row_axis: _Name = "row"
    column_axis: _Name = "column"
    row_range: _Range = None
    column_range: _Range = None
    walls: list[_Cell] = []

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if self.cells > _MAX_CELLS:
            raise ValueError(f"a map of {self.cells:,} cells, where there are at most {_MAX_CELLS:,}")
        if any(cell >= self.cells for cell in self.walls):
            raise ValueError("a wall beyond the map")
        for ends in (self.row_range, self.column_range):
            if ends is not None and ends[0] == ends[1]:
                raise ValueError("an axis whose two ends are the same")
        return self

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.rows * self.columns


class Stretch(_Content):
    """A stretch of training.

    Attributes:
        mark: The share of training that it goes up to, one of `MARKS`.
        first_step: Steps taken before it.
        last_step: Steps taken after it; the same where the stretch before it went as far.
        cells: The cells that were come to, ascending.
        visits: Number of steps that led to each of them.
        bonus: The mean bonus of these steps, for each cell; ``None`` where bonuses do not belong to steps.
    """

    mark: float = Field(gt=0, le=1)
    first_step: _Count
    last_step: _Count
    cells: list[_Cell] = Field(max_length=_MAX_CELLS)
    visits: list[Annotated[_Count, Field(ge=1)]] = Field(max_length=_MAX_CELLS)
    bonus: list[_Number] | None = Field(default=None, max_length=_MAX_CELLS)

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        columns = [self.visits] if self.bonus is None else [self.visits, self.bonus]
        if any(len(column) != len(self.cells) for column in columns):
            raise ValueError("not as many numbers as cells")
        if sorted(set(self.cells)) != self.cells:
            raise ValueError("cells that do not ascend")
        return self


class VisitRecord(_Content):
    """Where a run went.

    Attributes:
        digest: Digest of the run.
        map: Map of all places.
        stretches: The stretches of training that are over, in order.
    """

    format: Literal[1] = 1
    digest: str = Field(max_length=64)
    map: MapRecord
    stretches: list[Stretch] = Field(min_length=1, max_length=len(MARKS))

    @model_validator(mode="after")
    def _check_stretches(self) -> Self:
        if tuple(stretch.mark for stretch in self.stretches) != MARKS[: len(self.stretches)]:
            raise ValueError(f"stretches that do not end at {', '.join(map(str, MARKS))}")
        if any(cell >= self.map.cells for stretch in self.stretches for cell in stretch.cells[-1:]):
            raise ValueError("a cell beyond the map")
        return self


def write_visits(folder: RunFolder, record: VisitRecord) -> None:
    """Replace a run's file."""
    write_text_atomic(_file(folder), record.model_dump_json() + "\n")


def remove_visits(folder: RunFolder) -> None:
    """Remove what an attempt left that went further than the run goes on from."""
    with publishing(folder.path):
        _file(folder).unlink(missing_ok=True)


def read_visits(folder: RunFolder, run: RunRecord) -> VisitRecord | None:
    """Where a run went; ``None`` if it does not tell.

    Raises:
        Unreadable: What lies there does not tell it, or belongs to another run.
    """
    file = _file(folder)
    content: Any = read_json(file, _MAX_BYTES)
    if content is None:
        return None
    try:
        found = VisitRecord.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "content"
        raise Unreadable(file, f"does not say where a run went ({where}: {first['msg']})") from None
    if found.digest != run.digest:
        raise Unreadable(file, f"belongs to a run with digest {found.digest}, not {run.digest}")
    return found


def _file(folder: RunFolder) -> Path:
    return folder.path / VISITS_FILE
