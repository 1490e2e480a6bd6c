"""A .csv file as a document: the separator, encoding and line ends stay what they are.

Spreadsheet programs run what begins with ``=``, ``+``, ``-`` or ``@`` as a formula when they open such a file, so a
text from elsewhere that begins so gets an apostrophe in front, which is taken off when it is read (R15).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from connectors.base import Fields, Native
from connectors.workbook import cells, words
from connectors.workbook.document import Row, Unfit, Unreadable

_RUN = ("=", "+", "-", "@", "\t")
_SEPARATORS = (";", "\t", ",")


class Delimited:
    """One table of text."""

    loses = ""
    astray: frozenset[str] = frozenset()

    def __init__(self, content: bytes) -> None:
        self._bom = content.startswith(b"\xef\xbb\xbf")
        self._encoding, text = _decoded(content)
        first = text.split("\n", 1)[0]
        self._end = "\r\n" if first.endswith("\r") else "\n"
        self._separator = max(_SEPARATORS, key=first.count)
        try:
            self._table = list(csv.reader(io.StringIO(text, newline=""), delimiter=self._separator, strict=True))
        except csv.Error:
            raise Unreadable from None
        self._columns = cells.columns_of(self._table[0] if self._table else ())
        if "title" not in self._columns:
            raise Unfit
        if len(self._table) > 1 and not text.endswith("\n") and len(self._table[-1]) < len(self._table[0]):
            raise Unreadable  # broken off within its last row
        self.names = frozenset(self._columns) - cells.OURS
        self._english = words.is_english(self._table[0])

    def rows(self) -> list[Row]:
        """Every row with a title, or with an id and anything else in it."""
        found = (self._row(place) for place in range(1, len(self._table)))
        return [row for row in found if row.fields["title"] or (row.id and any(row.fields.values()))]

    def identify(self, row: Row, native_id: str) -> None:
        """Give a row its id, in a column at the right end if there is none yet."""
        if cells.ID not in self._columns:
            self._columns[cells.ID] = len(self._table[0])
            self._table[0].append(cells.ID)
        self._put(row.place, cells.ID, native_id)

    def change(self, row: Row, fields: Fields) -> None:
        """Write these cells and no others."""
        for name, text in {name: self._said(name, value) for name, value in fields.items()}.items():
            self._put(row.place, name, text)

    def append(self, native_id: str, fields: Mapping[str, Native]) -> None:
        """Add a row behind the last one."""
        said = {name: self._said(name, value) for name, value in fields.items()}
        self._table.append([""] * len(self._table[0]))
        row = Row(len(self._table) - 1, "", {})
        self.identify(row, native_id)
        for name, text in said.items():
            self._put(row.place, name, text)

    def remove(self, row: Row) -> None:
        """Take a row out."""
        del self._table[row.place]

    def save(self) -> bytes:
        """The table in the separator, encoding and line ends of before; UTF-8 where the old encoding lacks a letter."""
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self._separator, lineterminator=self._end).writerows(self._table)
        try:
            content = text.getvalue().encode(self._encoding)
        except UnicodeEncodeError:
            return text.getvalue().encode("utf-8-sig")
        return b"\xef\xbb\xbf" + content if self._bom else content

    def _row(self, place: int) -> Row:
        fields = {name: cells.read(name, self._shown(place, name)) for name in self.names}
        mine, number = self._cell(place, cells.ID), self._cell(place, cells.NUMBER)
        return Row(place, mine.strip(), fields, number=number.strip())

    def _shown(self, place: int, name: str) -> str:
        text = self._cell(place, name)
        return text[1:] if text.startswith("'") and text[1:].startswith((*_RUN, "'")) else text

    def _cell(self, place: int, name: str) -> str:
        line, column = self._table[place], self._columns.get(name)
        return line[column] if column is not None and column < len(line) else ""

    def _put(self, place: int, name: str, text: str) -> None:
        line, column = self._table[place], self._columns[name]
        line.extend([""] * (column + 1 - len(line)))
        line[column] = text

    def _column(self, name: str) -> Iterator[str]:
        return (self._cell(place, name) for place in range(1, len(self._table)))

    def _said(self, name: str, value: Native) -> str:
        if value is None:
            return ""
        if name in cells.SETS:
            text = cells.written_set(value)
        elif name in cells.DATES:
            text = cells.written_date(value, self._column(name))
        else:
            text = words.said(name, str(value), self._column(name), english=self._english)
        return (
            f"'{text}"
            if text.startswith(_RUN) or (text.startswith("'") and text[1:].startswith((*_RUN, "'")))
            else text
        )


def _decoded(content: bytes) -> tuple[str, str]:
    """Encoding and text: UTF-8, else what Excel writes on a German Windows."""
    try:
        return "utf-8", content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            return "cp1252", content.decode("cp1252")
        except UnicodeDecodeError:
            raise Unreadable from None
