"""What people type by hand is understood, and what is written is written as they would."""

from __future__ import annotations

import os
from pathlib import Path

import openpyxl
import pytest

from connectors.base import Record
from connectors.workbook import WorkbookConnector, cells, words
from mappings import schema, tables
from mappings.canonical import FIELDS, normal
from tests.workbook_person import connector_to

MEANING = schema.load(schema.shipped("workbook.toml"))


def table(path: Path, *lines: str) -> WorkbookConnector:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return connector_to(path)


def by_title(connector: WorkbookConnector) -> dict[str, Record]:
    return {str((record.fields or {})["title"]): record for record in connector.pull(None, {}).records}


# ---- dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "1.12.2026",
        "01.12.26",
        " 1. 12. 2026",
        "2026-12-01",
        "2026/12/1",
        "1. Dezember 2026",
        "1. Dez. 2026",
        "Dec 1, 2026",
    ],
)
def test_dates_as_people_type_them(typed: str) -> None:
    assert cells.read("due", typed) == "2026-12-01"


@pytest.mark.parametrize(
    "typed", ["31.2.2026", "12/01/2026", "Ende 2026", "KW 12", "1.13.2026", "Mai 2026", "1. Foo 2026"]
)
def test_what_is_no_day_stays_what_it_is(typed: str) -> None:
    """So that `check` and `status` can say it; R7: it is not read as empty."""
    assert cells.read("due", typed) == typed


def test_march_has_three_spellings() -> None:
    assert {cells.read("due", f"29. {month} 2026") for month in ("März", "Mrz.", "Mär")} == {"2026-03-29"}


# ---- words -----------------------------------------------------------------------------------------------------------


def meaning(name: str) -> dict[str, object]:
    """What the shipped mapping makes of each word of a column."""
    if name == "kind":
        return {normal(word): value for word, value in MEANING.kinds.values.items()}
    found = MEANING.fields.tables()[name]
    assert isinstance(found, tables.Choice)
    return {normal(word): tables.choice_value(FIELDS[name].choices, raw) for word, raw in found.values.items()}


@pytest.mark.parametrize("name", sorted(words.SAME))
def test_words_that_are_called_the_same_mean_the_same(name: str) -> None:
    known = meaning(name)
    for same in words.SAME[name]:
        assert len({known[normal(word)] for word in same.words}) == 1, same
    assert {normal(word) for same in words.SAME[name] for word in same.words} | {
        "archiviert",
        "archived",
    } >= known.keys()


def test_an_archived_row_says_so_in_the_word_that_the_mapping_looks_for() -> None:
    assert MEANING.archive is not None
    assert words.said("status", str(MEANING.archive.value), [], english=True) == MEANING.archive.value


@pytest.mark.parametrize(
    ("head", "cell", "written"),
    [
        ("Titel;Status", "Offen", "In Arbeit"),
        ("Title;Status", "Open", "In progress"),
        ("Title;Status", "in Umsetzung", "in Umsetzung"),
        ("Titel;Stand", "läuft", "läuft"),
    ],
)
def test_a_word_is_written_as_the_column_says_it_or_in_the_language_of_the_headers(
    tmp_path: Path, head: str, cell: str, written: str
) -> None:
    connector = table(tmp_path / "plan.csv", head, f"Eins;{cell}", "Zwei;")
    record = by_title(connector)["Zwei"]
    after = connector.update(record.ref, {"status": "In Arbeit"}, record.version)
    assert (after.fields or {})["status"] == written
    assert connector.normalises("status", "In Arbeit", written)


def test_different_words_are_not_alike(tmp_path: Path) -> None:
    connector = table(tmp_path / "plan.csv", "Titel")
    assert not connector.normalises("status", "In Arbeit", "Erledigt")
    assert not connector.normalises("status", "In Prüfung", "In Prüfung")
    assert not connector.normalises("title", "Offen", "Geplant")


def test_numbers_for_priorities_stay_numbers(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Titel", "Prio"], ["Eins", 1], ["Zwei", 3]):
        book.worksheets[0].append(row)
    path = tmp_path / "Plan.xlsx"
    book.save(path)
    connector = connector_to(path)
    record = by_title(connector)["Zwei"]
    assert (record.fields or {})["priority"] == "3"
    connector.update(record.ref, {"priority": "Hoch"}, record.version)
    assert openpyxl.load_workbook(path).worksheets[0]["B3"].value == 1


def test_a_box_and_a_tick_are_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Titel", "Erledigt?", "Öffentlich"], ["Eins", True, "x"], ["Zwei", False, "nein"]):
        book.worksheets[0].append(row)
    path = tmp_path / "Plan.xlsx"
    book.save(path)
    found = {title: record.fields or {} for title, record in by_title(connector_to(path)).items()}
    assert (found["Eins"]["status"], found["Eins"]["visibility"]) == ("Ja", "x")
    assert (found["Zwei"]["status"], found["Zwei"]["visibility"]) == ("Nein", "nein")
    assert (meaning("status")["ja"], meaning("status")["nein"]) == ("done", "planned")
    assert (meaning("visibility")["x"], meaning("visibility")["nein"]) == ("public", "internal")


def test_the_more_usual_of_two_headers_counts() -> None:
    assert cells.columns_of(["Erledigt", "Titel", "Status"]) == {"title": 1, "status": 2}
    assert cells.columns_of(["Maßnahme", "Aufgabe"])["title"] == 1


def test_a_list_in_english_gets_english_keys(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("tasks:\n- title: One\n  status: open\n", encoding="utf-8")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    connector = connector_to(path)
    record = by_title(connector)["One"]
    connector.update(record.ref, {"priority": "Hoch", "due": "2026-12-01", "status": "Erledigt"}, record.version)
    text = path.read_text(encoding="utf-8")
    assert "priority: High\n" in text
    assert "due: 2026-12-01\n" in text
    assert "status: Done\n" in text


# ---- rows that name others -------------------------------------------------------------------------------------------

NUMBERED = ("Nr.;Titel;Abhängig von;Gehört zu", "1;Eins;;", "2;Zwei;1;", "3;Drei;1, 2;Eins", "4;Zeit, Ort;;")


def test_rows_are_named_by_number_and_by_title(tmp_path: Path) -> None:
    found = by_title(table(tmp_path / "plan.csv", *NUMBERED, '5;Fünf;"Zeit, Ort";', "6;Sechs;Eins; Zwei"))
    ids = {title: record.ref.native_id for title, record in found.items()}
    assert (found["Drei"].fields or {})["depends_on"] == tuple(sorted((ids["Eins"], ids["Zwei"])))
    assert (found["Drei"].fields or {})["parent"] == ids["Eins"]
    assert (found["Fünf"].fields or {})["depends_on"] == (ids["Zeit, Ort"],)
    assert (found["Eins"].fields or {})["depends_on"] == ()


def test_a_name_that_nobody_has_makes_the_whole_list_absent(tmp_path: Path) -> None:
    found = by_title(table(tmp_path / "plan.csv", "Titel;Vorgänger", "Eins;", "Zwei;Eins, Fehlt", "Drei;7"))
    assert "depends_on" not in (found["Zwei"].fields or {})
    assert "depends_on" not in (found["Drei"].fields or {})


def test_a_column_of_numbers_is_written_in_numbers_and_one_of_titles_in_titles(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    connector = table(path, *NUMBERED)
    found = by_title(connector)
    ids = {title: record.ref.native_id for title, record in found.items()}
    wanted = {"depends_on": tuple(sorted((ids["Eins"], ids["Zeit, Ort"]))), "parent": ids["Zeit, Ort"]}
    after = connector.update(found["Zwei"].ref, wanted, found["Zwei"].version)
    assert {name: (after.fields or {})[name] for name in wanted} == wanted
    line = path.read_text(encoding="utf-8").splitlines()[2]
    assert '"1; 4"' in line or '"4; 1"' in line
    assert ";Zeit, Ort;" in line


def test_what_depends_on_a_row_follows_its_new_title(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    connector = table(path, "Titel;Abhängig von", "Eins;", "Zwei;", '"Drei";"Eins; Zwei"')
    record = by_title(connector)["Eins"]
    connector.update(record.ref, {"title": "Erstens; neu"}, record.version)
    found = by_title(connector)
    assert (found["Drei"].fields or {})["depends_on"] == tuple(
        sorted((found["Erstens; neu"].ref.native_id, found["Zwei"].ref.native_id))
    )
