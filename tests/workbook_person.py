"""A person with an office: works on the rows of a file with the format's own library, and not with the connector."""

from __future__ import annotations

import csv
import datetime
from pathlib import Path
from typing import Any

import openpyxl
import requests
from openpyxl.comments import Comment
from openpyxl.styles import Font
from ruamel.yaml import YAML

from connectors.base import Access, Connector, Fields, Native
from connectors.workbook import WorkbookConnector, connect

HEADERS = {
    "title": "Titel",
    "description": "Beschreibung",
    "kind": "Art",
    "status": "Status",
    "progress": "Fortschritt",
    "priority": "Priorität",
    "start": "Beginn",
    "due": "Fällig",
    "responsible": "Zuständig",
    "labels": "Schlagworte",
    "visibility": "Sichtbarkeit",
    "parent": "Gehört zu",
    "milestone": "Meilenstein",
    "id": "sb-id",
}
SAMPLE: Fields = {
    "description": "eins\nzwei",
    "kind": "Meilenstein",
    "status": "In Arbeit",
    "progress": 40,
    "priority": "Hoch",
    "start": "2026-03-29",
    "due": "2026-10-25",
    "responsible": ("Amt 16", "FB 02"),
    "labels": ("presse, rat", "straße"),
    "visibility": "Öffentlich",
}
LATER = 3_000_000_000.0
"""The clock of a connector to which every save has come to rest long ago."""


def connector_to(path: Path, sheet: str = "") -> WorkbookConnector:
    where = f"{path}#{sheet}" if sheet else str(path)
    return connect(Access("plan", "", collection=where), clock=lambda: LATER)


def id_of(row: dict[str, Any]) -> str:
    """The id of a row: in a sheet, a digest of the title that it was written for stands behind it."""
    return str(row["id"]).partition(" ~")[0]


class Person:
    """What `connectors.testing.Platform` asks for. The rows of the contract have ids, as if we had made them once:
    those that people make have tests of their own."""

    title_field = "title"
    text_field = "description"
    sample_fields = SAMPLE

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.save([])

    def connect(self) -> Connector:
        return connector_to(self.path)

    def add(self, title: str) -> str:
        self.count += 1
        native_id = f"id-{self.count}"
        self.save([*self.rows(), {"title": title, "id": native_id}])
        return native_id

    def edit(self, native_id: str, field: str, value: Native) -> None:
        self.save([{**row, field: value} if id_of(row) == native_id else row for row in self.rows()])

    def remove(self, native_id: str) -> None:
        self.save([row for row in self.rows() if id_of(row) != native_id])

    def rows(self) -> list[dict[str, Any]]:
        raise NotImplementedError

    def save(self, rows: list[dict[str, Any]]) -> None:
        raise NotImplementedError


class ExcelPerson(Person):
    def rows(self) -> list[dict[str, Any]]:
        found = openpyxl.load_workbook(self.path).worksheets[0].iter_rows(min_row=2, values_only=True)
        return [row for values in found if (row := dict(zip(HEADERS, values, strict=False)))["id"]]

    def save(self, rows: list[dict[str, Any]]) -> None:
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        sheet.append(list(HEADERS.values()))
        for number, row in enumerate(rows, 2):
            for column, name in enumerate(HEADERS, 1):
                cell = sheet.cell(number, column)
                cell.value = row.get(name)
                if isinstance(row.get(name), str):
                    cell.data_type = "s"
        book.save(self.path)


class CsvPerson(Person):
    def rows(self) -> list[dict[str, Any]]:
        with self.path.open(encoding="utf-8", newline="") as file:
            return [dict(zip(HEADERS, line, strict=True)) for line in list(csv.reader(file, delimiter=";"))[1:]]

    def save(self, rows: list[dict[str, Any]]) -> None:
        with self.path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
            writer.writerow(HEADERS.values())
            writer.writerows([[row.get(name) for name in HEADERS] for row in rows])


class YamlPerson(Person):
    def rows(self) -> list[dict[str, Any]]:
        names = {header.casefold(): name for name, header in HEADERS.items()}
        whole = YAML(typ="safe").load(self.path)
        return [{names[header.casefold()]: value for header, value in task.items()} for task in whole["Aufgaben"]]

    def save(self, rows: list[dict[str, Any]]) -> None:
        tasks = [{HEADERS[name]: value for name, value in row.items() if value is not None} for row in rows]
        yaml = YAML(typ="safe")
        yaml.allow_unicode = True
        yaml.width = 100_000
        with self.path.open("w", encoding="utf-8") as file:
            yaml.dump({"Aufgaben": tasks}, file)


class Shared(Person):
    """Somebody whose file is on a server: fetched, worked on, and put back. Mixed in before a format."""

    def __init__(self, path: Path, url: str, user: str, password: str) -> None:
        self.url, self.user, self.password = url, user, password
        self.secrets = (password,)
        self.auth = (user.encode(), password.encode())
        super().__init__(path)

    def connect(self) -> Connector:
        return connect(Access("plan", self.url, user=self.user, password=self.password))

    def rows(self) -> list[dict[str, Any]]:
        answer = requests.get(self.url, auth=self.auth, timeout=30)
        answer.raise_for_status()
        self.path.write_bytes(answer.content)
        return super().rows()

    def save(self, rows: list[dict[str, Any]]) -> None:
        super().save(rows)
        content = self.path.read_bytes()
        requests.put(self.url, content, auth=self.auth, timeout=30).raise_for_status()


def office_plan(path: Path) -> None:
    """The plan that an office keeps: a heading above, a second sheet, formulas, colours, comments."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Plan"
    sheet["A1"] = "Digitalstrategie 2026"
    sheet.append(["Titel", "Termin", "Status", "Teil von", "Zuständig", "Fortschritt"])
    sheet.append(["Serviceportal", datetime.date(2026, 12, 1), "In Arbeit", None, "Amt 16", 0.4])
    sheet.append(["Formulare", "=B3+30", "Geplant", "Serviceportal", "Amt 33", 0])
    sheet["B3"].number_format = "DD.MM.YYYY"
    sheet["F3"].number_format = sheet["F4"].number_format = "0%"
    sheet["A3"].font = Font(bold=True)
    sheet["A3"].comment = Comment("mit der Leitung besprochen", "A. Beispiel")
    sheet.column_dimensions["A"].width = 41
    other = book.create_sheet("Kosten")
    other["A1"] = "=SUM(Plan!F3:F4)"
    book.save(path)
