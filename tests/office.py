"""Offices that keep one plan each, as a sheet or as a table of text, here or on a server, and work in it by hand.

They use the format's own library and nothing of the connector. Whoever sorts a sheet may move only the columns that
can be seen, as the arrows of a filter do that does not cover the ids. A task's tag is one of its labels, which nobody
touches.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import requests
from openpyxl.worksheet.worksheet import Worksheet

HEAD = ("Titel", "Status", "Priorität", "Fällig", "Beschreibung", "Schlagworte", "Abhängig von")
GONE = "Archiviert"

Row = dict[str, str]


class Office:
    """One file and who works in it. ``load`` and ``store`` get and put its bytes."""

    def __init__(self, load: Callable[[], bytes], store: Callable[[bytes], object]) -> None:
        self.load, self.store = load, store
        self.store(self.blank())

    def blank(self) -> bytes:
        raise NotImplementedError

    def rows(self) -> list[Row]:
        """Every row that has a title; in "id" its id, "" before it has one."""
        raise NotImplementedError

    def add(self, row: Row) -> None:
        raise NotImplementedError

    def edit(self, tag: str, name: str, value: str) -> None:
        raise NotImplementedError

    def remove(self, tag: str) -> None:
        raise NotImplementedError

    def sort(self, *, backwards: bool, past_ids: bool) -> None:
        raise NotImplementedError


class SheetOffice(Office):
    """The plan is an .xlsx file."""

    def blank(self) -> bytes:
        book = openpyxl.Workbook()
        book.worksheets[0].append(HEAD)
        return _saved(book)

    def rows(self) -> list[Row]:
        sheet = openpyxl.load_workbook(io.BytesIO(self.load())).worksheets[0]
        return [row for place in _places(sheet) if (row := _row(sheet, place))["Titel"]]

    def add(self, row: Row) -> None:
        def work(sheet: Worksheet) -> None:
            place = max(_places(sheet), default=1) + 1
            for column, name in enumerate(HEAD, 1):
                sheet.cell(place, column).value = row.get(name) or None

        self._work(work)

    def edit(self, tag: str, name: str, value: str) -> None:
        def work(sheet: Worksheet) -> None:
            sheet.cell(self._place(sheet, tag), HEAD.index(name) + 1).value = value or None

        self._work(work)

    def remove(self, tag: str) -> None:
        self._work(lambda sheet: sheet.delete_rows(self._place(sheet, tag)))

    def sort(self, *, backwards: bool, past_ids: bool) -> None:
        def work(sheet: Worksheet) -> None:
            places = list(_places(sheet))
            last = len(HEAD) if past_ids else sheet.max_column
            rows = [[sheet.cell(place, column).value for column in range(1, last + 1)] for place in places]
            rows.sort(key=lambda row: str(row[0] or ""), reverse=backwards)
            for place, row in zip(places, rows, strict=True):
                for column, value in enumerate(row, 1):
                    sheet.cell(place, column).value = value

        self._work(work)

    def _work(self, work: Callable[[Worksheet], object]) -> None:
        book = openpyxl.load_workbook(io.BytesIO(self.load()))
        work(book.worksheets[0])
        self.store(_saved(book))

    @staticmethod
    def _place(sheet: Worksheet, tag: str) -> int:
        return next(place for place in _places(sheet) if tag_of(_row(sheet, place)) == tag)


class TextOffice(Office):
    """The plan is a .csv file."""

    def blank(self) -> bytes:
        return _text([dict.fromkeys(HEAD, "")])

    def rows(self) -> list[Row]:
        found = csv.DictReader(io.StringIO(self.load().decode("utf-8"), newline=""), delimiter=";")
        return [{**row, "id": row.pop("sb-id", "")} for row in found if row["Titel"]]

    def add(self, row: Row) -> None:
        self.store(_text([*self.rows(), row]))

    def edit(self, tag: str, name: str, value: str) -> None:
        self.store(_text([{**row, name: value} if tag_of(row) == tag else row for row in self.rows()]))

    def remove(self, tag: str) -> None:
        self.store(_text([row for row in self.rows() if tag_of(row) != tag]))

    def sort(self, *, backwards: bool, past_ids: bool) -> None:
        self.store(_text(sorted(self.rows(), key=lambda row: row["Titel"], reverse=backwards)))


def here(path: Path) -> tuple[Callable[[], bytes], Callable[[bytes], object]]:
    """A file on this machine."""
    return path.read_bytes, path.write_bytes


def there(url: str, user: str, password: str) -> tuple[Callable[[], bytes], Callable[[bytes], object]]:
    """A file on a server."""
    auth = (user.encode(), password.encode())

    def load() -> bytes:
        answer = requests.get(url, auth=auth, timeout=30)
        answer.raise_for_status()
        return answer.content

    def store(content: bytes) -> None:
        requests.put(url, content, auth=auth, timeout=30).raise_for_status()

    return load, store


def labels_of(row: Row) -> set[str]:
    return {part.strip() for part in row["Schlagworte"].replace(",", ";").split(";") if part.strip()}


def tag_of(row: Row) -> str:
    """Who a row is to people."""
    return next((label for label in labels_of(row) if label.startswith("tag-")), "")


def _row(sheet: Worksheet, place: int) -> Row:
    found = {name: _said(sheet.cell(place, column).value) for column, name in enumerate(HEAD, 1)}
    ids = [cell.value for cell in sheet[place] if sheet.cell(1, cell.column).value == "sb-id"]
    return found | {"id": _said(ids[0] if ids else None).partition(" ~")[0]}


def _said(value: Any) -> str:
    return "" if value is None else value.date().isoformat() if hasattr(value, "date") else str(value)


def _places(sheet: Worksheet) -> Iterator[int]:
    """The rows below the headers that have a title."""
    return (place for place in range(2, sheet.max_row + 1) if sheet.cell(place, 1).value)


def _saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _text(rows: list[Row]) -> bytes:
    out = io.StringIO(newline="")
    head = [*HEAD, "sb-id"] if any(row.get("id") for row in rows) else list(HEAD)
    writer = csv.DictWriter(out, head, delimiter=";", lineterminator="\r\n", extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows({**row, "sb-id": row.get("id", "")} for row in rows if row.get("Titel"))
    return out.getvalue().encode("utf-8")
