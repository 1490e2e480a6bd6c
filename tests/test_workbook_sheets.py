"""What an office keeps in a sheet stays: the archive is compared part by part, and sorting leaves no id behind."""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table

from connectors.base import Gone, Hidden, Record
from connectors.errors import NotACollection, Rejected, Transient
from connectors.workbook import WorkbookConnector, grid
from tests.workbook_person import connector_to

HEAD = ["Nr.", "Titel", "Status", "Beginn", "Termin", "Fortschritt", "Tage", "Abhängig von"]
ROWS = [
    [1, "Serviceportal", "In Arbeit", datetime.date(2026, 1, 1), datetime.date(2026, 12, 1), 0.4, "=E3-D3", None],
    [2, "Formulare", "Geplant", None, datetime.date(2026, 10, 25), 0, "=E4-D4", "1"],
    [3, "Abschluss", "Geplant", None, None, None, "=E5-D5", "1; 2"],
]
STRANGE = {
    "xl/threadedComments/threadedComment1.xml": b"<ThreadedComments/>",
    "xl/slicers/slicer1.xml": b"<slicers  />",
    "xl/ctrlProps/ctrlProp1.xml": b"<formControlPr/>",
    "xl/pivotCache/pivotCacheDefinition1.xml": b"<pivotCacheDefinition/>",
    "xl/vbaProject.bin": bytes(range(256)),
}
"""Parts that openpyxl does not know, and would drop."""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A sheet with all that office programs lay over the cells."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Plan"
    sheet.append(["Digitalstrategie 2026"])
    sheet.merge_cells("A1:H1")
    for row in (HEAD, *ROWS):
        sheet.append(row)
    for cell in (*sheet["D"][2:], *sheet["E"][2:]):
        cell.number_format = "DD.MM.YYYY"
    for cell in sheet["F"][2:]:
        cell.number_format = "0%"
    sheet["B3"].comment = Comment("mit der Leitung besprochen", "A. Beispiel")
    sheet.freeze_panes = "C3"
    sheet.column_dimensions["B"].width = 41
    sheet.column_dimensions["I"].min, sheet.column_dimensions["I"].max = 9, 16384
    sheet.column_dimensions["I"].width = 11.5
    green = PatternFill(bgColor="C6EFCE", fill_type="solid")
    sheet.conditional_formatting.add("C3:C5", CellIsRule(operator="equal", formula=['"Erledigt"'], fill=green))
    rule = DataValidation(type="list", formula1='"Geplant,In Arbeit,Erledigt"')
    rule.add("C3:C5")
    sheet.add_data_validation(rule)
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=6, min_row=2, max_row=5), titles_from_data=True)
    sheet.add_chart(chart, "K3")
    other = book.create_sheet("Kosten")
    other["A1"] = "=SUM(Plan!F3:F9)"
    table = book.create_sheet("Tabelle")
    for row in (["Titel", "Status", "Frist"], ["Eins", "Offen", None], ["Zwei", "x", "1.12.26"]):
        table.append(row)
    table.add_table(Table(displayName="Aufgaben", ref="A1:C3"))
    book.defined_names["Fristen"] = DefinedName("Fristen", attr_text="Plan!$E$3:$E$5")
    path = tmp_path / "Plan.xlsx"
    book.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        for name, content in STRANGE.items():
            archive.writestr(name, content)
    return path


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def by_title(connector: WorkbookConnector) -> dict[str, Record]:
    return {str((record.fields or {})["title"]): record for record in connector.pull(None, {}).records}


def worked_on(path: Path, work: Any) -> None:
    """Somebody works on the first sheet with openpyxl."""
    book = openpyxl.load_workbook(path)
    work(book.worksheets[0])
    book.save(path)


# ---- what stays ------------------------------------------------------------------------------------------------------


def test_nothing_but_cells_is_written(plan: Path) -> None:
    before = parts(plan)
    connector = connector_to(plan)
    record = by_title(connector)["Serviceportal"]
    connector.update(record.ref, {"status": "Wartet", "due": "2027-01-31", "title": "Portal & <mehr>"}, record.version)
    connector.create({"title": " Neu\n=1+1", "due": "2027-02-01", "progress": 55}, "sb-1")
    after = parts(plan)
    assert list(after) == list(before)
    assert {name for name in before if before[name] != after[name]} == {
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml",
    }
    sheet = openpyxl.load_workbook(plan)["Plan"]
    assert (sheet["B3"].value, sheet["C3"].value, sheet["E3"].value) == (
        "Portal & <mehr>",
        "Wartet",
        datetime.datetime(2027, 1, 31),
    )
    assert (sheet["B6"].value, sheet["F6"].value, sheet["F6"].number_format) == (" Neu\n=1+1", 0.55, "0%")
    assert (sheet["E6"].value, sheet["E6"].number_format) == (datetime.datetime(2027, 2, 1), "DD.MM.YYYY")
    assert (sheet["G3"].value, sheet.freeze_panes, sheet.column_dimensions["B"].width) == ("=E3-D3", "C3", 41)
    assert len(sheet._charts) == 1
    assert [str(one.sqref) for one in sheet.conditional_formatting] == ["C3:C6"]
    assert [str(one.sqref) for one in sheet.data_validations.dataValidation] == ["C3:C6"]


def test_a_column_among_many_of_one_width_is_hidden_alone(plan: Path) -> None:
    connector_to(plan).create({"title": "Neu"}, "sb-1")
    sheet = openpyxl.load_workbook(plan)["Plan"]
    assert sheet["I2"].value == "sb-id"
    ranges = [
        (one.min, one.max, bool(one.hidden)) for one in sheet.column_dimensions.values() if one.min and one.min > 2
    ]
    assert ranges == [(9, 9, True), (10, 16384, False)]


def test_what_formulas_resulted_in_is_not_left_to_be_believed(plan: Path) -> None:
    """LibreOffice 7.4.7 shows the results that are in the file, even when the book asks for them to be worked out."""
    content = (
        parts(plan)["xl/worksheets/sheet2.xml"].replace(b"<v></v>", b"<v>0.4</v>").replace(b"<v />", b"<v>0.4</v>")
    )
    rewritten(plan, {"xl/worksheets/sheet2.xml": content})
    assert openpyxl.load_workbook(plan, data_only=True)["Kosten"]["A1"].value == 0.4
    connector_to(plan).create({"title": "Neu"}, "sb-1")
    assert openpyxl.load_workbook(plan, data_only=True)["Kosten"]["A1"].value is None
    assert openpyxl.load_workbook(plan)["Kosten"]["A1"].value == "=SUM(Plan!F3:F9)"
    assert b'fullCalcOnLoad="1"' in parts(plan)["xl/workbook.xml"]


def test_a_table_grows_with_its_rows_and_one_with_totals_does_not(plan: Path) -> None:
    connector = connector_to(plan, "Tabelle")
    assert (by_title(connector)["Zwei"].fields or {})["due"] == "2026-12-01"
    connector.create({"title": "Drei", "due": "2026-12-24"}, "sb-1")
    sheet = openpyxl.load_workbook(plan)["Tabelle"]
    assert sheet.tables["Aufgaben"].ref == sheet.tables["Aufgaben"].autoFilter.ref == "A1:D4"
    assert [one.name for one in sheet.tables["Aufgaben"].tableColumns] == ["Titel", "Status", "Frist", "sb-id"]
    assert (sheet["C4"].value, sheet["C4"].number_format) == (datetime.datetime(2026, 12, 24), "mm-dd-yy")
    name = "xl/tables/table1.xml"
    rewritten(plan, {name: parts(plan)[name].replace(b"<table ", b'<table totalsRowCount="1" ')})
    connector_to(plan, "Tabelle").create({"title": "Vier"}, "sb-2")
    assert b'ref="A1:D4"' in parts(plan)[name]


def rewritten(path: Path, new: dict[str, bytes]) -> None:
    content = parts(path) | new
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def test_places_that_a_file_does_not_say_are_counted(plan: Path) -> None:
    name = "xl/worksheets/sheet3.xml"
    bare = parts(plan)[name]
    for place in ("1", "2", "3", "A1", "B1", "C1", "A2", "B2", "A3", "B3", "C3"):
        bare = bare.replace(f' r="{place}"'.encode(), b"")
    rewritten(plan, {name: bare})
    connector = connector_to(plan, "Tabelle")
    record = by_title(connector)["Zwei"]
    assert record.fields == {"title": "Zwei", "status": "x", "due": "2026-12-01"}
    connector.update(record.ref, {"status": "Offen"}, record.version)
    assert openpyxl.load_workbook(plan)["Tabelle"]["B3"].value == "Offen"


def test_a_filter_covers_the_ids_so_that_they_are_sorted_with_their_rows(plan: Path) -> None:
    def filtered(sheet: Any) -> None:
        sheet.auto_filter.ref = "A2:H5"

    worked_on(plan, filtered)
    assert b"Plan'!$A$2:$H$5" in parts(plan)["xl/workbook.xml"]
    connector_to(plan).create({"title": "Neu"}, "sb-1")
    assert openpyxl.load_workbook(plan)["Plan"].auto_filter.ref == "A2:I5"
    assert b"Plan'!$A$2:$I$5" in parts(plan)["xl/workbook.xml"]


# ---- where a new row goes --------------------------------------------------------------------------------------------


def test_a_row_that_was_prepared_is_used_and_one_that_says_something_is_not(plan: Path) -> None:
    def prepare(sheet: Any) -> None:
        sheet["A6"], sheet["G6"] = 4, "=E6-D6"
        sheet["A7"], sheet["G7"], sheet["A9"] = 5, "=E7-D7", "Stand: Mai 2026"
        sheet["F7"] = "=SUM(F3:F6)"  # no task has a formula here: these are the totals

    worked_on(plan, prepare)
    connector = connector_to(plan)
    connector.create({"title": "Vier"}, "sb-1")
    connector.create({"title": "Fünf"}, "sb-2")
    sheet = openpyxl.load_workbook(plan)["Plan"]
    assert [sheet.cell(row, 2).value for row in range(5, 12)] == ["Abschluss", "Vier", None, "Fünf", None, None, None]
    assert (sheet["A6"].value, sheet["F7"].value, sheet["A9"].value) == (4, "=SUM(F3:F6)", "Stand: Mai 2026")


# ---- ids follow their rows -------------------------------------------------------------------------------------------


def pinned(plan: Path) -> dict[str, Record]:
    """The rows by title, after a first write has given all of them their ids."""
    connector = connector_to(plan)
    connector.create({"title": "Vierte"}, "sb-1")
    return by_title(connector)


def visible(sheet: Any) -> list[list[Any]]:
    return [[sheet.cell(row, column).value for column in range(1, 9)] for row in range(3, 7)]


def put(sheet: Any, rows: list[list[Any]]) -> None:
    for at, row in enumerate(rows, 3):
        for column, value in enumerate(row, 1):
            sheet.cell(at, column).value = value


def test_sorting_by_a_filter_leaves_no_id_behind(plan: Path) -> None:
    before = pinned(plan)
    worked_on(plan, lambda sheet: put(sheet, sorted(visible(sheet), key=lambda row: str(row[1]))))
    after = by_title(connector_to(plan))
    assert {title: record.ref for title, record in after.items()} == {t: record.ref for t, record in before.items()}
    assert (after["Abschluss"].fields or {})["depends_on"] == (before["Abschluss"].fields or {})["depends_on"]
    connector_to(plan).create({"title": "Fünfte"}, "sb-2")  # and stays so when the ids are written again
    assert {t: r.ref for t, r in by_title(connector_to(plan)).items() if t in before} == {
        t: record.ref for t, record in before.items()
    }


def test_equal_titles_are_sorted_too(plan: Path) -> None:
    def twice(sheet: Any) -> None:
        sheet["B4"] = "Serviceportal"

    worked_on(plan, twice)
    connector_to(plan).create({"title": "Vierte"}, "sb-1")
    before = connector_to(plan).pull(None, {}).present
    worked_on(plan, lambda sheet: put(sheet, list(reversed(visible(sheet)))))
    assert connector_to(plan).pull(None, {}).present == before


def test_sorting_with_one_new_title_and_one_new_row_finds_all_the_same(plan: Path) -> None:
    before = pinned(plan)

    def work(sheet: Any) -> None:
        rows = visible(sheet)
        rows[1][1] = "Formulare online"
        put(sheet, [*reversed(rows), [None, "Ganz neu", *[None] * 6]])

    worked_on(plan, work)
    after = by_title(connector_to(plan))
    assert after["Formulare online"].ref == before["Formulare"].ref
    assert {after[title].ref == before[title].ref for title in ("Serviceportal", "Abschluss", "Vierte")} == {True}
    assert after["Ganz neu"].ref not in {record.ref for record in before.values()}


@pytest.mark.parametrize("order", [[0, 1, 2, 4, 3], [4, 0, 1, 2, 3], [3, 4, 2, 0, 1]])
def test_a_new_row_that_was_sorted_in_takes_nobodys_id(plan: Path, order: list[int]) -> None:
    """Found by a random history: what was written to one row made the others look as if they had new titles."""
    before = pinned(plan)

    def work(sheet: Any) -> None:
        rows = [*visible(sheet), [None, "Ganz neu", *[None] * 6]]
        put(sheet, [rows[at] for at in order])

    worked_on(plan, work)
    connector = connector_to(plan)
    found = by_title(connector)
    connector.update(found["Formulare"].ref, {"status": "Erledigt"}, found["Formulare"].version)
    after = by_title(connector_to(plan))
    assert {title: record.ref for title, record in after.items() if title != "Ganz neu"} == {
        title: record.ref for title, record in before.items()
    }


def test_new_titles_alone_are_new_titles(plan: Path) -> None:
    before = pinned(plan)

    def work(sheet: Any) -> None:
        sheet["B3"], sheet["B4"] = "Portal", "Formulare online"

    worked_on(plan, work)
    after = by_title(connector_to(plan))
    assert after["Portal"].ref == before["Serviceportal"].ref
    assert after["Formulare online"].ref == before["Formulare"].ref


def test_what_was_sorted_and_renamed_at_once_is_not_called_gone(plan: Path) -> None:
    before = pinned(plan)

    def work(sheet: Any) -> None:
        rows = visible(sheet)
        rows[0][1], rows[1][1] = "Neues Portal", "Neue Formulare"
        put(sheet, [*rows[2:], *rows[:2]])

    worked_on(plan, work)
    connector = connector_to(plan)
    after = by_title(connector)
    assert after["Abschluss"].ref == before["Abschluss"].ref
    assert connector.probe(before["Serviceportal"].ref) == Hidden()
    worked_on(plan, lambda sheet: sheet.delete_rows(6))
    assert connector.probe(after["Abschluss"].ref) != Gone()


def test_of_two_rows_with_one_id_the_one_that_kept_its_title_keeps_it(plan: Path) -> None:
    before = pinned(plan)

    def copy_above(sheet: Any) -> None:
        row = [cell.value for cell in sheet[4]]
        sheet.insert_rows(3)
        for column, value in enumerate(row, 1):
            sheet.cell(3, column).value = value
        sheet["B3"] = "Abgeschrieben"

    worked_on(plan, copy_above)
    after = by_title(connector_to(plan))
    assert after["Formulare"].ref == before["Formulare"].ref
    assert after["Abgeschrieben"].ref not in {record.ref for record in before.values()}


# ---- what cannot be read or written ----------------------------------------------------------------------------------


def test_an_encrypted_book_and_a_sheet_that_is_not_there(plan: Path, tmp_path: Path) -> None:
    path = tmp_path / "Geheim.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    with pytest.raises(NotACollection, match="protected with a password"):
        connector_to(path).identify()
    with pytest.raises(NotACollection, match="has no sheet Plam; there are: Plan, Kosten, Tabelle"):
        connector_to(plan, "Plam").identify()


def test_an_entity_is_not_resolved(plan: Path) -> None:
    name = "xl/worksheets/sheet3.xml"
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    content = parts(plan)[name]
    rewritten(plan, {name: bomb + content[content.index(b"<worksheet") :].replace(b"<v>0</v>", b"<v>&a;</v>")})
    with pytest.raises((NotACollection, Transient)):
        connector_to(plan, "Tabelle").pull(None, {})


@pytest.mark.parametrize("text", ["_x0041_", "a\x01b", "x" * 32_768])
def test_a_text_that_a_cell_cannot_hold_is_refused_and_nothing_is_written(plan: Path, text: str) -> None:
    before = plan.read_bytes()
    with pytest.raises(Rejected):
        connector_to(plan).create({"title": text, "status": "Offen"}, "sb-1")
    assert plan.read_bytes() == before


def test_dates_of_a_book_made_on_an_old_macintosh(plan: Path) -> None:
    book = parts(plan)["xl/workbook.xml"]
    rewritten(plan, {"xl/workbook.xml": book.replace(b"<workbookPr", b'<workbookPr date1904="1"', 1)})
    connector = connector_to(plan)
    record = by_title(connector)["Serviceportal"]
    assert (record.fields or {})["due"] == "2030-12-02"  # 1462 days later, as Excel would show it
    after = connector.update(record.ref, {"due": "2026-10-25"}, record.version)
    assert (after.fields or {})["due"] == "2026-10-25"
    assert grid.DATE_FORMAT == 14
