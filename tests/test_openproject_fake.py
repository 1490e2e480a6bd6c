"""The fake OpenProject itself, held to the facts (platform-apis, B) and to what was read in its source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes.openproject import OpenProject
from tests.fakes.openproject_model import READER, CustomField, Project
from tests.fakes.openproject_text import called, replaced

Json = Any


@pytest.fixture
def server() -> Iterator[OpenProject]:
    with OpenProject() as running:
        yield running


@pytest.fixture
def project(server: OpenProject) -> Project:
    return server.project()


def call(server: OpenProject, method: str, path: str, body: Json = None, key: str = "opapi-anna", **more: Any) -> Json:
    headers = {"Content-Type": "application/json"} if method != "GET" else {}
    answer = requests.request(
        method,
        f"{server.url}/api/v3{path}",
        json=body,
        auth=("apikey", key),
        headers=more.pop("headers", headers),
        **more,
    )
    return {"status": answer.status_code, **(answer.json() if answer.content.startswith(b"{") else {})}


def error(answer: Json) -> str:
    return str(answer["errorIdentifier"]).rpartition(":")[2]


def listed(server: OpenProject, project: Project, **query: str) -> Json:
    return call(server, "GET", f"/projects/{project.id}/work_packages", params=query)


def subjects(answer: Json) -> list[str]:
    return [one["subject"] for one in answer["_embedded"]["elements"]]


# ---- signing in, content types -----------------------------------------------------------------------------------


def test_the_name_is_apikey_and_nothing_else(server: OpenProject) -> None:
    assert call(server, "GET", "/users/me")["login"] == "anna"
    assert error(call(server, "GET", "/users/me", key="falsch")) == "Unauthenticated"
    plain = requests.get(f"{server.url}/api/v3/users/me", auth=("anna", "opapi-anna"))
    assert plain.status_code == 401


def test_only_administrators_are_told_that_they_are(server: OpenProject) -> None:
    assert "admin" not in call(server, "GET", "/users/me")
    assert call(server, "GET", "/users/me", key="opapi-bridge")["admin"] is True


def test_a_write_without_a_content_type_is_refused(server: OpenProject, project: Project) -> None:
    made = server.add(project, "eins")
    assert call(server, "DELETE", f"/work_packages/{made.id}", headers={})["status"] == 406
    wrong = call(server, "POST", "/work_packages", {}, headers={"Content-Type": "text/plain"})
    assert wrong["status"] == 415


# ---- listing -----------------------------------------------------------------------------------------------------


def test_without_a_filter_only_open_ones_are_listed(server: OpenProject, project: Project) -> None:
    server.add(project, "offen")
    server.set(server.add(project, "zu"), status=12)
    assert subjects(listed(server, project)) == ["offen"]
    assert subjects(listed(server, project, filters="[]")) == ["offen", "zu"]


def test_the_offset_is_a_page_and_the_size_has_a_limit(server: OpenProject, project: Project) -> None:
    for number in range(5):
        server.add(project, str(number))
    server.cap = 2
    page = listed(server, project, filters="[]", pageSize="100", offset="2")
    assert (subjects(page), page["total"], page["count"], page["pageSize"], page["offset"]) == (["2", "3"], 5, 2, 2, 2)


def test_borders_of_a_time_filter_are_included_and_one_may_be_missing(server: OpenProject, project: Project) -> None:
    server.clock.now = 1_796_000_000.0
    server.add(project, "eins")
    server.clock.advance(10)
    server.add(project, "zwei")
    low, high = "2026-11-30T00:53:20Z", "2026-11-30T00:53:30Z"
    for border, expected in ((("", low), ["eins"]), ((high, ""), ["zwei"]), ((low, high), ["eins", "zwei"])):
        filters = [{"updatedAt": {"operator": "<>d", "values": list(border)}}]
        assert subjects(listed(server, project, filters=json.dumps(filters))) == expected


def test_subprojects_are_listed_unless_one_asks_not_to(server: OpenProject, project: Project) -> None:
    below = server.project("unterprojekt", parent=project.id)
    server.add(below, "unten")
    assert subjects(listed(server, project, filters="[]")) == ["unten"]
    assert subjects(listed(server, project, filters="[]", includeSubprojects="false")) == []


def test_what_can_be_selected_is_little(server: OpenProject, project: Project) -> None:
    made = server.add(project, "eins")
    page = listed(server, project, filters="[]", select="total,elements/id,elements/project")
    assert page["_embedded"]["elements"] == [
        {"id": made.id, "_links": {"project": {"href": f"/api/v3/projects/{project.id}", "title": project.name}}}
    ]
    assert error(listed(server, project, filters="[]", select="elements/updatedAt")) == "InvalidSignal"


def test_an_id_that_is_not_there_is_no_value_of_its_filter(server: OpenProject, project: Project) -> None:
    filters = json.dumps([{"id": {"operator": "=", "values": ["4711"]}}])
    assert error(listed(server, project, filters=filters)) == "InvalidQuery"


# ---- changing ----------------------------------------------------------------------------------------------------


def test_a_change_wants_the_newest_lock_version(server: OpenProject, project: Project) -> None:
    made = server.add(project, "eins")
    path = f"/work_packages/{made.id}"
    assert error(call(server, "PATCH", path, {"subject": "zwei"})) == "UpdateConflict"
    assert call(server, "PATCH", path, {"subject": "zwei", "lockVersion": 0})["lockVersion"] == 1
    stale = call(server, "PATCH", path, {"subject": "drei", "lockVersion": 0})
    assert (stale["status"], error(stale)) == (409, "UpdateConflict")
    assert listed(server, project, filters="[]")["_embedded"]["elements"][0]["lockVersion"] == 1


def test_a_comment_moves_the_time_and_not_the_lock_version(server: OpenProject, project: Project) -> None:
    made = server.add(project, "eins")
    before = made.updated_at
    server.clock.advance(5)
    call(server, "POST", f"/work_packages/{made.id}/activities", {"comment": {"raw": "Gesehen."}})
    assert (made.lock_version, made.updated_at > before) == (0, True)


def test_a_null_link_clears(server: OpenProject, project: Project) -> None:
    version = server.world.add_version(project.id, "Portal")
    made = server.add(project, "eins")
    server.set(made, version=version.id)
    assert made.versions == [version.id]
    server.set(made, version=None)
    assert made.versions == []


def test_html_is_ignored(server: OpenProject, project: Project) -> None:
    made = server.add(project, "eins", description={"raw": "Text", "html": "<b>anders</b>"})
    assert made.description == "Text"


def test_a_milestone_has_a_date_and_nothing_else(server: OpenProject, project: Project) -> None:
    stone = server.add(project, "Portal", type=2, date="2026-12-31")
    shown = call(server, "GET", f"/work_packages/{stone.id}")
    assert (shown["date"], "startDate" in shown, "dueDate" in shown) == ("2026-12-31", False, False)
    wrong = call(server, "PATCH", f"/work_packages/{stone.id}", {"lockVersion": 0, "dueDate": "2026-12-30"})
    assert error(wrong) == "PropertyIsReadOnly"
    child = server.add(project, "eins")
    body = {"lockVersion": 0, "_links": {"parent": {"href": f"/api/v3/work_packages/{stone.id}"}}}
    assert "cannot be a milestone" in call(server, "PATCH", f"/work_packages/{child.id}", body)["message"]


def test_dates_move_to_working_days_unless_that_is_allowed(server: OpenProject, project: Project) -> None:
    made = server.add(project, "eins", dueDate="2018-03-25")
    assert made.due == "2018-03-26"
    server.edit(made, startDate="2018-03-24", dueDate="2018-03-25", ignoreNonWorkingDays=True)
    assert (made.start, made.due) == ("2018-03-24", "2018-03-25")
    assert call(server, "GET", "/days/2018-03-25")["working"] is False
    assert call(server, "GET", "/days/2018-03-26")["working"] is True


def test_the_leave_alone_moves_the_due_date_by_the_duration(server: OpenProject, project: Project) -> None:
    made = server.add(project, "eins", startDate="2026-12-01", dueDate="2026-12-04")
    server.edit(made, ignoreNonWorkingDays=True)
    assert made.due != "2026-12-04"


def test_children_decide_the_dates_of_a_parent_that_is_not_scheduled_by_hand(
    server: OpenProject, project: Project
) -> None:
    parent = server.add(project, "oben")
    child = server.add(project, "unten", _links={"parent": {"href": f"/api/v3/work_packages/{parent.id}"}})
    server.edit(parent, scheduleManually=False)
    lock = parent.lock_version
    server.edit(child, dueDate="2026-12-01")
    assert (parent.due, parent.lock_version) == ("2026-12-01", lock + 1)  # one change moves another's lock version
    body = {"lockVersion": parent.lock_version, "dueDate": "2026-12-02"}
    assert error(call(server, "PATCH", f"/work_packages/{parent.id}", body)) == "PropertyIsReadOnly"


def test_a_workflow_forbids_and_a_new_one_gets_another_status_without_a_word(
    server: OpenProject, project: Project
) -> None:
    made = server.add(project, "eins")
    body = {"lockVersion": 0, "_links": {"status": {"href": "/api/v3/statuses/8"}}}
    refused = call(server, "PATCH", f"/work_packages/{made.id}", body)
    assert (refused["status"], error(refused)) == (422, "PropertyConstraintViolation")
    assert refused["_embedded"]["details"]["attribute"] == "status"
    assert server.add(project, "zwei", _links={"status": {"href": "/api/v3/statuses/8"}}).status == 1


def test_a_readonly_status_lets_nothing_change_but_itself(server: OpenProject, project: Project) -> None:
    made = server.add(project, "eins")
    server.world.statuses[1].is_readonly = True
    path = f"/work_packages/{made.id}"
    assert call(server, "GET", path)["readonly"] is True
    assert error(call(server, "PATCH", path, {"lockVersion": 0, "subject": "zwei"})) == "PropertyIsReadOnly"
    server.set(made, status=7)
    assert made.status == 7


def test_progress_follows_the_status_where_it_is_set_so(server: OpenProject, project: Project) -> None:
    server.world.progress_by_status = True
    made = server.add(project, "eins")
    body = {"lockVersion": 0, "percentageDone": 30}
    assert error(call(server, "PATCH", f"/work_packages/{made.id}", body)) == "PropertyIsReadOnly"
    server.set(made, status=7)
    assert made.progress == 40


def test_several_errors_come_in_one(server: OpenProject, project: Project) -> None:
    made = server.add(project, "eins")
    body = {"lockVersion": 0, "subject": "", "dueDate": "2026-12-01", "startDate": "2026-12-02"}
    refused = call(server, "PATCH", f"/work_packages/{made.id}", body)
    assert error(refused) == "MultipleErrors"
    assert len(refused["_embedded"]["errors"]) == 2
    assert (made.subject, made.due) == ("eins", None)


def test_a_subject_has_1_to_255_characters(server: OpenProject, project: Project) -> None:
    made = server.add(project, "x" * 255)
    for subject in ("", "x" * 256):
        body = {"lockVersion": 0, "subject": subject}
        assert call(server, "PATCH", f"/work_packages/{made.id}", body)["status"] == 422


def test_what_a_new_one_does_not_say_is_its_parents_or_todays(server: OpenProject, project: Project) -> None:
    server.world.starts_today = True
    server.world.types[1].template = "## Ziel"
    parent = server.add(project, "oben", startDate="2026-12-01", dueDate="2026-12-04")
    child = server.add(project, "unten", _links={"parent": {"href": f"/api/v3/work_packages/{parent.id}"}})
    assert (child.start, child.due, child.description) == ("2026-12-01", "2026-12-04", "## Ziel")
    assert server.add(project, "heute").start == "2026-11-30"
    assert server.add(project, "ohne", startDate=None, dueDate=None).start is None


# ---- forms, fields, versions -------------------------------------------------------------------------------------


def test_a_form_saves_nothing_and_says_what_is_allowed(server: OpenProject, project: Project) -> None:
    server.world.custom_fields[3] = CustomField(3, "Kostenstelle", required=True)
    body = {"_links": {"type": {"href": "/api/v3/types/1"}}}
    form = call(server, "POST", f"/projects/{project.id}/work_packages/form", body)
    assert form["status"] == 200
    assert form["_embedded"]["schema"]["customField3"]["required"] is True
    allowed = [one["title"] for one in form["_embedded"]["schema"]["status"]["_links"]["allowedValues"]]
    assert allowed == ["New", "In progress", "Closed", "On hold", "Rejected"]
    assert server.world.work_packages == {}
    project.members[server.anna.id] = READER
    assert call(server, "POST", f"/projects/{project.id}/work_packages/form", body)["status"] == 403


def test_nothing_is_made_without_a_required_custom_field(server: OpenProject, project: Project) -> None:
    server.world.custom_fields[3] = CustomField(3, "Kostenstelle", required=True)
    body = {"subject": "eins", "_links": {"project": {"href": f"/api/v3/projects/{project.id}"}}}
    assert call(server, "POST", "/work_packages", body)["message"] == "Kostenstelle can't be blank."


def test_a_version_is_open_or_not_and_has_no_lock_version(server: OpenProject, project: Project) -> None:
    body = {"name": "Portal", "_links": {"definingProject": {"href": f"/api/v3/projects/{project.id}"}}}
    made = call(server, "POST", "/versions", body)
    assert (made["status"], "lockVersion" in made) == ("open", False)
    assert call(server, "POST", "/versions", body)["status"] == 422
    server.world.versions[made["id"]].status = "locked"
    one = server.add(project, "eins")
    refused = {"lockVersion": 0, "_links": {"version": {"href": f"/api/v3/versions/{made['id']}"}}}
    assert call(server, "PATCH", f"/work_packages/{one.id}", refused)["status"] == 422


# ---- deleting, seeing --------------------------------------------------------------------------------------------


def test_a_deletion_takes_the_children_along_and_is_for_good(server: OpenProject, project: Project) -> None:
    parent = server.add(project, "oben")
    server.add(project, "unten", _links={"parent": {"href": f"/api/v3/work_packages/{parent.id}"}})
    assert call(server, "DELETE", f"/work_packages/{parent.id}")["status"] == 204
    assert server.world.work_packages == {}
    assert error(call(server, "GET", f"/work_packages/{parent.id}")) == "NotFound"


def test_what_one_may_not_see_looks_like_what_is_gone(server: OpenProject, project: Project) -> None:
    made = server.add(project, "eins")
    hidden = call(server, "GET", f"/work_packages/{made.id}", key="opapi-berta")
    gone = call(server, "GET", "/work_packages/4711", key="opapi-berta")
    assert hidden == gone
    assert hidden["status"] == 404
    project.members[server.berta.id] = frozenset()
    assert listed(server, project)["status"] == 200
    assert call(server, "GET", f"/projects/{project.id}/work_packages", key="opapi-berta")["status"] == 403


def test_an_archived_project_shows_an_administrator_no_work_packages(server: OpenProject, project: Project) -> None:
    server.add(project, "eins")
    project.active = False
    assert call(server, "GET", f"/projects/{project.id}", key="opapi-bridge")["active"] is False
    assert call(server, "GET", f"/projects/{project.id}", key="opapi-anna")["status"] == 404


def test_what_is_in_the_trash_can_be_read_and_is_not_listed(server: OpenProject, project: Project) -> None:
    server.world.trash = True
    made = server.add(project, "eins")
    server.remove(made)
    assert call(server, "GET", f"/work_packages/{made.id}")["subject"] == "eins"
    assert subjects(listed(server, project, filters="[]")) == []


# ---- texts -------------------------------------------------------------------------------------------------------


def test_who_is_named_is_told_unless_one_asks_not_to(server: OpenProject, project: Project) -> None:
    text = f'<mention data-id="{server.berta.id}" data-type="user">@Berta</mention>'
    project_link = {"project": {"href": f"/api/v3/projects/{project.id}"}}
    body = {"subject": "eins", "description": {"raw": text}, "_links": project_link}
    call(server, "POST", "/work_packages?notify=false", body)
    assert server.berta.told == []
    call(server, "POST", "/work_packages", body)
    assert server.berta.told == ["mentioned in eins"]


@pytest.mark.parametrize(
    "text",
    ["user#13", 'user:"13"', "group#13", '<mention data-id="13" data-type="user">', 'data-id="13" data-type="user">'],
)
def test_who_is_named(text: str) -> None:
    assert called(text) == {"13"}
    assert called("@13 benutzer 13 #13") == set()


@pytest.mark.parametrize(
    "text",
    ["#12", "(##12)", "**#12**", "version#3", "workPackageValue:12:subject", "{{opSetting:x}}", "<macro class='toc'>"],
)
def test_what_is_shown_as_something_else(text: str) -> None:
    assert replaced(f"siehe {text} da")
    assert replaced("siehe Nr. 12, https://a.de/x#12 und C#") == []
