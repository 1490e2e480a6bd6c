"""Which project a connector is bound to, and what its account may do there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.errors import Forbidden, NotACollection, Transient, Unauthorized
from tests.fakes.openproject import IDENTIFIER, OpenProject
from tests.fakes.openproject_model import READER, CustomField, Project
from tests.openproject_tools import asked, connect, ready


@pytest.fixture
def server() -> Iterator[OpenProject]:
    with OpenProject() as running:
        yield running


@pytest.fixture
def project(server: OpenProject) -> Project:
    return server.project()


def warnings(server: OpenProject) -> str:
    return " ".join(connect(server).identify().warnings)


@pytest.mark.parametrize("way", ["identifier", "id", "name", "NAME"])
def test_a_project_goes_by_identifier_id_and_name(server: OpenProject, project: Project, way: str) -> None:
    name = {"identifier": project.identifier, "id": str(project.id), "name": project.name, "NAME": project.name.upper()}
    assert connect(server, name[way]).identify().collection == str(project.id)


@pytest.mark.parametrize("path", ["", "/projects/digitale-strategie/work_packages", "/api/v3/", "/work_packages/17"])
def test_any_address_of_the_server_will_do(server: OpenProject, project: Project, path: str) -> None:
    assert connect(server, url=server.url + path).identify().collection == str(project.id)


def test_a_server_under_a_path_is_found_and_its_links_are_right(project: Project) -> None:
    with OpenProject(prefix="/openproject") as server:
        made = server.project()
        connector = ready(server, url=f"{server.url}/projects/{made.identifier}")
        record = connector.create({"title": "eins", "type": "milestone"}, "mark")
        assert record.url.endswith(f"/openproject/work_packages/{record.ref.native_id}")
        assert server.bodies[-1][1]["_links"]["type"]["href"] == "/openproject/api/v3/types/2"


def test_a_name_that_two_projects_have_is_not_guessed(server: OpenProject, project: Project) -> None:
    server.project("zweites").name = project.name
    with pytest.raises(NotACollection, match="several projects") as failure:
        connect(server, project.name).identify()
    assert failure.value.found == (IDENTIFIER, "zweites")


def test_a_project_that_is_not_there_is_said_with_those_that_are(server: OpenProject, project: Project) -> None:
    with pytest.raises(NotACollection, match=r"AMT_COLLECTION.*“digitale-strategie”"):
        connect(server, "anders").identify()


def test_an_archived_project_is_said(server: OpenProject, project: Project) -> None:
    project.active = False
    with pytest.raises(NotACollection, match="archived"):
        connect(server).identify()


def test_a_wrong_key_is_said_without_telling_it(server: OpenProject, project: Project) -> None:
    with pytest.raises(Unauthorized, match="AMT_TOKEN") as failure:
        connect(server, token="opapi-geheim").identify()
    assert "geheim" not in str(failure.value)


def test_a_key_that_was_revoked_is_noticed_in_every_pass(server: OpenProject, project: Project) -> None:
    connector = ready(server)
    cursor = connector.pull(None, {}).cursor
    del server.keys["opapi-bridge"]
    with pytest.raises(Unauthorized):
        connector.pull(cursor, {})


def test_another_server_is_said(server: OpenProject, project: Project) -> None:
    server.fail("GET", "/users/me", status=404, body="<html>nichts</html>")
    with pytest.raises(NotACollection, match="no OpenProject at"):
        connect(server).identify()
    server.fail("GET", "/users/me", status=200, body="<html>etwas</html>")
    with pytest.raises(Transient, match="web page"):
        connect(server).identify()


def test_what_was_found_is_remembered_warnings_and_all(server: OpenProject, project: Project) -> None:
    server.bridge.admin = False
    first, second = connect(server), connect(server)
    identity = first.identify()
    server.requests.clear()
    assert second.identify(first.memory()) == identity
    assert server.requests == []
    assert "opapi" not in str(first.memory())


@pytest.mark.parametrize("text", ["{}", "kein json", '{"setting": "anders"}', "[]"])
def test_a_memory_of_something_else_is_no_memory(server: OpenProject, project: Project, text: str) -> None:
    assert connect(server).identify(text).collection == str(project.id)


def test_a_healthy_project_has_no_warnings(server: OpenProject, project: Project) -> None:
    identity = connect(server).identify()
    assert (identity.warnings, identity.writable, identity.title) == ((), True, project.name)


def test_a_reader_is_told_that_nothing_is_written(server: OpenProject, project: Project) -> None:
    server.bridge.admin = False
    project.members[server.bridge.id] = READER
    identity = connect(server).identify()
    assert not identity.writable
    assert "may not make or change work packages" in " ".join(identity.warnings)


def test_who_may_make_and_not_change_is_told_too(server: OpenProject, project: Project) -> None:
    server.bridge.admin = False
    project.members[server.bridge.id] = READER | {"add_work_packages"}
    server.add(project, "eins")
    assert not connect(server).identify().writable


def test_a_member_is_told_that_deletions_are_not_proven(server: OpenProject, project: Project) -> None:
    server.bridge.admin = False
    assert "no administrator" in warnings(server)


def test_an_open_project_is_told(server: OpenProject, project: Project) -> None:
    project.public = True
    assert "Everybody who may use" in warnings(server)


def test_a_project_without_milestones_is_told(server: OpenProject, project: Project) -> None:
    project.types = [1, 3]
    assert "no type for milestones" in warnings(server)


def test_an_account_that_may_not_make_versions_is_told(server: OpenProject, project: Project) -> None:
    server.bridge.admin = False
    project.members[server.bridge.id] -= {"manage_versions"}
    assert "may not manage versions" in warnings(server)


def test_an_instance_without_a_status_for_what_was_put_away_is_told(server: OpenProject, project: Project) -> None:
    server.world.status("Rejected").name = "Weg"
    assert "no closed status such as" in warnings(server)


def test_required_custom_fields_are_told_before_the_first_write(server: OpenProject, project: Project) -> None:
    server.world.custom_fields[3] = CustomField(3, "Kostenstelle", required=True)
    server.world.custom_fields[4] = CustomField(4, "Amt", required=True, default="FB 02")
    server.world.custom_fields[5] = CustomField(5, "Notiz")
    said = warnings(server)
    assert "“Task”" in said
    assert "“Milestone”" in said
    assert "(Kostenstelle)" in said


def test_checking_makes_nothing(server: OpenProject, project: Project) -> None:
    connect(server).identify()
    assert server.world.work_packages == {}
    assert server.world.versions == {}
    assert {request.split()[0] for request in asked(server)} == {"GET", "POST"}
    assert [path for path, _ in server.bodies if not path.endswith("/form")] == []


def test_a_project_that_was_deleted_or_left_is_no_absence_of_records(server: OpenProject, project: Project) -> None:
    server.bridge.admin = False
    server.add(project, "eins")
    connector = ready(server)
    cursor = connector.pull(None, {}).cursor
    rights = project.members.pop(server.bridge.id)
    for known in (None, cursor):
        with pytest.raises(NotACollection, match="not there any more"):
            connector.pull(known, {})
    project.members[server.bridge.id] = frozenset()
    with pytest.raises(Forbidden):
        connector.pull(cursor, {})
    project.members[server.bridge.id] = rights
    assert connector.pull(cursor, {}).present


def test_a_project_archived_meanwhile_is_no_absence_of_records(server: OpenProject, project: Project) -> None:
    server.add(project, "eins")
    connector = ready(server)
    project.active = False
    with pytest.raises(NotACollection, match="archived"):
        connector.pull(None, {})
