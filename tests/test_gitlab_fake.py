"""The fake GitLab itself, held to the facts (facts: platform-apis, A1 to A6) by raw requests.

Nothing of the connector is used here: where the fake is wrong, the tests of the connector prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes.gitlab import PATH, GitLab
from tests.fakes.gitlab_model import DEVELOPER, GUEST, Project

Answer = requests.Response


class Asks:
    """Somebody with a token and a way to ask."""

    def __init__(self, gitlab: GitLab, token: str) -> None:
        self.gitlab, self.token = gitlab, token

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"PRIVATE-TOKEN": self.token} | {name.replace("_", "-"): value for name, value in headers.items()}
        address = f"{self.gitlab.url}/api/v4{path}"
        return requests.request(method, address, json=body, headers=sent, timeout=10, allow_redirects=False)


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as server:
        yield server


@pytest.fixture
def project(gitlab: GitLab) -> Project:
    return gitlab.project()


@pytest.fixture
def anna(gitlab: GitLab) -> Asks:
    return Asks(gitlab, "glpat-anna")


@pytest.fixture
def bridge(gitlab: GitLab) -> Asks:
    return Asks(gitlab, "glpat-bridge")


@pytest.fixture
def issues(project: Project) -> str:
    return f"/projects/{project.id}/issues"


def test_a1_lists_default_to_twenty_and_never_give_more_than_a_hundred(
    gitlab: GitLab, project: Project, anna: Asks, issues: str
) -> None:
    for number in range(130):
        gitlab.add(project, f"{number}")
    assert len(anna("GET", issues).json()) == 20
    page = anna("GET", f"{issues}?per_page=500")
    assert len(page.json()) == 100
    assert (page.headers["x-total"], page.headers["x-total-pages"], page.headers["x-page"]) == ("130", "2", "1")
    assert set(page.links) == {"first", "next", "last"}
    assert len(requests.get(page.links["next"]["url"], headers={"PRIVATE-TOKEN": anna.token}, timeout=10).json()) == 30


def test_a1_above_ten_thousand_nobody_counts(gitlab: GitLab, project: Project, anna: Asks, issues: str) -> None:
    gitlab.world.countable = 1
    for title in ("eins", "zwei"):
        gitlab.add(project, title)
    page = anna("GET", f"{issues}?per_page=1")
    assert "x-total" not in page.headers
    assert set(page.links) == {"first", "next"}


def test_a1_keyset_ends_with_an_empty_page_and_tells_nothing_else(
    gitlab: GitLab, project: Project, anna: Asks, issues: str
) -> None:
    gitlab.add(project, "eins")
    page = anna("GET", f"{issues}?pagination=keyset&order_by=updated_at&sort=asc")
    assert [one["title"] for one in page.json()] == ["eins"]
    assert not [name for name in page.headers if name.lower().startswith("x-") and name.lower() != "x-next-cursor"]
    end = requests.get(page.links["next"]["url"], headers={"PRIVATE-TOKEN": anna.token}, timeout=10)
    assert (end.json(), end.links) == ([], {})


@pytest.mark.parametrize(
    ("release", "query", "status"),
    [
        ((19, 1), "pagination=keyset&order_by=popularity&sort=asc", 200),
        ((19, 1), "pagination=keyset", 200),
        ((17, 0), "pagination=keyset&order_by=updated_at&sort=asc", 200),
        ((16, 0), "pagination=keyset&order_by=updated_at&sort=asc", 405),
    ],
)
def test_a1_without_a_keyset_pages_are_counted_or_refused(
    gitlab: GitLab, anna: Asks, issues: str, release: tuple[int, int], query: str, status: int
) -> None:
    gitlab.world.release = release
    page = anna("GET", f"{issues}?{query}")
    assert page.status_code == status
    assert ("x-page" in page.headers) == (status == 200)


def test_a1_updated_after_includes_its_border_and_compares_what_is_stored(
    gitlab: GitLab, project: Project, anna: Asks, issues: str
) -> None:
    gitlab.add(project, "eins")
    [row] = anna("GET", issues).json()
    assert row["updated_at"].endswith("123Z")  # what is stored ends with 123456
    assert len(anna("GET", f"{issues}?updated_after={row['updated_at']}").json()) == 1
    assert anna("GET", f"{issues}?updated_before={row['updated_at']}").json() == []
    assert anna("GET", f"{issues}?updated_after={row['updated_at'].replace('123Z', '124Z')}").json() == []


def test_a1_an_id_alone_is_for_administrators(gitlab: GitLab, project: Project, anna: Asks) -> None:
    made = gitlab.add(project, "eins")
    assert anna("GET", f"/issues/{made.id}").status_code == 403
    gitlab.anna.admin = True
    assert anna("GET", f"/issues/{made.id}").json()["iid"] == made.iid


def test_a1_without_a_scope_only_ones_own_are_listed(gitlab: GitLab, project: Project, bridge: Asks) -> None:
    gitlab.add(project, "eins")
    assert bridge("GET", "/issues").json() == []
    assert len(bridge("GET", "/issues?scope=all").json()) == 1


def test_a1_what_is_not_for_you_is_not_there(gitlab: GitLab, project: Project, bridge: Asks, issues: str) -> None:
    gitlab.add(project, "eins")
    del project.members[gitlab.bridge.id]
    for path in (f"/projects/{project.id}", issues, f"{issues}/1", f"/projects/{project.id}/labels"):
        answer = bridge("GET", path)
        assert (answer.status_code, answer.json()) == (404, {"message": "404 Project Not Found"})


@pytest.mark.parametrize("query", ["order_by=colour", "sort=up", "state=open"])
def test_a6_unknown_values_are_refused_and_unknown_parameters_ignored(
    gitlab: GitLab, anna: Asks, issues: str, query: str
) -> None:
    answer = anna("GET", f"{issues}?{query}")
    if query.startswith("state"):
        assert answer.json() == []  # nobody looks at it where there is nothing
        gitlab.add(gitlab.world.project(gitlab.anna.id, PATH), "eins")
        answer = anna("GET", f"{issues}?{query}")
    assert answer.status_code == 400
    assert "does not have a valid value" in answer.json()["error"]
    assert anna("GET", f"{issues}?colour=red").status_code == 200


def test_a2_labels_replace_the_set_and_the_other_two_change_it(
    gitlab: GitLab, project: Project, anna: Asks, issues: str
) -> None:
    anna("POST", issues, {"title": "eins", "labels": "a,b"})
    assert anna("PUT", f"{issues}/1", {"add_labels": "c", "remove_labels": "a"}).json()["labels"] == ["b", "c"]
    assert anna("PUT", f"{issues}/1", {"labels": "neu"}).json()["labels"] == ["neu"]
    assert {one["name"] for one in anna("GET", f"/projects/{project.id}/labels").json()} == {"a", "b", "c", "neu"}
    assert anna("PUT", f"{issues}/1", {"labels": ""}).json()["labels"] == []


def test_a2_an_update_needs_something_it_knows(anna: Asks, issues: str) -> None:
    anna("POST", issues, {"title": "eins"})
    assert anna("PUT", f"{issues}/1", {"colour": "red"}).status_code == 400
    assert anna("PUT", f"{issues}/1", {"title": "zwei", "colour": "red"}).json()["title"] == "zwei"


def test_a2_a_save_that_changes_nothing_touches_nothing(gitlab: GitLab, anna: Asks, issues: str) -> None:
    before = anna("POST", issues, {"title": "eins", "labels": "a"}).json()["updated_at"]
    gitlab.clock.advance(5)
    assert anna("PUT", f"{issues}/1", {"title": "eins", "add_labels": "a"}).json()["updated_at"] == before
    assert anna("PUT", f"{issues}/1", {"add_labels": "b"}).json()["updated_at"] != before


def test_a2_a_state_comes_first_and_stays_done_when_the_rest_is_refused(anna: Asks, issues: str) -> None:
    anna("POST", issues, {"title": "eins"})
    refused = anna("PUT", f"{issues}/1", {"state_event": "close", "title": ""})
    assert (refused.status_code, refused.json()) == (400, {"message": {"title": ["can't be blank"]}})
    assert anna("GET", f"{issues}/1").json()["state"] == "closed"


def test_a2_dates_and_milestones_are_cleared_by_nothing(
    gitlab: GitLab, project: Project, anna: Asks, issues: str
) -> None:
    stone = gitlab.add_milestone(project, "Portal")
    body = {"title": "eins", "due_date": "2026-12-01", "milestone_id": stone.id}
    assert anna("POST", issues, body).json()["milestone"]["id"] == stone.id
    cleared = anna("PUT", f"{issues}/1", {"due_date": "", "milestone_id": 0}).json()
    assert (cleared["due_date"], cleared["milestone"]) == (None, None)
    assert anna("PUT", f"{issues}/1", {"due_date": "morgen"}).status_code == 400


def test_a2_a_comment_bumps_the_stamp(gitlab: GitLab, anna: Asks, issues: str) -> None:
    before = anna("POST", issues, {"title": "eins"}).json()
    gitlab.clock.advance(5)
    anna("POST", f"{issues}/1/notes", {"body": "Gesehen."})
    assert anna("GET", f"{issues}/1").json()["updated_at"] != before["updated_at"]


def test_a2_deleting_is_the_only_conditional_write(gitlab: GitLab, anna: Asks, issues: str) -> None:
    anna("POST", issues, {"title": "eins"})
    early = anna("DELETE", f"{issues}/1", If_Unmodified_Since="Mon, 01 Jan 2024 00:00:00 GMT")
    assert (early.status_code, early.json()) == (412, {"message": "412 Precondition Failed"})
    assert anna("DELETE", f"{issues}/1").status_code == 204
    assert anna("GET", f"{issues}/1").status_code == 404


def test_a2_a_milestones_title_is_one_of_a_kind(gitlab: GitLab) -> None:
    group = gitlab.world.add_group("stadt")
    project = gitlab.project("stadt/x", group=group.id)
    gitlab.world.make_group_milestone(group.id, "Haushalt")
    anna = Asks(gitlab, "glpat-anna")
    stones = f"/projects/{project.id}/milestones"
    assert anna("POST", stones, {"title": "Haushalt"}).status_code == 400
    assert anna("POST", stones, {"title": "Portal"}).status_code == 201
    assert anna("POST", stones, {"title": "Portal"}).status_code == 400
    assert [one["title"] for one in anna("GET", stones).json()] == ["Portal"]
    both = anna("GET", f"{stones}?include_ancestors=true").json()
    assert {one["title"] for one in both} == {"Haushalt", "Portal"}


def test_a2_a_promoted_milestone_has_another_id(gitlab: GitLab) -> None:
    group = gitlab.world.add_group("stadt")
    project = gitlab.project("stadt/x", group=group.id)
    anna = Asks(gitlab, "glpat-anna")
    stone = gitlab.add_milestone(project, "Portal")
    made = gitlab.add(project, "eins", milestone_id=stone.id)
    new = anna("POST", f"/projects/{project.id}/milestones/{stone.id}/promote").json()
    assert (new["group_id"], new["title"], new["id"] != stone.id) == (group.id, "Portal", True)
    assert anna("GET", f"/projects/{project.id}/milestones/{stone.id}").status_code == 404
    assert made.milestone == new["id"]


def test_a2_a_guests_labels_are_dropped_without_a_word(
    gitlab: GitLab, project: Project, bridge: Asks, issues: str
) -> None:
    project.members[gitlab.bridge.id] = GUEST
    made = bridge("POST", issues, {"title": "eins", "labels": "a", "due_date": "2026-12-01"})
    assert (made.status_code, made.json()["labels"], made.json()["due_date"]) == (201, [], None)


def test_a3_a_description_is_carried_out(gitlab: GitLab, anna: Asks, issues: str) -> None:
    text = "Text\r\n/CLOSE\n/label ~a\n```\n/confidential\n```\n\\/reopen  \n\n"
    made = anna("POST", issues, {"title": "eins", "description": text}).json()
    assert (made["state"], made["labels"], made["confidential"]) == ("closed", ["a"], False)
    assert made["description"] == "Text\n```\n/confidential\n```\n\\/reopen"
    again = anna("PUT", f"{issues}/1", {"description": "Text\n/reopen"}).json()
    assert (again["state"], again["description"]) == ("opened", "Text")


def test_a3_who_is_named_is_told_once(gitlab: GitLab, anna: Asks, issues: str) -> None:
    anna("POST", issues, {"title": "für @berta", "description": "und @strategie-bot, nicht a@anna.de"})
    assert [len(one.told) for one in (gitlab.anna, gitlab.berta, gitlab.bridge)] == [0, 1, 1]
    anna("PUT", f"{issues}/1", {"description": "und @strategie-bot, und @all"})
    assert [len(one.told) for one in (gitlab.anna, gitlab.berta, gitlab.bridge)] == [1, 2, 2]


def test_a3_a_reference_leaves_a_note_and_bumps_a_stamp(gitlab: GitLab, anna: Asks, issues: str) -> None:
    before = anna("POST", issues, {"title": "eins"}).json()["updated_at"]
    gitlab.clock.advance(5)
    anna("POST", issues, {"title": "zwei", "description": "wie in #1"})
    assert anna("GET", f"{issues}/1").json()["updated_at"] != before


def test_a4_histories_leave_out_the_beginning(gitlab: GitLab, anna: Asks, issues: str) -> None:
    anna("POST", issues, {"title": "eins", "labels": "a"})
    assert anna("GET", f"{issues}/1/resource_state_events").json() == []
    anna("PUT", f"{issues}/1", {"state_event": "close", "remove_labels": "a"})
    [closed] = anna("GET", f"{issues}/1/resource_state_events").json()
    assert (closed["state"], closed["user"]["username"]) == ("closed", "anna")
    kinds = [one["action"] for one in anna("GET", f"{issues}/1/resource_label_events").json()]
    assert kinds == ["add", "remove"]


def test_a5_a_move_closes_the_old_one_and_makes_another(
    gitlab: GitLab, project: Project, anna: Asks, issues: str
) -> None:
    gitlab.add(project, "eins", labels="a,b")
    other = gitlab.project("stadt/anderes")
    gitlab.world.add_label("b", project=other.id)
    new = anna("POST", f"{issues}/1/move", {"to_project_id": other.id}).json()
    old = anna("GET", f"{issues}/1").json()
    assert (old["state"], old["moved_to_id"], new["id"] != old["id"]) == ("closed", new["id"], True)
    assert (new["labels"], new["created_at"]) == (["b"], old["created_at"])


def test_a5_confidential_issues_are_for_planners_and_authors(
    gitlab: GitLab, project: Project, bridge: Asks, issues: str
) -> None:
    gitlab.add(project, "eins", confidential=True)
    assert len(bridge("GET", issues).json()) == 1
    project.members[gitlab.bridge.id] = GUEST
    assert bridge("GET", issues).json() == []
    assert bridge("GET", f"{issues}/1").status_code == 404
    mine = bridge("POST", issues, {"title": "meins", "confidential": True}).json()
    assert [one["id"] for one in bridge("GET", issues).json()] == [mine["id"]]


def test_a5_deleting_needs_its_own_role(gitlab: GitLab, project: Project, bridge: Asks, issues: str) -> None:
    gitlab.add(project, "eins")
    project.members[gitlab.bridge.id] = DEVELOPER
    assert bridge("DELETE", f"{issues}/1").status_code == 403
    project.members[gitlab.bridge.id] = 15
    assert bridge("DELETE", f"{issues}/1").status_code == 204


def test_a5_an_old_path_is_redirected(gitlab: GitLab, project: Project, anna: Asks) -> None:
    project.path, project.old_paths = "amt/neu", {PATH}
    answer = anna("GET", f"/projects/{PATH.replace('/', '%2F')}")
    assert answer.status_code == 301
    assert answer.headers["Location"].endswith(f"/api/v4/projects/{project.id}")


def test_a6_tokens_and_scopes(gitlab: GitLab, project: Project, anna: Asks, issues: str) -> None:
    assert Asks(gitlab, "falsch")("GET", "/user").json() == {"message": "401 Unauthorized"}
    assert anna("GET", "/user", PRIVATE_TOKEN="", Authorization="Bearer glpat-anna").json()["username"] == "anna"
    reader = Asks(gitlab, "glpat-reader")
    assert reader("GET", issues).status_code == 200
    refused = reader("POST", issues, {"title": "eins"})
    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")


def test_a6_refusals_have_two_shapes(anna: Asks, issues: str) -> None:
    assert anna("POST", issues, {}).json() == {"error": "title is missing"}
    assert anna("POST", issues, {"title": " "}).json() == {"message": {"title": ["can't be blank"]}}


def test_a6_limits_are_told_and_kept(gitlab: GitLab, anna: Asks) -> None:
    assert "RateLimit-Limit" not in anna("GET", "/user").headers
    gitlab.allowance = 2
    first, second, third = (anna("GET", "/user") for _ in range(3))
    assert [one.headers["RateLimit-Remaining"] for one in (first, second, third)] == ["1", "0", "0"]
    assert int(first.headers["RateLimit-Reset"]) > gitlab.clock.now
    assert (third.status_code, "Retry-After" in third.headers) == (429, True)
    gitlab.clock.advance(60)
    assert anna("GET", "/user").status_code == 200
