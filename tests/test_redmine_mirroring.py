"""A Redmine project and a calendar on a real Radicale, mirrored by the command as its users run it.

With the shipped mapping as it is, on Redmine's default data in German and in English.
"""

from __future__ import annotations

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
    """The versions of the project by name."""
    found = person.call("GET", f"/projects/{person.collection}/versions.json")["versions"]
    return {one["name"]: one for one in found}


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
    status = mirror.json("status")
    assert status["parked"] == [], status
    rests(mirror)


def test_the_mapping_works_unedited_on_german_default_data(tmp_path: Path, redmine: Redmine, desk: Desk) -> None:
    works_unedited(tmp_path, RedminePerson(redmine), desk)


def test_the_mapping_works_unedited_on_english_default_data(tmp_path: Path, english: Redmine, desk: Desk) -> None:
    works_unedited(tmp_path, RedminePerson(english), desk)
