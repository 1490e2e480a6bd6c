"""What waits for a person, and what a person agreed to: first contact, the guard, other collections, `--accept`.

The commands run against a real Radicale; see `tests.mirror`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.sql_store import SqlStore
from mappings import schema
from tests.go_between import GoBetween
from tests.mirror import Desk, Mirror, written
from tests.radicale_server import Radicale
from tests.test_mirroring_servers import WRITING

pytestmark = pytest.mark.radicale

Picture = dict[str, dict[str, str]]


def picture(*desks: Desk) -> Picture:
    return {desk.name: desk.files() for desk in desks}


@pytest.fixture
def ten(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> Mirror:
    """Ten tasks, mirrored."""
    for number in range(10):
        rathaus.adds(f"Aufgabe {number}", "PRIORITY:5")
    mirror.begins()
    return mirror


# ---- first contact ----------------------------------------------------------------------------------------------


def test_what_waits_is_told_before_the_ledger_is_closed(
    mirror: Mirror, rathaus: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shut(store: SqlStore) -> None:
        store._engine.dispose()
        monkeypatch.setattr(store, "_reader", None)  # whoever reads on, fails

    monkeypatch.setattr(SqlStore, "close", shut)
    rathaus.adds("Netz")
    assert mirror.sync(ends=3)["waiting"]


def test_first_contact_waits_and_writes_nothing(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz", "DUE;VALUE=DATE:20261201", ago=500)
    entwicklung.adds("Netz", "DUE;VALUE=DATE:20261203", ago=100)
    rathaus.adds("Portal")
    before = picture(rathaus, entwicklung)
    for _ in range(2):
        told = mirror.sync(ends=3)
        assert (told["ok"], written(told)) == (False, 0)
        assert {one["connector"] for one in told["waiting"]} == {"rathaus", "entwicklung"}
        assert picture(rathaus, entwicklung) == before
    assert mirror.json("items") == []
    said = mirror.run("sync").said
    assert f"strategy-bridge sync --accept {told['accept']}" in said
    assert "Netz" in said
    plan = mirror.json("plan", ends=3)
    assert plan["accept"] == told["accept"]
    verdicts = {(pair["verdict"], pair["sides"][0][1]) for pair in plan["pairing"]}
    assert verdicts == {("pair", "Netz"), ("new", "Portal")}
    mirror.sync("--accept", told["accept"])
    assert set(entwicklung.tasks()) == {"Netz", "Portal"}
    mirror.rests()


Change = Callable[[Desk, Desk], object]
CHANGES: dict[str, Change] = {
    "another task": lambda rathaus, entwicklung: rathaus.adds("Noch eine"),
    "another task there": lambda rathaus, entwicklung: entwicklung.adds("Noch eine"),
    "a task less": lambda rathaus, entwicklung: rathaus.deletes("Portal"),
    "another date": lambda rathaus, entwicklung: rathaus.edits("Portal", "DUE;VALUE=DATE:20261224"),
    "another title": lambda rathaus, entwicklung: rathaus.edits("Portal", "SUMMARY:Serviceportal"),
    "another pair": lambda rathaus, entwicklung: entwicklung.edits("Pforte", "SUMMARY:Portal"),
    "another winner": lambda rathaus, entwicklung: rathaus.edits("Netz", "DUE;VALUE=DATE:20261225"),
    "another parent": lambda rathaus, entwicklung: rathaus.edits("Portal", "RELATED-TO:netz"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_digest_accepts_what_was_shown_and_nothing_else(
    mirror: Mirror, rathaus: Desk, entwicklung: Desk, change: Change
) -> None:
    rathaus.adds("Netz", "DUE;VALUE=DATE:20261201", uid="netz", ago=500)
    entwicklung.adds("Netz", "DUE;VALUE=DATE:20261203", ago=100)
    rathaus.adds("Portal", "DUE;VALUE=DATE:20261201")
    entwicklung.adds("Pforte")
    shown = mirror.sync(ends=3)["accept"]
    change(rathaus, entwicklung)
    before = picture(rathaus, entwicklung)
    told = mirror.sync("--accept", shown, ends=3)
    assert written(told) == 0
    assert picture(rathaus, entwicklung) == before
    assert told["accept"] != shown
    mirror.sync("--accept", told["accept"])
    mirror.rests()


def test_a_digest_that_was_never_shown_accepts_nothing(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz")
    for digest in ("0123456789ab", "true", "ja"):
        assert written(mirror.sync("--accept", digest, ends=3)) == 0
    assert entwicklung.files() == {}


def test_a_digest_accepts_once(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz")
    shown = mirror.sync(ends=3)["accept"]
    mirror.sync("--accept", shown)
    rathaus.edits("Netz", "PRIORITY:1")
    assert written(mirror.sync("--accept", shown)) == 1  # nothing waits, so there is nothing to refuse


def test_two_empty_calendars_meet(mirror: Mirror, entwicklung: Desk, rathaus: Desk) -> None:
    shown = mirror.sync(ends=3)["accept"]
    mirror.sync("--accept", shown)
    rathaus.adds("Netz", ago=0)
    mirror.sync()
    assert set(entwicklung.tasks()) == {"Netz"}


def test_a_third_calendar_is_a_first_contact_of_its_own(ten: Mirror, radicale: Radicale, rathaus: Desk) -> None:
    """The others go on as they did."""
    kaemmerei = Desk(radicale)
    kaemmerei.adds("Haushalt")
    kaemmerei.adds("Aufgabe 3", "CATEGORIES:Geld")
    ten.desks["kaemmerei"] = kaemmerei
    ten.points("kaemmerei", kaemmerei)
    ten.sets(BRIDGE_CONNECTORS="rathaus,entwicklung,kaemmerei")
    rathaus.edits("Aufgabe 1", "PRIORITY:1")
    told = ten.sync(ends=3)
    assert [one["connector"] for one in told["waiting"]] == ["kaemmerei"]
    assert ten.desks["entwicklung"].task("Aufgabe 1")["PRIORITY"] == "1"
    assert len(kaemmerei.files()) == 2
    ten.sync("--accept", told["accept"])
    for desk in ten.desks.values():
        assert len(desk.tasks()) == 11
        assert desk.task("Aufgabe 3").categories == {"Geld"}
    ten.rests()


# ---- the guard --------------------------------------------------------------------------------------------------


def test_a_mass_deletion_waits_for_a_person(ten: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    for number in range(5):
        rathaus.deletes(f"Aufgabe {number}")
    before = entwicklung.files()
    for _ in range(2):
        told = ten.sync(ends=3)
        assert entwicklung.files() == before
        (held,) = told["waiting"]
        assert held["connector"] == "entwicklung"
        assert "5 of 10" in held["reason"]
        titles = {f"Aufgabe {number}" for number in range(5)}
        assert {one["title"] for one in held["operations"]} == titles
        assert {one["act"] for one in held["operations"]} == {"archive"}
    assert f"--accept {told['accept']}" in ten.run("sync").said
    assert ten.json("plan", ends=3)["accept"] == told["accept"]
    ten.sync("--accept")
    assert {task.title for task in entwicklung.all() if task.gone} == titles
    ten.rests()


def test_only_the_collection_concerned_is_held(ten: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    for number in range(5):
        rathaus.deletes(f"Aufgabe {number}")
    entwicklung.edits("Aufgabe 7", "PRIORITY:1")
    entwicklung.adds("Neu", ago=0)
    told = ten.sync(ends=3)
    assert rathaus.task("Aufgabe 7")["PRIORITY"] == "1"
    assert "Neu" in rathaus.tasks()
    assert not any(task.gone for task in entwicklung.all())
    ten.sync("--accept", told["accept"])
    assert sum(task.gone for task in entwicklung.all()) == 5
    ten.rests()


def test_status_says_what_waits_until_somebody_agreed(ten: Mirror, rathaus: Desk, radicale: Radicale) -> None:
    for number in range(5):
        rathaus.deletes(f"Aufgabe {number}")
    told = ten.sync(ends=3)
    waiting = {name: one["waiting"] for name, one in ten.json("status")["connectors"].items()}
    assert waiting == {"rathaus": "", "entwicklung": told["waiting"][0]["reason"]}
    assert "5 of 10" in ten.run("status").said
    ten.sync("--accept")
    assert not any(one["waiting"] for one in ten.json("status")["connectors"].values())
    ten.points("rathaus", Desk(radicale))
    ten.sync(ends=3)
    assert "points" in ten.json("status")["connectors"]["rathaus"]["waiting"]
    ten.sync("--accept")
    told = ten.json("status")
    assert not told["connectors"]["rathaus"]["waiting"]
    assert [one["name"] for one in told["resting"]] == ["rathaus"]


def test_a_digest_of_held_deletions_covers_no_further_one(ten: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    for number in range(5):
        rathaus.deletes(f"Aufgabe {number}")
    shown = ten.sync(ends=3)["accept"]
    rathaus.deletes("Aufgabe 5")
    before = entwicklung.files()
    told = ten.sync("--accept", shown, ends=3)
    assert entwicklung.files() == before
    assert told["accept"] != shown
    assert len(told["waiting"][0]["operations"]) == 6
    ten.sync("--accept", told["accept"])
    assert sum(task.gone for task in entwicklung.all()) == 6


def test_what_is_put_back_before_anybody_agreed_stays(ten: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    kept = {rathaus.task(f"Aufgabe {number}").uid: rathaus.task(f"Aufgabe {number}").raw for number in range(5)}
    for uid in kept:
        rathaus.deletes(uid)
    ten.sync(ends=3)
    for uid, raw in kept.items():
        rathaus.stores(uid, raw)
    ten.sync()
    for desk in (rathaus, entwicklung):
        assert set(desk.tasks()) == {f"Aufgabe {number}" for number in range(10)}
    ten.rests()


def test_an_emptied_calendar_empties_no_other(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    """Three of three are no more than three, and yet all of them."""
    for number in range(3):
        rathaus.adds(f"Aufgabe {number}")
    mirror.begins()
    for number in range(3):
        rathaus.deletes(f"Aufgabe {number}")
    told = mirror.sync(ends=3)
    assert len(entwicklung.tasks()) == 3
    assert "empty" in told["waiting"][0]["reason"]


def test_deletions_one_by_one_add_up_over_a_day(ten: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    for number in range(3):
        rathaus.deletes(f"Aufgabe {number}")
        ten.sync()
    rathaus.deletes("Aufgabe 3")
    ten.sync(ends=3)
    assert sum(task.gone for task in entwicklung.all()) == 3
    ten.sync("--accept")
    assert sum(task.gone for task in entwicklung.all()) == 4


@pytest.mark.parametrize("line", ["STATUS:COMPLETED", ""], ids=["closed", "blanked"])
def test_closing_and_blanking_count_as_destruction(ten: Mirror, rathaus: Desk, entwicklung: Desk, line: str) -> None:
    for number in range(5):
        title = f"Aufgabe {number}"
        rathaus.edits(title, line) if line else rathaus.edits(title, clear="PRIORITY")
    before = entwicklung.files()
    ten.sync(ends=3)
    assert entwicklung.files() == before
    ten.sync("--accept")
    ten.rests()
    assert entwicklung.files() != before


def test_a_flood_waits_too(ten: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    for number in range(51):
        rathaus.adds(f"Flut {number}", ago=0)
    told = ten.sync(ends=3)
    assert "51" in told["waiting"][0]["reason"]
    assert len(entwicklung.all()) == 10
    ten.sync("--accept", told["accept"])
    assert len(entwicklung.all()) == 61


# ---- pointed elsewhere, taken out, forgotten --------------------------------------------------------------------


def test_pointed_elsewhere_is_a_first_contact(
    ten: Mirror, radicale: Radicale, rathaus: Desk, entwicklung: Desk
) -> None:
    other = Desk(radicale, title="Neuer Kalender")
    other.adds("Aufgabe 3", "CATEGORIES:neu")
    other.adds("Nur hier")
    ten.points("rathaus", other)
    before = picture(rathaus, entwicklung, other)
    told = ten.sync(ends=3)
    assert picture(rathaus, entwicklung, other) == before
    (waiting,) = told["waiting"]
    assert waiting["connector"] == "rathaus"
    assert "Neuer Kalender" in waiting["reason"]
    assert rathaus.title in waiting["reason"]
    assert {one["act"] for one in ten.json("plan", ends=3)["operations"]} <= {"create", "update"}
    ten.sync("--accept", told["accept"])
    assert len(other.tasks()) == 11
    assert set(entwicklung.tasks()) == set(other.tasks())
    assert entwicklung.task("Aufgabe 3").categories == {"neu"}
    assert rathaus.files() == before[rathaus.name]
    ten.rests()


def test_disconnect_forgets_what_a_name_pointed_to_before_and_now(
    ten: Mirror, radicale: Radicale, rathaus: Desk, entwicklung: Desk
) -> None:
    ten.points("rathaus", Desk(radicale))
    ten.sync("--accept")
    ten.json("disconnect", "rathaus")
    told = ten.json("status")
    assert (set(told["connectors"]), told["resting"]) == ({"entwicklung"}, [])
    ten.sync(ends=3)


def test_an_empty_calendar_in_its_place_deletes_nothing(ten: Mirror, radicale: Radicale, entwicklung: Desk) -> None:
    ten.points("rathaus", Desk(radicale))
    before = entwicklung.files()
    ten.sync(ends=3)
    assert entwicklung.files() == before
    ten.sync("--accept")
    assert entwicklung.files() == before


def test_another_name_for_the_same_calendar_goes_on(ten: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    ten.points("stadthaus", rathaus)
    ten.sets(BRIDGE_CONNECTORS="stadthaus,entwicklung", RATHAUS_TYPE=None, RATHAUS_URL=None)
    rathaus.edits("Aufgabe 1", "PRIORITY:1")
    told = ten.sync()
    assert any("stadthaus" in warning for warning in told["warnings"])
    assert entwicklung.task("Aufgabe 1")["PRIORITY"] == "1"
    assert set(ten.json("status")["connectors"]) == {"stadthaus", "entwicklung"}


def test_two_names_for_one_calendar_are_refused(ten: Mirror, radicale: Radicale, rathaus: Desk) -> None:
    """The settings look different; only the server's answer shows that they are one."""
    ten.sets(
        BRIDGE_CONNECTORS="rathaus,entwicklung,dritte",
        DRITTE_TYPE="caldav",
        DRITTE_URL=radicale.url,
        DRITTE_USER=radicale.user,
        DRITTE_PASSWORD=radicale.password,
        DRITTE_COLLECTION=rathaus.title,
    )
    told = ten.sync(ends=1)
    error = told["connectors"]["dritte"]["error"]
    assert "rathaus" in error
    assert written(told) == 0
    assert len(rathaus.all()) == 10


def test_taken_out_it_rests_and_put_back_it_catches_up(ten: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    ten.sets(BRIDGE_CONNECTORS="rathaus")
    before = entwicklung.files()
    rathaus.edits("Aufgabe 1", "PRIORITY:1")
    rathaus.deletes("Aufgabe 2")
    rathaus.adds("Neu", ago=0)
    entwicklung.edits("Aufgabe 3", "PRIORITY:9")
    entwicklung.deletes("Aufgabe 4")
    before = entwicklung.files()
    told = ten.sync()
    assert (written(told), set(told["connectors"])) == (0, {"rathaus"})
    assert entwicklung.files() == before
    ten.sets(BRIDGE_CONNECTORS="rathaus,entwicklung")
    ten.sync()
    assert entwicklung.task("Aufgabe 1")["PRIORITY"] == "1"
    assert entwicklung.task("Aufgabe 2").gone
    assert rathaus.task("Aufgabe 3")["PRIORITY"] == "9"
    assert rathaus.task("Aufgabe 4").gone
    assert set(rathaus.tasks()) == set(entwicklung.tasks())
    assert "Neu" in entwicklung.tasks()
    ten.rests()


def test_disconnect_forgets_and_leaves_the_records(ten: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    before = picture(rathaus, entwicklung)
    assert ten.json("disconnect", "entwicklung") == {"disconnected": "entwicklung"}
    assert picture(rathaus, entwicklung) == before
    assert set(ten.json("status")["connectors"]) == {"rathaus"}
    assert {tuple(one["connectors"]) for one in ten.json("items")} == {("rathaus",)}
    answer = ten.run("disconnect", "entwicklung")
    assert answer.code == 2
    assert "entwicklung" in answer.said
    told = ten.sync(ends=3)
    assert picture(rathaus, entwicklung) == before
    ten.sync("--accept", told["accept"])
    assert picture(rathaus, entwicklung) == before
    ten.rests()


def test_disconnect_without_a_ledger_makes_none(mirror: Mirror) -> None:
    answer = mirror.run("disconnect", "rathaus")
    assert answer.code == 2
    assert "rathaus" in answer.said


# ---- read-only, and other mappings ------------------------------------------------------------------------------


def test_a_read_only_calendar_is_never_written(
    mirror: Mirror, radicale: Radicale, rathaus: Desk, entwicklung: Desk
) -> None:
    with GoBetween(radicale.port) as way:
        mirror.sets(RATHAUS_URL=way.url + rathaus.path, RATHAUS_MODE="read-only")
        rathaus.adds("Netz", "PRIORITY:5")
        rathaus.adds("Portal")
        entwicklung.adds("Nur hier")
        entwicklung.adds("Portal", "CATEGORIES:IT")
        mirror.begins()
        assert set(entwicklung.tasks()) == {"Netz", "Portal", "Nur hier"}
        entwicklung.edits("Netz", "SUMMARY:Anders")
        entwicklung.adds("Neu", ago=0)
        entwicklung.deletes("Portal")
        rathaus.edits("Netz", "PRIORITY:1")
        mirror.sync()
        mirror.sync()
        assert not {method for method, _, _ in way.seen} & WRITING
    assert set(rathaus.tasks()) == {"Netz", "Portal"}
    assert entwicklung.task("Anders")["PRIORITY"] == "1"
    assert mirror.json("status")["parked"] == []


def test_a_calendar_that_may_only_be_read_is_said_by_check(
    mirror: Mirror, radicale: Radicale, rathaus: Desk, entwicklung: Desk
) -> None:
    """Here the server refuses: the setting is what is missing."""
    folder = rathaus.folder.with_name("leserecht-amt")
    rathaus.adds("Netz")
    rathaus.folder.rename(folder)
    mirror.sets(RATHAUS_URL=f"{radicale.url}/{radicale.user}/leserecht-amt/")
    try:
        found = mirror.json("check", ends=1)["connectors"]["rathaus"]
        (problem,) = found["problems"]
        assert "RATHAUS_MODE=read-only" in problem
        mirror.sets(RATHAUS_MODE="read-only")
        assert mirror.json("check")["ok"] is True
        mirror.begins()
        assert set(entwicklung.tasks()) == {"Netz"}
        mirror.sets(RATHAUS_MODE="two-way")
        entwicklung.adds("Neu", ago=0)
        told = mirror.sync("--accept", ends=1)
        assert told["connectors"]["rathaus"]["parked"] == 1
        (parked,) = mirror.json("status")["parked"]
        assert "check the rights of the account, RATHAUS_URL" in parked["reason"]
    finally:
        folder.rename(rathaus.folder)


@pytest.mark.parametrize("setting", ["mapping", "mode", "zone"])
def test_what_gives_meaning_is_changed_only_with_consent(
    ten: Mirror, rathaus: Desk, entwicklung: Desk, tmp_path: Path, setting: str
) -> None:
    if setting == "mapping":
        text = schema.shipped("caldav.toml").read_text(encoding="utf-8")
        assert "9 = 3\n" in text
        (tmp_path / "eigen.toml").write_text(text.replace("9 = 3\n", "9 = 2\n"), encoding="utf-8")
        ten.sets(RATHAUS_MAPPING="eigen.toml")
    elif setting == "mode":
        ten.sets(RATHAUS_MODE="read-only")
    else:
        ten.sets(BRIDGE_TIMEZONE="Asia/Tokyo")
    before = picture(rathaus, entwicklung)
    told = ten.sync(ends=3)
    assert "rathaus" in [one["connector"] for one in told["waiting"]]
    assert ten.json("plan", ends=3)["pairing"] == [], "everybody is paired already"
    assert picture(rathaus, entwicklung) == before
    ten.sync("--accept", told["accept"])
    assert picture(rathaus, entwicklung) == before
    ten.rests()
