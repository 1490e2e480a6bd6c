"""Which GitLab project a connector is bound to, what our account may do there, and how it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.base import Access
from connectors.errors import NotACollection, RateLimited, Transient, Unauthorized
from connectors.gitlab import TYPE
from connectors.gitlab.wire import root_of
from tests.fakes.gitlab import PATH, GitLab
from tests.fakes.gitlab_model import OWNER, PLANNER, REPORTER, Project
from tests.gitlab_tools import asked, connect, find, ready


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as server:
        yield server


@pytest.fixture
def project(gitlab: GitLab) -> Project:
    return gitlab.project()


@pytest.mark.parametrize("wanted", [PATH, f" /{PATH}/ ", "{id}", "Digitale Strategie", "digitale   strategie"])
def test_a_project_is_found_by_path_id_or_name(gitlab: GitLab, project: Project, wanted: str) -> None:
    found = connect(gitlab, wanted.format(id=project.id)).identify()
    assert (found.type, found.collection, found.title) == ("gitlab", str(project.id), "Stadt / Digitale Strategie")
    assert (found.writable, found.warnings) == (True, ())


def test_a_project_that_is_not_there_is_said_with_those_that_are(gitlab: GitLab, project: Project) -> None:
    with pytest.raises(NotACollection, match="AMT_COLLECTION") as failure:
        connect(gitlab, "stadt/nichts").identify()
    assert failure.value.found == (PATH,)


def test_a_name_that_two_projects_have_is_refused(gitlab: GitLab, project: Project) -> None:
    gitlab.project("land/digitale-strategie")
    with pytest.raises(NotACollection, match="several projects") as failure:
        connect(gitlab, "Digitale Strategie").identify()
    assert failure.value.found == ("land/digitale-strategie", PATH)


def test_a_project_of_others_is_the_same_as_none(gitlab: GitLab, project: Project) -> None:
    del project.members[gitlab.bridge.id]
    with pytest.raises(NotACollection, match="it is a member of: none"):
        connect(gitlab).identify()


def test_a_project_without_issues_is_no_collection(gitlab: GitLab, project: Project) -> None:
    project.issues_access_level = "disabled"
    with pytest.raises(NotACollection, match="has no issues"):
        connect(gitlab).identify()


def test_a_server_that_is_no_gitlab_is_said(gitlab: GitLab, project: Project) -> None:
    with pytest.raises(NotACollection, match="There is no GitLab at"):
        connect(gitlab, url=f"{gitlab.url}/anderswo").identify()


@pytest.mark.parametrize("address", ["", "/", "/api/v4", "/api/v4/projects/1"])
def test_the_address_is_taken_as_people_copy_it(gitlab: GitLab, project: Project, address: str) -> None:
    assert connect(gitlab, url=gitlab.url + address).identify().collection == str(project.id)


def test_a_page_of_the_server_leads_to_the_server() -> None:
    assert root_of("https://git.example/gitlab/-/profile") == "https://git.example/gitlab"


def test_gitlab_may_live_under_a_path() -> None:
    with GitLab(prefix="/gitlab") as server:
        project = server.project()
        server.add(project, "eins")
        connector = ready(server)
        assert find(connector, "eins").ref.instance.endswith("/gitlab")
        assert connector.pull(None, {}).complete


def test_a_server_that_knows_itself_by_another_name_is_read_to_the_end(gitlab: GitLab, project: Project) -> None:
    gitlab.public_url = "https://git.stadt.example"
    for number in range(120):
        gitlab.add(project, f"Aufgabe {number}")
    assert len(ready(gitlab).pull(None, {}).records) == 120


def test_a_renamed_project_is_followed(gitlab: GitLab, project: Project) -> None:
    connector = connect(gitlab)
    before = connector.identify()
    project.path, project.old_paths = "amt/strategie", {PATH}
    again = connect(gitlab)
    assert again.identify(connector.memory()).collection == before.collection
    assert again.pull(None, {}).complete
    assert connect(gitlab).identify().collection == before.collection


def test_what_is_remembered_is_for_this_very_setting(gitlab: GitLab, project: Project) -> None:
    first = connect(gitlab)
    first.identify()
    other = gitlab.project("stadt/anderes")
    second = connect(gitlab, "stadt/anderes")
    assert second.identify(first.memory()).collection == str(other.id)


# ---- rights ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [PLANNER, REPORTER, OWNER])
def test_planners_and_above_may_write(gitlab: GitLab, project: Project, level: int) -> None:
    project.members[gitlab.bridge.id] = level
    assert connect(gitlab).identify().writable


def test_a_guest_only_reads(gitlab: GitLab, project: Project) -> None:
    project.members[gitlab.bridge.id] = 10
    found = connect(gitlab).identify()
    assert not found.writable
    assert "no Planner or Reporter" in found.warnings[0]


def test_a_token_for_reading_only_reads(gitlab: GitLab, project: Project) -> None:
    found = connect(gitlab, token="glpat-reader").identify()
    assert not found.writable
    assert "“api”" in found.warnings[0]


def test_an_archived_project_is_only_read(gitlab: GitLab, project: Project) -> None:
    project.archived = True
    found = connect(gitlab).identify()
    assert not found.writable
    assert "Archived" in found.warnings[0]


def test_a_project_that_everybody_may_read_is_said(gitlab: GitLab, project: Project) -> None:
    project.visibility = "public"
    found = connect(gitlab).identify()
    assert found.writable
    assert "Everybody may read" in found.warnings[0]


def test_an_administrator_needs_no_role(gitlab: GitLab, project: Project) -> None:
    del project.members[gitlab.bridge.id]
    gitlab.bridge.admin = True
    assert connect(gitlab).identify().writable


def test_a_server_that_does_not_tell_scopes_is_believed(gitlab: GitLab, project: Project) -> None:
    gitlab.fail("GET", "/personal_access_tokens/self", status=404)
    assert connect(gitlab).identify().writable


def test_a_wrong_token_names_its_setting_and_not_itself(gitlab: GitLab, project: Project) -> None:
    with pytest.raises(Unauthorized, match="AMT_TOKEN") as failure:
        connect(gitlab, token="glpat-falsch").identify()
    assert "falsch" not in str(failure.value)


def test_a_user_in_the_settings_does_not_get_in_the_way(gitlab: GitLab, project: Project) -> None:
    access = Access("amt", gitlab.url, user="anna", password="geheim", token="glpat-bridge", collection=PATH)
    assert TYPE.connect(access).identify().collection == str(project.id)
    assert TYPE.connect(replace(access, user="", password="")).identify().collection == str(project.id)


def test_identifying_costs_three_requests(gitlab: GitLab, project: Project) -> None:
    connect(gitlab).identify()
    assert asked(gitlab) == [
        f"GET /projects/{PATH.replace('/', '%2F')}",
        "GET /user",
        "GET /personal_access_tokens/self",
    ]


# ---- limits ------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_when_the_allowance_is_used_up(gitlab: GitLab, project: Project) -> None:
    gitlab.clock.now = 60.0 * 30_000_000 + 50
    gitlab.allowance = 4
    naps: list[float] = []
    connector = connect(gitlab, naps=naps)
    connector.identify()
    assert naps == []
    gitlab.before("GET", "/milestones", lambda: gitlab.clock.advance(10))
    assert connector.pull(None, {}).complete
    assert naps[0] == pytest.approx(10, abs=2)


def test_an_allowance_that_is_filled_up_much_later_ends_the_pass(gitlab: GitLab, project: Project) -> None:
    gitlab.clock.now = 60.0 * 30_000_000 + 5
    gitlab.allowance = 3
    connector = connect(gitlab)
    connector.identify()
    gitlab.requests.clear()
    with pytest.raises(RateLimited) as failure:
        connector.pull(None, {})
    assert failure.value.retry_after == pytest.approx(55, abs=2)
    assert gitlab.requests == []


def test_a_refusal_that_says_when_is_waited_out_when_reading(gitlab: GitLab, project: Project) -> None:
    naps: list[float] = []
    connector = connect(gitlab, naps=naps)
    connector.identify()
    gitlab.fail("GET", "/issues", status=429, headers={"Retry-After": "7"})
    assert connector.pull(None, {}).complete
    assert naps == [7.0]


def test_a_refusal_that_says_nothing_is_told_to_the_caller(gitlab: GitLab, project: Project) -> None:
    connector = ready(gitlab)
    gitlab.fail("GET", "/issues", status=429)
    with pytest.raises(RateLimited) as failure:
        connector.pull(None, {})
    assert failure.value.retry_after == 60.0


def test_a_refused_write_is_not_sent_again(gitlab: GitLab, project: Project) -> None:
    connector = ready(gitlab)
    gitlab.fail("POST", "/issues", status=429, headers={"Retry-After": "1"})
    with pytest.raises(RateLimited):
        connector.create({"title": "eins"}, "mark")
    assert gitlab.world.issues == {}


def test_a_web_page_in_the_place_of_an_answer_is_no_listing(gitlab: GitLab, project: Project) -> None:
    connector = ready(gitlab)
    gitlab.fail("GET", "/issues", status=200, body="<html>Wartungsarbeiten</html>")
    with pytest.raises(Transient, match="a web page"):
        connector.pull(None, {})
