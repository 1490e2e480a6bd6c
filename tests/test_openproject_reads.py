"""What is read of a work package: fields, what is absent, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.base import Alive, Gone, Hidden, Moved, OutOfScope, Ref
from connectors.errors import Forbidden, NotACollection, NotFound, Transient
from connectors.openproject import OpenProjectConnector
from tests.fakes.openproject import OpenProject
from tests.fakes.openproject_model import API, MEMBER, READER, Project, Status
from tests.openproject_tools import find, ready, shown


@pytest.fixture
def server() -> Iterator[OpenProject]:
    with OpenProject() as running:
        yield running


@pytest.fixture
def project(server: OpenProject) -> Project:
    return server.project()


@pytest.fixture
def connector(server: OpenProject, project: Project) -> OpenProjectConnector:
    return ready(server)


# ---- fields ------------------------------------------------------------------------------------------------------


def test_a_task_has_all_fields(server: OpenProject, project: Project, connector: OpenProjectConnector) -> None:
    parent = server.add(project, "oben")
    version = server.world.add_version(project.id, "Portal")
    made = server.add(
        project,
        "eins",
        description={"raw": "Text"},
        startDate="2026-12-01",
        dueDate="2026-12-02",
        percentageDone=40,
        _links={
            "parent": {"href": f"{API}/work_packages/{parent.id}"},
            "version": {"href": f"{API}/versions/{version.id}"},
        },
    )
    record = find(connector, "eins")
    assert shown(record) == {
        "type": "1",
        "title": "eins",
        "description": "Text",
        "status": "1",
        "priority": "8",
        "start": "2026-12-01",
        "due": "2026-12-02",
        "progress": 40,
        "parent": str(parent.id),
        "versions": (str(version.id),),
    }
    assert record.url == f"{server.url}/work_packages/{made.id}"
    assert (record.ref.native_id, record.ref.born) == (str(made.id), "2026-11-30T00:53:20Z")
    assert record.locked == frozenset()


def test_a_milestone_has_one_date_and_no_version(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    server.add(project, "Portal", type=2, date="2026-12-31")
    fields = shown(find(connector, "Portal"))
    assert fields["due"] == "2026-12-31"
    assert {"start", "versions"} & fields.keys() == set()


def test_a_reference_is_the_same_whatever_a_release_tells_of_seconds(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    server.add(project, "eins")
    before = find(connector, "eins").ref
    server.old = True
    assert find(connector, "eins").ref == before


def test_dates_that_children_decide_are_absent_and_locked(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    """B, R7: by hand they are the parent's own."""
    parent = server.add(project, "oben", dueDate="2026-12-04")
    server.add(project, "unten", _links={"parent": {"href": f"{API}/work_packages/{parent.id}"}}, dueDate="2026-12-01")
    assert shown(find(connector, "oben"))["due"] == "2026-12-04"
    server.edit(parent, scheduleManually=False)
    record = find(connector, "oben")
    assert {"start", "due"} & shown(record).keys() == set()
    assert record.locked == {"start", "due"}


def test_progress_that_the_status_says_is_absent(server: OpenProject, project: Project) -> None:
    """B: percentageDone is writable or not by the mode of the instance, which the form tells."""
    server.world.progress_by_status = True
    server.add(project, "eins")
    connector = ready(server)
    assert "progress" not in shown(find(connector, "eins"))
    assert "progress" not in connector.abilities.defaults
    assert "progress" not in (connector.abilities.create_fields or ())
    assert shown(connector.create({"title": "zwei", "progress": 50}, "mark"))["title"] == "zwei"
    server.world.progress_by_status = False
    assert shown(find(connector, "eins"))["progress"] == 0
    assert "progress" in (connector.abilities.create_fields or ())


def test_a_readonly_status_locks_everything_but_itself(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    server.add(project, "eins")
    server.world.statuses[1].is_readonly = True
    record = find(connector, "eins")
    assert record.locked == shown(record).keys() - {"status"}


def test_what_our_role_may_not_change_is_locked(server: OpenProject, project: Project) -> None:
    server.bridge.admin = False
    server.add(project, "eins")
    connector = ready(server)
    project.members[server.bridge.id] = READER
    record = find(connector, "eins")
    assert record.locked == shown(record).keys()


def test_several_versions_are_read_where_there_may_be_several(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    """(source: WorkPackageMultipleVersions) then `version` is missing."""
    ids = [server.world.add_version(project.id, name).id for name in ("a", "b")]
    made = server.add(project, "eins")
    server.world.several_versions = True
    server.edit(made, _links={"targetVersions": [{"href": f"{API}/versions/{id}"} for id in ids]})
    assert shown(find(connector, "eins"))["versions"] == tuple(sorted(map(str, ids)))


def test_a_parent_that_is_hidden_is_absent_and_not_empty(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    made = server.add(project, "eins")
    record = find(connector, "eins")
    body = connector._wire.http.json(connector._wire._send("GET", f"/work_packages/{made.id}"))
    assert isinstance(body, dict)
    body["_links"]["parent"] = {"href": "urn:openproject-org:api:v3:undisclosed", "title": "Undisclosed"}
    server.fail("GET", f"/work_packages/{made.id}", status=200, body=body)
    answer = connector.probe(record.ref)
    assert isinstance(answer, Alive)
    assert "parent" not in shown(answer.record)


def test_our_own_work_packages_are_told_from_others(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    server.add(project, "fremd")
    assert connector.create({"title": "unseres"}, "mark").own is True
    assert find(connector, "fremd").own is False
    server.keys["opapi-bridge"] = server.anna  # the key is another account's by now
    assert find(connector, "fremd").own is True
    assert find(connector, "unseres").own is False


# ---- words -------------------------------------------------------------------------------------------------------


def test_options_have_titles_and_ours_come_first(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    server.add(project, "eins")
    closed = server.world.add_version(project.id, "Alt", status="closed")
    opened = server.world.add_version(project.id, "Neu")
    options = connector.pull(None, {}).options or {}
    assert list(options["type"].items())[:3] == [("task", "Work package"), ("milestone", "Milestone"), ("1", "Task")]
    assert options["status"]["away"] == "Rejected"
    assert list(options["versions"]) == [str(opened.id), str(closed.id)]
    assert options["priority"]["8"] == "Normal"


def test_statuses_that_the_workflow_allows_come_first(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    """The first one of a meaning is the one that is written: here “Scheduled” would be refused."""
    server.add(project, "eins")
    server.world.statuses = {20: Status(20, "Scheduled"), **server.world.statuses}
    options = connector.pull(None, {}).options or {}
    assert list(options["status"].values())[:5] == ["New", "In progress", "Closed", "On hold", "Rejected"]
    assert "Scheduled" in list(options["status"].values())[5:]


def test_the_type_for_tasks_goes_by_its_name_and_not_by_its_place(server: OpenProject, project: Project) -> None:
    server.world.types = dict(reversed(server.world.types.items()))
    connector = ready(server)
    assert shown(connector.create({"title": "eins"}, "mark"))["type"] == "1"
    server.world.types[1].name = "Vorgang"
    assert shown(ready(server).create({"title": "zwei"}, "mark"))["type"] == "3"


# ---- what became of it -------------------------------------------------------------------------------------------


def test_gone_is_proven_to_an_administrator_only(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    made = server.add(project, "eins")
    ref = find(connector, "eins").ref
    server.remove(made)
    assert connector.probe(ref) == Gone()
    server.bridge.admin = False
    assert connector.probe(ref) == Hidden(unsure=True)


def test_a_404_proves_nothing_where_the_project_or_our_role_is_gone(server: OpenProject, project: Project) -> None:
    server.add(project, "eins")
    connector = ready(server)
    ref = find(connector, "eins").ref
    project.active = False
    with pytest.raises(NotACollection):
        connector.probe(ref)
    project.active = True
    server.bridge.admin = False
    project.members[server.bridge.id] = frozenset()
    with pytest.raises(Forbidden):
        connector.probe(ref)


def test_a_moved_work_package_is_found_in_its_new_project(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    made = server.add(project, "eins")
    record = find(connector, "eins")
    elsewhere = server.project("anderes")
    server.world.move(made.id, elsewhere)
    answer = connector.probe(record.ref)
    assert isinstance(answer, Moved)
    assert answer.collection == str(elsewhere.id)
    assert answer.record is not None
    assert answer.record.ref == record.ref
    with pytest.raises(NotFound, match="does not belong"):
        connector.update(record.ref, {"title": "zwei"}, record.version)


def test_one_that_was_moved_out_of_our_sight_is_hidden(server: OpenProject, project: Project) -> None:
    server.bridge.admin = False
    connector = ready(server)
    made = server.add(project, "eins")
    ref = find(connector, "eins").ref
    elsewhere = server.world.add_project("geheim", "Geheim")
    elsewhere.members = {server.anna.id: MEMBER}
    server.world.move(made.id, elsewhere)
    assert connector.probe(ref) == Hidden(unsure=True)


def test_what_lies_in_the_trash_rests(server: OpenProject, project: Project, connector: OpenProjectConnector) -> None:
    server.world.trash = True
    made = server.add(project, "eins")
    server.add(project, "bleibt")
    ref = find(connector, "eins").ref
    server.remove(made)
    assert connector.probe(ref) == OutOfScope()
    made.trashed = False
    assert isinstance(connector.probe(ref), Alive)


def test_another_one_under_the_same_id_is_not_ours(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    made = server.add(project, "eins")
    record = find(connector, "eins")
    server.clock.advance(-86_400)
    made.created_at = server.clock.moment()
    assert connector.probe(record.ref) == Gone()
    with pytest.raises(NotFound, match="another one by now"):
        connector.update(record.ref, {"title": "zwei"}, record.version)


@pytest.mark.parametrize("id", ["", "abc", "work_packages/5", "٥"])
def test_what_is_no_id_of_ours_is_not_asked_for(connector: OpenProjectConnector, id: str) -> None:
    assert connector.probe(Ref("h", id, "")) == Gone()


def test_a_probe_without_an_answer_proves_nothing(
    server: OpenProject, project: Project, connector: OpenProjectConnector
) -> None:
    server.add(project, "eins")
    ref = find(connector, "eins").ref
    for _ in range(3):
        server.fail("GET", "/work_packages/", status=502)
    with pytest.raises(Transient):
        connector.probe(ref)
