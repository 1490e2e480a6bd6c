"""What becomes of a file that an office keeps: everything that is not ours stays, and nobody's edit is lost."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import openpyxl
import pytest

from connectors.base import Access, Alive, Gone, Hidden, Record
from connectors.errors import Forbidden, NotACollection, Rejected, Transient
from connectors.workbook import WorkbookConnector, connect
from mappings import schema
from tests.workbook_person import connector_to, office_plan


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "Plan.xlsx"
    office_plan(path)
    return path


def by_title(connector: WorkbookConnector) -> dict[str, Record]:
    return {str((record.fields or {})["title"]): record for record in connector.pull(None, {}).records}


def test_an_offices_own_plan_is_read_by_its_headers(plan: Path) -> None:
    records = by_title(connector_to(plan))
    assert records["Serviceportal"].fields == {
        "title": "Serviceportal",
        "due": "2026-12-01",
        "status": "In Arbeit",
        "parent": None,
        "progress": 40,
        "responsible": ("Amt 16",),
    }
    assert (records["Formulare"].fields or {})["parent"] == records["Serviceportal"].ref.native_id


def test_a_formula_is_neither_read_nor_written(plan: Path) -> None:
    connector = connector_to(plan)
    record = by_title(connector)["Formulare"]
    assert record.locked == {"due"}
    assert "due" not in (record.fields or {})
    connector.update(record.ref, {"due": "2026-01-01", "status": "Erledigt"}, record.version)
    sheet = openpyxl.load_workbook(plan)["Plan"]
    assert (sheet["B4"].value, sheet["C4"].value) == ("=B3+30", "Erledigt")


def test_what_is_not_ours_survives_a_write(plan: Path) -> None:
    connector = connector_to(plan)
    record = by_title(connector)["Serviceportal"]
    connector.update(record.ref, {"due": "2027-01-31", "progress": 55}, record.version)
    made = connector.create({"title": "Neu", "due": "2027-02-01", "progress": 5}, "sb-1")
    assert (made.fields or {})["progress"] == 5
    book = openpyxl.load_workbook(plan)
    sheet = book["Plan"]
    assert (sheet["A1"].value, sheet["E3"].value, sheet["E4"].value) == ("Digitalstrategie 2026", "Amt 16", "Amt 33")
    assert (sheet["B3"].is_date, sheet["B3"].number_format, sheet["F3"].value) == (True, "DD.MM.YYYY", 0.55)
    assert sheet["A3"].font.bold
    assert sheet["A3"].comment is not None
    assert sheet.column_dimensions["A"].width == 41
    assert sheet.column_dimensions["G"].hidden
    assert book["Kosten"]["A1"].value == "=SUM(Plan!F3:F4)"
    assert (sheet["A5"].value, sheet["G5"].value[:6], sheet["F5"].number_format) == ("Neu", "sb-1 ~", "0%")


def test_reading_writes_nothing(plan: Path) -> None:
    before = plan.read_bytes()
    connector = connector_to(plan)
    connector.identify()
    record = by_title(connector)["Formulare"]
    assert isinstance(connector.probe(record.ref), Alive)
    assert plan.read_bytes() == before


def test_a_row_made_by_hand_keeps_its_id_when_it_is_written_down(plan: Path) -> None:
    before = {title: record.ref for title, record in by_title(connector_to(plan)).items()}
    connector = connector_to(plan)
    connector.create({"title": "Neu"}, "sb-1")
    book = openpyxl.load_workbook(plan)
    book["Plan"]["A4"].value = "Formulare online"
    book.save(plan)
    after = by_title(connector_to(plan))
    assert after["Formulare online"].ref == before["Formulare"]
    assert after["Serviceportal"].ref == before["Serviceportal"]
    assert (after["Neu"].mark, after["Serviceportal"].mark) == ("sb-1", "")


def test_equal_titles_made_by_hand_are_different_rows(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("Titel;Status\nTermin;Offen\nTermin;Fertig\n", encoding="utf-8")
    assert len(connector_to(path).pull(None, {}).present) == 2


def test_a_row_that_lost_its_title_before_it_had_an_id_is_not_called_gone(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("Titel\nAlt\n", encoding="utf-8")
    connector = connector_to(path)
    (record,) = connector.pull(None, {}).records
    path.write_text("Titel\nAnders\n", encoding="utf-8")
    assert connector.probe(record.ref) == Hidden()
    path.write_text("Titel\n", encoding="utf-8")
    assert connector.probe(record.ref) == Gone()


def test_a_row_copied_by_hand_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("Titel;sb-id\nEins;sb-1\nZwei;sb-1\n", encoding="utf-8")
    records = by_title(connector_to(path))
    assert records["Eins"].ref.native_id == "sb-1"
    assert records["Zwei"].ref.native_id != "sb-1"


def test_a_reference_follows_a_title_that_we_write(plan: Path) -> None:
    connector = connector_to(plan)
    record = by_title(connector)["Serviceportal"]
    connector.update(record.ref, {"title": "Portal"}, record.version)
    assert openpyxl.load_workbook(plan)["Plan"]["D4"].value == "Portal"
    connector.create({"title": "Portal"}, "sb-2")
    assert (by_title(connector)["Formulare"].fields or {})["parent"] == record.ref.native_id


@pytest.mark.parametrize("lock", ["~$Plan.xlsx", "~$an.xlsx", ".~lock.Plan.xlsx#"])
def test_a_file_that_is_open_in_an_office_program_waits(plan: Path, lock: str) -> None:
    connector = connector_to(plan)
    (plan.parent / lock).touch()
    with pytest.raises(Transient, match="is open in an office program"):
        connector.pull(None, {})


def test_a_half_saved_file_waits(plan: Path) -> None:
    plan.write_bytes(plan.read_bytes()[:-400])
    with pytest.raises(Transient, match="cannot be opened"):
        connector_to(plan).pull(None, {})


def test_a_file_that_was_saved_just_now_waits_and_our_own_save_does_not(plan: Path) -> None:
    saved = plan.stat().st_mtime
    now = [saved + 1.0]
    connector = connect(Access("plan", "", collection=str(plan)), clock=lambda: now[0])
    with pytest.raises(Transient, match="saved just now"):
        connector.pull(None, {})
    now[0] = saved + 2.5
    connector.create({"title": "Neu"}, "sb-1")
    now[0] = plan.stat().st_mtime + 0.1
    assert "sb-1" in connector.pull(None, {}).present


def test_a_save_between_reading_and_writing_is_not_overwritten(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = connector_to(plan)
    copymode, theirs = os.chmod, plan.read_bytes() + b"\0"

    def saved_meanwhile(*args: object, **named: object) -> None:
        copymode(*args, **named)  # type: ignore[arg-type]
        plan.write_bytes(theirs)

    monkeypatch.setattr(os, "chmod", saved_meanwhile)
    with pytest.raises(Transient, match="saved by others all the time: nothing was written"):
        connector.create({"title": "Neu"}, "sb-1")
    assert plan.read_bytes() == theirs
    assert [path.name for path in plan.parent.iterdir()] == ["Plan.xlsx"]


def test_a_signed_file_is_only_read(plan: Path) -> None:
    with zipfile.ZipFile(plan, "a") as archive:
        archive.writestr("_xmlsignatures/sig1.xml", "<s/>")
    connector, before = connector_to(plan), plan.read_bytes()
    identity = connector.identify()
    assert not identity.writable
    assert "a digital signature" in identity.warnings[0]
    with pytest.raises(Forbidden, match="only read"):
        connector.create({"title": "Neu"}, "sb-1")
    assert plan.read_bytes() == before


def test_text_from_elsewhere_is_no_formula(tmp_path: Path, plan: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("Titel;sb-id\n", encoding="utf-8")
    for each in (path, plan):
        connector = connector_to(each)
        made = connector.create({"title": '=HYPERLINK("x")'}, "sb-1")
        assert (made.fields or {})["title"] == '=HYPERLINK("x")'
    assert openpyxl.load_workbook(plan)["Plan"]["A5"].data_type == "s"
    assert "'=HYPERLINK" in path.read_text(encoding="utf-8")


def test_a_german_table_of_text_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_bytes("Titel;Fällig;Amt\r\nÜbung;1.12.2026;16\r\n".encode("cp1252"))
    connector = connector_to(path)
    record = by_title(connector)["Übung"]
    assert (record.fields or {})["due"] == "2026-12-01"
    connector.update(record.ref, {"due": "2026-12-24"}, record.version)
    native_id = record.ref.native_id
    assert path.read_bytes() == f"Titel;Fällig;Amt;sb-id\r\nÜbung;24.12.2026;16;{native_id}\r\n".encode("cp1252")


def test_comments_in_a_list_survive(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("# Stand: Mai\naufgaben:\n  - titel: 'Übung'  # mit Amt 16\n    amt: 16\n", encoding="utf-8")
    connector = connector_to(path)
    record = by_title(connector)["Übung"]
    connector.update(record.ref, {"due": "2026-12-24", "labels": ("rat",)}, record.version)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Stand: Mai\naufgaben:\n  - titel: 'Übung'  # mit Amt 16\n    amt: 16\n")
    assert "fällig: 2026-12-24\n" in text


def test_a_missing_column_is_absent_and_a_milestone_needs_one(plan: Path) -> None:
    connector = connector_to(plan)
    assert "labels" not in (by_title(connector)["Serviceportal"].fields or {})
    with pytest.raises(Rejected, match="add a column Art"):
        connector.create({"title": "Start", "kind": "Meilenstein"}, "sb-1")


@pytest.mark.parametrize(("name", "said"), [("none.xlsx", "There is no file"), ("plan.ods", "a file that ends in")])
def test_a_wrong_name_is_said_in_one_sentence(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(NotACollection, match=said):
        connector_to(tmp_path / name).identify()


def test_a_file_without_titles_is_no_plan(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("Datum;Betrag\n", encoding="utf-8")
    with pytest.raises(NotACollection, match="no table of tasks"):
        connector_to(path).identify()


def test_the_mapping_that_ships_makes_sense() -> None:
    assert schema.load(schema.shipped("workbook.toml")).platform == "workbook"


def test_what_has_no_column_is_not_asked_for(plan: Path) -> None:
    connector = connector_to(plan)
    connector.identify()
    takes = connector.abilities.create_fields or frozenset()
    assert {"title", "due", "kind"} <= takes
    assert takes.isdisjoint({"visibility", "labels", "description"})


def test_a_row_that_had_its_id_is_gone_even_beside_rows_that_have_none(tmp_path: Path) -> None:
    """Found by a random history: it rested for good, because another row could have been it under a new title."""
    path = tmp_path / "plan.csv"
    path.write_text("Titel\nEins\nZwei\n", encoding="utf-8")
    first = connector_to(path)
    first.identify()
    ref = by_title(first)["Zwei"].ref
    first.create({"title": "Drei"}, "sb-1")
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], lines[1], lines[3], "Vier"]) + "\n", encoding="utf-8")
    second, stranger = connector_to(path), connector_to(path)
    second.identify(first.memory())
    stranger.identify()
    assert (second.probe(ref), stranger.probe(ref)) == (Gone(), Hidden())
    four = by_title(second)["Vier"].ref
    path.write_text("\n".join([lines[0], lines[1], lines[3], "Fünf"]) + "\n", encoding="utf-8")
    third = connector_to(path)
    third.identify(second.memory())
    assert third.probe(four) == Hidden()
