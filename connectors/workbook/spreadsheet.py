"""An .xlsx file as a document, read and written with openpyxl: one of its sheets holds the tasks.

The table begins with the first row that has a header for the title. Whatever openpyxl cannot carry through (charts,
pictures, threaded comments and their kin) is found beforehand and named in ``loses``: such a file is only read.
"""

from __future__ import annotations

import copy
import io
import re
import zipfile
from collections.abc import Mapping

import openpyxl
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from connectors.base import Fields, Native
from connectors.errors import Rejected
from connectors.workbook import cells
from connectors.workbook.document import Row, Unfit, Unreadable

LONGEST = 32_767
"""Characters that a cell of a workbook holds (Excel's own limit)."""

SEARCHED = 30
"""Rows in which the headers are looked for."""

_LOST = (
    r"xl/(charts|media|slicers|timelines|ctrlProps|activeX|embeddings|threadedComments|diagrams|model)/|"
    r"xl/drawings/drawing|xl/vbaProject"
)


class Spreadsheet:
    """One sheet of a workbook; ``sheet`` is its title, "" for the first that has a table of tasks."""

    def __init__(self, content: bytes, sheet: str = "") -> None:
        try:
            parts = zipfile.ZipFile(io.BytesIO(content)).namelist()
            self._book = openpyxl.load_workbook(io.BytesIO(content), rich_text=True)
        except Exception:  # openpyxl raises whatever a damaged part makes its parser raise
            raise Unreadable from None
        self.loses = next((found.group(0) for part in parts if (found := re.match(_LOST, part))), "")
        self._sheet, self._head, self._columns = self._found(sheet)
        self.names = frozenset(self._columns) - {cells.ID}

    def rows(self) -> list[Row]:
        """Every row below the headers with a title, or with an id and anything else in it."""
        found = (self._row(place) for place in range(self._head + 1, self._sheet.max_row + 1))
        return [row for row in found if row.fields.get("title") or (row.id and any(row.fields.values()))]

    def identify(self, row: Row, native_id: str) -> None:
        """Give a row its id, in a hidden column at the right end if there is none yet."""
        if cells.ID not in self._columns:
            column = self._sheet.max_column + 1
            self._columns[cells.ID] = column - 1
            self._sheet.cell(self._head, column).value = cells.ID
            self._sheet.column_dimensions[get_column_letter(column)].hidden = True
        self._put(row.place, cells.ID, native_id)

    def change(self, row: Row, fields: Fields) -> None:
        """Write these cells and no others."""
        for name, value in fields.items():
            self._put(row.place, name, value)

    def append(self, native_id: str, fields: Mapping[str, Native]) -> None:
        """Add a row behind the last one that says anything, in the looks of the last task."""
        last, place = self._last(), max(self._last(), self._head) + 1
        above = max((row.place for row in self.rows()), default=0)
        for column in range(1, self._sheet.max_column + 1 if above else 0):
            self._dress(self._sheet.cell(above, column), self._sheet.cell(place, column))
        for table in self._sheet.tables.values():
            table.ref = _longer(table.ref, last, place)
            if table.autoFilter is not None:
                table.autoFilter.ref = _longer(table.autoFilter.ref, last, place)
        row = Row(place, "", {})
        self.identify(row, native_id)
        self.change(row, fields)

    def remove(self, row: Row) -> None:
        """Empty the cells of a row. The row itself stays: formulas elsewhere may count on the places of the others."""
        for name in self._columns:
            if name not in row.locked:
                self._cell(row.place, name).value = None

    def save(self) -> bytes:
        """The workbook; formulas are worked out again when it is opened, since only their text is kept."""
        if self._book.calculation is not None:
            self._book.calculation.fullCalcOnLoad = True
        content = io.BytesIO()
        self._book.save(content)
        return content.getvalue()

    @property
    def tables(self) -> list[str]:
        """The titles of all sheets that have a table of tasks."""
        return [sheet.title for sheet in self._book.worksheets if _head_of(sheet) is not None]

    def _found(self, title: str) -> tuple[Worksheet, int, dict[str, int]]:
        for sheet in self._book.worksheets:
            if (not title or sheet.title.casefold() == title.casefold()) and (head := _head_of(sheet)) is not None:
                return sheet, *head
        raise Unfit

    def _row(self, place: int) -> Row:
        locked = frozenset(name for name in self.names if self._is_locked(self._cell(place, name)))
        fields = {name: self._said(place, name) for name in self.names - locked}
        mark = self._cell(place, cells.ID).value if cells.ID in self._columns else None
        return Row(place, cells.text_of(mark).strip(), fields, locked)

    def _said(self, place: int, name: str) -> Native:
        cell = self._cell(place, name)
        value = cell.value
        if name in cells.NUMBERS and isinstance(value, float | int) and "%" in cell.number_format:
            value = round(value * 100, 6)
        return cells.read(name, value)

    def _cell(self, place: int, name: str) -> Cell:
        found: Cell = self._sheet.cell(place, self._columns[name] + 1)  # type: ignore[assignment]
        return found

    @staticmethod
    def _is_locked(cell: object) -> bool:
        """Whether a formula works it out, or it is hidden within a merged cell (which has no data type to write)."""
        return not isinstance(cell, Cell) or cell.data_type == "f"

    def _put(self, place: int, name: str, value: Native) -> None:
        cell = self._cell(place, name)
        if value is None or value == ():
            cell.value = None
        elif name in cells.DATES:
            looks, real = cell.number_format, cells.day(value)
            cell.value = real
            if looks != "General" and not isinstance(real, str):
                cell.number_format = looks
        elif name in cells.NUMBERS and isinstance(value, int):
            cell.value = value / 100 if "%" in cell.number_format else value
        else:
            self._put_text(cell, cells.written_set(value) if name in cells.SETS else str(value))

    @staticmethod
    def _put_text(cell: Cell, text: str) -> None:
        """Text that stays text: what begins with = or looks like an error is no formula and no error (R15)."""
        if len(text) > LONGEST:
            raise Rejected(f"A cell of a workbook holds {LONGEST} characters, this text has {len(text)}: shorten it.")
        if ILLEGAL_CHARACTERS_RE.search(text):
            raise Rejected("This text has control characters that a workbook cannot hold: take them out.")
        cell.value = text
        cell.data_type = "s"

    @staticmethod
    def _dress(pattern: object, cell: object) -> None:
        if isinstance(pattern, Cell) and isinstance(cell, Cell) and pattern.has_style and not cell.has_style:
            cell._style = copy.copy(pattern._style)  # type: ignore[attr-defined]

    def _last(self) -> int:
        rows = range(self._sheet.max_row, self._head, -1)
        return next((row for row in rows if any(cell.value is not None for cell in self._sheet[row])), self._head)


def _head_of(sheet: Worksheet) -> tuple[int, dict[str, int]] | None:
    """The row with the headers of a table of tasks, and its columns."""
    for place, row in enumerate(sheet.iter_rows(max_row=min(sheet.max_row, SEARCHED), values_only=True), 1):
        columns = cells.columns_of(row)
        if "title" in columns and (len(columns) > 1 or sum(cell is not None for cell in row) == 1):
            return place, columns
    return None


def _longer(ref: str, last: int, place: int) -> str:
    """The range of a table that ends at the last row, made to reach the new one."""
    start, colon, end = ref.partition(":")
    letters = end.rstrip("0123456789")
    return f"{start}{colon}{letters}{place}" if end == f"{letters}{last}" else ref
