"""What is listed: everything, what changed, and nothing that only looks whole."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.errors import CursorExpired, RateLimited, Transient
from connectors.openproject import wire
from tests.fakes.openproject import OpenProject
from tests.fakes.openproject_model import Project
from tests.openproject_tools import asked, find, known, ready, shown


@pytest.fixture
def server() -> Iterator[OpenProject]:
    with OpenProject() as running:
        yield running


@pytest.fixture
def project(server: OpenProject) -> Project:
    return server.project()


def queries(server: OpenProject) -> list[dict[str, list[str]]]:
    return [
        parse_qs(urlsplit(one.split(" ")[1]).query, keep_blank_values=True)
        for one in server.requests
        if "/work_packages?" in one and one.startswith("GET")
    ]


def test_closed_ones_are_listed_too_and_every_listing_says_its_filter(server: OpenProject, project: Project) -> None:
    made = server.add(project, "zu")
    server.set(made, status=12)
    connector = ready(server)
    changes = connector.pull(None, {})
    assert changes.present == {str(made.id)}
    connector.pull(changes.cursor, known(changes))
    assert all("filters" in one and one["includeSubprojects"] == ["false"] for one in queries(server))


def test_a_listing_of_several_pages_is_whole(
    server: OpenProject, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PAGE", 3)
    monkeypatch.setattr(wire, "IDS", 4)
    ids = {str(server.add(project, f"Nr. {number}").id) for number in range(10)}
    connector = ready(server)
    changes = connector.pull(None, {})
    assert changes.present == ids
    assert len(changes.records) == 10
    assert connector.pull(changes.cursor, {}).present == ids


def test_a_server_that_gives_smaller_pages_than_asked_for_is_read_whole(server: OpenProject, project: Project) -> None:
    server.cap = 2
    ids = {str(server.add(project, f"Nr. {number}").id) for number in range(7)}
    connector = ready(server)
    changes = connector.pull(None, {})
    assert changes.present == ids
    assert connector.pull(changes.cursor, {}).present == ids


def test_who_leaves_while_pages_are_turned_hides_nobody(server: OpenProject, project: Project) -> None:
    """B: `offset` is a page: with the first row gone, the third page begins where the second one's last was."""
    server.cap = 2
    made = [server.add(project, f"Nr. {number}") for number in range(6)]
    connector = ready(server)
    server.before("GET", "offset=2", lambda: server.remove(made[0]))
    changes = connector.pull(None, {})
    assert changes.present == {str(one.id) for one in made[1:]}


def test_a_listing_that_never_comes_to_rest_is_no_listing(server: OpenProject, project: Project) -> None:
    server.cap = 2
    made = [server.add(project, f"Nr. {number}") for number in range(9)]
    connector = ready(server)

    def somebody_leaves() -> None:
        server.remove(made.pop(0))
        server.before("GET", "offset=3", lambda: server.before("GET", "offset=2", somebody_leaves))

    server.before("GET", "offset=2", somebody_leaves)
    with pytest.raises(Transient, match="same twice"):
        connector.pull(None, {})


def test_subprojects_and_what_comes_of_them_all_the_same_are_left_out(
    server: OpenProject, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(server.project("darunter", parent=project.id), "unten")
    made = server.add(project, "oben")
    connector = ready(server)
    monkeypatch.setattr(wire, "_OURS", {})  # a release that does not know how to leave them out
    for _ in range(2):
        changes = connector.pull(None, {})
        assert changes.present == {str(made.id)}
        assert connector.pull(changes.cursor, {}).present == {str(made.id)}


def test_a_quiet_pull_asks_four_questions(server: OpenProject, project: Project) -> None:
    server.add(project, "eins")
    connector = ready(server)
    changes = connector.pull(None, {})
    asked(server)
    again = connector.pull(changes.cursor, known(changes))
    assert asked(server) == ["GET /users/me", "GET /project", "GET /work_packages", "GET /work_packages"]
    assert (again.records, again.options, again.complete) == ((), None, True)


def test_changes_are_asked_for_some_time_before_the_newest_that_was_seen(server: OpenProject, project: Project) -> None:
    server.clock.now = 1_796_000_000.9
    server.add(project, "eins")
    connector = ready(server)
    changes = connector.pull(None, {})
    server.requests.clear()
    connector.pull(changes.cursor, {})
    [filters] = [json.loads(one["filters"][0]) for one in queries(server) if "updatedAt" in one["filters"][0]]
    assert filters == [{"updatedAt": {"operator": "<>d", "values": ["2026-11-30T00:52:20Z", ""]}}]


def test_a_change_that_was_committed_late_is_seen(server: OpenProject, project: Project) -> None:
    late, newest = server.add(project, "spät"), server.add(project, "neu")
    connector = ready(server)
    changes = connector.pull(None, {})
    server.clock.advance(50)
    server.edit(newest, subject="neuer")
    changes = connector.pull(changes.cursor, known(changes))
    stamp = newest.updated_at
    server.clock.advance(-30)
    server.edit(late, subject="eben erst")
    assert late.updated_at < stamp
    found = connector.pull(changes.cursor, {})
    assert "eben erst" in {shown(one)["title"] for one in found.records}


def test_what_changes_while_pages_are_turned_is_not_missed_the_next_time(
    server: OpenProject, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PAGE", 2)
    monkeypatch.setattr("connectors.openproject.connector.PAGE", 2)
    made = [server.add(project, f"Nr. {number}") for number in range(4)]
    connector = ready(server)
    changes = connector.pull(None, {})
    for one in made:
        server.edit(one, subject=f"{one.subject}, neu")

    def meanwhile() -> None:
        server.clock.advance(200)
        server.edit(made[0], subject="mittendrin")
        server.clock.advance(200)
        server.edit(made[3], subject="zuletzt")

    server.before("GET", "offset=2&.*|offset=2$", meanwhile)
    changes = connector.pull(changes.cursor, known(changes))
    assert {shown(one)["title"] for one in changes.records} >= {"zuletzt"}
    found = connector.pull(changes.cursor, known(changes))
    assert "mittendrin" in {shown(one)["title"] for one in found.records}


def test_a_server_that_went_back_in_time_is_read_whole(server: OpenProject, project: Project) -> None:
    """R5: what was seen last is not there any more."""
    server.add(project, "alt")
    server.clock.advance(1000)
    newest = server.add(project, "neu")
    connector = ready(server)
    changes = connector.pull(None, {})
    del server.world.work_packages[newest.id]
    with pytest.raises(CursorExpired):
        connector.pull(changes.cursor, known(changes))


def test_once_a_day_everything_is_read(server: OpenProject, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    server.add(project, "eins")
    connector = ready(server)
    cursor = connector.pull(None, {}).cursor
    now = time.time()
    monkeypatch.setattr("connectors.openproject.binding.time.time", lambda: now + 86_401)
    with pytest.raises(CursorExpired, match="whole for a day"):
        connector.pull(cursor, {})


@pytest.mark.parametrize("cursor", ["", "{}", "kaputt", '{"project": 1}', "[1]"])
def test_a_cursor_of_something_else_is_none(server: OpenProject, project: Project, cursor: str) -> None:
    with pytest.raises(CursorExpired):
        ready(server).pull(cursor, {})


def test_a_release_that_cannot_select_is_read_all_the_same(server: OpenProject, project: Project) -> None:
    server.old = True
    made = server.add(project, "eins")
    connector = ready(server)
    changes = connector.pull(None, {})
    assert connector.pull(changes.cursor, {}).present == {str(made.id)}


def test_a_row_that_cannot_be_read_hides_no_other(server: OpenProject, project: Project) -> None:
    """R27: it parks alone, under the name that it had."""
    bad, good = server.add(project, "schlecht"), server.add(project, "gut")
    connector = ready(server)
    before = find(connector, "schlecht")
    page: Any = connector._wire.http.json(connector._wire._send("GET", "/work_packages/" + str(bad.id)))
    fine: Any = connector._wire.http.json(connector._wire._send("GET", "/work_packages/" + str(good.id)))
    page["subject"] = None
    body = {"total": 2, "pageSize": 200, "_embedded": {"elements": [page, fine]}}
    server.fail("GET", "/work_packages.*sortBy=.*id", status=200, body=body, skip=0)
    records = {one.ref.native_id: one for one in connector.pull(None, {}).records}
    assert records[str(bad.id)].problem
    assert records[str(bad.id)].ref == before.ref
    assert shown(records[str(good.id)])["title"] == "gut"


def test_a_row_that_does_not_say_what_it_is_stops_the_pass(server: OpenProject, project: Project) -> None:
    server.add(project, "eins")
    connector = ready(server)
    link = {"project": {"href": f"/api/v3/projects/{project.id}"}}
    for row in ({"id": 7, "_links": link}, {"id": "7", "_links": link}):
        body = {"total": 1, "pageSize": 200, "_embedded": {"elements": [row]}}
        server.fail("GET", "/work_packages.*sortBy=.*id", status=200, body=body)
        with pytest.raises(Transient, match="cannot read"):
            connector.pull(None, {})


@pytest.mark.parametrize("body", [{}, [], "<html>Wartung</html>", {"_embedded": {"elements": 3}, "total": 1}])
def test_an_answer_that_is_no_listing_proves_nothing(server: OpenProject, project: Project, body: Any) -> None:
    server.add(project, "eins")
    connector = ready(server)
    server.fail("GET", r"/work_packages\?", status=200, body=body)
    with pytest.raises(Transient):
        connector.pull(None, {})


def test_too_many_requests_are_told_with_the_time_to_wait(server: OpenProject, project: Project) -> None:
    connector = ready(server)
    for _ in range(3):
        server.fail("GET", "/users/me", status=429, headers=(("Retry-After", "90"),))
    with pytest.raises(RateLimited) as failure:
        connector.pull(None, {})
    assert failure.value.retry_after == 90


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_in_trouble_is_asked_again_later(server: OpenProject, project: Project, status: int) -> None:
    connector = ready(server)
    for _ in range(1 if status == 500 else 3):  # what passes is tried again at once
        server.fail("GET", "/users/me", status=status)
    with pytest.raises(Transient):
        connector.pull(None, {})
    assert connector.pull(None, {}).complete
