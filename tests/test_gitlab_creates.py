"""What is made in a GitLab project: one trap each, as its papers and source tell them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.base import Fields
from connectors.errors import Lost, Rejected
from connectors.gitlab import GitLabConnector
from tests.fakes.gitlab import GitLab
from tests.fakes.gitlab_model import Issue, Project
from tests.gitlab_tools import asked, find, ready, shown


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as server:
        yield server


@pytest.fixture
def project(gitlab: GitLab) -> Project:
    return gitlab.project()


@pytest.fixture
def connector(gitlab: GitLab, project: Project) -> GitLabConnector:
    return ready(gitlab)


def only(gitlab: GitLab) -> Issue:
    [found] = gitlab.world.issues.values()
    return found


def label(gitlab: GitLab, name: str) -> str:
    return next(str(one.id) for one in gitlab.world.labels.values() if one.name == name)


def test_an_issue_is_made_with_all_that_it_takes_in_one_request(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    stone = gitlab.add_milestone(project, "Portal")
    gitlab.world.add_label("Presse", project=project.id)
    connector.pull(None, {})
    asked(gitlab)
    fields: Fields = {
        "type": "issue",
        "title": "eins",
        "description": "Text",
        "labels": ("+Neu", label(gitlab, "Presse")),
        "milestone": f"milestone:{stone.id}",
        "due_date": "2026-12-01",
        "visibility": "members",
    }
    made = connector.create(fields, "mark")
    assert asked(gitlab) == ["POST /issues", "GET /issues/1", "GET /labels"]
    new = label(gitlab, "Neu")
    assert {**shown(made), "start_date": None} == {
        **fields,
        "labels": tuple(sorted((new, label(gitlab, "Presse")))),
        "status": "opened",
        "start_date": None,
    }
    assert made.options["labels"] == {new: "Neu", label(gitlab, "Presse"): "Presse"}


def test_a_create_without_an_answer_may_have_made_something(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.fail("POST", "/issues$", status=502, after=True)
    with pytest.raises(Lost):
        connector.create({"title": "eins"}, "mark")
    assert find(connector, "eins").own


def test_an_answer_that_names_nothing_is_a_lost_one(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.fail("POST", "/issues$", status=201, after=True, body={"ok": True})
    with pytest.raises(Lost, match="did not say what it made"):
        connector.create({"title": "eins"}, "mark")


def test_a_create_that_cannot_be_read_back_is_known_from_its_answer(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    for _ in range(3):
        gitlab.fail("GET", "/issues/1", status=503)
    assert shown(connector.create({"title": "eins"}, "mark"))["title"] == "eins"


@pytest.mark.parametrize(
    ("status", "clean"), [(400, True), (409, True), (422, False)], ids=["value", "double", "spam or captcha"]
)
def test_a_refused_create_says_whether_something_may_be_left(
    gitlab: GitLab, project: Project, connector: GitLabConnector, status: int, clean: bool
) -> None:
    gitlab.fail("POST", "/issues$", status=status, body={"message": {"title": ["is odd"], "base": ["x", "y"]}})
    with pytest.raises(Rejected, match="title is odd, base x, y") as refusal:
        connector.create({"title": "eins"}, "mark")
    assert refusal.value.clean is clean


def test_a_title_that_is_too_long_is_refused_with_gitlabs_own_reason(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    with pytest.raises(Rejected, match="title is too long"):
        connector.create({"title": "x" * 256}, "mark")


def test_what_cannot_be_a_label_does_not_keep_an_issue_from_being_made(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    """Labels are sent with commas between them (A2); a state is written as one."""
    made = connector.create({"title": "eins", "labels": ("+Rat, Ausschuss", "+status::Review", "+Presse")}, "mark")
    assert gitlab.labelled(only(gitlab)) == {"Presse"}
    for name in ("+Rat, Ausschuss", "+status::Review"):
        with pytest.raises(Rejected, match=r"Rat, Ausschuss|status::Review"):
            connector.update(made.ref, {"labels": (name,)}, made.version)


def test_a_milestone_is_made_with_its_dates(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    fields: Fields = {"type": "milestone", "title": "Portal", "start_date": "2026-01-01", "due_date": "2026-12-31"}
    made = connector.create(fields, "mark")
    assert {**shown(made), **fields} == shown(made)
    assert made.locked == {"visibility"}
    [stone] = gitlab.world.milestones.values()
    assert (stone.start_date, stone.due_date, stone.project) == ("2026-01-01", "2026-12-31", project.id)


def test_a_milestone_that_ends_before_it_begins_is_refused(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    fields: Fields = {"type": "milestone", "title": "x", "start_date": "2026-02-01", "due_date": "2026-01-01"}
    with pytest.raises(Rejected, match="must be greater than start date"):
        connector.create(fields, "mark")
    assert gitlab.world.milestones == {}


def test_in_an_open_project_only_what_is_said_to_be_public_is_public(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    project.visibility = "public"
    connector.pull(None, {})
    for number, fields in enumerate(({}, {"visibility": "members"}, {"visibility": "public"})):
        connector.create({"title": f"{number}", **fields}, "mark")
    assert {one.title: one.confidential for one in gitlab.world.issues.values()} == {"0": True, "1": True, "2": False}


def test_a_project_that_was_opened_since_the_last_run_gets_nothing_internal(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    before = connector.pull(None, {})
    project.visibility = "public"
    later = ready(gitlab)
    later.identify(connector.memory())
    later.pull(before.cursor, {})
    later.create({"title": "eins", "visibility": "members"}, "mark")
    assert only(gitlab).confidential


def test_labels_are_made_by_one_writer_at_a_time(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    """Of two that make the same one at once, GitLab refuses the second, or leaves its label out (source)."""
    alone: list[bool] = []
    making = connector._bound._making
    for labels in (("+Neu",), ()):
        gitlab.before("POST", "/issues$", lambda: alone.append(making.locked()))
        connector.create({"title": "eins", "labels": labels}, "mark")
    assert alone == [True, False]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda n: connector.create({"title": f"{n}", "labels": ("+Neu",)}, f"mark-{n}"), range(8)))
    assert [one.name for one in gitlab.world.labels.values()] == ["Neu"]
    assert {shown(one)["labels"] for one in made} == {(label(gitlab, "Neu"),)}
