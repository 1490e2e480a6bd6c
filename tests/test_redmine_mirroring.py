"""A Redmine project and a calendar on a real Radicale, mirrored by the command as its users run it.

With the shipped mapping as it is, on Redmine's default data in German and in English.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import redmine_server
from tests.mirror import Desk, Mirror, written
from tests.radicale_server import Radicale
from tests.redmine_person import RedminePerson
from tests.redmine_server import Redmine

pytestmark = [pytest.mark.redmine, pytest.mark.radicale, pytest.mark.xdist_group("redmine")]

LONG = "Das Serviceportal der Stadt geht mit allen Anträgen der Bauaufsicht online"
SHORT = "Das Serviceportal der Stadt geht mit allen Anträgen der Bau…"


@pytest.fixture(scope="session")
def english() -> Iterator[Redmine]:
    """Another Redmine, with English default data and Markdown."""
    if reason := redmine_server.lacking():
        pytest.skip(reason)
    with Redmine("en", "common_mark") as server:
        yield server


@pytest.fixture
def person(redmine: Redmine) -> RedminePerson:
    return RedminePerson(redmine)


@pytest.fixture
def desk(radicale: Radicale) -> Desk:
    return Desk(radicale)


@pytest.fixture
def mirror(tmp_path: Path, person: RedminePerson, desk: Desk) -> Mirror:
    return between(tmp_path, person, desk)


def between(folder: Path, person: RedminePerson, desk: Desk) -> Mirror:
    """A bridge between a project and a calendar, that has not run yet."""
    made = Mirror(folder, kalender=desk)
    made.sets(
        bridge_connectors="tracker,kalender",
        tracker_type="redmine",
        tracker_url=person.redmine.url,
        tracker_token=person.redmine.keys[person.bridge],
        tracker_collection=person.collection,
    )
    return made


def issues(person: RedminePerson) -> dict[str, Any]:
    """The issues of the project by subject, closed ones too."""
    path = f"/projects/{person.collection}/issues.json"
    found = person.call("GET", path, status_id="*", limit="100")["issues"]
    assert len({one["subject"] for one in found}) == len(found)
    return {one["subject"]: one for one in found}


def versions(person: RedminePerson) -> dict[str, Any]:
    """The project's own versions by name."""
    found = person.call("GET", f"/projects/{person.collection}/versions.json")["versions"]
    return {one["name"]: one for one in found if one["project"]["id"] == person.project["id"]}


def rests(mirror: Mirror) -> None:
    """Two more passes write nothing."""
    for _ in range(2):
        told = mirror.sync()
        assert written(told) == 0, told


def works_unedited(folder: Path, person: RedminePerson, desk: Desk) -> None:
    statuses = person.redmine.ids("/issue_statuses.json", "issue_statuses")
    priorities = person.redmine.ids("/enumerations/issue_priorities.json", "issue_priorities")
    for name, id in statuses.items():
        person.change(person.issue(name), status_id=id)  # a new one gets the first status, whatever it asks for
    for name, id in priorities.items():
        person.issue(name, priority_id=id, tracker_id=1 + id % 3)
    desk.adds("begonnen", "STATUS:IN-PROCESS", "PRIORITY:1", "PERCENT-COMPLETE:40")
    desk.adds("fertig", "STATUS:COMPLETED", "COMPLETED:20261101T120000Z", "PERCENT-COMPLETE:100", "PRIORITY:9")
    desk.adds("offen", "STATUS:NEEDS-ACTION")
    mirror = between(folder, person, desk)
    mirror.begins()
    new, doing, resolved, feedback, closed, rejected = statuses
    low, normal, high, urgent, immediate = priorities
    shown = {name: desk.task(name).get("STATUS") for name in statuses if name != rejected}
    assert shown == {
        new: "NEEDS-ACTION",
        doing: "IN-PROCESS",
        resolved: "IN-PROCESS",
        feedback: "NEEDS-ACTION",
        closed: "COMPLETED",
    }
    assert {name: desk.task(name)["PRIORITY"] for name in (low, high, urgent, immediate)} == {
        low: "9",
        high: "1",
        urgent: "1",
        immediate: "1",
    }
    there = issues(person)
    assert {title: there[title]["status"]["name"] for title in ("begonnen", "fertig", "offen")} == {
        "begonnen": doing,
        "fertig": closed,
        "offen": new,
    }
    assert {title: there[title]["priority"]["name"] for title in ("begonnen", "fertig", "offen")} == {
        "begonnen": high,
        "fertig": low,
        "offen": normal,
    }
    assert there["begonnen"]["done_ratio"] == 40
    assert there["begonnen"]["tracker"]["name"] == "Feature"  # and not the project's first tracker, which is for bugs
    status = mirror.json("status")
    assert status["parked"] == [], status
    rests(mirror)


def test_the_mapping_works_unedited_on_german_default_data(tmp_path: Path, redmine: Redmine, desk: Desk) -> None:
    works_unedited(tmp_path, RedminePerson(redmine), desk)


def test_the_mapping_works_unedited_on_english_default_data(tmp_path: Path, english: Redmine, desk: Desk) -> None:
    works_unedited(tmp_path, RedminePerson(english), desk)


def test_a_milestone_in_progress_with_a_long_title_stays_what_it_is(
    mirror: Mirror, person: RedminePerson, desk: Desk
) -> None:
    desk.adds(LONG, "CATEGORIES:Meilenstein", "STATUS:IN-PROCESS", "DUE;VALUE=DATE:20261231", "DESCRIPTION:eins\\nzwei")
    desk.adds("fertig", "CATEGORIES:Meilenstein", "STATUS:COMPLETED", "COMPLETED:20261101T120000Z")
    desk.adds("Anmeldung", f"CATEGORIES:{LONG}", "DUE;VALUE=DATE:20261101")
    desk.adds("Abnahme", "CATEGORIES:fertig")
    before = desk.picture()
    mirror.begins()
    rests(mirror)
    assert desk.picture() == before
    assert {name: (one["status"], one["due_date"]) for name, one in versions(person).items()} == {
        SHORT: ("open", "2026-12-31"),
        "fertig": ("closed", None),
    }
    assert {title: one["fixed_version"]["name"] for title, one in issues(person).items()} == {
        "Anmeldung": SHORT,
        "Abnahme": "fertig",
    }
    version = f"versions/{versions(person)[SHORT]['id']}"
    person.change(version, due_date="2027-01-15")
    mirror.sync()
    assert (desk.task(LONG)["DUE"], desk.task(LONG)["STATUS"]) == ("20270115", "IN-PROCESS")
    person.change(version, status="closed")
    mirror.sync()
    assert desk.task(LONG)["STATUS"] == "COMPLETED"
    rests(mirror)


def test_what_was_deleted_elsewhere_is_put_away(mirror: Mirror, person: RedminePerson, desk: Desk) -> None:
    desk.adds("Baubeginn", "CATEGORIES:Meilenstein")
    for title in ("eins", "zwei", "drei", "vier"):
        desk.adds(title)
    mirror.begins()
    desk.deletes("Baubeginn")
    desk.deletes("eins")
    mirror.sync()
    assert versions(person)["Baubeginn"]["status"] == "closed"
    assert issues(person)["eins"]["status"]["name"] == "Abgewiesen"
    person.remove(f"issues/{issues(person)['zwei']['id']}")
    mirror.sync()
    assert desk.task("zwei").gone
    person.change(f"issues/{issues(person)['eins']['id']}", status_id=1)  # somebody fetches it back
    mirror.sync()
    assert not desk.task("eins").gone
    rests(mirror)


def test_parents_and_children_that_are_done_at_once_all_close(
    mirror: Mirror, person: RedminePerson, desk: Desk
) -> None:
    parent = desk.adds("oben", "DUE;VALUE=DATE:20261101")
    desk.adds("unten", f"RELATED-TO:{parent}", "DUE;VALUE=DATE:20261201")
    mirror.begins()
    rests(mirror)
    assert issues(person)["unten"]["parent"]["id"] == issues(person)["oben"]["id"]
    assert desk.task("oben")["DUE"] == "20261101"  # what Redmine makes of it is Redmine's
    for title in ("oben", "unten"):
        desk.edits(title, "STATUS:COMPLETED", "COMPLETED:20261101T120000Z", "PERCENT-COMPLETE:100")
    for _ in range(2):
        mirror.run("sync")
    assert {one["status"]["name"] for one in issues(person).values()} == {"Erledigt"}
    rests(mirror)


def test_texts_are_worked_on_from_both_sides(mirror: Mirror, person: RedminePerson, desk: Desk) -> None:
    desk.adds("eins", "DESCRIPTION:Für @anna:\\n\\n* Straße\\n* Gäßchen")
    mirror.begins()
    issue = f"issues/{issues(person)['eins']['id']}"
    stored = person.look(issue)["description"]
    person.change(issue, description=stored.replace("Gäßchen", "Gäßchen und Plätze"))
    desk.edits("eins", "DESCRIPTION:Für @anna und @dora:\\n\\n* Straße\\n* Gäßchen")
    mirror.sync()
    mirror.sync()
    merged = "Für @anna und @dora:\n\n* Straße\n* Gäßchen und Plätze"
    assert desk.task("eins")["DESCRIPTION"].replace("\\n", "\n") == merged
    stored = person.look(issue)["description"].replace("\r\n", "\n")
    # That the bullets are stars elsewhere too, as in Textile, is said at the end by a note that nobody sees.
    assert re.sub("\u2060| [\u2061-\u2064]+$", "", stored) == merged
    rests(mirror)


def test_a_revoked_key_deletes_nothing(mirror: Mirror, person: RedminePerson, desk: Desk) -> None:
    for title in ("eins", "zwei"):
        desk.adds(title)
    mirror.begins()
    before = desk.picture()
    mirror.sets(tracker_token="f" * 40)
    answer = mirror.run("sync")
    assert answer.code != 0
    assert "does not accept" in answer.said
    assert desk.picture() == before


def test_moved_to_another_project_is_not_deleted(mirror: Mirror, person: RedminePerson, desk: Desk) -> None:
    for title in ("eins", "zwei"):
        desk.adds(title)
    mirror.begins()
    elsewhere = RedminePerson(person.redmine)
    before = desk.picture()
    person.change(f"issues/{issues(person)['eins']['id']}", project_id=elsewhere.project["id"])
    mirror.run("sync")
    assert desk.picture() == before


def test_a_note_makes_no_old_edit_the_later_one(mirror: Mirror, person: RedminePerson, desk: Desk) -> None:
    issue = person.issue("eins")
    mirror.begins()
    mirror.sync()
    time.sleep(1.1)  # both servers tell time in whole seconds
    person.change(issue, due_date="2026-05-04")
    time.sleep(1.1)
    desk.edits("eins", "DUE;VALUE=DATE:20260608")
    time.sleep(1.1)
    person.change(issue, notes="Schaffen wir das?")
    assert mirror.sync()["conflicts"] == 1
    (kept,) = mirror.json("conflicts")
    assert (kept["winner"], kept["loser"]) == ("2026-06-08", "2026-05-04")
    assert kept["loser_from"]["at"] == kept["loser_from"]["after"] < kept["winner_from"]["at"]
    assert person.look(issue)["due_date"] == "2026-06-08"
    rests(mirror)
