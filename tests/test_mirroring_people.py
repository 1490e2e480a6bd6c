"""What people try on two calendars, both at once: conflicts, deletes against edits, first contact, broken records.

The command runs as its users run it, against a real Radicale; see `tests.mirror`.
"""

from __future__ import annotations

import pytest

from tests.mirror import Desk, Mirror, ics, written

pytestmark = pytest.mark.radicale


# ---- both at once -----------------------------------------------------------------------------------------------


def test_two_categories_at_once_are_both_there(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Platz", "CATEGORIES:alt,IT")
    mirror.begins()
    rathaus.edits("Platz", "CATEGORIES:alt,IT,Presse")
    entwicklung.edits("Platz", "CATEGORIES:IT,Umwelt")
    assert mirror.sync()["conflicts"] == 0
    assert rathaus.task("Platz").categories == entwicklung.task("Platz").categories == {"IT", "Presse", "Umwelt"}
    mirror.rests()


def test_two_fields_at_once_are_both_there(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Platz", "DUE;VALUE=DATE:20261201")
    mirror.begins()
    rathaus.edits("Platz", "DUE;VALUE=DATE:20261224")
    entwicklung.edits("Platz", "SUMMARY:Platz für alle")
    assert mirror.sync()["conflicts"] == 0
    for desk in (rathaus, entwicklung):
        assert desk.task("Platz für alle")["DUE"] == "20261224"
    mirror.rests()


@pytest.mark.parametrize("later", ["rathaus", "entwicklung"])
def test_the_later_of_two_edits_stands(mirror: Mirror, rathaus: Desk, entwicklung: Desk, later: str) -> None:
    """Two seconds on one server decide, never the order in which the calendars are named or read."""
    rathaus.adds("Platz", "DUE;VALUE=DATE:20261201")
    mirror.begins()
    first, second = (entwicklung, rathaus) if later == "rathaus" else (rathaus, entwicklung)
    first.edits("Platz", "DUE;VALUE=DATE:20261210", ago=2)
    second.edits("Platz", "DUE;VALUE=DATE:20261220")
    assert mirror.sync()["conflicts"] == 1
    winner, loser = "2026-12-20", "2026-12-10"
    for desk in (rathaus, entwicklung):
        assert desk.task("Platz")["DUE"] == winner.replace("-", "")
    (kept,) = mirror.json("conflicts")
    assert (kept["field"], kept["base"], kept["winner"], kept["loser"]) == ("due", "2026-12-01", winner, loser)
    assert kept["winner_from"]["at"] - kept["loser_from"]["at"] in (2, 3)
    mirror.rests()


def test_the_same_edit_on_both_sides_is_no_conflict(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Platz", "DUE;VALUE=DATE:20261201")
    mirror.begins()
    for desk in (rathaus, entwicklung):
        desk.edits("Platz", "DUE;VALUE=DATE:20261210")
    told = mirror.sync()
    assert (told["conflicts"], written(told)) == (0, 0)
    mirror.rests()


def test_the_same_title_on_both_sides_is_one_task(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Alt")
    mirror.begins()
    rathaus.adds("Neu", "PRIORITY:1", ago=0)
    entwicklung.adds("Neu", "CATEGORIES:IT", ago=0)
    mirror.sync()
    for desk in (rathaus, entwicklung):
        assert set(desk.tasks()) == {"Alt", "Neu"}
        assert (desk.task("Neu")["PRIORITY"], desk.task("Neu").categories) == ("1", {"IT"})
    mirror.rests()


# ---- deleted, reopened, done ------------------------------------------------------------------------------------


@pytest.mark.parametrize("back", [False, True], ids=["there", "and back"])
def test_deleted_here_is_cancelled_there(mirror: Mirror, rathaus: Desk, entwicklung: Desk, back: bool) -> None:
    for title in ("Bleibt", "Geht", "Auch da"):
        rathaus.adds(title, "PRIORITY:1")
    mirror.begins()
    here, there = (entwicklung, rathaus) if back else (rathaus, entwicklung)
    here.deletes("Geht")
    told = mirror.sync()
    assert [one["deleted"] for one in told["connectors"].values()] == ([1, 0] if back else [0, 1])
    assert there.task("Geht")["STATUS"] == "CANCELLED"
    assert there.task("Geht")["PRIORITY"] == "1"
    assert set(here.tasks()) == {"Bleibt", "Auch da"}
    assert {item["title"] for item in mirror.json("items")} == {"Bleibt", "Auch da"}
    mirror.rests()


def test_edited_there_outlives_the_delete_here(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    for title in ("Bleibt", "Umstritten"):
        rathaus.adds(title)
    mirror.begins()
    uid = rathaus.task("Umstritten").uid
    entwicklung.edits("Umstritten", "PRIORITY:1")
    rathaus.deletes("Umstritten")
    mirror.sync()
    assert rathaus.task("Umstritten")["PRIORITY"] == "1"
    assert rathaus.task("Umstritten").uid != uid
    assert not entwicklung.task("Umstritten").gone
    mirror.rests()


def test_an_archived_task_is_reopened(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    for title in ("Bleibt", "Wieder da"):
        rathaus.adds(title, "DESCRIPTION:Text")
    mirror.begins()
    rathaus.deletes("Wieder da")
    mirror.sync()
    assert entwicklung.task("Wieder da").gone
    entwicklung.edits("Wieder da", "STATUS:NEEDS-ACTION")
    mirror.sync()
    assert rathaus.task("Wieder da")["DESCRIPTION"] == "Text"
    assert not entwicklung.task("Wieder da").gone
    assert not rathaus.task("Wieder da").gone
    mirror.rests()


def test_cancelled_by_a_person_is_a_status_and_no_delete(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Eingestellt")
    mirror.begins()
    rathaus.edits("Eingestellt", "STATUS:CANCELLED")
    mirror.sync()
    assert entwicklung.task("Eingestellt")["STATUS"] == "CANCELLED"
    assert mirror.json("show", "Eingestellt")["fields"]["status"] == "cancelled"
    assert mirror.json("show", "Eingestellt")["deleted"] is False
    mirror.rests()


def test_done_here_is_done_there(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Fertig", "STATUS:IN-PROCESS", "PERCENT-COMPLETE:40")
    mirror.begins()
    entwicklung.edits("Fertig", "STATUS:COMPLETED", "PERCENT-COMPLETE:100", "COMPLETED:20261120T101500Z")
    mirror.sync()
    here = rathaus.task("Fertig")
    assert (here["STATUS"], here["PERCENT-COMPLETE"]) == ("COMPLETED", "100")
    assert here["COMPLETED"].startswith("20261120T")
    assert entwicklung.task("Fertig")["COMPLETED"] == "20261120T101500Z"
    rathaus.edits("Fertig", "STATUS:IN-PROCESS", "PERCENT-COMPLETE:80", clear="COMPLETED")
    mirror.sync()
    there = entwicklung.task("Fertig")
    assert (there["STATUS"], there["PERCENT-COMPLETE"], there.get("COMPLETED")) == ("IN-PROCESS", "80", "")
    mirror.rests()


# ---- first contact ----------------------------------------------------------------------------------------------


def test_who_is_who_at_first_contact(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Gleich", "DUE;VALUE=DATE:20261201", "CATEGORIES:IT", ago=500)
    entwicklung.adds("gleich", "DUE;VALUE=DATE:20261224", "DESCRIPTION:nur hier", "CATEGORIES:Presse", ago=100)
    rathaus.adds("Radweg Nord")
    entwicklung.adds("Radweg Nord 2")
    told = mirror.begins()
    assert told["conflicts"] == 2  # the date, and how the title is spelled
    for desk in (rathaus, entwicklung):
        assert set(desk.tasks()) == {"gleich", "Radweg Nord", "Radweg Nord 2"}
        task = desk.task("gleich")
        assert (task["DUE"], task["DESCRIPTION"], task.categories) == ("20261224", "nur hier", {"IT", "Presse"})
    mirror.rests()


def test_several_of_one_title_wait_for_a_person(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Doppelt", uid="eins")
    rathaus.adds("Doppelt", uid="zwei")
    entwicklung.adds("Doppelt", uid="drei")
    rathaus.adds("Klar")
    told = mirror.sync("--accept", ends=1)
    assert sum(one["parked"] for one in told["connectors"].values()) == 3
    assert len(rathaus.all()) == 3
    assert sorted(task.title for task in entwicklung.all()) == ["Doppelt", "Klar"]
    rathaus.edits("zwei", "SUMMARY:Nicht mehr doppelt")
    mirror.sync()
    assert set(rathaus.tasks()) == set(entwicklung.tasks()) == {"Doppelt", "Nicht mehr doppelt", "Klar"}
    mirror.rests()


# ---- broken records ---------------------------------------------------------------------------------------------


def reasons(mirror: Mirror) -> list[str]:
    """Why something is parked, one sentence each."""
    return [one["reason"] for one in mirror.json("status")["parked"]]


def test_a_title_that_is_too_long_is_parked_alone(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("x" * 300, uid="lang")
    rathaus.adds("Kurz")
    told = mirror.sync("--accept", ends=1)
    assert told["connectors"]["rathaus"]["parked"] == 1
    assert set(entwicklung.tasks()) == {"Kurz"}
    (reason,) = reasons(mirror)
    assert "255" in reason
    rathaus.edits("Kurz", "PRIORITY:1")
    mirror.sync(ends=1)
    assert entwicklung.task("Kurz")["PRIORITY"] == "1"
    rathaus.edits("lang", "SUMMARY:Gekürzt")
    mirror.sync()
    assert set(entwicklung.tasks()) == {"Kurz", "Gekürzt"}
    assert reasons(mirror) == []
    mirror.rests()


def test_a_title_that_becomes_too_long_is_parked_alone(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    uid = rathaus.adds("Gut")
    mirror.begins()
    rathaus.edits("Gut", f"SUMMARY:{'ü' * 300}", "PRIORITY:1")
    mirror.sync(ends=1)
    assert entwicklung.task("Gut")["PRIORITY"] == "1"
    assert rathaus.task(uid).title == "ü" * 300
    mirror.sync(ends=1)
    rathaus.edits(uid, "SUMMARY:Wieder gut")
    mirror.sync()
    assert set(rathaus.tasks()) == set(entwicklung.tasks()) == {"Wieder gut"}
    mirror.rests()


def test_an_object_that_does_not_parse_is_parked_alone(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Kaputt", "PRIORITY:hoch", uid="kaputt")
    rathaus.adds("Heil")
    told = mirror.sync("--accept", ends=1)
    assert told["connectors"]["rathaus"]["parked"] == 1
    assert set(entwicklung.tasks()) == {"Heil"}
    (reason,) = reasons(mirror)
    assert "kaputt.ics" in reason
    assert "PRIORITY" in reason
    rathaus.stores("kaputt", ics("kaputt", "SUMMARY:Kaputt", "PRIORITY:1"))
    mirror.sync()
    assert entwicklung.task("Kaputt")["PRIORITY"] == "1"
    mirror.rests()


def test_an_object_that_stops_to_parse_is_parked_and_not_gone(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    uid = rathaus.adds("Erst gut", "PRIORITY:1")
    rathaus.adds("Heil")
    mirror.begins()
    good = rathaus.task(uid).raw
    rathaus.stores(uid, good.replace("PRIORITY:1", "PRIORITY:hoch"))
    entwicklung.edits("Heil", "PRIORITY:5")
    told = mirror.sync(ends=1)
    assert told["connectors"]["rathaus"]["parked"] == 1
    assert not entwicklung.task("Erst gut").gone
    assert rathaus.task("Heil")["PRIORITY"] == "5"
    (reason,) = reasons(mirror)
    assert "PRIORITY" in reason
    mirror.sync(ends=1)
    rathaus.stores(uid, good.replace("PRIORITY:1", "PRIORITY:9"))
    mirror.sync()
    assert entwicklung.task("Erst gut")["PRIORITY"] == "9"
    assert reasons(mirror) == []
    mirror.rests()


def test_a_task_without_a_title_is_parked_alone(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.stores("leer", ics("leer", "PRIORITY:1"), ago=100)
    rathaus.adds("Heil")
    mirror.sync("--accept", ends=1)
    assert set(entwicklung.tasks()) == {"Heil"}
    rathaus.edits("leer", "SUMMARY:Benannt")
    mirror.sync()
    assert set(entwicklung.tasks()) == {"Heil", "Benannt"}
    mirror.rests()


def test_who_has_seen_that_a_task_is_back_may_delete_it(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    """Archived here is cancelled; put back from the trash there, it is opened again here, and then deleted here."""
    entwicklung.adds("Netz")
    entwicklung.adds("Portal")
    mirror.begins()
    kept = rathaus.task("Netz")
    rathaus.deletes("Netz")
    mirror.sync()
    assert entwicklung.task("Netz").gone
    rathaus.stores(kept.uid, kept.raw)
    mirror.sync()
    mirror.sync()
    assert not entwicklung.task("Netz").gone
    entwicklung.deletes("Netz")
    mirror.sync()
    assert rathaus.task("Netz").gone
    assert "Netz" not in entwicklung.tasks()
    mirror.rests()
