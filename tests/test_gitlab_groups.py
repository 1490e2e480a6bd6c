"""A GitLab group as a collection: what of it is mirrored, where new issues are made, and how moves are followed."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from connectors.base import Alive, Gone, Hidden, Moved, OutOfScope
from connectors.errors import Forbidden, NotACollection, Rejected
from connectors.gitlab import GitLabConnector
from tests.fakes.gitlab import GitLab
from tests.fakes.gitlab_model import DEVELOPER, OWNER, PLANNER, Group, Milestone, Project
from tests.gitlab_tools import asked, connect, find, known, ready, shown


class City(SimpleNamespace):
    """The group "stadt" with a project, and its subgroup "stadt/it" with another."""

    gitlab: GitLab
    stadt: Group
    amt: Group
    strategy: Project
    portal: Project


@pytest.fixture
def city() -> Iterator[City]:
    with GitLab() as gitlab:
        stadt = gitlab.world.add_group("stadt")
        stadt.members = {gitlab.anna.id: OWNER, gitlab.bridge.id: PLANNER}
        amt = gitlab.world.add_group("stadt/it", stadt.id)
        strategy = gitlab.project("stadt/strategie", group=stadt.id)
        portal = gitlab.project("stadt/it/portal", group=amt.id)
        yield City(gitlab=gitlab, stadt=stadt, amt=amt, strategy=strategy, portal=portal)


@pytest.fixture
def connector(city: City) -> GitLabConnector:
    return ready(city.gitlab, "stadt:strategie")


def group_milestone(city: City, title: str) -> Milestone:
    return city.gitlab.world.make_group_milestone(city.stadt.id, title)


# ---- which group, and what is made where -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted",
    ["stadt:strategie", "stadt : stadt/strategie", "stadt:{project}", "{group}:Strategie", "/stadt/:strategie/"],
)
def test_a_group_is_found_with_the_project_for_new_issues(city: City, wanted: str) -> None:
    connector = connect(city.gitlab, wanted.format(group=city.stadt.id, project=city.strategy.id))
    found = connector.identify()
    assert (found.collection, found.title, found.writable) == (f"groups/{city.stadt.id}", "Stadt", True)
    assert found.warnings == ()
    made = connector.create({"title": "eins"}, "mark")
    assert city.gitlab.world.issues[int(made.ref.native_id.split(":")[1].split("@")[0])].project == city.strategy.id


def test_without_a_project_nothing_new_is_made_and_that_is_said(city: City) -> None:
    group_milestone(city, "Portal")
    city.gitlab.add(city.portal, "eins")
    connector = connect(city.gitlab, "stadt")
    found = connector.identify()
    assert found.writable
    assert found.warnings == (
        f"Nothing new is made in the group “stadt” on {found.host}: say in which project, with "
        "AMT_COLLECTION=stadt:PROJECT.",
    )
    city.gitlab.requests.clear()
    for kind in ("issue", "milestone"):
        with pytest.raises(Rejected, match="AMT_COLLECTION=stadt:PROJECT") as refusal:
            connector.create({"type": kind, "title": "neu"}, "mark")
        assert refusal.value.clean
    assert city.gitlab.requests == []
    record = find(connector, "eins")
    assert shown(connector.update(record.ref, {"title": "zwei"}, record.version))["title"] == "zwei"


def test_a_project_that_is_not_in_the_group_is_said_with_those_that_are(city: City) -> None:
    city.gitlab.project("land/anderes")
    with pytest.raises(NotACollection, match="AMT_COLLECTION") as failure:
        connect(city.gitlab, "stadt:anderes").identify()
    assert failure.value.found == ("stadt/it/portal", "stadt/strategie")


def test_a_group_that_is_not_there_is_said(city: City) -> None:
    with pytest.raises(NotACollection, match="nirgends"):
        connect(city.gitlab, "nirgends:strategie").identify()


def test_what_is_remembered_of_a_group_needs_no_request(city: City, connector: GitLabConnector) -> None:
    again = connect(city.gitlab, "stadt:strategie")
    city.gitlab.requests.clear()
    assert again.identify(connector.memory()) == connector.identify(connector.memory())
    assert city.gitlab.requests == []


def test_a_group_without_issues_anywhere_is_no_collection(city: City) -> None:
    for project in (city.strategy, city.portal):
        project.issues_access_level = "disabled"
    with pytest.raises(NotACollection, match=r"The group “stadt” .* has no issues"):
        connect(city.gitlab, "stadt").identify()


# ---- reading -----------------------------------------------------------------------------------------------------


def test_all_projects_of_the_group_and_its_subgroups_are_read(city: City, connector: GitLabConnector) -> None:
    stone = group_milestone(city, "Portal")
    city.gitlab.add_milestone(city.strategy, "nur hier")
    first = city.gitlab.add(city.strategy, "eins", milestone_id=stone.id)
    second = city.gitlab.add(city.portal, "zwei", milestone_id=stone.id)
    outside = city.gitlab.project("land/anderes")
    city.gitlab.add(outside, "drei")
    changes = connector.pull(None, {})
    assert changes.complete
    assert changes.present == {
        f"issue:{first.id}@{city.strategy.id}#1",
        f"issue:{second.id}@{city.portal.id}#1",
        f"milestone:{stone.id}",
    }
    assert {one.collection for one in changes.records} == {f"groups/{city.stadt.id}"}
    assert shown(find(connector, "zwei"))["milestone"] == f"milestone:{stone.id}"


def test_what_changes_in_a_group_is_asked_for_with_three_requests(city: City, connector: GitLabConnector) -> None:
    made = city.gitlab.add(city.portal, "eins")
    group_milestone(city, "Portal")
    before = connector.pull(None, {})
    city.gitlab.requests.clear()
    quiet = connector.pull(before.cursor, {})
    assert (quiet.records, quiet.delta, quiet.options) == ((), True, None)
    group = f"/groups/{city.stadt.id}"
    assert asked(city.gitlab) == [f"GET {group}/issues", f"GET {group}/issues", f"GET {group}/milestones"]
    city.gitlab.clock.advance(600)
    city.gitlab.edit(made, title="zwei")
    city.gitlab.add(city.strategy, "neu")
    after = connector.pull(quiet.cursor, {})
    assert after.delta
    assert sorted(str(shown(one)["title"]) for one in after.records) == ["neu", "zwei"]
    city.gitlab.remove(made)
    city.gitlab.clock.advance(600)
    gone = connector.pull(after.cursor, known(after))
    assert gone.complete
    assert len(gone.present) == 2


def test_many_changes_in_a_group_are_read_by_a_whole_listing(city: City, connector: GitLabConnector) -> None:
    for number in range(120):
        city.gitlab.add(city.portal if number % 2 else city.strategy, f"Aufgabe {number}")
    before = connector.pull(None, {})
    assert len(before.records) == 120
    city.gitlab.clock.advance(600)
    for issue in city.gitlab.world.issues.values():
        city.gitlab.edit(issue, title=f"{issue.title} neu")
    after = connector.pull(before.cursor, known(before))
    assert after.complete
    assert len(after.records) == 120


def test_an_issue_that_the_pages_of_a_group_lost_is_asked_for(city: City, connector: GitLabConnector) -> None:
    for number in range(150):
        city.gitlab.add(city.portal if number % 2 else city.strategy, f"Aufgabe {number}")
        city.gitlab.clock.advance(1)
    before = connector.pull(None, {})
    first = next(one for one in city.gitlab.world.issues.values() if one.title == "Aufgabe 0")
    city.gitlab.before("GET", "page=2", lambda: city.gitlab.remove(first))
    after = connector.pull(None, known(before))
    assert len(after.present) == 150


def test_labels_of_one_name_are_one_label(city: City, connector: GitLabConnector) -> None:
    for project in (city.strategy, city.portal):
        city.gitlab.add(project, f"in {project.path}", labels="Presse,Doing")
    changes = connector.pull(None, {})
    options = changes.options or {}
    assert sorted(options["labels"].values()) == ["Presse"]
    assert sorted(options["status"].values()) == ["Doing", "cancelled", "closed", "opened"]
    shows = [(shown(one)["labels"], shown(one)["status"]) for one in changes.records]
    assert shows[0] == shows[1]
    record = find(connector, "in stadt/it/portal")
    written = connector.update(record.ref, {"labels": (), "status": "opened"}, record.version)
    assert (shown(written)["labels"], shown(written)["status"]) == ((), "opened")


def test_an_archived_project_is_read_and_not_written(city: City, connector: GitLabConnector) -> None:
    city.gitlab.add(city.portal, "eins")
    assert find(connector, "eins").locked == frozenset()
    city.portal.archived = True
    record = find(connector, "eins")
    assert record.locked == set(shown(record))
    assert isinstance(connector.probe(record.ref), Alive)


def test_where_we_are_only_guests_nothing_is_written(city: City) -> None:
    city.stadt.members[city.gitlab.bridge.id] = 10
    city.portal.members[city.gitlab.bridge.id] = 10
    city.gitlab.add(city.portal, "eins")
    city.gitlab.add(city.strategy, "zwei")
    stone = group_milestone(city, "Portal")
    connector = ready(city.gitlab, "stadt:strategie")
    assert find(connector, "eins").locked
    assert find(connector, "zwei").locked == frozenset()
    milestone = find(connector, "Portal")
    assert milestone.locked == set(shown(milestone))
    with pytest.raises(Forbidden):
        connector.update(milestone.ref, {"title": "neu"}, milestone.version)
    assert stone.title == "Portal"


def test_who_may_read_is_told_project_by_project(city: City, connector: GitLabConnector) -> None:
    city.stadt.visibility = city.strategy.visibility = "public"
    city.gitlab.add(city.strategy, "offen")
    city.gitlab.add(city.portal, "intern")
    group_milestone(city, "Portal")
    changes = connector.pull(None, {})
    assert set((changes.options or {})["visibility"]) == {"members", "confidential", "public"}
    readers = {shown(one)["title"]: shown(one)["visibility"] for one in changes.records}
    assert readers == {"offen": "public", "intern": "members", "Portal": "public"}
    made = connector.create({"title": "neu"}, "mark")
    assert shown(made)["visibility"] == "confidential"
    opened = connector.update(made.ref, {"visibility": "public"}, made.version)
    assert shown(opened)["visibility"] == "public"
    closed = connector.update(made.ref, {"visibility": "members"}, opened.version)
    assert shown(closed)["visibility"] == "confidential"
    assert connector.normalises("visibility", "members", "confidential")
    with pytest.raises(Rejected, match="Everybody may read the milestones"):
        connector.create({"type": "milestone", "title": "intern"}, "mark")


# ---- milestones of the group -------------------------------------------------------------------------------------


def test_a_milestone_of_the_group_is_made_changed_and_deleted(city: City, connector: GitLabConnector) -> None:
    city.stadt.members[city.gitlab.bridge.id] = DEVELOPER
    made = connector.create({"type": "milestone", "title": "Portal", "due_date": "2026-12-31"}, "mark")
    [stone] = city.gitlab.world.milestones.values()
    assert (stone.group, stone.project, stone.due_date) == (city.stadt.id, None, "2026-12-31")
    issue = connector.create({"title": "eins", "milestone": made.ref.native_id}, "mark")
    assert shown(issue)["milestone"] == made.ref.native_id
    changed = connector.update(made.ref, {"status": "closed", "title": "Portal 2"}, made.version)
    assert (stone.state, stone.title) == ("closed", "Portal 2")
    connector.delete(changed.ref, changed.version)
    assert city.gitlab.world.milestones == {}
    assert connector.probe(made.ref) == Gone()


# ---- what became of a record -------------------------------------------------------------------------------------


def test_an_issue_that_was_moved_within_the_group_is_followed(city: City, connector: GitLabConnector) -> None:
    stone = group_milestone(city, "Portal")
    made = city.gitlab.add(city.strategy, "eins", labels="Presse", milestone_id=stone.id)
    record = find(connector, "eins")
    before = connector.pull(None, {})
    city.gitlab.clock.advance(600)
    copy = city.gitlab.world.move_issue(city.gitlab.anna.id, city.strategy, made.iid, city.portal)
    after = connector.pull(before.cursor, {})
    assert {one.ref.native_id: one.fields is None for one in after.records} == {
        record.ref.native_id: True,
        f"issue:{copy.id}@{city.portal.id}#{copy.iid}": False,
    }
    answer = connector.probe(record.ref)
    assert isinstance(answer, Moved)
    assert answer.collection == f"groups/{city.stadt.id}" == before.records[0].collection
    assert answer.record == find(connector, "eins")
    assert shown(answer.record)["milestone"] == f"milestone:{stone.id}"


def test_an_issue_that_was_moved_twice_is_followed_to_its_end(city: City, connector: GitLabConnector) -> None:
    made = city.gitlab.add(city.strategy, "eins")
    record = find(connector, "eins")
    anna = city.gitlab.anna.id
    copy = city.gitlab.world.move_issue(anna, city.strategy, made.iid, city.portal)
    last = city.gitlab.world.move_issue(anna, city.portal, copy.iid, city.strategy)
    answer = connector.probe(record.ref)
    assert isinstance(answer, Moved)
    assert answer.record is not None
    assert answer.record.ref.native_id == f"issue:{last.id}@{city.strategy.id}#{last.iid}"
    last.confidential = True
    assert connector.probe(record.ref) == OutOfScope()


def test_an_issue_that_was_moved_out_of_the_group_is_told(city: City, connector: GitLabConnector) -> None:
    outside = city.gitlab.project("land/anderes")
    made = city.gitlab.add(city.strategy, "eins")
    record = find(connector, "eins")
    city.gitlab.world.move_issue(city.gitlab.anna.id, city.strategy, made.iid, outside)
    answer = connector.probe(record.ref)
    assert isinstance(answer, Moved)
    assert answer.collection == str(outside.id)
    assert answer.record is not None
    assert answer.record.ref == find(ready(city.gitlab, "land/anderes"), "eins").ref


def test_a_project_that_leaves_the_group_takes_its_issues_out_of_scope(city: City, connector: GitLabConnector) -> None:
    city.gitlab.add(city.portal, "eins")
    record = find(connector, "eins")
    city.portal.group = None
    assert connector.pull(None, known(connector.pull(None, {}))).present == frozenset()
    assert connector.probe(record.ref) == OutOfScope()


def test_what_is_missing_in_a_group_is_gone_only_where_we_see_all(city: City, connector: GitLabConnector) -> None:
    made = [city.gitlab.add(city.portal, title) for title in ("eins", "zwei", "drei")]
    records = [find(connector, one.title) for one in made]
    city.gitlab.remove(made[0])
    assert connector.probe(records[0].ref) == Gone()
    city.stadt.members[city.gitlab.bridge.id] = city.portal.members[city.gitlab.bridge.id] = 10
    city.gitlab.remove(made[1])
    assert connector.probe(records[1].ref) == Hidden(unsure=True)
    city.stadt.members, city.portal.members, city.strategy.members = {}, {}, {}
    assert connector.probe(records[2].ref) == Hidden()
    with pytest.raises(NotACollection, match="The group “stadt”"):
        connector.pull(None, {})
