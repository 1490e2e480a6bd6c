"""What is written to a GitLab project: one trap each, as its papers and source tell them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.base import Fields
from connectors.errors import NotFound, Rejected, Transient, Unauthorized, VersionMismatch
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


def write(gitlab: GitLab, connector: GitLabConnector, title: str, fields: Fields) -> list[tuple[str, object]]:
    """Write these fields to the record of that title; the bodies that were sent."""
    record = find(connector, title)
    gitlab.bodies.clear()
    connector.update(record.ref, fields, record.version)
    return gitlab.bodies


def label(gitlab: GitLab, name: str) -> str:
    return next(str(one.id) for one in gitlab.world.labels.values() if one.name == name)


# ---- updating ----------------------------------------------------------------------------------------------------


def test_labels_are_added_and_taken_away_and_never_sent_as_a_set(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.add(project, "eins", labels="Presse,IT,Doing")
    [(_, body)] = write(gitlab, connector, "eins", {"labels": (label(gitlab, "IT"), "+Neu")})
    assert body == {"add_labels": "Neu", "remove_labels": "Presse"}
    assert gitlab.labelled(only(gitlab)) == {"IT", "Neu", "Doing"}


def test_a_label_that_somebody_made_meanwhile_comes_with_its_title(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    """Its id alone would say nothing, and the record does not come again (found by a random history)."""
    made = gitlab.add(project, "eins")
    record = find(connector, "eins")
    gitlab.before("PUT", "/issues/1", lambda: gitlab.edit(made, add_labels="eilig,Doing"))
    after = connector.update(record.ref, {"title": "zwei"}, record.version)
    assert after.options == {
        "labels": {label(gitlab, "eilig"): "eilig"},
        "status": {label(gitlab, "Doing"): "Doing"},
    }


def test_a_label_of_the_same_meaning_is_not_made_twice(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.world.add_label("Presse", project=project.id)
    gitlab.add(project, "eins")
    [(_, body)] = write(gitlab, connector, "eins", {"labels": ("+presse",)})
    assert body == {"add_labels": "Presse"}
    assert connector.normalises("labels", ("+presse",), (label(gitlab, "Presse"),))
    assert not connector.normalises("labels", ("+IT",), (label(gitlab, "Presse"),))


def test_a_label_that_was_renamed_since_is_not_made_anew(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    """The interface takes names and makes what it does not know (A2), so a pass looks at today's names."""
    gitlab.add(project, "eins", labels="Presse")
    gitlab.add(project, "zwei")
    before = connector.pull(None, {})
    one, two = find(connector, "eins"), find(connector, "zwei")
    gitlab.world.edit_label(int(label(gitlab, "Presse")), "Pressestelle")
    assert connector.pull(before.cursor, {one.ref.native_id: one.version}).records == ()
    after = connector.update(two.ref, {"labels": shown(one)["labels"]}, two.version)
    assert shown(after)["labels"] == shown(one)["labels"]
    assert [each.name for each in gitlab.world.labels.values()] == ["Pressestelle"]


def test_a_groups_label_is_used_like_the_projects_own(gitlab: GitLab) -> None:
    group = gitlab.world.add_group("stadt")
    project = gitlab.project(group=group.id)
    gitlab.world.add_label("Presse", group=group.id)
    gitlab.add(project, "eins")
    connector = ready(gitlab)
    write(gitlab, connector, "eins", {"labels": (label(gitlab, "Presse"),)})
    assert gitlab.labelled(only(gitlab)) == {"Presse"}
    assert len(gitlab.world.labels) == 1


def test_a_status_is_one_label_and_takes_the_others_away(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    """Scoped labels exclude each other in the paid editions only."""
    gitlab.world.add_label("status::Review", project=project.id)
    gitlab.add(project, "eins", labels="Doing,Presse")
    [(_, body)] = write(gitlab, connector, "eins", {"status": label(gitlab, "status::Review")})
    assert body == {"add_labels": "status::Review", "remove_labels": "Doing"}
    write(gitlab, connector, "eins", {"status": "opened"})
    assert gitlab.labelled(only(gitlab)) == {"Presse"}


def test_closing_is_a_request_of_its_own_and_the_last_one(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    """Sent together, it is carried out first and stays done when the rest is refused (A2)."""
    gitlab.add(project, "eins", labels="Doing")
    sent = write(gitlab, connector, "eins", {"status": "closed", "title": "zwei"})
    assert [body for _, body in sent] == [{"title": "zwei"}, {"state_event": "close"}]
    assert gitlab.labelled(only(gitlab)) == {"Doing"}
    sent = write(gitlab, connector, "zwei", {"status": "opened", "title": "drei"})
    assert [body for _, body in sent] == [{"state_event": "reopen"}, {"title": "drei", "remove_labels": "Doing"}]


def test_a_refused_value_leaves_the_state_as_it_was(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.add(project, "eins")
    record = find(connector, "eins")
    with pytest.raises(Rejected) as refusal:
        connector.update(record.ref, {"status": "closed", "title": "x" * 300}, record.version)
    assert refusal.value.clean
    assert only(gitlab).state == "opened"


def test_a_refusal_behind_a_first_step_is_not_clean(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.add(project, "eins")
    record = find(connector, "eins")
    gitlab.fail("PUT", "/issues/1", status=422, skip=1)
    with pytest.raises(Rejected) as refusal:
        connector.update(record.ref, {"status": "closed", "title": "zwei"}, record.version)
    assert not refusal.value.clean
    assert (only(gitlab).title, only(gitlab).state) == ("zwei", "opened")


def test_what_is_not_done_is_closed_with_an_invisible_line(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.add(project, "eins", description="Text")
    write(gitlab, connector, "eins", {"status": "cancelled"})
    assert (only(gitlab).state, shown(find(connector, "eins"))["status"]) == ("closed", "cancelled")
    assert shown(find(connector, "eins"))["description"] == "Text"
    write(gitlab, connector, "eins", {"description": "Neuer Text"})
    assert shown(find(connector, "eins")) == {**shown(find(connector, "eins")), "status": "cancelled"}
    write(gitlab, connector, "eins", {"status": "closed"})
    assert (only(gitlab).state, only(gitlab).description) == ("closed", "Neuer Text")


def test_a_milestone_that_is_not_done_is_closed_like_an_issue(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    stone = gitlab.add_milestone(project, "Portal")
    write(gitlab, connector, "Portal", {"status": "cancelled"})
    assert (stone.state, stone.description) == ("closed", "<!-- strategy-bridge: cancelled -->")
    write(gitlab, connector, "Portal", {"status": "opened"})
    assert (stone.state, stone.description) == ("active", "")


def test_an_issue_that_staff_reopened_and_closed_is_done(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    """The invisible line is still there, and of another closing."""
    gitlab.add(project, "eins", description="Text")
    write(gitlab, connector, "eins", {"status": "cancelled"})
    gitlab.clock.advance(86_400)
    gitlab.edit(only(gitlab), state_event="reopen")
    gitlab.clock.advance(86_400)
    gitlab.edit(only(gitlab), state_event="close")
    record = find(connector, "eins")
    assert (shown(record)["status"], shown(record)["description"]) == ("closed", "Text")
    assert "strategy-bridge" in (only(gitlab).description or "")
    gitlab.clock.advance(86_400)
    write(gitlab, connector, "eins", {"status": "cancelled"})
    assert shown(find(connector, "eins"))["status"] == "cancelled"
    write(gitlab, connector, "eins", {"description": "neu"})
    assert shown(find(connector, "eins")) == {
        **shown(find(connector, "eins")),
        "status": "cancelled",
        "description": "neu",
    }


def test_an_issue_that_staff_reopened_is_open(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    gitlab.add(project, "eins", description="Text")
    write(gitlab, connector, "eins", {"status": "cancelled"})
    gitlab.edit(only(gitlab), state_event="reopen")
    record = find(connector, "eins")
    assert (shown(record)["status"], shown(record)["description"]) == ("opened", "Text")


def test_a_milestone_is_set_and_taken_away_by_its_global_id(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    stone = gitlab.add_milestone(project, "Portal")
    gitlab.add(project, "eins")
    write(gitlab, connector, "eins", {"milestone": f"milestone:{stone.id}"})
    assert only(gitlab).milestone == stone.id
    write(gitlab, connector, "eins", {"milestone": None})
    assert only(gitlab).milestone is None
    record = find(connector, "eins")
    with pytest.raises(Rejected, match="is no milestone"):
        connector.update(record.ref, {"milestone": record.ref.native_id}, record.version)


def test_confidential_is_lifted_only_for_what_is_said_to_be_public(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    project.visibility = "public"
    connector.pull(None, {})
    connector.create({"title": "eins"}, "mark")
    assert write(gitlab, connector, "eins", {"visibility": "members"}) == []
    assert only(gitlab).confidential
    assert connector.normalises("visibility", "members", "confidential")
    assert not connector.normalises("visibility", "confidential", "public")
    write(gitlab, connector, "eins", {"visibility": "public"})
    assert not only(gitlab).confidential


def test_in_a_closed_project_nothing_is_public(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    gitlab.add(project, "eins")
    assert write(gitlab, connector, "eins", {"visibility": "public"}) == []
    record = find(connector, "eins")
    for write_it in (
        lambda: connector.update(record.ref, {"visibility": "confidential"}, record.version),
        lambda: connector.create({"title": "zwei", "visibility": "confidential"}, "mark"),
    ):
        with pytest.raises(Rejected, match="are not mirrored") as refusal:
            write_it()
        assert refusal.value.clean
    assert not only(gitlab).confidential


def test_what_is_the_same_already_is_not_sent(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    gitlab.add(project, "eins", description="Text")
    assert write(gitlab, connector, "eins", {"title": "eins", "description": "Text", "due_date": None}) == []


def test_an_update_costs_a_read_a_write_and_a_read(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.add(project, "eins", labels="Presse")
    record = find(connector, "eins")
    asked(gitlab)
    connector.update(record.ref, {"title": "zwei", "labels": ()}, record.version)
    assert asked(gitlab) == ["GET /issues/1", "PUT /issues/1", "GET /issues/1"]


def test_somebody_who_is_faster_is_not_overwritten(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    made = gitlab.add(project, "eins")
    record = find(connector, "eins")
    gitlab.before("GET", "/issues/1", lambda: gitlab.edit(made, title="von Hand"))
    with pytest.raises(VersionMismatch):
        connector.update(record.ref, {"title": "von uns"}, record.version)
    assert made.title == "von Hand"


def test_a_comment_meanwhile_holds_nothing_up(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    made = gitlab.add(project, "eins")
    record = find(connector, "eins")
    gitlab.clock.advance(5)
    gitlab.world.comment(made, "Gesehen.")
    assert shown(connector.update(record.ref, {"title": "zwei"}, record.version))["title"] == "zwei"


def test_a_moved_issue_is_not_written_to(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    made = gitlab.add(project, "eins")
    record = find(connector, "eins")
    gitlab.world.move_issue(gitlab.anna.id, project, made.iid, gitlab.project("stadt/anderes"))
    with pytest.raises(NotFound, match="does not belong to"):
        connector.update(record.ref, {"title": "zwei"}, record.version)
    assert made.title == "eins"


def test_what_was_written_and_cannot_be_read_is_known_to_be_answered(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.add(project, "eins")
    record = find(connector, "eins")

    def down() -> None:
        for _ in range(3):
            gitlab.fail("GET", "/issues/1", status=503)

    gitlab.before("PUT", "/issues/1", down)
    with pytest.raises(Transient, match="did not tell the outcome") as failure:
        connector.update(record.ref, {"title": "zwei"}, record.version)
    assert failure.value.answered
    assert only(gitlab).title == "zwei"


def test_blanks_at_the_ends_are_gitlabs_own_doing(connector: GitLabConnector) -> None:
    assert connector.normalises("description", "Text  \r\n\n", "Text")
    assert connector.normalises("title", " eins ", "eins")
    assert not connector.normalises("description", " Text", "Text")
    assert not connector.normalises("due_date", "2026-12-01", None)


def test_a_role_that_does_not_suffice_stops_the_connector(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.add(project, "eins")
    record = find(connector, "eins")
    project.archived = True
    with pytest.raises(Unauthorized):
        connector.update(record.ref, {"title": "zwei"}, record.version)


# ---- deleting ----------------------------------------------------------------------------------------------------


def test_an_issue_that_changes_just_before_it_is_deleted_stays(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    """The one conditional write there is (A2)."""
    made = gitlab.add(project, "eins")
    record = find(connector, "eins")

    def faster() -> None:
        gitlab.clock.advance(5)
        gitlab.edit(made, title="zwei")

    gitlab.before("DELETE", "/issues/", faster)
    with pytest.raises(VersionMismatch) as failure:
        connector.delete(record.ref, record.version)
    assert shown(failure.value.record)["title"] == "zwei"  # type: ignore[arg-type]
    assert only(gitlab) is made


def test_who_may_not_delete_is_told(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    gitlab.add(project, "eins")
    record = find(connector, "eins")
    project.members[gitlab.bridge.id] = 30
    with pytest.raises(Unauthorized):
        connector.delete(record.ref, record.version)
    assert only(gitlab).title == "eins"
