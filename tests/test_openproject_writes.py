"""What is written, and what OpenProject makes of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.base import Record
from connectors.errors import Forbidden, Lost, NotFound, Rejected, Transient, VersionMismatch
from connectors.openproject import OpenProjectConnector
from tests.fakes.openproject import OpenProject
from tests.fakes.openproject_model import API, READER, CustomField, Project, WorkPackage
from tests.openproject_tools import find, ready, shown


@pytest.fixture
def server() -> Iterator[OpenProject]:
    with OpenProject() as running:
        yield running


@pytest.fixture
def project(server: OpenProject) -> Project:
    return server.project()


@pytest.fixture
def made(server: OpenProject, project: Project) -> WorkPackage:
    return server.add(project, "eins", startDate="2026-12-01", dueDate="2026-12-04", description={"raw": "Text"})


@pytest.fixture
def connector(server: OpenProject, project: Project) -> OpenProjectConnector:
    return ready(server)


def write(connector: OpenProjectConnector, called: str, **fields: Any) -> Record:
    record = find(connector, called)
    return connector.update(record.ref, fields, record.version)


def sent(server: OpenProject, method: str = "PATCH") -> list[dict[str, Any]]:
    return [body for what, body in server.bodies if what.startswith(method) and "/form" not in what]


# ---- every write -------------------------------------------------------------------------------------------------


def test_every_write_tells_nobody(server: OpenProject, made: WorkPackage, connector: OpenProjectConnector) -> None:
    """B: `notify=false`; and what is named is held apart besides (R15)."""
    line = f"user#{server.berta.id}"
    connector.create({"title": f"neu für {line}", "description": line}, "mark")
    write(connector, "eins", description=line, title=f"eins für {line}")
    writes = [one for one in server.requests if one.split()[0] in ("POST", "PATCH") and "form" not in one]
    assert len(writes) == 2
    assert all("notify=false" in one for one in writes)
    assert server.berta.told == []
    assert line not in made.description + made.subject


def test_a_change_carries_the_lock_version_and_nothing_that_did_not_change(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    write(connector, "eins", title="zwei", description="Text", due="2026-12-04")
    assert sent(server) == [{"lockVersion": 0, "subject": "zwei"}]


def test_nothing_is_sent_where_nothing_changes(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    write(connector, "eins", title="eins", due="2026-12-04")
    assert sent(server) == []


def test_somebody_who_is_faster_is_told_by_the_server(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    """B: 409; the write was based on an older lock version."""
    record = find(connector, "eins")
    server.before("PATCH", "/work_packages/", lambda: server.edit(made, subject="von Hand"))
    with pytest.raises(VersionMismatch) as failure:
        connector.update(record.ref, {"title": "von uns"}, record.version)
    fresh = failure.value.record
    assert isinstance(fresh, Record)
    assert shown(fresh)["title"] == "von Hand" == made.subject
    after = connector.update(fresh.ref, {"description": "von uns"}, fresh.version)
    assert shown(after)["title"] == "von Hand"


def test_two_writers_at_once_lose_nothing(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    record = find(connector, "eins")
    outcomes: list[str] = []

    def work(title: str) -> None:
        try:
            connector.update(record.ref, {"title": title}, record.version)
            outcomes.append(title)
        except VersionMismatch:
            pass

    threads = [threading.Thread(target=work, args=(f"Nr. {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [made.subject]
    assert made.lock_version == 1


def test_a_comment_is_no_reason_to_refuse(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    record = find(connector, "eins")
    server.world.comment(made.id, "Gesehen.")
    connector.update(record.ref, {"title": "zwei"}, record.version)
    assert made.subject == "zwei"


# ---- dates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["2018-03-25", "2018-10-28", "2026-12-25"])
@pytest.mark.parametrize("kind", ["task", "milestone"])
def test_a_new_date_keeps_its_day_whoever_works_then(
    server: OpenProject, connector: OpenProjectConnector, day: str, kind: str
) -> None:
    server.world.holidays.add("2026-12-25")
    record = connector.create({"title": "eins", "type": kind, "due": day}, "mark")
    assert shown(record)["due"] == day
    record = connector.update(record.ref, {"due": None}, record.version)
    assert shown(record)["due"] is None
    record = connector.update(record.ref, {"due": day}, record.version)
    assert shown(find(connector, "eins"))["due"] == day


def test_a_weekend_moves_no_other_date(server: OpenProject, made: WorkPackage, connector: OpenProjectConnector) -> None:
    """(source) the leave alone would move the due date by the duration; so both dates are sent."""
    write(connector, "eins", start="2026-11-29")
    assert (made.start, made.due, made.any_day) == ("2026-11-29", "2026-12-04", True)
    assert sent(server)[-1] == {
        "lockVersion": 0,
        "startDate": "2026-11-29",
        "dueDate": "2026-12-04",
        "ignoreNonWorkingDays": True,
    }
    write(connector, "eins", due="2026-12-05")
    assert sent(server)[-1] == {"lockVersion": 1, "dueDate": "2026-12-05"}


def test_a_working_day_needs_no_leave(server: OpenProject, made: WorkPackage, connector: OpenProjectConnector) -> None:
    write(connector, "eins", due="2026-12-03")
    write(connector, "eins", due=None)
    assert not made.any_day
    assert all("ignoreNonWorkingDays" not in body for body in sent(server))


def test_the_calendar_is_asked_once_in_a_pass_and_guessed_where_it_is_not_told(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    write(connector, "eins", due="2026-12-05")
    server.edit(made, ignoreNonWorkingDays=False, startDate=None, dueDate=None)
    server.fail("GET", "/days/", status=404)
    write(connector, "eins", due="2026-12-05")
    assert made.due == "2026-12-05"
    record = find(connector, "eins")
    server.requests.clear()
    for day in ("2026-12-01", "2026-12-02", "2026-12-01"):
        record = connector.update(record.ref, {"due": day}, record.version)
    assert len([one for one in server.requests if "/days/" in one]) == 0  # it may lie anywhere already


def test_a_holiday_that_was_declared_since_the_last_pass_is_known(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    write(connector, "eins", due="2026-12-08")
    server.edit(made, dueDate="2026-12-09")
    server.world.holidays.add("2026-12-08")
    write(connector, "eins", due="2026-12-08")
    assert made.due == "2026-12-08"


def test_a_new_task_takes_no_dates_from_its_parent_or_from_today(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    server.world.starts_today = True
    record = connector.create({"title": "zwei", "parent": str(made.id)}, "mark")
    assert (shown(record)["start"], shown(record)["due"]) == (None, None)
    assert shown(connector.create({"title": "drei"}, "mark"))["start"] is None


# ---- status ------------------------------------------------------------------------------------------------------


def test_a_status_that_the_workflow_forbids_is_refused_with_the_reason(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    with pytest.raises(Rejected, match="no valid transition exists") as refusal:
        write(connector, "eins", status="8")
    assert refusal.value.clean
    assert made.status == 1


def test_a_status_is_no_part_of_a_create(server: OpenProject, connector: OpenProjectConnector) -> None:
    """(source: reassign_status) another one would be taken without a word, and travel as somebody's edit."""
    assert "status" not in (connector.abilities.create_fields or ())


def test_what_is_put_away_gets_the_closed_status_for_it(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    assert shown(write(connector, "eins", status="away"))["status"] == "away"
    assert made.status == 14
    server.edit(made, _links={"status": {"href": f"{API}/statuses/1"}})
    server.world.status("Rejected").name = "Weg"
    with pytest.raises(Rejected, match="put away"):
        write(ready(server), "eins", status="away")


# ---- parents -----------------------------------------------------------------------------------------------------


def test_nothing_is_put_under_a_milestone(
    server: OpenProject, project: Project, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    stone = server.add(project, "Portal", type=2)
    with pytest.raises(Rejected, match="cannot be a milestone"):
        write(connector, "eins", parent=str(stone.id))


def test_a_neighbour_that_moved_along_is_seen_in_the_next_pull(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    """B: one PATCH can change other work packages."""
    parent = server.add(project, "oben")
    server.add(project, "unten", _links={"parent": {"href": f"{API}/work_packages/{parent.id}"}})
    server.edit(parent, scheduleManually=False)
    before = find(connector, "oben")
    cursor = connector.pull(None, {}).cursor
    write(connector, "unten", due="2026-12-01")
    found = {one.ref.native_id: one for one in connector.pull(cursor, {}).records}
    assert found[str(parent.id)].version != before.version
    with pytest.raises(VersionMismatch):
        connector.update(before.ref, {"title": "neu"}, before.version)


# ---- refusals ----------------------------------------------------------------------------------------------------


def test_several_reasons_are_told_in_one_sentence(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    with pytest.raises(Rejected, match=r"Subject cannot be blank; Finish date must be") as refusal:
        write(connector, "eins", title="", due="2026-11-30")
    assert str(refusal.value).endswith("start date.")


def test_a_title_that_is_too_long_is_refused_and_leaves_nothing(
    server: OpenProject, connector: OpenProjectConnector
) -> None:
    with pytest.raises(Rejected, match="too long") as refusal:
        connector.create({"title": "x" * 256}, "mark")
    assert refusal.value.clean
    assert server.world.work_packages == {}


def test_a_required_custom_field_is_told(server: OpenProject, connector: OpenProjectConnector) -> None:
    server.world.custom_fields[3] = CustomField(3, "Kostenstelle", required=True)
    with pytest.raises(Rejected, match="Kostenstelle can't be blank"):
        connector.create({"title": "eins"}, "mark")


def test_custom_fields_that_are_there_stay_untouched(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    server.world.custom_fields[3] = CustomField(3, "Notiz", default="wie immer")
    made = server.add(project, "eins")
    write(connector, "eins", title="zwei", description="neu")
    assert made.custom == {3: "wie immer"}
    assert "custom" not in str(sent(server)).lower()


def test_a_subject_that_the_type_makes_is_refused(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    server.world.types[1].makes_subjects = True
    with pytest.raises(Rejected, match="not writable"):
        write(connector, "eins", title="zwei")


def test_a_right_that_is_missing_is_told(server: OpenProject, project: Project, made: WorkPackage) -> None:
    server.bridge.admin = False
    connector = ready(server)
    record = find(connector, "eins")
    project.members[server.bridge.id] = READER
    for act in (
        lambda: connector.create({"title": "zwei"}, "mark"),
        lambda: connector.delete(find(connector, "eins").ref, find(connector, "eins").version),
    ):
        with pytest.raises(Forbidden, match="check its role there"):
            act()
    with pytest.raises(Forbidden):
        connector.update(record.ref, {"title": "zwei"}, find(connector, "eins").version)


@pytest.mark.parametrize(
    ("name", "value"), [("status", "+Neu"), ("priority", "+Hoch"), ("type", "+Phase"), ("parent", "oben"), ("amt", "x")]
)
def test_what_cannot_be_written_is_refused_before_it_is_sent(
    server: OpenProject, connector: OpenProjectConnector, name: str, value: str
) -> None:
    with pytest.raises(Rejected):
        connector.create({"title": "eins", name: value}, "mark")
    assert sent(server, "POST") == []


# ---- lost answers ------------------------------------------------------------------------------------------------


def test_an_answer_that_is_lost_is_unknown_and_nothing_is_sent_twice(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    server.fail("POST", r"/work_packages\?", after=True, lost=True)
    with pytest.raises(Lost):
        connector.create({"title": "zwei"}, "mark")
    server.fail("PATCH", "/work_packages/", status=502)
    with pytest.raises(Lost):
        write(connector, "eins", title="drei")
    assert [len(sent(server, method)) for method in ("POST", "PATCH")] == [1, 0]


def test_an_answer_that_cannot_be_read_is_no_success(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    server.fail("PATCH", "/work_packages/", status=200, after=True, body={"_type": "WorkPackage"})
    with pytest.raises(Transient):
        write(connector, "eins", title="zwei")
    assert made.subject == "zwei"


# ---- deleting ----------------------------------------------------------------------------------------------------


def test_a_work_package_with_children_is_not_deleted(
    server: OpenProject, project: Project, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    """B: DELETE deletes all children too."""
    server.add(project, "unten", _links={"parent": {"href": f"{API}/work_packages/{made.id}"}})
    record = find(connector, "eins")
    with pytest.raises(Rejected, match="children"):
        connector.delete(record.ref, record.version)
    assert len(server.world.work_packages) == 2


def test_what_was_deleted_meanwhile_is_not_found(
    server: OpenProject, made: WorkPackage, connector: OpenProjectConnector
) -> None:
    record = find(connector, "eins")
    server.before("DELETE", "/work_packages/", lambda: server.remove(made))
    with pytest.raises(NotFound):
        connector.delete(record.ref, record.version)


# ---- what is alike -----------------------------------------------------------------------------------------------


def test_what_is_called_alike(connector: OpenProjectConnector) -> None:
    assert connector.normalises("title", " eins ", "eins")
    assert connector.normalises("description", "eins\r\n\n", "eins")
    assert connector.normalises("type", "task", "1")
    assert connector.normalises("progress", None, 0)
    for name, sent_value, value in (
        ("title", "eins", "zwei"),
        ("description", "eins", "zwei"),
        ("type", "task", None),
        ("progress", 10, 0),
        ("due", "2026-12-05", "2026-12-07"),
        ("status", "1", "7"),
    ):
        assert not connector.normalises(name, sent_value, value)
