"""What a pull, a probe and a sign-in see on a real Redmine; every trap that was measured has a test."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from connectors.base import Alive, Gone, Hidden, Moved, OutOfScope, Ref
from connectors.errors import CursorExpired, NotACollection, NotFound, Transient, Unauthorized
from connectors.redmine import wire
from tests.redmine_person import RedminePerson
from tests.redmine_server import Redmine
from tests.redmine_tools import connect, find, known, ready, shown

pytestmark = [pytest.mark.redmine, pytest.mark.xdist_group("redmine")]

WRONG = "f" * 40


@pytest.fixture
def person(redmine: Redmine) -> RedminePerson:
    return RedminePerson(redmine)


# ---- who we are, and where -------------------------------------------------------------------------------------


def test_a_project_is_found_by_identifier_id_and_name(person: RedminePerson) -> None:
    wanted = str(person.project["id"])
    for name in (person.collection, wanted, person.project["name"].upper(), f" {person.collection} "):
        assert connect(person, collection=name).identify().collection == wanted


def test_the_address_of_a_project_is_understood(person: RedminePerson) -> None:
    url = f"{person.redmine.url}/projects/{person.collection}/issues?set_filter=1"
    assert connect(person, url=url).identify().collection == str(person.project["id"])


def test_a_project_that_is_not_there_is_said_with_those_that_are(person: RedminePerson) -> None:
    with pytest.raises(NotACollection, match="no project “strategie-2099”") as failure:
        connect(person, collection="strategie-2099").identify()
    assert "stamm" in failure.value.found


def test_a_project_that_lets_nobody_in_is_no_missing_one(person: RedminePerson) -> None:
    with pytest.raises(Unauthorized, match="make it a member"):
        connect(person, token=person.redmine.keys["gast"]).identify()


def test_a_wrong_key_is_said_at_once(person: RedminePerson) -> None:
    with pytest.raises(Unauthorized, match="does not accept the key in RATHAUS_TOKEN") as failure:
        connect(person, token=WRONG).identify()
    assert WRONG not in str(failure.value)


def test_an_address_without_redmine_is_said(person: RedminePerson) -> None:
    with pytest.raises(NotACollection, match="There is no Redmine at"):
        connect(person, url=f"{person.redmine.url}/anderswo").identify()


def test_what_an_account_may_not_do_is_said(redmine: Redmine) -> None:
    person = RedminePerson(redmine, bridge="rolf")
    identity = ready(person).identify()
    assert not identity.writable
    assert [text for text in identity.warnings if "may not make or change issues" in text]
    assert ready(RedminePerson(redmine, bridge="dora")).identify().warnings == ()


def test_a_closed_project_takes_no_writes(person: RedminePerson) -> None:
    person.redmine.call("admin", "PUT", f"/projects/{person.collection}/close.json")
    identity = ready(person).identify()
    assert not identity.writable
    assert [text for text in identity.warnings if "it is closed" in text]


def test_the_key_is_sent_in_its_own_header_and_nothing_else(person: RedminePerson) -> None:
    connector = connect(person, url=person.redmine.url.replace("//", "//anna:geheim@"), user="anna", password="geheim")
    headers = connector._wire.http._session.headers
    assert "Authorization" not in headers
    assert connector.identify().writable


# ---- a key that does not hold any more -------------------------------------------------------------------------


@pytest.mark.parametrize("public", [True, False])
def test_a_revoked_key_is_no_empty_project(redmine: Redmine, public: bool) -> None:
    person = RedminePerson(redmine, is_public=public)
    person.add("eins")
    person.issue("intern", is_private=True)
    before = ready(person)
    changes = before.pull(None, {})
    revoked = connect(person, token=WRONG)
    revoked.identify((before.memory() or "").replace(redmine.keys["bruecke"], WRONG))
    for cursor in (None, changes.cursor):
        with pytest.raises(Unauthorized):
            revoked.pull(cursor, {})
    with pytest.raises((Unauthorized, NotFound)):
        revoked.update(changes.records[0].ref, {"title": "zwei"}, changes.records[0].version)


def test_a_revoked_key_sees_no_table_of_ids(person: RedminePerson) -> None:
    """It is answered with the form in which people sign in, and that is no table."""
    with pytest.raises(Unauthorized, match="check RATHAUS_TOKEN"):
        connect(person, token=WRONG)._wire.issue_ids(person.project["id"])


@pytest.mark.parametrize("act", ["delete", "archive"])
def test_a_project_that_is_gone_deletes_nothing(redmine: Redmine, act: str) -> None:
    person = RedminePerson(redmine)
    connector = ready(person)
    record = find(connector, person.add("eins"))
    cursor = connector.pull(None, {}).cursor
    path = f"/projects/{person.collection}"
    redmine.call("admin", *(("DELETE", f"{path}.json") if act == "delete" else ("PUT", f"{path}/archive.json")))
    for before in (None, cursor):
        with pytest.raises((NotACollection, Unauthorized)):
            connector.pull(before, {})
    if act == "delete":
        with pytest.raises(NotACollection, match="is not there any more for our account"):
            connector.probe(record.ref)
    else:
        assert connector.probe(record.ref) == Hidden()


def test_a_revoked_key_proves_no_deletion(person: RedminePerson) -> None:
    before = ready(person)
    record = find(before, person.add("eins"))
    person.remove(record.ref.native_id)
    revoked = connect(person, token=WRONG)
    revoked.identify(before.memory())
    with pytest.raises(Unauthorized):
        revoked.probe(record.ref)


# ---- what is listed ----------------------------------------------------------------------------------------------


def test_closed_issues_are_listed_and_those_of_subprojects_are_not(person: RedminePerson) -> None:
    closed, opened = person.add("fertig"), person.add("offen")
    person.change(closed, status_id=5)
    below = RedminePerson(person.redmine, parent_id=person.project["id"], inherit_members=True)
    below.add("darunter")
    connector = ready(person)
    changes = connector.pull(None, {})
    assert changes.present == {closed, opened}
    assert connector.pull(changes.cursor, known(changes)).present == {closed, opened}


def test_an_issue_and_a_version_of_one_number_are_two_records(person: RedminePerson) -> None:
    issue, version = person.add("eins"), person.version("Meilenstein")
    numbers = {issue.partition("/")[2], version.partition("/")[2]}
    changes = ready(person).pull(None, {})
    assert changes.present == {issue, version}
    assert all(record.ref.native_id.partition("/")[2] in numbers for record in changes.records)
    assert {record.ref.native_id: shown(record)["type"] for record in changes.records} == {
        issue: "1",
        version: "version",
    }


def test_pages_do_not_drift_while_people_work(person: RedminePerson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PAGE", 2)
    ids = [person.add(f"Nr. {number}") for number in range(7)]
    listing = ready(person)._wire.issues(person.project["id"])
    seen = [f"issues/{next(listing)['id']}"]
    person.remove(ids[0])
    person.edit(ids[1], "title", "geändert")
    seen += [f"issues/{row['id']}" for row in listing]
    assert seen == ids


def test_the_table_of_ids_is_read_beyond_its_limit(person: RedminePerson) -> None:
    """The server of these tests cuts it after three rows, without a word."""
    ids = {person.add(f"Nr. {number}") for number in range(7)}
    connector = ready(person)
    before = connector.pull(None, {})
    assert connector.pull(before.cursor, known(before)).present == ids
    assert {f"issues/{id}" for id in connector._wire.issue_ids(person.project["id"])} == ids


def test_a_private_issue_is_not_carried_elsewhere(person: RedminePerson) -> None:
    person.issue("vertraulich", is_private=True)
    one, other = person.add("eins"), person.add("zwei")
    connector = ready(person)
    changes = connector.pull(None, {})
    assert changes.present == {one, other}
    record = find(connector, one)
    person.change(one, is_private=True)
    assert connector.pull(changes.cursor, known(changes)).present == {other}
    assert connector.probe(record.ref) == OutOfScope()
    with pytest.raises(NotFound):
        connector.update(record.ref, {"title": "drei"}, record.version)


def test_a_private_issue_that_our_account_made_is_not_carried_elsewhere_either(redmine: Redmine) -> None:
    """Who may not set the mark cannot filter by it, and is shown what is private of its own."""
    person = RedminePerson(redmine, who="dora", bridge="dora")
    public, private = person.add("eins"), person.add("zwei")
    connector = ready(person)
    changes = connector.pull(None, {})
    redmine.call("anna", "PUT", f"/{private}.json", {"issue": {"is_private": True}})
    assert person.look(private)["is_private"]
    assert connector.pull(changes.cursor, known(changes)).present == {public}
    assert [record.ref.native_id for record in connector.pull(None, {}).records] == [public]


def test_a_shared_version_is_another_projects_record(person: RedminePerson) -> None:
    shared = f"versions/{person.redmine.shared_version()}"
    issue = person.issue("eins", fixed_version_id=int(shared.partition("/")[2]))
    changes = ready(person).pull(None, {})
    assert changes.present == {issue}
    assert shown(changes.records[0])["milestone"] == shared


def test_options_come_in_the_order_of_the_instance(person: RedminePerson) -> None:
    options = ready(person).pull(None, {}).options
    assert options is not None
    assert options["status"] == {
        "1": "Neu",
        "2": "In Bearbeitung",
        "3": "Gelöst",
        "4": "Feedback",
        "5": "Erledigt",
        "away": "Abgewiesen",
    }
    assert list(options["priority"].values()) == ["Niedrig", "Normal", "Hoch", "Dringend", "Sofort"]
    assert list(options["type"].values()) == ["Version", "Issue", "Fehler", "Feature", "Unterstützung"]


def test_line_ends_are_those_of_the_engine(person: RedminePerson) -> None:
    issue = person.issue("eins", description="eins\nzwei\rdrei")
    assert "\r\n" in person.look(issue)["description"]
    assert shown(find(ready(person), issue))["description"] == "eins\nzwei\ndrei"


def test_what_was_never_said_is_as_empty_as_what_was_cleared(person: RedminePerson) -> None:
    never, cleared = person.add("eins"), person.issue("zwei", description="x")
    person.change(cleared, description="")
    assert person.look(never)["description"] is None
    connector = ready(person)
    assert shown(find(connector, never))["description"] == shown(find(connector, cleared))["description"] == ""


def test_a_field_that_a_tracker_lacks_is_absent(redmine: Redmine) -> None:
    person = RedminePerson(redmine, tracker_ids=[4])
    issue = person.issue("eins")
    connector = ready(person)
    fields = shown(find(connector, issue))
    assert set(fields) == {"type", "title", "description", "status", "priority", "due"}
    record = connector.create({"title": "zwei", "type": "issue", "progress": 40, "start": "2026-12-01"}, "")
    assert shown(record)["type"] == "4"


def test_what_children_decide_is_absent_from_their_parent(person: RedminePerson) -> None:
    parent = person.issue("oben", due_date="2026-10-01", priority_id=1)
    connector = ready(person)
    before = connector.pull(None, {})
    assert shown(before.records[0])["due"] == "2026-10-01"
    child = person.issue("unten", parent_issue_id=int(parent.partition("/")[2]), due_date="2026-12-01", priority_id=4)
    after = connector.pull(before.cursor, known(before))
    found = {record.ref.native_id: record for record in after.records}
    assert person.look(parent)["due_date"] == "2026-12-01"
    assert not {"due", "start", "priority", "progress"} & set(shown(found[parent]))
    assert found[parent].locked == {"due", "start", "priority", "progress"}
    assert (shown(found[child])["due"], shown(found[child])["parent"]) == ("2026-12-01", parent)
    answer = connector.probe(found[parent].ref)
    assert isinstance(answer, Alive)
    assert (answer.record.fields, answer.record.version) == (found[parent].fields, found[parent].version)
    person.remove(child)
    assert shown(find(connector, parent))["due"] is not None


# ---- what changed ------------------------------------------------------------------------------------------------


def test_what_only_moves_the_stamp_is_no_change(person: RedminePerson) -> None:
    issue = person.add("eins")
    connector = ready(person)
    before = connector.pull(None, {})
    person.change(issue, notes="Gesehen.")
    person.change(issue, subject="eins")
    person.change(issue)
    person.change(issue, estimated_hours=3)
    assert connector.pull(before.cursor, known(before)).records == ()


def test_a_change_that_was_taken_back_comes_all_the_same(person: RedminePerson) -> None:
    """Somebody may have seen what was there in between."""
    issue = person.add("eins")
    connector = ready(person)
    before = connector.pull(None, {})
    time.sleep(1.1)  # stamps have whole seconds
    person.edit(issue, "title", "zwei")
    person.edit(issue, "title", "eins")
    assert [shown(record)["title"] for record in connector.pull(before.cursor, {}).records] == ["eins"]


def test_a_quiet_pull_asks_five_questions(person: RedminePerson) -> None:
    person.add("eins")
    person.version("Meilenstein")
    first = ready(person)
    before = first.pull(None, {})
    connector = connect(person)
    connector.identify(first.memory())
    assert connector.pull(before.cursor, {}).records == ()
    assert connector.requests == 5  # two for the ids, whose last page is known by being empty


def test_a_version_that_changed_comes_alone(person: RedminePerson) -> None:
    one, other = person.version("eins"), person.version("zwei")
    person.add("Aufgabe")
    connector = ready(person)
    before = connector.pull(None, {})
    person.change(other, due_date="2026-12-31")
    after = connector.pull(before.cursor, known(before))
    assert [(record.ref.native_id, shown(record)["due"]) for record in after.records] == [(other, "2026-12-31")]
    assert one in after.present


def test_a_cursor_lasts_for_a_day_and_for_its_own_project(
    person: RedminePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.add("eins")
    connector = ready(person)
    cursor = connector.pull(None, {}).cursor
    assert cursor is not None
    for wrong in ("", "{}", "[]", json.dumps({**json.loads(cursor), "project": 0})):
        with pytest.raises(CursorExpired):
            connector.pull(wrong, {})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86_401)
    with pytest.raises(CursorExpired):
        connector.pull(cursor, {})


def test_a_server_that_shows_nothing_new_any_more_is_read_whole(person: RedminePerson) -> None:
    issue = person.add("eins")
    connector = ready(person)
    before = connector.pull(None, {})
    person.remove(issue)
    with pytest.raises(CursorExpired):
        connector.pull(before.cursor, known(before))
    assert connector.pull(None, known(before)).present == frozenset()


def test_a_row_that_cannot_be_read_hides_no_other(person: RedminePerson, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = person.add("eins"), person.add("zwei")
    connector = ready(person)
    rows = [dict(row) for row in connector._wire.issues(person.project["id"])]
    monkeypatch.setattr(connector._wire, "issues", lambda *_, **__: iter([{**rows[0], "status": "offen"}, rows[1]]))
    found = {record.ref.native_id: record for record in connector.pull(None, {}).records}
    assert "shape that we cannot read" in found[bad].problem
    assert shown(found[good])["title"] == "zwei"


def test_a_listing_that_ignores_what_was_asked_is_not_believed(
    person: RedminePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PAGE", 1)
    ids = [person.add("eins"), person.add("zwei")]
    connector = ready(person)
    send = connector._wire._send
    monkeypatch.setattr(
        connector._wire,
        "_send",
        lambda *words, params=None, **more: send(
            *words, params={k: v for k, v in (params or {}).items() if k != "issue_id"}, **more
        ),
    )
    with pytest.raises(Transient, match="did not list the issues that we asked for"):
        list(connector._wire.issues(person.project["id"]))
    assert len(ids) == 2


# ---- what became of a record -------------------------------------------------------------------------------------


def test_moved_is_not_gone(person: RedminePerson) -> None:
    elsewhere = RedminePerson(person.redmine)
    issue = person.add("eins")
    connector = ready(person)
    before = connector.pull(None, {})
    person.add("zwei")
    person.change(issue, project_id=elsewhere.project["id"])
    assert issue not in connector.pull(before.cursor, {}).present
    answer = connector.probe(before.records[0].ref)
    assert isinstance(answer, Moved)
    assert answer.collection == str(elsewhere.project["id"])
    assert answer.record is not None
    assert shown(answer.record)["title"] == "eins"
    with pytest.raises(NotFound):
        connector.update(before.records[0].ref, {"title": "zwei"}, before.records[0].version)


def test_out_of_sight_is_not_gone(person: RedminePerson) -> None:
    alone = person.redmine.project(parent_id=None, inherit_members=False)
    issue = person.add("eins")
    connector = ready(person)
    record = find(connector, issue)
    person.redmine.call("admin", "PUT", f"/{issue}.json", {"issue": {"project_id": alone["id"], "tracker_id": 1}})
    assert connector.probe(record.ref) == Hidden()
    with pytest.raises(NotFound):
        connector.update(record.ref, {"title": "zwei"}, record.version)


def test_an_id_that_is_used_again_is_another_record(person: RedminePerson) -> None:
    issue = person.add("eins")
    connector = ready(person)
    old = find(connector, issue)
    person.remove(issue)
    time.sleep(1.1)  # the moment of creation has whole seconds
    again = person.add("ein anderes")
    new = find(connector, again)
    if again != issue:
        pytest.skip("this database does not use ids again")
    assert new.ref != old.ref
    assert connector.probe(old.ref) == Gone()
    assert isinstance(connector.probe(new.ref), Alive)
    with pytest.raises(NotFound):
        connector.update(old.ref, {"title": "zwei"}, new.version)
    with pytest.raises(NotFound):
        connector.delete(old.ref, new.version)


def test_a_version_is_proven_gone_too(person: RedminePerson) -> None:
    version = person.version("Meilenstein")
    connector = ready(person)
    record = find(connector, version)
    assert isinstance(connector.probe(record.ref), Alive)
    person.remove(version)
    assert connector.probe(record.ref) == Gone()


# ---- exact times (R4) --------------------------------------------------------------------------------------------


def test_the_journals_tell_when_each_field_changed(person: RedminePerson) -> None:
    version = person.version("Phase 1")
    issue = person.issue("eins", due_date="2026-05-04")
    connector = ready(person)
    made = find(connector, issue)
    for attributes in ({"due_date": "2026-06-08"}, {"status_id": 2, "done_ratio": 40}, {"notes": "Gesehen."}):
        time.sleep(1.1)  # journals have whole seconds
        person.change(issue, **attributes)
    now = find(connector, issue)
    assert made.created_at is not None
    assert now.modified_at is not None
    before = connector.requests
    times = connector.times(now.ref, ("due", "status", "progress", "title", "unheard of"))
    assert connector.requests == before + 1
    assert times["title"] == made.created_at < times["due"] < times["status"] == times["progress"] < now.modified_at
    assert set(times) == {"due", "status", "progress", "title"}
    assert connector.times(replace(now.ref, born="2020-01-01T00:00:00Z"), ("due",)) == {}
    assert connector.times(find(connector, version).ref, ("due",)) == {}
    assert connector.times(Ref(now.ref.instance, "unheard of"), ("due",)) == {}
