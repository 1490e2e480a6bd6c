"""The cells of one sheet in an .xlsx file, read and written where they stand (ECMA-376, part 1, 18.3).

A cell is changed inside its own element and keeps its format; what it shares with others (texts, formulas, rules,
pictures laid over it) is left alone. Texts that we write stand in the cell itself, so that the table of shared texts
stays as it is.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from lxml import etree
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel, to_excel

from connectors.workbook.cells import Raw
from connectors.workbook.package import Package, local, tag

DATE_FORMAT = 14
"""The built-in number format that shows a date as the reader's own country does."""

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_PLACE = re.compile(r"\$?([A-Z]{1,3})\$?(\d+)")
_NOT_PASSED_ON = ("r", "spans", "hidden", "collapsed", "outlineLevel")
_RETURN = re.compile("_x000D_\n?")


class Grid:
    """One sheet. Rows and columns count from 1."""

    def __init__(self, package: Package, part: str) -> None:
        self._package, self._part = package, part
        self._root = package.tree(part)
        self._data = self._root.find("{*}sheetData")
        self._rows: dict[int, Any] = {}
        self._cells: dict[tuple[int, int], Any] = {}
        self._index()
        self._merged = [_corners(one.get("ref", "")) for one in self._root.iterfind("{*}mergeCells/{*}mergeCell")]
        self._texts = _texts(package)
        self._formats = _Formats(package)
        in_1904 = package.tree(package.book).find("{*}workbookPr[@date1904]")
        mac = in_1904 is not None and in_1904.get("date1904") in ("1", "true")
        self._epoch = CALENDAR_MAC_1904 if mac else CALENDAR_WINDOWS_1900

    def _index(self) -> None:
        """Find every cell; one that does not say where it is comes behind the one before."""
        row = 0
        for line in self._data if self._data is not None else ():
            if local(line) != "row":
                continue
            row = int(line.get("r") or row + 1)
            line.set("r", str(row))
            self._rows[row] = line
            column = 0
            for cell in line.iterfind("{*}c"):
                column = _place(cell.get("r", ""))[1] or column + 1
                cell.set("r", _name(row, column))
                self._cells[row, column] = cell

    # ---- reading -----------------------------------------------------------------------------------------------

    @property
    def rows(self) -> int:
        """The last row that says anything."""
        return max((row for (row, _), cell in self._cells.items() if len(cell)), default=0)

    @property
    def columns(self) -> int:
        """The last column that says anything."""
        return max((column for (_, column), cell in self._cells.items() if len(cell)), default=0)

    def filled(self, row: int) -> list[int]:
        """The columns in which a row says anything."""
        line = self._rows.get(row)
        cells = line.iterfind("{*}c") if line is not None else ()
        return [_place(cell.get("r"))[1] for cell in cells if len(cell)]

    def value(self, row: int, column: int) -> Raw:
        """What a cell says; of a formula its last result."""
        cell = self._cells.get((row, column))
        if cell is None:
            return None
        kind = str(cell.get("t", "n"))
        said: str = cell.findtext("{*}v") or ""
        if kind == "inlineStr":
            found = cell.find("{*}is")
            return _RETURN.sub("\n", _text(found)) if found is not None else None
        if not said:
            return None
        if kind == "s":
            return _RETURN.sub("\n", self._texts[int(said)])
        if kind == "b":
            return said == "1"
        if kind == "d":
            return datetime.datetime.fromisoformat(said)
        return self._number(cell, said) if kind == "n" else said

    def _number(self, cell: Any, said: str) -> Raw:
        number = float(said)
        if is_date_format(self._formats.of(cell)):
            try:
                found = from_excel(number, self._epoch)
            except (OverflowError, ValueError):  # a date format on a number that is none
                return said
            return found if isinstance(found, datetime.datetime) else said
        return int(number) if number.is_integer() else number

    def format(self, row: int, column: int) -> str:
        """The number format in which a cell is shown."""
        return self._formats.of(self._cells.get((row, column)))

    def is_formula(self, row: int, column: int) -> bool:
        """Whether a cell is worked out."""
        cell = self._cells.get((row, column))
        return cell is not None and cell.find("{*}f") is not None

    def is_covered(self, row: int, column: int) -> bool:
        """Whether a cell lies hidden within a merged one."""
        return any(
            top <= row <= bottom and left <= column <= right and (row, column) != (top, left)
            for (top, left), (bottom, right) in self._merged
        )

    # ---- writing -----------------------------------------------------------------------------------------------

    def put(self, row: int, column: int, value: Raw) -> None:
        """Let a cell say this; a date gets a date's format if it has none."""
        if value is None and (row, column) not in self._cells:
            return
        self._package.edit(self._part)
        cell = self._cell(row, column)
        for child in list(cell):
            cell.remove(child)
        for name in ("t", "cm", "vm"):  # type, and what belongs to the old value alone
            cell.attrib.pop(name, None)
        if isinstance(value, str):
            cell.set("t", "inlineStr")
            text = etree.SubElement(etree.SubElement(cell, tag(cell, "is")), tag(cell, "t"))
            text.text = value
            text.set(_SPACE, "preserve")
        elif value is not None and not isinstance(value, list):
            if isinstance(value, datetime.date):
                if not is_date_format(self._formats.of(cell)):
                    cell.set("s", self._formats.dated(cell.get("s", "0")))
                value = float(to_excel(value, self._epoch))  # type: ignore[no-untyped-call]
            number = float(value)
            etree.SubElement(cell, tag(cell, "v")).text = str(int(number)) if number.is_integer() else repr(number)

    def dress(self, row: int, like: int) -> None:
        """Give a row the looks of another; what it says is not passed on."""
        pattern = self._rows.get(like)
        if pattern is None:
            return
        self._package.edit(self._part)
        line = self._line(row)
        for name, value in pattern.items():
            if name not in _NOT_PASSED_ON and name not in line.attrib:
                line.set(name, value)
        for cell in pattern.iterfind("{*}c"):
            column = _place(cell.get("r", ""))[1]
            if cell.get("s") and (row, column) not in self._cells:
                self._cell(row, column).set("s", cell.get("s"))

    def hide(self, column: int) -> None:
        """Hide a column; one that shares its width with others is taken out of their range."""
        root = self._package.edit(self._part)
        columns = root.find("{*}cols")
        if columns is None:
            columns = etree.Element(tag(root, "cols"))
            root.find("{*}sheetData").addprevious(columns)
        ranges = [(int(one.get("min")), int(one.get("max")), one) for one in columns]
        pattern = next((one for low, high, one in ranges if low <= column <= high), None)
        parts = [(column, column, pattern)]
        for low, high, one in ranges:
            columns.remove(one)
            parts += [(a, b, one) for a, b in ((low, min(high, column - 1)), (max(low, column + 1), high)) if a <= b]
        for low, high, one in sorted(parts, key=lambda part: part[0]):
            made = deepcopy(one) if one is not None else etree.Element(tag(root, "col"))
            made.set("min", str(low))
            made.set("max", str(high))
            if low == high == column:
                made.set("hidden", "1")
                made.set("width", made.get("width", "9"))
            columns.append(made)

    def join(self, head: int, column: int, title: str) -> None:
        """Let a filter or a table that ends beside a new column cover it, so that sorting moves it with the rest."""
        root = self._package.edit(self._part)
        for one in root.iterfind("{*}autoFilter"):
            self._rename_filter(one.get("ref"), _wider(one.get("ref"), head, column))
            one.set("ref", _wider(one.get("ref"), head, column))
        for part in self._tables():
            table = self._package.tree(part)
            if (wider := _wider(table.get("ref"), head, column)) == table.get("ref"):
                continue
            self._package.edit(part).set("ref", wider)
            for one in table.iterfind("{*}autoFilter"):
                one.set("ref", _wider(one.get("ref"), head, column))
            names = table.find("{*}tableColumns")
            number = max(int(one.get("id")) for one in names) + 1
            etree.SubElement(names, tag(names, "tableColumn"), id=str(number), name=title)
            names.set("count", str(len(names)))

    def _rename_filter(self, old: str, new: str) -> None:
        """Excel keeps the range of a filter under a hidden name as well."""
        for name in self._package.edit(self._package.book).iterfind("{*}definedNames/{*}definedName"):
            if name.get("name") == "_xlnm._FilterDatabase" and (name.text or "").endswith(f"!{_absolute(old)}"):
                name.text = name.text.removesuffix(_absolute(old)) + _absolute(new)

    def _tables(self) -> list[str]:
        related = self._package.related(self._part)
        return [one.target for one in related if one.kind == "table" and one.target in self._package.names]

    def stretch(self, row: int) -> None:
        """Let tables, rules for formats and rules for input that end with the row above reach this one."""
        last = row - 1
        root = self._package.edit(self._part)
        for one in root.iter("{*}conditionalFormatting", "{*}dataValidation"):
            if one.get("sqref"):
                one.set("sqref", _longer(one.get("sqref"), last, row))
        for one in root.iter("{http://schemas.microsoft.com/office/excel/2006/main}sqref"):
            one.text = _longer(one.text or "", last, row)
        for part in self._tables():
            self._stretch_table(part, last, row)

    def _stretch_table(self, part: str, last: int, row: int) -> None:
        table = self._package.tree(part)
        if table.get("totalsRowCount", "0") == "0" and (longer := _longer(table.get("ref"), last, row)) != table.get(
            "ref"
        ):
            self._package.edit(part).set("ref", longer)
            for one in table.iterfind("{*}autoFilter"):
                one.set("ref", _longer(one.get("ref"), last, row))

    def _line(self, row: int) -> Any:
        if row not in self._rows:
            line = etree.Element(tag(self._root, "row"), r=str(row))
            above = max((one for one in self._rows if one < row), default=0)
            if above:
                self._rows[above].addnext(line)
            else:
                self._data.insert(0, line)
            self._rows[row] = line
        return self._rows[row]

    def _cell(self, row: int, column: int) -> Any:
        if (row, column) not in self._cells:
            line = self._line(row)
            line.attrib.pop("spans", None)  # a mere hint, and wrong with one more cell
            cell = etree.Element(tag(self._root, "c"), r=_name(row, column))
            if style := line.get("s") or self._style_of_column(column):
                cell.set("s", style)
            before = [one for one in line.iterfind("{*}c") if _place(one.get("r"))[1] < column]
            if before:
                before[-1].addnext(cell)
            else:
                line.insert(0, cell)
            self._cells[row, column] = cell
            self._widen(row, column)
        return self._cells[row, column]

    def _style_of_column(self, column: int) -> str:
        ranges = self._root.iterfind("{*}cols/{*}col")
        return next((str(c.get("style", "")) for c in ranges if int(c.get("min")) <= column <= int(c.get("max"))), "")

    def _widen(self, row: int, column: int) -> None:
        used = self._root.find("{*}dimension")
        if used is not None and used.get("ref"):
            (top, left), (bottom, right) = _corners(used.get("ref"))
            first, last = _name(min(top, row), min(left, column)), _name(max(bottom, row), max(right, column))
            used.set("ref", f"{first}:{last}")


class _Formats:
    """The number formats of a book's styles."""

    def __init__(self, package: Package) -> None:
        self._package, self._part = package, package.beside("styles")
        root = package.tree(self._part) if self._part else None
        own = root.iterfind("{*}numFmts/{*}numFmt") if root is not None else ()
        self._codes = {one.get("numFmtId"): one.get("formatCode", "") for one in own}
        self._styles = root.find("{*}cellXfs") if root is not None else None
        self._dated: dict[str, str] = {}

    def of(self, cell: Any) -> str:
        """The format of a cell, "General" without one."""
        at = int(cell.get("s") or 0) if cell is not None else 0
        if self._styles is None or at >= len(self._styles):
            return "General"
        native_id = self._styles[at].get("numFmtId", "0")
        return str(self._codes.get(native_id) or BUILTIN_FORMATS.get(int(native_id), "General"))

    def dated(self, style: str) -> str:
        """A style like this one that shows dates."""
        if style not in self._dated and self._styles is not None:
            self._package.edit(self._part)
            made = deepcopy(self._styles[int(style)]) if int(style) < len(self._styles) else None
            if made is None:
                return style
            made.set("numFmtId", str(DATE_FORMAT))
            made.set("applyNumberFormat", "1")
            self._styles.append(made)
            self._styles.set("count", str(len(self._styles)))
            self._dated[style] = str(len(self._styles) - 1)
        return self._dated.get(style, style)


def _texts(package: Package) -> list[str]:
    part = package.beside("sharedStrings")
    return [_text(one) for one in package.tree(part).iterfind("{*}si")] if part else []


def _text(element: Any) -> str:
    """The text of a cell, formatted in pieces or not, without what is written above it to be pronounced."""
    return "".join(one.text or "" for one in _pieces(element))


def _pieces(element: Any) -> Iterator[Any]:
    for child in element:
        if local(child) == "t":
            yield child
        elif local(child) == "r":
            yield from child.iterfind("{*}t")


def _place(name: str) -> tuple[int, int]:
    found = _PLACE.fullmatch(name)
    return (int(found[2]), column_index_from_string(found[1])) if found else (0, 0)


def _name(row: int, column: int) -> str:
    return f"{get_column_letter(column)}{row}"


def _corners(ref: str) -> tuple[tuple[int, int], tuple[int, int]]:
    first, _, last = ref.partition(":")
    return _place(first), _place(last or first)


def _longer(ranges: str, last: int, row: int) -> str:
    """Ranges of several rows that end with the last one, made to reach the new one."""
    return " ".join(_one_longer(one, last, row) for one in ranges.split())


def _one_longer(ref: str, last: int, row: int) -> str:
    (top, left), (bottom, right) = _corners(ref)
    return f"{_name(top, left)}:{_name(row, right)}" if 0 < top < bottom == last and right else ref


def _wider(ref: str, head: int, column: int) -> str:
    """A range below these headers that ends beside a column, made to reach it; any other as it is."""
    (top, left), (bottom, right) = _corners(ref)
    return f"{_name(top, left)}:{_name(bottom, column)}" if top == head and right == column - 1 else ref


def _absolute(ref: str) -> str:
    return _PLACE.sub(r"$\1$\2", ref)
