"""What is read of a GitLab record: fields, states, readers, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.base import Alive, Changes, Gone, Hidden, Moved, OutOfScope, Ref
from connectors.errors import NotACollection, NotFound
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


def titles(changes: Changes) -> set[object]:
    return {shown(one)["title"] for one in changes.records if one.fields is not None}


def claimed(changes: Changes) -> set[str]:
    return {one.ref.native_id for one in changes.records if one.fields is None}


def find_issue(gitlab: GitLab, title: str) -> Issue:
    return next(one for one in gitlab.world.issues.values() if one.title == title)


# ---- fields ------------------------------------------------------------------------------------------------------


def test_start_dates_of_issues_are_absent_before_19_1(gitlab: GitLab, project: Project) -> None:
    """Absent is not empty (R7); milestones always had them."""
    gitlab.world.release = (18, 5)
    gitlab.add(project, "eins")
    gitlab.add_milestone(project, "Portal", start_date="2026-01-01")
    connector = ready(gitlab)
    assert "start_date" not in shown(find(connector, "eins"))
    assert shown(find(connector, "Portal"))["start_date"] == "2026-01-01"
    assert "start_date" not in (connector.abilities.create_fields or ())
    gitlab.world.release = (19, 1)
    assert shown(find(connector, "eins"))["start_date"] is None
    assert "start_date" in (connector.abilities.create_fields or ())


def test_an_issue_and_a_milestone_of_one_id_are_two_records(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    issue, stone = gitlab.add(project, "eins"), gitlab.add_milestone(project, "Portal")
    del gitlab.world.milestones[stone.id]
    stone.id = issue.id
    gitlab.world.milestones[stone.id] = stone
    assert connector.pull(None, {}).present == {f"issue:{issue.id}@{project.id}#1", f"milestone:{issue.id}"}


def test_a_milestone_is_referred_to_by_its_global_id(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    stone = gitlab.add_milestone(project, "Portal")
    gitlab.add(project, "eins", milestone_id=stone.id)
    assert shown(find(connector, "eins"))["milestone"] == find(connector, "Portal").ref.native_id


def test_a_groups_milestone_is_no_record_and_still_referred_to(gitlab: GitLab) -> None:
    group = gitlab.world.add_group("stadt")
    project = gitlab.project(group=group.id)
    stone = gitlab.world.make_group_milestone(group.id, "Haushalt")
    gitlab.add(project, "eins", milestone_id=stone.id)
    changes = ready(gitlab).pull(None, {})
    assert {shown(one)["type"] for one in changes.records} == {"issue"}
    assert shown(changes.records[0])["milestone"] == f"milestone:{stone.id}"


@pytest.mark.parametrize(
    ("label", "state"),
    [("status::In Arbeit", "In Arbeit"), ("Workflow::Review", "Review"), ("Doing", "Doing"), ("to do", "to do")],
)
def test_a_label_that_says_how_far_an_issue_is_is_no_label(
    gitlab: GitLab, project: Project, connector: GitLabConnector, label: str, state: str
) -> None:
    gitlab.add(project, "eins", labels=f"{label},Presse")
    changes = connector.pull(None, {})
    fields, options = shown(changes.records[0]), changes.options or {}
    assert options["status"][str(fields["status"])] == state
    assert [options["labels"][one] for one in fields["labels"]] == ["Presse"]  # type: ignore[union-attr]
    assert label not in options["labels"].values()


@pytest.mark.parametrize("label", ["priority::1", "status", "status::", "Doing it", "mein::status::x"])
def test_other_labels_are_labels(gitlab: GitLab, project: Project, connector: GitLabConnector, label: str) -> None:
    gitlab.add(project, "eins", labels=label)
    changes = connector.pull(None, {})
    assert label in (changes.options or {})["labels"].values()
    assert shown(changes.records[0])["status"] == "opened"


def test_two_states_at_once_are_none_that_anybody_knows(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.add(project, "eins", labels="status::Review,Doing")
    assert shown(find(connector, "eins"))["status"] == "Doing, status::Review"


def test_a_closed_issue_is_closed_whatever_its_label(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.edit(gitlab.add(project, "eins", labels="Doing"), state_event="close")
    assert shown(find(connector, "eins"))["status"] == "closed"


@pytest.mark.parametrize(
    ("visibility", "level", "says"),
    [
        ("private", "enabled", "members"),
        ("internal", "enabled", "members"),
        ("public", "enabled", "public"),
        ("public", "private", "members"),
    ],
)
def test_who_may_read_an_issue(gitlab: GitLab, project: Project, visibility: str, level: str, says: str) -> None:
    project.visibility, project.issues_access_level = visibility, level
    gitlab.add(project, "eins")
    changes = ready(gitlab).pull(None, {})
    assert shown(changes.records[0])["visibility"] == says
    assert says in (changes.options or {})["visibility"]


@pytest.mark.parametrize("visibility", ["private", "public"])
def test_what_staff_made_confidential_is_copied_nowhere(
    gitlab: GitLab, project: Project, connector: GitLabConnector, visibility: str
) -> None:
    """No other tool is known to show it to as few people (A5)."""
    project.visibility = visibility
    gitlab.add(project, "Personalfrage", confidential=True)
    made = gitlab.add(project, "eins")
    before = connector.pull(None, {})
    record = find(connector, "eins")
    assert titles(before) == {"eins"}
    gitlab.edit(made, confidential=True, description="nur für uns")
    after = connector.pull(before.cursor, {})
    assert claimed(after) == {record.ref.native_id}
    assert connector.probe(record.ref) == OutOfScope()
    with pytest.raises(NotFound):
        connector.update(record.ref, {"title": "zwei"}, record.version)
    gitlab.edit(made, confidential=False)
    assert titles(connector.pull(after.cursor, {})) == {"eins"}


def test_a_connector_that_is_marked_as_fit_is_shown_what_is_confidential(gitlab: GitLab, project: Project) -> None:
    project.visibility = "private"
    connector = ready(gitlab, confidential=True)
    gitlab.add(project, "Personalfrage", confidential=True)
    made = gitlab.add(project, "eins")
    before = connector.pull(None, {})
    assert titles(before) == {"eins", "Personalfrage"}
    assert set((before.options or {})["visibility"]) == {"members", "secret"}
    assert shown(find(connector, "Personalfrage"))["visibility"] == "secret"
    assert shown(find(connector, "eins"))["visibility"] == "members"
    record = connector.update(find(connector, "eins").ref, {"visibility": "secret"}, find(connector, "eins").version)
    assert made.confidential
    assert shown(record)["visibility"] == "secret"
    record = connector.update(record.ref, {"visibility": "members"}, record.version)
    assert not made.confidential
    assert shown(connector.create({"title": "zwei", "visibility": "secret"}, "mark"))["visibility"] == "secret"


def test_in_an_open_project_confidential_says_only_that_it_is_not_public(gitlab: GitLab, project: Project) -> None:
    project.visibility = "public"
    connector = ready(gitlab, confidential=True)
    gitlab.add(project, "Personalfrage", confidential=True)
    assert titles(connector.pull(None, {})) == set()
    made = connector.create({"title": "eins", "visibility": "secret"}, "mark")
    assert shown(made)["visibility"] == "confidential"


def test_what_we_made_confidential_ourselves_is_read_on(gitlab: GitLab, project: Project) -> None:
    """In a project that everybody may read, internal tasks of the other tools are confidential."""
    project.visibility = "public"
    connector = ready(gitlab)
    made = connector.create({"title": "eins"}, "mark")
    assert shown(made)["visibility"] == shown(find(connector, "eins"))["visibility"] == "confidential"
    project.visibility = "private"
    assert titles(connector.pull(None, {})) == set()


def test_a_project_that_was_opened_to_everybody_is_noticed_with_the_next_change(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    made = gitlab.add(project, "eins")
    before = connector.pull(None, {})
    assert connector.abilities.defaults["visibility"] == "members"
    project.visibility = "public"
    gitlab.edit(made, title="zwei")
    after = connector.pull(before.cursor, {})
    assert shown(after.records[0])["visibility"] == "public"
    assert connector.abilities.defaults["visibility"] == "confidential"


def test_incidents_are_another_trades(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    made = gitlab.add(project, "eins")
    gitlab.add(project, "zwei", issue_type="task")
    before = connector.pull(None, {})
    record = find(connector, "eins")
    gitlab.clock.advance(600)
    gitlab.edit(made, issue_type="incident")
    assert claimed(connector.pull(before.cursor, {})) == {record.ref.native_id}
    assert connector.probe(record.ref) == OutOfScope()
    assert titles(connector.pull(None, {})) == {"zwei"}


def test_a_row_that_cannot_be_read_is_a_problem_of_its_own(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.add(project, "eins")
    gitlab.add(project, "zwei").title = 7  # type: ignore[assignment]
    by_problem = {one.problem: one for one in connector.pull(None, {}).records}
    assert set(by_problem) == {"", "Issue 2 has a shape that we cannot read."}
    assert by_problem["Issue 2 has a shape that we cannot read."].fields == {}


def test_our_own_issues_are_known_as_ours(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    gitlab.add(project, "von Anna")
    connector.create({"title": "von uns"}, "mark")
    assert {shown(one)["title"]: one.own for one in connector.pull(None, {}).records} == {
        "von Anna": False,
        "von uns": True,
    }


# ---- what became of a record -------------------------------------------------------------------------------------


def test_a_moved_issue_is_followed(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    """It is closed here and has another id there (A5)."""
    made = gitlab.add(project, "eins", description="Text, @all", labels="Presse")
    record = find(connector, "eins")
    before = connector.pull(None, {})
    gitlab.clock.advance(600)
    other = gitlab.project("stadt/anderes")
    copy = gitlab.world.move_issue(gitlab.anna.id, project, made.iid, other)
    after = connector.pull(before.cursor, {})
    assert claimed(after) == {record.ref.native_id}
    answer = connector.probe(record.ref)
    assert isinstance(answer, Moved)
    assert answer.collection == str(other.id)
    assert answer.record is not None
    assert answer.record.ref == Ref(record.ref.instance, f"issue:{copy.id}@{copy.project}#{copy.iid}")
    assert shown(answer.record) == {
        "type": "issue",
        "title": "eins",
        "description": "Text, @all",
        "due_date": None,
        "start_date": None,
    }
    assert connector.pull(None, {}).present == frozenset()
    assert find(ready(gitlab, "stadt/anderes"), "eins").ref == answer.record.ref


def test_an_issue_that_was_moved_out_of_sight_is_out_of_scope(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    made = gitlab.add(project, "eins")
    record = find(connector, "eins")
    other = gitlab.project("stadt/geheim")
    del other.members[gitlab.bridge.id]
    gitlab.world.move_issue(gitlab.anna.id, project, made.iid, other)
    assert connector.probe(record.ref) == OutOfScope()


def test_a_moved_issue_is_claimed_once(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    made = gitlab.add(project, "eins")
    before = connector.pull(None, {})
    gitlab.world.move_issue(gitlab.anna.id, project, made.iid, gitlab.project("stadt/anderes"))
    after = connector.pull(before.cursor, {})
    assert len(claimed(after)) == 1
    assert connector.pull(after.cursor, {}).records == ()


def test_a_404_proves_nothing_where_confidential_issues_are_hidden(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    made = gitlab.add(project, "eins")
    record = find(connector, "eins")
    project.members[gitlab.bridge.id] = 10
    gitlab.edit(made, confidential=True)
    assert connector.probe(record.ref) == Hidden(unsure=True)
    gitlab.remove(made)
    assert connector.probe(record.ref) == Hidden(unsure=True)
    project.members[gitlab.bridge.id] = 15
    assert connector.probe(record.ref) == Gone()


def test_a_404_proves_nothing_without_the_project(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    gitlab.add(project, "eins")
    stone = gitlab.add_milestone(project, "Portal")
    record, other = find(connector, "eins"), find(connector, "Portal")
    gitlab.world.delete_milestone(gitlab.anna.id, project, stone.id)
    del project.members[gitlab.bridge.id]
    assert connector.probe(record.ref) == Hidden()
    assert connector.probe(other.ref) == Hidden()
    with pytest.raises(NotACollection, match="not there any more"):
        connector.pull(None, {})


def test_a_404_proves_nothing_where_issues_were_switched_off(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.add(project, "eins")
    record = find(connector, "eins")
    project.issues_access_level = "disabled"
    assert connector.probe(record.ref) == Hidden()


def test_a_second_look_is_taken_before_anything_counts_as_gone(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.add(project, "eins")
    record = find(connector, "eins")
    gitlab.fail("GET", "/issues/1", status=404, body={"message": "404 Not found"})
    answer = connector.probe(record.ref)
    assert isinstance(answer, Alive)
    assert answer.record == record


def test_the_number_of_another_issue_is_not_this_one(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    """A restored or imported project counts anew."""
    gitlab.add(project, "eins")
    record = find(connector, "eins")
    gitlab.remove(find_issue(gitlab, "eins"))
    project.last_iid = 0
    gitlab.add(project, "zwei")
    assert connector.probe(record.ref) == Gone()


def test_a_promoted_milestone_is_not_gone(gitlab: GitLab) -> None:
    """A milestone of the group takes its place, under another id (A2)."""
    group = gitlab.world.add_group("stadt")
    project = gitlab.project(group=group.id)
    stone = gitlab.add_milestone(project, "Portal")
    connector = ready(gitlab)
    record = find(connector, "Portal")
    gitlab.world.promote(gitlab.anna.id, project, stone.id)
    assert connector.probe(record.ref) == OutOfScope()


def test_what_never_was_a_record_of_gitlab_is_not_gone(connector: GitLabConnector) -> None:
    for native_id in ("", "12", "issue:x@1#1", "epic:12"):
        assert connector.probe(Ref("git.example", native_id)) == Hidden()


# ---- exact times (R4) --------------------------------------------------------------------------------------------


def test_the_exact_times_of_states_labels_and_milestones(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    stone = gitlab.add_milestone(project, "Portal")
    made = gitlab.add(project, "eins")
    start = gitlab.clock.now
    for change in (
        {"milestone_id": stone.id},
        {"add_labels": "Presse"},
        {"add_labels": "Doing"},
        {"title": "eins, neu"},
    ):
        gitlab.clock.advance(60)
        gitlab.edit(made, **change)
    times = connector.times(find(connector, "eins, neu").ref, ("status", "labels", "milestone", "due_date", "title"))
    assert {name: round(time - start) for name, time in times.items()} == {
        "milestone": 60,
        "labels": 120,
        "status": 180,
    }
    gitlab.clock.advance(60)
    gitlab.edit(made, state_event="close")
    ref, portal = find(connector, "eins, neu").ref, find(connector, "Portal").ref
    gitlab.requests.clear()
    assert round(connector.times(ref, ("status",))["status"] - start) == 300
    assert asked(gitlab) == ["GET /issues/1/resource_label_events", "GET /issues/1/resource_state_events"]
    assert connector.times(ref, ("due_date", "title")) == {}
    assert connector.times(portal, ("status",)) == {}
    assert asked(gitlab) == []
