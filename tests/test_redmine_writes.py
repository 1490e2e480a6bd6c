"""What a write does on a real Redmine, where success proves nothing; every trap that was measured has a test."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from connectors.base import Gone, Record
from connectors.errors import Forbidden, Lost, Rejected, Transient, VersionMismatch
from connectors.redmine import RedmineConnector
from tests.redmine_person import RedminePerson
from tests.redmine_server import Redmine
from tests.redmine_tools import connect, find, ready, shown

pytestmark = [pytest.mark.redmine, pytest.mark.xdist_group("redmine")]

LONG = "Das Serviceportal der Stadt geht mit allen Anträgen der Bauaufsicht online"
SHORT = "Das Serviceportal der Stadt geht mit allen Anträgen der Bau…"


@pytest.fixture
def person(redmine: Redmine) -> RedminePerson:
    return RedminePerson(redmine)


@pytest.fixture
def connector(person: RedminePerson) -> RedmineConnector:
    return ready(person)


def number(native_id: str) -> int:
    return int(native_id.partition("/")[2])


# ---- making ------------------------------------------------------------------------------------------------------


def test_a_new_issue_begins_on_no_day(person: RedminePerson, connector: RedmineConnector) -> None:
    """Redmine would say today."""
    made = connector.create({"title": "eins"}, "")
    assert shown(made)["start"] is None
    assert person.look(made.ref.native_id)["start_date"] is None


def test_a_new_issue_is_our_own_and_says_when_it_was_made(person: RedminePerson, connector: RedmineConnector) -> None:
    made = connector.create({"title": "eins"}, "")
    assert made.own
    assert made.created_at == made.modified_at
    assert made.ref.born == person.look(made.ref.native_id)["created_on"]
    assert not find(connector, person.add("von Hand")).own


def test_a_milestone_becomes_a_version(person: RedminePerson, connector: RedmineConnector) -> None:
    fields = {"type": "version", "title": "Baubeginn", "description": "eins", "due": "2026-12-01"}
    made = connector.create({**fields, "priority": "2", "progress": 30, "milestone": None}, "")
    assert shown(made) == {**fields, "status": "1"}
    assert person.look(made.ref.native_id)["status"] == "open"
    assert find(connector, made.ref.native_id).fields == made.fields


def test_a_version_of_the_same_name_is_refused(person: RedminePerson, connector: RedmineConnector) -> None:
    person.version("Baubeginn")
    with pytest.raises(Rejected, match=r"refuses this: .+") as failure:
        connector.create({"type": "version", "title": "Baubeginn"}, "")
    assert failure.value.clean


def test_a_task_is_made_although_its_milestone_is_closed(person: RedminePerson, connector: RedmineConnector) -> None:
    version = person.version("fertig")
    person.change(version, status="closed")
    made = connector.create({"title": "eins", "milestone": version}, "")
    assert shown(made)["milestone"] is None
    person.change(version, status="open")
    assert shown(connector.update(made.ref, {"milestone": version}, made.version))["milestone"] == version


def test_what_is_wrong_for_another_reason_is_refused(person: RedminePerson, connector: RedmineConnector) -> None:
    version = person.version("offen")
    with pytest.raises(Rejected):
        connector.create({"title": "x" * 256, "milestone": version}, "")
    assert connector.pull(None, {}).present == {version}


@pytest.mark.parametrize(
    "fields",
    [{"status": "+Umgesetzt"}, {"priority": "+Egal"}, {"type": "+Maßnahme"}, {"parent": "versions/1"}, {"frist": "x"}],
)
def test_what_the_instance_does_not_have_is_not_made(
    person: RedminePerson, connector: RedmineConnector, fields: dict[str, str]
) -> None:
    with pytest.raises(Rejected) as failure:
        connector.create({"title": "eins", **fields}, "")
    assert failure.value.clean
    assert connector.pull(None, {}).present == frozenset()


# ---- changing ----------------------------------------------------------------------------------------------------


def test_what_is_not_mirrored_stays_as_it_is(person: RedminePerson, connector: RedmineConnector) -> None:
    category = person.call(
        "POST", f"/projects/{person.collection}/issue_categories.json", {"issue_category": {"name": "Amt"}}
    )["issue_category"]["id"]
    me = person.call("GET", "/users/current.json")["user"]["id"]
    issue = person.issue("eins", assigned_to_id=me, category_id=category, estimated_hours=2.5)
    record = find(connector, issue)
    connector.update(record.ref, {"title": "zwei", "due": "2026-12-01", "status": "2"}, record.version)
    now = person.look(issue)
    assert (now["assigned_to"]["id"], now["category"]["id"], now["estimated_hours"]) == (me, category, 2.5)
    assert now["subject"] == "zwei"


def test_a_write_of_what_is_there_sends_nothing(person: RedminePerson, connector: RedmineConnector) -> None:
    """It would stamp the issue, and look like an edit everywhere."""
    issue = person.add("eins")
    record = find(connector, issue)
    before = person.look(issue, include="journals")
    assert connector.update(record.ref, {"title": "eins", "description": ""}, record.version) == record
    assert person.look(issue, include="journals") == before


def test_success_proves_nothing(redmine: Redmine) -> None:
    """A reporter's edit is answered with 204, and nothing happened."""
    person = RedminePerson(redmine, bridge="rolf")
    connector = ready(person)
    record = find(connector, person.add("eins"))
    assert shown(connector.update(record.ref, {"title": "zwei"}, record.version)) == record.fields


def test_a_status_that_the_workflow_forbids_is_refused_in_words(redmine: Redmine) -> None:
    person = RedminePerson(redmine, bridge="dora")
    connector = ready(person)
    issue = person.add("eins")
    record = find(connector, issue)
    with pytest.raises(Rejected, match="to “Abgewiesen” now: the workflow forbids it") as failure:
        connector.update(record.ref, {"title": "zwei", "status": "away"}, record.version)
    assert failure.value.clean
    assert person.look(issue)["subject"] == "eins"


def test_a_parent_is_closed_when_its_children_are(person: RedminePerson, connector: RedmineConnector) -> None:
    parent = person.add("oben")
    child = person.issue("unten", parent_issue_id=number(parent))
    record = find(connector, parent)
    with pytest.raises(Rejected, match="an open subtask"):
        connector.update(record.ref, {"status": "5"}, record.version)
    person.change(child, status_id=5)
    record = find(connector, parent)
    assert shown(connector.update(record.ref, {"status": "5"}, record.version))["status"] == "5"


def test_what_children_decide_is_not_sent(person: RedminePerson, connector: RedmineConnector) -> None:
    parent = person.add("oben")
    person.issue("unten", parent_issue_id=number(parent), due_date="2026-12-01")
    record = find(connector, parent)
    after = connector.update(record.ref, {"title": "ganz oben", "due": "2026-01-01", "progress": 50}, record.version)
    assert shown(after)["title"] == "ganz oben"
    assert person.look(parent)["due_date"] == "2026-12-01"


def test_a_parent_can_be_left_again(person: RedminePerson, connector: RedmineConnector) -> None:
    parent, child = person.add("oben"), person.add("unten")
    record = find(connector, child)
    record = connector.update(record.ref, {"parent": parent}, record.version)
    assert shown(record)["parent"] == parent
    assert shown(connector.update(record.ref, {"parent": None}, record.version))["parent"] is None


def test_dates_that_cross_are_refused_with_the_reason(person: RedminePerson, connector: RedmineConnector) -> None:
    record = find(connector, person.issue("eins", start_date="2026-12-01"))
    with pytest.raises(Rejected, match=r"refuses this: .+"):
        connector.update(record.ref, {"due": "2026-11-01"}, record.version)
    assert shown(connector.update(record.ref, {"start": "2026-10-01", "due": "2026-11-01"}, record.version))


def test_put_away_and_fetched_back(person: RedminePerson, connector: RedmineConnector) -> None:
    issue = person.add("eins")
    record = find(connector, issue)
    record = connector.update(record.ref, {"status": "away"}, record.version)
    assert (shown(record)["status"], person.look(issue)["status"]["name"]) == ("away", "Abgewiesen")
    assert shown(connector.update(record.ref, {"status": "1"}, record.version))["status"] == "1"


def test_a_record_that_was_written_and_cannot_be_read_back_is_no_refusal(
    person: RedminePerson, connector: RedmineConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = find(connector, person.add("eins"))
    fetch, calls = connector._fetch, []

    def once(native_id: str) -> object:
        calls.append(native_id)
        if len(calls) > 1:
            raise Lost("nothing came")
        return fetch(native_id)

    monkeypatch.setattr(connector, "_fetch", once)
    with pytest.raises(Transient, match="did not say what it made of"):
        connector.update(record.ref, {"title": "zwei"}, record.version)


def test_a_record_that_was_made_and_cannot_be_read_back_is_made(
    person: RedminePerson, connector: RedmineConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(native_id: str) -> object:
        raise Lost("nothing came")

    with monkeypatch.context() as patch:
        patch.setattr(connector, "_fetch", never)
        made = connector.create({"title": "eins", "description": "zwei\ndrei", "due": "2026-12-01"}, "")
    assert find(connector, made.ref.native_id) == made


def test_a_closed_project_forbids(person: RedminePerson, connector: RedmineConnector) -> None:
    record = find(connector, person.add("eins"))
    person.redmine.call("admin", "PUT", f"/projects/{person.collection}/close.json")
    with pytest.raises(Forbidden):
        connector.update(record.ref, {"title": "zwei"}, record.version)


# ---- versions ----------------------------------------------------------------------------------------------------


def test_a_long_title_is_shown_shortened_and_never_read_back(
    person: RedminePerson, connector: RedmineConnector
) -> None:
    made = connector.create({"type": "version", "title": LONG}, "")
    assert shown(made)["title"] == person.look(made.ref.native_id)["name"] == SHORT
    assert connector.normalises("title", LONG, SHORT)
    assert not connector.normalises("title", SHORT, LONG)
    assert not connector.normalises("title", LONG, LONG[:60])
    record = connector.update(made.ref, {"title": LONG + "!"}, made.version)
    assert record.version == made.version


def test_a_description_of_many_lines_is_shown_as_one(person: RedminePerson, connector: RedmineConnector) -> None:
    text = "eins\nzwei\n" + "x" * 300
    made = connector.create({"type": "version", "title": "Baubeginn", "description": text}, "")
    assert len(str(shown(made)["description"])) == 255
    assert connector.normalises("description", text, shown(made)["description"])
    assert not connector.normalises("description", text, "etwas anderes")
    assert not connector.normalises("description", "", None)


def test_a_version_is_open_or_closed(person: RedminePerson, connector: RedmineConnector) -> None:
    version = person.version("Baubeginn")
    record = find(connector, version)

    def after(status: str) -> tuple[object, str]:
        nonlocal record
        record = connector.update(record.ref, {"status": status}, record.version)
        return shown(record)["status"], person.look(version)["status"]

    assert after("2") == ("1", "open")
    assert after("5") == ("5", "closed")
    assert after("1") == ("1", "open")
    person.change(version, status="locked")
    record = find(connector, version)
    assert after("1") == ("1", "locked")
    assert after("5") == ("5", "closed")


def test_a_version_is_put_away_and_fetched_back(person: RedminePerson, connector: RedmineConnector) -> None:
    version = person.version("Baubeginn")
    record = find(connector, version)
    record = connector.update(record.ref, {"status": "away"}, record.version)
    assert shown(record)["status"] == "away"
    assert (person.look(version)["status"], person.look(version)["wiki_page_title"]) == ("closed", "Eingestellt")
    record = connector.update(record.ref, {"status": "5"}, record.version)
    assert shown(record)["status"] == "5"
    record = connector.update(record.ref, {"status": "away"}, record.version)
    assert shown(connector.update(record.ref, {"status": "1"}, record.version))["status"] == "1"
    assert not person.look(version)["wiki_page_title"]


def test_a_wiki_page_of_a_version_is_left_to_people(person: RedminePerson, connector: RedmineConnector) -> None:
    version = person.version("Baubeginn", wiki_page_title="Bauplan")
    record = find(connector, version)
    assert shown(connector.update(record.ref, {"status": "away"}, record.version))["status"] == "5"
    assert person.look(version)["wiki_page_title"] == "Bauplan"


def test_an_edit_of_a_version_is_not_overwritten(person: RedminePerson, connector: RedmineConnector) -> None:
    version = person.version("Baubeginn")
    record = find(connector, version)
    person.change(version, due_date="2026-12-24")
    with pytest.raises(VersionMismatch) as failure:
        connector.update(record.ref, {"due": "2026-12-01"}, record.version)
    fresh = failure.value.record
    assert isinstance(fresh, Record)
    assert shown(fresh)["due"] == "2026-12-24"
    assert shown(connector.update(record.ref, {"due": None}, fresh.version))["due"] is None


def test_an_account_that_may_not_manage_versions_is_told(redmine: Redmine) -> None:
    person = RedminePerson(redmine, bridge="rolf")
    with pytest.raises(Forbidden):
        ready(person).create({"type": "version", "title": "Baubeginn"}, "")


# ---- deleting ----------------------------------------------------------------------------------------------------


def test_an_issue_does_not_take_its_children_with_it(person: RedminePerson, connector: RedmineConnector) -> None:
    parent = person.add("oben")
    child = person.issue("unten", parent_issue_id=number(parent))
    record = find(connector, parent)
    with pytest.raises(Rejected, match="has subtasks"):
        connector.delete(record.ref, record.version)
    assert connector.pull(None, {}).present == {parent, child}


def test_a_version_with_issues_is_kept(person: RedminePerson, connector: RedmineConnector) -> None:
    version = person.version("Baubeginn")
    issue = person.issue("eins", fixed_version_id=number(version))
    record = find(connector, version)
    with pytest.raises(Rejected, match="there are issues in it"):
        connector.delete(record.ref, record.version)
    person.change(issue, fixed_version_id="")
    connector.delete(record.ref, record.version)
    assert connector.probe(record.ref) == Gone()


# ---- nothing is set off ------------------------------------------------------------------------------------------


def test_nobody_is_called_by_a_copied_text(person: RedminePerson, connector: RedmineConnector) -> None:
    """Asked of Redmine itself: whom it would send a mail because of the description."""
    text = "Hallo @anna, @dora.\n@rolf\n<pre>@gast</pre> und presse@aachen.de"
    made = connector.create({"title": "@anna", "description": text}, "")
    by_hand = person.issue("von Hand", description="Bitte @dora !")
    assert shown(made)["description"] == text
    record = find(connector, by_hand)
    changed = connector.update(record.ref, {"description": "Bitte @dora ! Und @anna"}, record.version)
    assert shown(changed)["description"] == "Bitte @dora ! Und @anna"
    called = person.redmine.script(
        "puts %w[{}].map {{ |id| Issue.find(id).send(:scan_for_mentioned_users, Issue.find(id).description)"
        ".flatten.join('+') }}.join(';')".format(" ".join(str(number(one)) for one in (made.ref.native_id, by_hand)))
    )
    assert called.strip().splitlines()[-1] == ";dora"


def test_settings_of_writes_are_kept(person: RedminePerson) -> None:
    assert connect(person).abilities.writes == 2
    assert connect(person, writes=5).abilities.writes == 5
    assert replace(connect(person).abilities, writes=2) == connect(person).abilities


# ---- the server's time (R4) --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [0, 3_600, -3_600])
def test_a_server_without_a_date_tells_its_time_by_what_it_stamps(
    person: RedminePerson, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    """Redmine's own web server sends no Date (section 2); here it is our clock that is off."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - ahead)
    connector = ready(person)
    issue = person.add("eins")
    connector.pull(None, {})
    assert connector.clock is None
    record = find(connector, issue)
    changed = connector.update(record.ref, {"title": "zwei"}, record.version)
    assert connector.clock is not None
    low, high = connector.clock
    assert ahead - 3 < low <= ahead <= high < ahead + 3
    connector.update(changed.ref, {"title": "drei"}, changed.version)
    assert low <= connector.clock[0] <= ahead <= connector.clock[1] <= high
    fresh = ready(person)
    fresh.create({"title": "vier"}, "mark")
    assert fresh.clock is not None
    assert fresh.clock[0] <= ahead <= fresh.clock[1]


def test_a_version_that_took_nothing_tells_no_time(person: RedminePerson) -> None:
    version = person.version("Phase 1")
    connector = ready(person)
    record = find(connector, version)
    connector.update(record.ref, {"title": "Phase 2"}, record.version)
    assert connector.clock is None
