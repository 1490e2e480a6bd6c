"""What servers do to a mirror: three of them, quiet ones, wrong addresses, refusals, outages and restored backups.

The command runs as its users run it, against a real Radicale, where needed through a proxy that counts or breaks
down; see `tests.mirror` and `tests.go_between`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.go_between import GoBetween
from tests.mirror import Desk, Mirror, written
from tests.radicale_server import Radicale

pytestmark = pytest.mark.radicale

WRITING = {"PUT", "DELETE", "MKCALENDAR", "PROPPATCH", "POST", "MOVE"}


@pytest.fixture
def kaemmerei(radicale: Radicale) -> Desk:
    return Desk(radicale)


@pytest.fixture
def three(tmp_path: Path, rathaus: Desk, entwicklung: Desk, kaemmerei: Desk) -> Mirror:
    return Mirror(tmp_path, rathaus=rathaus, entwicklung=entwicklung, kaemmerei=kaemmerei)


@pytest.fixture
def way(radicale: Radicale) -> Iterator[GoBetween]:
    with GoBetween(radicale.port) as proxy:
        yield proxy


# ---- three of them ----------------------------------------------------------------------------------------------


def test_three_calendars_are_one_strategy(three: Mirror, rathaus: Desk, entwicklung: Desk, kaemmerei: Desk) -> None:
    for desk, title in ((rathaus, "Netz"), (entwicklung, "Portal"), (kaemmerei, "Haushalt")):
        desk.adds(title)
        desk.adds("Gemeinsam", f"CATEGORIES:{title}")
    three.begins()
    desks = (rathaus, entwicklung, kaemmerei)
    for desk in desks:
        assert set(desk.tasks()) == {"Netz", "Portal", "Haushalt", "Gemeinsam"}
        assert desk.task("Gemeinsam").categories == {"Netz", "Portal", "Haushalt"}
    rathaus.edits("Portal", "PRIORITY:1")
    entwicklung.edits("Portal", "DUE;VALUE=DATE:20261201")
    kaemmerei.edits("Portal", "DESCRIPTION:Kostet nichts")
    kaemmerei.deletes("Netz")
    told = three.sync()
    assert told["conflicts"] == 0
    for desk in desks:
        task = desk.task("Portal")
        assert (task["PRIORITY"], task["DUE"], task["DESCRIPTION"]) == ("1", "20261201", "Kostet nichts")
        assert set(desk.tasks()) == {"Portal", "Haushalt", "Gemeinsam"}
    three.rests()


def test_the_latest_of_three_edits_stands(three: Mirror, rathaus: Desk, entwicklung: Desk, kaemmerei: Desk) -> None:
    rathaus.adds("Platz")
    three.begins()
    rathaus.edits("Platz", "DUE;VALUE=DATE:20261201", ago=4)
    entwicklung.edits("Platz", "DUE;VALUE=DATE:20261203", ago=0)
    kaemmerei.edits("Platz", "DUE;VALUE=DATE:20261202", ago=2)
    assert three.sync()["conflicts"] == 2
    for desk in (rathaus, entwicklung, kaemmerei):
        assert desk.task("Platz")["DUE"] == "20261203"
    assert sorted(one["loser"] for one in three.json("conflicts")) == ["2026-12-01", "2026-12-02"]
    three.rests()


# ---- as few requests as possible --------------------------------------------------------------------------------


def test_a_quiet_pass_is_one_report_a_collection(
    mirror: Mirror, rathaus: Desk, entwicklung: Desk, way: GoBetween
) -> None:
    for number in range(12):
        rathaus.adds(f"Aufgabe {number}", "CATEGORIES:IT")
    for name, desk in mirror.desks.items():
        mirror.sets(**{f"{name}_URL": way.url + desk.path})
    mirror.begins()
    way.counted()
    told = mirror.sync()
    assert written(told) == 0
    asked = [(method, path) for method, path, _ in way.seen]
    assert sorted(asked) == sorted([("REPORT", rathaus.path), ("REPORT", entwicklung.path)])
    assert [one["requests"] for one in told["connectors"].values()] == [1, 1]
    way.counted()
    mirror.sync()
    assert way.counted() == {"REPORT": 2}
    entwicklung.edits("Aufgabe 3", "PRIORITY:1")
    told = mirror.sync()
    counted = way.counted()
    assert (counted["REPORT"], counted["PUT"], counted["PROPFIND"]) == (2, 1, 0)
    assert counted.total() <= 5
    assert sum(one["requests"] for one in told["connectors"].values()) == counted.total()


def test_one_address_for_the_whole_server_is_enough(
    mirror: Mirror, radicale: Radicale, rathaus: Desk, entwicklung: Desk
) -> None:
    mirror.sets(RATHAUS_URL=radicale.url, RATHAUS_COLLECTION=rathaus.title)
    mirror.sets(ENTWICKLUNG_URL=f"{radicale.url}/{radicale.user}/", ENTWICKLUNG_COLLECTION=entwicklung.path)
    rathaus.adds("Netz")
    mirror.begins()
    assert set(entwicklung.tasks()) == {"Netz"}
    assert mirror.sync()["connectors"]["rathaus"]["requests"] == 1
    mirror.sets(RATHAUS_URL=rathaus.url, RATHAUS_COLLECTION=None)
    mirror.rests()


# ---- one clear sentence -----------------------------------------------------------------------------------------


def one_sentence(mirror: Mirror, *words: str) -> str:
    """What `check` says is wrong with the town hall's calendar, and `sync` as well; both end 1."""
    before = {name: desk.files() for name, desk in mirror.desks.items()}
    found = mirror.json("check", ends=1)
    assert found["ok"] is False
    assert found["connectors"]["entwicklung"]["problems"] == []
    (sentence,) = found["connectors"]["rathaus"]["problems"]
    told = mirror.sync(ends=1)
    assert told["connectors"]["rathaus"]["error"] == sentence
    assert told["connectors"]["entwicklung"]["error"] is None
    assert sentence in mirror.run("sync").said
    assert {name: desk.files() for name, desk in mirror.desks.items()} == before
    assert mirror.settings["RATHAUS_PASSWORD"] not in sentence
    assert sentence.rstrip().endswith((".", "?"))
    for word in words:
        assert word in sentence
    return str(sentence)


def test_nobody_answers_at_the_address(mirror: Mirror, rathaus: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    mirror.sets(RATHAUS_URL=f"http://127.0.0.1:9{rathaus.path}")
    one_sentence(mirror, "RATHAUS_URL", "127.0.0.1:9")


def test_there_is_no_calendar_at_the_address(mirror: Mirror, radicale: Radicale, rathaus: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    mirror.sets(RATHAUS_URL=f"{radicale.url}/anna/gibt-es-nicht/")
    one_sentence(mirror, "RATHAUS_URL", "RATHAUS_COLLECTION", rathaus.title)


def test_the_named_calendar_is_not_there(mirror: Mirror, radicale: Radicale, rathaus: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    mirror.sets(RATHAUS_URL=radicale.url, RATHAUS_COLLECTION="Gibt es nicht")
    one_sentence(mirror, "RATHAUS_COLLECTION", "Gibt es nicht")
    found = mirror.json("check", ends=1)["connectors"]["rathaus"]["found"]
    assert rathaus.title in found


def test_the_password_is_wrong(mirror: Mirror, rathaus: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    mirror.sets(RATHAUS_PASSWORD="falsches-Kennwort")
    one_sentence(mirror, "RATHAUS_USER", "RATHAUS_PASSWORD")
    mirror.sets(RATHAUS_PASSWORD=rathaus.server.password)
    mirror.rests()


def test_the_calendar_holds_no_tasks(mirror: Mirror, radicale: Radicale, rathaus: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    events = Desk(radicale, components=("VEVENT",))
    mirror.sets(RATHAUS_URL=events.url)
    one_sentence(mirror, "VTODO", "RATHAUS_COLLECTION")


def test_the_calendar_was_deleted(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    """A collection that is gone proves nothing about its tasks."""
    for number in range(3):
        rathaus.adds(f"Aufgabe {number}")
    mirror.begins()
    rathaus.server.delete(rathaus.path)
    told = mirror.sync(ends=1)
    assert "RATHAUS_" in told["connectors"]["rathaus"]["error"]
    assert set(entwicklung.tasks()) == {"Aufgabe 0", "Aufgabe 1", "Aufgabe 2"}
    entwicklung.edits("Aufgabe 1", "PRIORITY:1")
    assert written(mirror.sync(ends=1)) == 0


# ---- outages ----------------------------------------------------------------------------------------------------


def test_one_that_is_down_costs_only_itself(
    three: Mirror, rathaus: Desk, entwicklung: Desk, kaemmerei: Desk, way: GoBetween
) -> None:
    three.sets(KAEMMEREI_URL=way.url + kaemmerei.path)
    for title in ("Netz", "Portal"):
        rathaus.adds(title)
    three.begins()
    way.down = True
    rathaus.edits("Netz", "PRIORITY:1")
    entwicklung.adds("Neu", ago=0)
    kaemmerei.edits("Portal", "PRIORITY:9")
    told = three.sync(ends=1)
    assert told["connectors"]["kaemmerei"]["error"]
    assert told["connectors"]["rathaus"]["error"] is None
    assert entwicklung.task("Netz")["PRIORITY"] == "1"
    assert "Neu" in rathaus.tasks()
    assert "Neu" not in kaemmerei.tasks()
    errors = {name: one["error"] for name, one in three.json("status")["connectors"].items()}
    assert [name for name, error in errors.items() if error] == ["kaemmerei"]
    way.down = False
    told = three.sync()
    assert kaemmerei.task("Netz")["PRIORITY"] == "1"
    assert "Neu" in kaemmerei.tasks()
    assert rathaus.task("Portal")["PRIORITY"] == entwicklung.task("Portal")["PRIORITY"] == "9"
    three.rests()


def test_a_revert_while_another_is_down_is_not_undone(
    three: Mirror, rathaus: Desk, entwicklung: Desk, kaemmerei: Desk, way: GoBetween
) -> None:
    three.sets(KAEMMEREI_URL=way.url + kaemmerei.path)
    rathaus.adds("Platz", "PRIORITY:9")
    three.begins()
    rathaus.edits("Platz", "PRIORITY:1", ago=6)
    three.sync()
    way.down = True
    rathaus.edits("Platz", "PRIORITY:9", ago=3)
    three.sync(ends=1)
    way.down = False
    three.sync()
    for desk in (rathaus, entwicklung, kaemmerei):
        assert desk.task("Platz")["PRIORITY"] == "9"
    three.rests()


@pytest.mark.parametrize("trouble", ["refuse", "lose"])
def test_a_create_whose_answer_is_lost_makes_one_task(
    mirror: Mirror, rathaus: Desk, entwicklung: Desk, way: GoBetween, trouble: str
) -> None:
    mirror.sets(ENTWICKLUNG_URL=way.url + entwicklung.path)
    rathaus.adds("Netz")
    mirror.begins()
    rathaus.adds("Neu", "PRIORITY:1", ago=0)
    way.trouble = lambda method, path: trouble if method == "PUT" else ""
    answer = mirror.run("sync", "--json")
    assert answer.code in (0, 1)
    way.trouble = lambda method, path: ""
    mirror.sync()
    assert set(entwicklung.tasks()) == {"Netz", "Neu"}
    assert entwicklung.task("Neu")["PRIORITY"] == "1"
    mirror.rests()


@pytest.mark.parametrize("trouble", ["refuse", "lose"])
def test_an_update_whose_answer_is_lost_loses_nothing(
    mirror: Mirror, rathaus: Desk, entwicklung: Desk, way: GoBetween, trouble: str
) -> None:
    mirror.sets(ENTWICKLUNG_URL=way.url + entwicklung.path)
    rathaus.adds("Netz", "PRIORITY:9", "DUE;VALUE=DATE:20261201")
    mirror.begins()
    rathaus.edits("Netz", "PRIORITY:1")
    way.trouble = lambda method, path: trouble if method == "PUT" else ""
    answer = mirror.run("sync", "--json")
    assert answer.code in (0, 1)
    way.trouble = lambda method, path: ""
    entwicklung.edits("Netz", "DUE;VALUE=DATE:20261224")
    mirror.run("sync")
    mirror.sync()
    for desk in (rathaus, entwicklung):
        assert (desk.task("Netz")["PRIORITY"], desk.task("Netz")["DUE"]) == ("1", "20261224")
    assert mirror.json("conflicts") == []
    mirror.rests()


def test_a_change_between_read_and_write_is_not_overwritten(
    mirror: Mirror, rathaus: Desk, entwicklung: Desk, way: GoBetween
) -> None:
    mirror.sets(ENTWICKLUNG_URL=way.url + entwicklung.path)
    rathaus.adds("Netz", "PRIORITY:9", "DUE;VALUE=DATE:20261201")
    mirror.begins()
    rathaus.edits("Netz", "PRIORITY:1")
    done: list[str] = []

    def meanwhile(method: str, path: str) -> str:
        if method == "PUT" and not done:
            done.append(path)
            entwicklung.edits("Netz", "DUE;VALUE=DATE:20261224")
        return ""

    way.trouble = meanwhile
    mirror.sync()
    assert done
    for desk in (rathaus, entwicklung):
        assert (desk.task("Netz")["PRIORITY"], desk.task("Netz")["DUE"]) == ("1", "20261224")
    mirror.rests()


# ---- a restored backup ------------------------------------------------------------------------------------------


def test_a_restored_server_is_noticed_and_nothing_is_taken_from_it(
    mirror: Mirror, rathaus: Desk, entwicklung: Desk, tmp_path: Path
) -> None:
    for number in range(6):
        rathaus.adds(f"Aufgabe {number}", "PRIORITY:9")
    mirror.begins()
    shutil.copytree(rathaus.folder, tmp_path / "backup")
    for number in range(6):
        rathaus.edits(f"Aufgabe {number}", "PRIORITY:1")
    mirror.sync()
    shutil.rmtree(rathaus.folder)
    shutil.copytree(tmp_path / "backup", rathaus.folder)
    told = mirror.sync(ends=3)
    assert written(told) == 0
    assert {task["PRIORITY"] for task in entwicklung.all()} == {"1"}
    assert {task["PRIORITY"] for task in rathaus.all()} == {"9"}
    mirror.sync("--accept")
    assert {task["PRIORITY"] for task in rathaus.all()} == {"1"}
    mirror.rests()
