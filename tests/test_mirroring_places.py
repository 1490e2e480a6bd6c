"""Records that move, calendars that are renamed, ledgers that are lost or old, and a second bridge.

The command runs as its users run it, against a real Radicale; see `tests.mirror`.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.mirror import Desk, Mirror, ics, written
from tests.radicale_server import Radicale

pytestmark = pytest.mark.radicale


def moves(task: str, source: Desk, target: Desk) -> None:
    """Drag a task into another calendar, as clients do it: MOVE keeps its UID."""
    file = source.task(task).file
    goal = {"Destination": f"{target.url}{file}", "Host": target.url.split("/")[2]}
    answer = source.server.request("MOVE", f"{source.path}{file}", headers=goal)
    assert answer.ok, answer.text


# ---- moved ------------------------------------------------------------------------------------------------------


def test_moved_out_of_sight_is_not_deleted(
    mirror: Mirror, radicale: Radicale, rathaus: Desk, entwicklung: Desk
) -> None:
    archive = Desk(radicale)
    for title in ("Netz", "Portal"):
        rathaus.adds(title, "PRIORITY:5")
    mirror.begins()
    moves("Netz", rathaus, archive)
    mirror.run("sync")
    assert not entwicklung.task("Netz").gone
    assert "Netz" not in rathaus.tasks()
    (resting,) = mirror.json("status")["parked"]
    assert (resting["connector"], resting["title"]) == ("rathaus", "Netz")
    entwicklung.edits("Netz", "PRIORITY:1")
    mirror.run("sync")
    assert archive.task("Netz")["PRIORITY"] == "5"
    assert "Netz" not in rathaus.tasks()
    moves("Netz", archive, rathaus)
    mirror.sync()
    assert rathaus.task("Netz")["PRIORITY"] == "1"
    assert mirror.json("status")["parked"] == []
    mirror.rests()


def test_moved_out_of_sight_and_deleted_there_dies_alone(
    mirror: Mirror, radicale: Radicale, rathaus: Desk, entwicklung: Desk
) -> None:
    archive = Desk(radicale)
    for title in ("Netz", "Portal"):
        rathaus.adds(title)
    mirror.begins()
    moves("Netz", rathaus, archive)
    mirror.run("sync")
    archive.deletes("Netz")
    mirror.run("sync")
    mirror.run("sync")
    assert not entwicklung.task("Netz").gone


def test_moved_into_a_calendar_that_is_mirrored_too_doubles_nothing(
    tmp_path: Path, radicale: Radicale, rathaus: Desk, entwicklung: Desk
) -> None:
    """The calendar has a copy of it already; the third one must not get a second."""
    kaemmerei = Desk(radicale)
    three = Mirror(tmp_path, rathaus=rathaus, entwicklung=entwicklung, kaemmerei=kaemmerei)
    for title in ("Netz", "Portal"):
        rathaus.adds(title)
    three.begins()
    moves("Netz", rathaus, kaemmerei)
    for _ in range(3):
        three.run("sync")
    assert sorted(task.title for task in entwicklung.all()) == ["Netz", "Portal"]
    assert not entwicklung.task("Netz").gone
    assert len([task for task in rathaus.all() if task.title == "Netz"]) <= 1


# ---- names ------------------------------------------------------------------------------------------------------


def test_a_renamed_calendar_stays_the_same(
    mirror: Mirror, radicale: Radicale, rathaus: Desk, entwicklung: Desk
) -> None:
    mirror.sets(RATHAUS_URL=radicale.url, RATHAUS_COLLECTION=rathaus.title)
    rathaus.adds("Netz")
    mirror.begins()
    body = (
        '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:displayname>Ganz neu</D:displayname>'
        "</D:prop></D:set></D:propertyupdate>"
    )
    assert radicale.request("PROPPATCH", rathaus.path, body).ok
    rathaus.edits("Netz", "PRIORITY:1")
    mirror.sync()
    assert entwicklung.task("Netz")["PRIORITY"] == "1"
    mirror.sets(RATHAUS_COLLECTION="Ganz neu")
    mirror.rests()


def test_a_file_may_have_any_name(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.server.put(f"{rathaus.path}Ein%20Name%20%C3%BC.ics", ics("uid-1@example.org", "SUMMARY:Netz"))
    rathaus.adds("Portal")
    rathaus.adds("Kind", "RELATED-TO:uid-1@example.org")
    mirror.begins()
    assert entwicklung.task("Kind")["RELATED-TO"] == entwicklung.task("Netz").uid
    entwicklung.edits("Netz", "PRIORITY:1")
    mirror.sync()
    assert rathaus.task("Netz")["PRIORITY"] == "1"
    assert len(rathaus.all()) == 3
    rathaus.server.delete(f"{rathaus.path}Ein%20Name%20%C3%BC.ics")
    mirror.sync()
    assert entwicklung.task("Netz").gone
    mirror.rests()


def test_each_side_keeps_its_spelling_of_a_label(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz", "CATEGORIES:IT,Bürger")
    entwicklung.adds("Netz", "CATEGORIES:it,BÜRGER,Neu")
    mirror.begins()
    assert rathaus.task("Netz").categories == {"IT", "Bürger", "Neu"}
    assert entwicklung.task("Netz").categories == {"it", "BÜRGER", "Neu"}
    rathaus.edits("Netz", "CATEGORIES:it,Neu")
    mirror.sync()
    assert entwicklung.task("Netz").categories == {"it", "Neu"}
    mirror.rests()


def test_titles_change_places(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    first, second = rathaus.adds("Eins", "PRIORITY:1"), rathaus.adds("Zwei", "PRIORITY:9")
    mirror.begins()
    rathaus.edits(first, "SUMMARY:Zwei")
    rathaus.edits(second, "SUMMARY:Eins")
    mirror.sync()
    assert (entwicklung.task("Zwei")["PRIORITY"], entwicklung.task("Eins")["PRIORITY"]) == ("1", "9")
    mirror.rests()


def test_a_copy_of_a_task_is_a_task_of_its_own(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz", "PRIORITY:1")
    mirror.begins()
    rathaus.adds("Netz", "PRIORITY:9", ago=0)
    mirror.sync()
    assert sorted(task["PRIORITY"] for task in entwicklung.all()) == ["1", "9"]
    mirror.rests()


# ---- ledgers ----------------------------------------------------------------------------------------------------


def test_a_lost_ledger_is_a_first_contact_and_doubles_nothing(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    for number in range(5):
        rathaus.adds(f"Von hier {number}", "PRIORITY:1")
        entwicklung.adds(f"Von dort {number}", "CATEGORIES:IT")
    mirror.begins()
    for path in mirror.folder.glob("bridge.db*"):
        path.unlink()
    before = {name: desk.files() for name, desk in mirror.desks.items()}
    told = mirror.sync(ends=3)
    assert written(told) == 0
    assert written(mirror.sync("--accept", told["accept"])) == 0
    assert {name: desk.files() for name, desk in mirror.desks.items()} == before
    rathaus.edits("Von dort 1", "PRIORITY:9")
    entwicklung.adds("Neu", ago=0)
    mirror.sync()
    assert entwicklung.task("Von dort 1")["PRIORITY"] == "9"
    assert "Neu" in rathaus.tasks()
    mirror.rests()


def test_an_old_copy_of_the_ledger_is_noticed(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    with closing(sqlite3.connect(mirror.folder / "bridge.db")) as ledger:
        ledger.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(mirror.folder / "bridge.db", mirror.folder / "gestern.db")
    rathaus.adds("Neu", ago=0)
    mirror.sync()
    entwicklung.edits("Neu", "PRIORITY:1")
    for path in mirror.folder.glob("bridge.db*"):
        path.unlink()
    (mirror.folder / "gestern.db").rename(mirror.folder / "bridge.db")
    before = {name: desk.files() for name, desk in mirror.desks.items()}
    told = mirror.sync(ends=1)
    assert "old copy" in told["connectors"]["entwicklung"]["error"]
    assert {name: desk.files() for name, desk in mirror.desks.items()} == before


def test_a_second_bridge_is_noticed(tmp_path: Path, rathaus: Desk, entwicklung: Desk) -> None:
    folders = [tmp_path / "eins", tmp_path / "zwei"]
    for folder in folders:
        folder.mkdir()
    first, second = (Mirror(folder, rathaus=rathaus, entwicklung=entwicklung) for folder in folders)
    rathaus.adds("Netz")
    first.begins()
    second.begins()
    rathaus.adds("Neu", ago=0)
    first.sync()
    told = second.sync(ends=1)
    assert "another bridge" in told["connectors"]["entwicklung"]["error"]
    assert written(told) == 0
    assert set(rathaus.tasks()) == set(entwicklung.tasks()) == {"Netz", "Neu"}
    first.rests()


# ---- settings ---------------------------------------------------------------------------------------------------


def test_a_password_may_lie_in_a_file(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    secret = mirror.folder / "kennwort"
    secret.write_text(f"{rathaus.server.password}\n", encoding="utf-8")
    mirror.sets(RATHAUS_PASSWORD=None, RATHAUS_PASSWORD_FILE=str(secret))
    rathaus.adds("Netz")
    mirror.begins()
    assert set(entwicklung.tasks()) == {"Netz"}


def test_the_zone_of_the_city_decides_the_day(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    mirror.sets(BRIDGE_TIMEZONE="America/New_York")
    rathaus.adds("Abends", "DUE:20261202T030000Z")
    mirror.begins()
    assert entwicklung.task("Abends")["DUE"] == "20261201"
    mirror.rests()


def test_a_status_that_the_mapping_does_not_know_is_neither_read_nor_written(
    mirror: Mirror, rathaus: Desk, entwicklung: Desk
) -> None:
    """A warning of `check`, and nothing more."""
    rathaus.adds("Netz", "STATUS:X-IN-PRUEFUNG", "PRIORITY:5")
    found = mirror.json("check")
    assert found["ok"] is True
    assert any("X-IN-PRUEFUNG" in warning for warning in found["connectors"]["rathaus"]["warnings"])
    assert "X-IN-PRUEFUNG" in mirror.run("check").said
    mirror.begins()
    entwicklung.edits("Netz", "STATUS:IN-PROCESS", "PRIORITY:1")
    mirror.run("sync")
    assert rathaus.task("Netz")["STATUS"] == "X-IN-PRUEFUNG"
    assert rathaus.task("Netz")["PRIORITY"] == "1"
    rathaus.edits("Netz", "STATUS:COMPLETED")
    mirror.sync()
    assert entwicklung.task("Netz")["STATUS"] == "COMPLETED"
    mirror.rests()


def test_a_task_that_its_owner_makes_private_rests_and_one_that_is_private_is_not_copied(
    mirror: Mirror, rathaus: Desk, entwicklung: Desk
) -> None:
    rathaus.adds("Netz")
    rathaus.adds("Personalgespräch", "CLASS:CONFIDENTIAL")
    mirror.begins()
    assert set(entwicklung.tasks()) == {"Netz"}
    rathaus.edits("Netz", "CLASS:PRIVATE", "DESCRIPTION:geheim")
    mirror.sync()
    assert "DESCRIPTION" not in entwicklung.task("Netz").raw
    (resting,) = mirror.json("status")["parked"]
    assert resting["title"] == "Netz"
    rathaus.edits("Netz", "CLASS:PUBLIC", "DESCRIPTION:offen")
    mirror.sync()
    assert entwicklung.task("Netz")["DESCRIPTION"] == "offen"
    assert mirror.json("status")["parked"] == []
    mirror.rests()
