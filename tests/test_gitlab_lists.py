"""What a pull of a GitLab project lists and what it costs: pages, counts, cursors, clocks."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from connectors.base import Changes, Gone
from connectors.errors import CursorExpired
from connectors.gitlab import GitLabConnector
from tests.fakes.gitlab import GitLab
from tests.fakes.gitlab_model import Issue, Project
from tests.gitlab_tools import asked, known, ready, shown

KEYSET = ["GET /issues", "GET /issues"]
"""A list that is paged by keyset ends with an empty page."""


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


# ---- what a pull costs -------------------------------------------------------------------------------------------


def test_a_quiet_pull_reads_no_label_and_no_project(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.add(project, "eins", labels="Presse")
    gitlab.add_milestone(project, "Portal")
    before = connector.pull(None, {})
    assert asked(gitlab) == [*KEYSET, "GET /milestones", "GET /project", "GET /labels"]
    after = connector.pull(before.cursor, {})
    assert (after.records, after.delta, after.options) == ((), True, None)
    assert asked(gitlab) == ["GET /issues", *KEYSET, "GET /milestones"]
    assert connector.pull(after.cursor, {}).records == ()


def test_a_change_alone_is_read_with_its_surroundings(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    for number in range(30):
        gitlab.add(project, f"Aufgabe {number}")
    before = connector.pull(None, {})
    gitlab.clock.advance(600)
    gitlab.edit(find_issue(gitlab, "Aufgabe 7"), title="sieben", add_labels="neu")
    asked(gitlab)
    after = connector.pull(before.cursor, {})
    assert titles(after) == {"sieben"}
    assert asked(gitlab) == ["GET /issues", *KEYSET, "GET /milestones", "GET /project", "GET /labels"]
    [label] = (after.options or {})["labels"].items()
    assert shown(after.records[0])["labels"] == (label[0],)
    assert label[1] == "neu"


# ---- lists -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", [(19, 1), (17, 0), (16, 0)])
def test_long_lists_are_read_to_the_end(gitlab: GitLab, project: Project, release: tuple[int, int]) -> None:
    gitlab.world.release = release
    for number in range(230):
        gitlab.add(project, f"Aufgabe {number}")
        gitlab.add_milestone(project, f"Meilenstein {number}")
    changes = ready(gitlab).pull(None, {})
    assert len(changes.present) == 460
    assert changes.complete


def test_an_issue_that_moves_in_the_list_hides_none(gitlab: GitLab, project: Project) -> None:
    """By keyset a row that is edited while pages are read comes again, and nothing is left out (A1)."""
    for number in range(230):
        gitlab.add(project, f"Aufgabe {number}")
        gitlab.clock.advance(0.001)
    connector = ready(gitlab)
    before = connector.pull(None, {})
    gitlab.clock.advance(600)
    for number in range(230):
        gitlab.edit(find_issue(gitlab, f"Aufgabe {number}"), title=f"Neu {number}")
        gitlab.clock.advance(0.001)
    gitlab.before("GET", "cursor=", lambda: gitlab.edit(find_issue(gitlab, "Neu 3"), title="Neu 3, wieder"))
    after = connector.pull(before.cursor, {})
    assert after.delta
    assert titles(after) == {f"Neu {number}" if number != 3 else "Neu 3, wieder" for number in range(230)}


def test_many_changes_on_a_server_without_keyset_are_read_by_a_whole_listing(gitlab: GitLab, project: Project) -> None:
    """By offset a row that moves while pages are read hides another one (A1), so a second page is not believed."""
    gitlab.world.release = (17, 0)
    for number in range(120):
        gitlab.add(project, f"Aufgabe {number}")
    connector = ready(gitlab)
    before = connector.pull(None, {})
    gitlab.clock.advance(600)
    for number in range(120):
        gitlab.edit(find_issue(gitlab, f"Aufgabe {number}"), title=f"Neu {number}")
    after = connector.pull(before.cursor, {})
    assert after.complete
    assert len(titles(after)) == 120


def test_an_issue_that_a_paged_list_left_out_is_asked_for_by_number(gitlab: GitLab, project: Project) -> None:
    """By offset a deletion on the first page moves the first row of the second onto it, unread."""
    gitlab.world.release = (17, 0)
    for number in range(150):
        gitlab.add(project, f"Aufgabe {number}")
        gitlab.clock.advance(1)
    connector = ready(gitlab)
    before = connector.pull(None, {})
    gitlab.before("GET", "page=2", lambda: gitlab.remove(find_issue(gitlab, "Aufgabe 0")))
    gitlab.requests.clear()
    after = connector.pull(None, known(before))
    assert len(after.present) == 150  # the deleted one was still there when its page was read
    assert any("iids%5B%5D=101" in request for request in gitlab.requests), gitlab.requests
    assert after.records == ()


def test_a_deletion_is_noticed_by_counting(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    """GitLab tells of no deletion (A5)."""
    first, second = gitlab.add(project, "eins"), gitlab.add(project, "zwei")
    before = connector.pull(None, {})
    gitlab.clock.advance(600)
    gitlab.remove(first)
    gitlab.edit(second, title="zwei, neu")
    after = connector.pull(before.cursor, {})
    assert after.complete
    assert after.present == {f"issue:{second.id}@{project.id}#{second.iid}"}


def test_one_deleted_and_one_new_are_told_apart(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    first = gitlab.add(project, "eins")
    before = connector.pull(None, {})
    gitlab.clock.advance(600)
    gitlab.remove(first)
    gitlab.add(project, "zwei")
    after = connector.pull(before.cursor, {})
    assert after.complete
    assert titles(after) == {"zwei"}


def test_where_nobody_counts_changes_are_read_all_the_same(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    """Above ten thousand there is no total (A1): deletions are found by the daily sweep."""
    gitlab.world.countable = 0
    gitlab.add(project, "eins")
    gitlab.add(project, "zwei")
    before = connector.pull(None, {})
    gitlab.clock.advance(600)
    gitlab.remove(find_issue(gitlab, "eins"))
    gitlab.edit(find_issue(gitlab, "zwei"), title="zwei, neu")
    after = connector.pull(before.cursor, {})
    assert (after.delta, titles(after)) == (True, {"zwei, neu"})


def test_a_missing_milestone_is_claimed_to_be_gone(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    stone = gitlab.add_milestone(project, "Portal")
    before = connector.pull(None, {})
    gitlab.world.delete_milestone(gitlab.anna.id, project, stone.id)
    after = connector.pull(before.cursor, {})
    assert (after.delta, claimed(after)) == (True, {f"milestone:{stone.id}"})


# ---- cursors -----------------------------------------------------------------------------------------------------


def test_a_change_within_the_same_millisecond_is_seen(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    made = gitlab.add(project, "null")
    changes = connector.pull(None, {})
    for title in ("eins", "zwei", "drei"):
        gitlab.edit(made, title=title)
        changes = connector.pull(changes.cursor, {})
        assert titles(changes) == {title}


def test_a_change_that_was_committed_late_is_seen(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    """It is stamped half a minute before what was read last (R6)."""
    late = gitlab.add(project, "eins")
    gitlab.clock.advance(600)
    gitlab.add(project, "zwei")
    before = connector.pull(None, {})
    gitlab.clock.advance(-30)
    gitlab.edit(late, title="eins, spät")
    gitlab.clock.advance(60)
    assert titles(connector.pull(before.cursor, {})) == {"eins, spät"}


def test_a_change_behind_the_back_of_a_long_listing_is_seen(gitlab: GitLab, project: Project) -> None:
    """The cursor is not later than the beginning of the listing, however late the last change in it (R6)."""
    for number in range(150):
        gitlab.add(project, f"Aufgabe {number}")
        gitlab.clock.advance(1)
    connector = ready(gitlab)
    early, late = find_issue(gitlab, "Aufgabe 1"), find_issue(gitlab, "Aufgabe 149")

    def meanwhile() -> None:
        gitlab.edit(early, title="früh")
        gitlab.clock.advance(900)
        gitlab.edit(late, title="spät")

    gitlab.before("GET", "cursor=", meanwhile)
    before = connector.pull(None, {})
    assert "spät" in titles(before)
    assert "früh" not in titles(before)
    assert titles(connector.pull(before.cursor, {})) >= {"früh"}


def test_a_server_that_went_back_in_time_is_read_whole(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    """A restored backup: what changed last did not happen, and no change since tells of it (R5)."""
    made = gitlab.add(project, "eins")
    gitlab.clock.advance(600)
    gitlab.edit(made, title="zwei")
    before = connector.pull(None, {})
    gitlab.clock.advance(-600)
    gitlab.edit(made, title="eins")
    gitlab.clock.advance(1200)
    after = connector.pull(before.cursor, known(before))
    assert after.complete
    assert titles(after) == {"eins"}


def test_a_server_that_tells_no_time_is_read_whole(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    gitlab.add(project, "eins")
    before = connector.pull(None, {})
    timeless = json.loads(before.cursor or "{}") | {"at": None}
    assert connector.pull(json.dumps(timeless), {}).complete


@pytest.mark.parametrize("cursor", ["", "[]", '{"project": "0"}', '{"colour": 1}'])
def test_a_cursor_of_something_else_is_expired(connector: GitLabConnector, cursor: str) -> None:
    with pytest.raises(CursorExpired):
        connector.pull(cursor, {})


def test_a_comment_is_no_change(gitlab: GitLab, project: Project, connector: GitLabConnector) -> None:
    """It bumps updated_at (A2)."""
    made = gitlab.add(project, "eins")
    before = connector.pull(None, {})
    gitlab.clock.advance(600)
    gitlab.world.comment(made, "Gesehen.")
    assert connector.pull(before.cursor, known(before)).records == ()


def test_what_changed_long_ago_is_not_read_again_with_every_pull(gitlab: GitLab, project: Project) -> None:
    for number in range(600):
        gitlab.add(project, f"Aufgabe {number}")
        gitlab.clock.advance(0.01)
    connector = ready(gitlab)
    first = connector.pull(None, {})
    gitlab.clock.advance(3600)
    second = connector.pull(first.cursor, known(first))
    asked(gitlab)
    assert connector.pull(second.cursor, {}).records == ()
    assert asked(gitlab) == ["GET /issues", *KEYSET, "GET /milestones"]


def test_what_our_account_may_do_is_learnt_anew_with_the_project(
    gitlab: GitLab, project: Project, connector: GitLabConnector
) -> None:
    project.members[gitlab.bridge.id] = 10
    connector.pull(None, {})
    again = ready(gitlab)
    assert not again.identify(connector.memory()).writable
    project.members[gitlab.bridge.id] = 15
    again.pull(None, {})
    assert connector.identify(again.memory()).writable


@pytest.mark.parametrize("kind", ["issue", "milestone"])
def test_what_was_made_and_deleted_between_two_pulls_is_claimed_to_be_gone(
    gitlab: GitLab, project: Project, connector: GitLabConnector, kind: str
) -> None:
    """No count ever had it (found by a random history)."""
    before = connector.pull(None, {})
    made = connector.create({"type": kind, "title": "eins"}, "mark")
    gitlab.world.issues.clear()
    gitlab.world.milestones.clear()
    after = connector.pull(before.cursor, {made.ref.native_id: made.version})
    assert claimed(after) == {made.ref.native_id}
    assert connector.probe(made.ref) == Gone()
