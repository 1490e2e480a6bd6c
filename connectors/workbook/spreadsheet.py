"""An .xlsx file as a document: one of its sheets holds the tasks.

The table begins with the first row that has a header for the title. Only the cells that say something else are written,
inside the sheet's own part of the package (`grid`, `package`): charts, pictures, macros, pivot tables and comments stay
as they are (ADR 0019).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping

from lxml import etree

from connectors.base import Fields, Native
from connectors.errors import Rejected
from connectors.workbook import cells, seals, words
from connectors.workbook.cells import Raw
from connectors.workbook.document import Row, Unfit, Unreadable
from connectors.workbook.grid import Grid
from connectors.workbook.package import Package

LONGEST = 32_767
"""Characters that a cell of a workbook holds (Excel's own limit)."""

SEARCHED = 30
"""Rows in which the headers are looked for."""

_KEPT_FROM_US = {
    "_xmlsignatures/": "a digital signature, which any change would make invalid",
    "xl/revisions/": "a record of changes by several people, which Excel keeps itself",
}
_ENCRYPTED = b"\xd0\xcf\x11\xe0"
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_COUNT = re.compile(r"\d+(\.\d+)*\.?")
_ESCAPED = re.compile("_x[0-9A-Fa-f]{4}_")


class Spreadsheet:
    """One sheet of a workbook; ``sheet`` is its title, "" for the first that has a table of tasks."""

    def __init__(self, content: bytes, sheet: str = "") -> None:
        if content.startswith(_ENCRYPTED):
            raise Unfit("{name} is protected with a password, or of Excel 97: save it as .xlsx without one.")
        try:
            self._package = Package(content)
            self._grid, self._head, self._columns = self._found(sheet)
        except (zipfile.BadZipFile, etree.XMLSyntaxError, LookupError, ValueError, OSError, EOFError):
            raise Unreadable from None
        self.astray: frozenset[str] = frozenset()
        self._settled = False
        self.loses = next((why for part, why in _KEPT_FROM_US.items() if self._package.has(part)), "")
        self.names = frozenset(self._columns) - cells.OURS
        self._english = words.is_english(self._grid.value(self._head, column) for column in self._columns.values())

    def rows(self) -> list[Row]:
        """Every row below the headers with a title, or with an id and anything else in it."""
        every = [self._row(place) for place in range(self._head + 1, self._grid.rows + 1)]
        found = [row for row in every if row.fields.get("title") or (row.id and any(row.fields.values()))]
        self.astray = seals.follow(found, {row.place: self._sealed(row.place)[1] for row in found})
        return found

    def identify(self, row: Row, native_id: str) -> None:
        """Give a row its id, in a hidden column at the right end if there is none yet."""
        self._settle()
        if cells.ID not in self._columns:
            self._columns[cells.ID] = self._grid.columns + 1
            self._grid.put(self._head, self._columns[cells.ID], cells.ID)
            self._grid.hide(self._columns[cells.ID])
            self._grid.join(self._head, self._columns[cells.ID], cells.ID)
        self._seal(row.place, native_id, row.fields.get("title"))

    def change(self, row: Row, fields: Fields) -> None:
        """Write these cells and no others; all of them, or none."""
        said = {name: self._as_cell(row.place, name, value) for name, value in fields.items()}
        self._settle()
        for name, raw in said.items():
            self._grid.put(row.place, self._columns[name], raw)
        if row.id and "title" in fields:
            self._seal(row.place, row.id, fields["title"])

    def append(self, native_id: str, fields: Mapping[str, Native]) -> None:
        """Add a row in the first free one below the last task, in the looks of that."""
        above = max((row.place for row in self.rows()), default=0)
        place = (above or self._head) + 1
        while not self._is_free(place, above):
            place += 1
        said = {name: self._as_cell(above or place, name, value) for name, value in fields.items()}
        if above:
            self._grid.dress(place, above)
        self._grid.stretch(place)
        self.identify(Row(place, "", dict(fields)), native_id)
        for name, raw in said.items():
            self._grid.put(place, self._columns[name], raw)

    def remove(self, row: Row) -> None:
        """Empty the cells of a row. The row itself stays: formulas elsewhere may count on the places of the others."""
        self._settle()
        for name, column in self._columns.items():
            if name not in row.locked:
                self._grid.put(row.place, column, None)

    def save(self) -> bytes:
        """The workbook with the cells that were changed."""
        return self._package.content()

    @property
    def tables(self) -> list[str]:
        """The titles of all sheets that have a table of tasks."""
        return [title for title, part in self._package.sheets() if _head_of(Grid(self._package, part)) is not None]

    def _found(self, title: str) -> tuple[Grid, int, dict[str, int]]:
        sheets = self._package.sheets()
        for name, part in sheets:
            if title and name.casefold() != title.casefold():
                continue
            grid = Grid(self._package, part)
            if (head := _head_of(grid)) is not None:
                return grid, *head
        if title and title.casefold() not in [name.casefold() for name, _ in sheets]:
            raise Unfit(f"{{name}} has no sheet {title}; there are: {', '.join(name for name, _ in sheets)}.")
        raise Unfit

    def _row(self, place: int) -> Row:
        locked = frozenset(name for name in self.names if self._is_locked(place, name))
        fields = {name: self._said(place, name) for name in self.names - locked}
        number = cells.text_of(self._raw(place, cells.NUMBER)).strip()
        return Row(place, self._sealed(place)[0], fields, locked, number)

    def _sealed(self, place: int) -> tuple[str, str]:
        return seals.opened(cells.text_of(self._raw(place, cells.ID)))

    def _seal(self, place: int, native_id: str, title: object) -> None:
        self._grid.put(place, self._columns[cells.ID], seals.sealed(native_id, title))

    def _settle(self) -> None:
        """Before anything is changed, all ids go to the rows that they belong to: one alone would mislead the rest."""
        if self._settled or cells.ID not in self._columns:
            return
        self._settled = True
        for row in self.rows():
            if row.id:
                self._seal(row.place, row.id, row.fields.get("title"))
            else:
                self._grid.put(row.place, self._columns[cells.ID], None)

    def _is_free(self, place: int, above: int) -> bool:
        """Whether a row says nothing: offices prepare rows with a number, and with the formulas that tasks have."""
        for column in self._grid.filled(place):
            counts = column == self._columns.get(cells.NUMBER) and _COUNT.fullmatch(
                str(self._grid.value(place, column))
            )
            alike = self._grid.is_formula(place, column) and self._grid.is_formula(above, column)
            if not counts and not alike:
                return False
        return True

    def _raw(self, place: int, name: str) -> Raw:
        return self._grid.value(place, self._columns[name]) if name in self._columns else None

    def _said(self, place: int, name: str) -> Native:
        value = self._raw(place, name)
        if name in cells.NUMBERS and isinstance(value, float | int) and self._is_share(place, name):
            value = round(value * 100, 6)
        return cells.read(name, value)

    def _is_share(self, place: int, name: str) -> bool:
        return "%" in self._grid.format(place, self._columns[name])

    def _is_locked(self, place: int, name: str) -> bool:
        """Whether a formula works it out, or it is hidden within a merged cell."""
        column = self._columns[name]
        return self._grid.is_formula(place, column) or self._grid.is_covered(place, column)

    def _as_cell(self, place: int, name: str, value: Native) -> Raw:
        """What a cell has to hold to say this; ``place`` is a row whose formats count."""
        if value is None or value == ():
            return None
        if name in cells.DATES:
            real = cells.day(value)
            return _text(real) if isinstance(real, str) else real
        if name in cells.NUMBERS and isinstance(value, int):
            return value / 100 if self._is_share(place, name) else value
        if isinstance(value, tuple):
            return _text(cells.written_set(value))
        if name not in words.SAME:
            return _text(str(value))
        beside = [self._raw(row, name) for row in range(self._head + 1, self._grid.rows + 1)]
        said = words.said(name, str(value), map(cells.text_of, beside), english=self._english)
        counts = said.isdigit() and any(isinstance(raw, int | float) for raw in beside)
        return int(said) if counts else _text(said)


def _head_of(grid: Grid) -> tuple[int, dict[str, int]] | None:
    """The row with the headers of a table of tasks, and its columns."""
    for place in range(1, min(grid.rows, SEARCHED) + 1):
        row = [grid.value(place, column) for column in range(1, grid.columns + 1)]
        columns = cells.columns_of(row)
        if "title" in columns and (len(columns) > 1 or sum(cell is not None for cell in row) == 1):
            return place, {name: at + 1 for name, at in columns.items()}
    return None


def _text(text: str) -> str:
    """Text as a cell can hold it."""
    if len(text) > LONGEST:
        raise Rejected(f"A cell of a workbook holds {LONGEST} characters, this text has {len(text)}: shorten it.")
    if _NOT_IN_XML.search(text):
        raise Rejected("This text has control characters that a workbook cannot hold: take them out.")
    if found := _ESCAPED.search(text):
        raise Rejected(f"This text has {found[0]} in it, which stands for a single character in Excel: change it.")
    return text
