"""Private issues on a real Redmine: what a connector does that is marked as fit for them, and what no other does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.base import Alive
from connectors.errors import Rejected
from connectors.redmine import privacy
from connectors.redmine.binding import Binding, Rights
from connectors.redmine.wire import Wire
from tests.mirror import Desk
from tests.radicale_server import Radicale
from tests.redmine_person import RedminePerson
from tests.redmine_server import Redmine
from tests.redmine_tools import connect, find, known, ready, shown
from tests.test_redmine_mirroring import between, issues, rests, versions

pytestmark = [pytest.mark.redmine, pytest.mark.radicale, pytest.mark.xdist_group("redmine")]


@pytest.fixture
def person(redmine: Redmine) -> RedminePerson:
    return RedminePerson(redmine)


@pytest.fixture
def desk(radicale: Radicale) -> Desk:
    return Desk(radicale)


def everybody_sees(person: RedminePerson) -> set[str]:
    """The subjects of all issues that a colleague without any right to private ones is shown."""
    path = f"/projects/{person.collection}/issues.json"
    found = person.redmine.call("rolf", "GET", path, status_id="*", limit="100")["issues"]
    return {one["subject"] for one in found}


def allows(monkeypatch: pytest.MonkeyPatch, said: Rights) -> None:
    """The roles say this, whatever is true: as where a workflow forbids what a role allows."""
    monkeypatch.setattr(privacy, "rights", lambda *_: said)


def test_a_fit_connector_reads_private_issues_as_any_other(person: RedminePerson) -> None:
    private, plain = person.issue("Personalfrage", is_private=True), person.add("eins")
    connector = ready(person, confidential=True)
    before = connector.pull(None, {})
    assert {one.ref.native_id: shown(one)["private"] for one in before.records} == {private: True, plain: False}
    assert before.present == {private, plain}
    person.change(plain, is_private=True)
    after = connector.pull(before.cursor, known(before))
    assert [(one.ref.native_id, shown(one)["private"]) for one in after.records] == [(plain, True)]
    assert after.present == {private, plain}
    assert connector.probe(after.records[0].ref) == Alive(after.records[0])
    assert set(connector.times(after.records[0].ref, ["private"])) == {"private"}


def test_other_connectors_know_no_such_field(person: RedminePerson) -> None:
    person.add("eins")
    connector = ready(person)
    (record,) = connector.pull(None, {}).records
    assert "private" not in shown(record)
    assert "private" not in connector.abilities.defaults
    assert "private" not in (connector.abilities.create_fields or ())
    assert connector.update(record.ref, {"private": True}, record.version) == record
    with pytest.raises(Rejected, match="not mirrored, so none is made"):
        connector.create({"title": "zwei", "private": True}, "mark")
    assert everybody_sees(person) == {"eins"}


def test_an_issue_is_private_from_the_moment_it_is_made(person: RedminePerson, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = ready(person, confidential=True)
    sent: list[Any] = []
    post = Wire.make_issue

    def watched(wire: Wire, project: int, body: Any) -> Any:
        sent.append(body["is_private"])
        made = post(wire, project, body)
        assert "Personalfrage" not in everybody_sees(person)
        return made

    monkeypatch.setattr(Wire, "make_issue", watched)
    made = connector.create({"title": "Personalfrage", "description": "geheim", "private": True}, "mark")
    assert sent == [True]
    assert shown(made)["private"] is True
    assert person.look(made.ref.native_id)["is_private"]
    assert shown(find(connector, made.ref.native_id)) == shown(made)


def test_the_mark_is_set_and_taken_off(person: RedminePerson) -> None:
    issue = person.add("eins")
    connector = ready(person, confidential=True)
    record = find(connector, issue)
    record = connector.update(record.ref, {"private": True, "title": "Kündigung"}, record.version)
    assert (shown(record)["private"], shown(record)["title"]) == (True, "Kündigung")
    assert everybody_sees(person) == set()
    record = connector.update(record.ref, {"private": False, "title": "zwei"}, record.version)
    assert shown(record)["private"] is False
    assert everybody_sees(person) == {"zwei"}


def test_a_version_is_never_made_for_what_is_confidential(person: RedminePerson) -> None:
    connector = ready(person, confidential=True)
    with pytest.raises(Rejected, match="cannot be private, so no confidential milestone"):
        connector.create({"type": "version", "title": "Umzug", "private": True}, "mark")
    assert versions(person) == {}
    assert "private" not in shown(connector.create({"type": "version", "title": "Umzug"}, "mark"))


def test_who_may_not_make_issues_private_is_told_and_makes_none(redmine: Redmine) -> None:
    person = RedminePerson(redmine, bridge="dora")
    connector = connect(person, confidential=True)
    said = connector.identify().warnings
    assert [text for text in said if "may not make issues private" in text]
    assert [text for text in said if "does not see private issues of others" in text]
    with pytest.raises(Rejected, match="nothing confidential is made there"):
        connector.create({"title": "Personalfrage", "private": True}, "mark")
    record = find(connector, person.add("eins"))
    with pytest.raises(Rejected, match="may not make issue"):
        connector.update(record.ref, {"private": True, "title": "Kündigung"}, record.version)
    assert everybody_sees(person) == {"eins"}
    assert ready(person).identify().warnings == ()
    assert ready(RedminePerson(redmine), confidential=True).identify().warnings == ()


@pytest.mark.parametrize(
    ("said", "own", "other"),
    [
        (Rights(hides="own", sees=True), True, False),
        (Rights(hides="own"), True, False),
        (Rights(hides="all"), True, False),
        (Rights(hides="all", sees=True), True, True),
        (Rights(sees=True), False, False),
    ],
)
def test_only_what_stays_in_our_sight_is_made_private(
    person: RedminePerson, monkeypatch: pytest.MonkeyPatch, said: Rights, own: bool, other: bool
) -> None:
    connector = ready(person, confidential=True)
    ours, theirs = connector.create({"title": "unsers"}, "mark"), find(connector, person.add("fremd"))
    allows(monkeypatch, said)
    for record, may in ((ours, own), (theirs, other)):
        if may:
            assert shown(connector.update(record.ref, {"private": True}, record.version))["private"]
        else:
            with pytest.raises(Rejected, match="may not make issue"):
                connector.update(record.ref, {"private": True}, record.version)
            assert not person.look(record.ref.native_id)["is_private"]


def test_what_did_not_become_private_is_taken_back_and_gets_no_secret(person: RedminePerson) -> None:
    """A workflow can forbid what a role allows, for one tracker and status, and the interface tells nobody."""
    redmine = person.redmine
    redmine.script(
        "role = Role.givable.find_by(position: 1); Tracker.all.each { |tracker| [0, *IssueStatus.ids].each { |status| "
        "WorkflowPermission.new(role: role, tracker: tracker, old_status_id: status, field_name: 'is_private', "
        "rule: 'readonly').save!(validate: false) } }"
    )
    try:
        connector = ready(person, confidential=True)
        with pytest.raises(Rejected, match="so it was deleted again"):
            connector.create({"title": "Personalfrage", "private": True}, "mark")
        record = find(connector, person.add("eins"))
        with pytest.raises(Rejected, match="did not make issue"):
            connector.update(record.ref, {"private": True, "title": "Kündigung"}, record.version)
        assert everybody_sees(person) == {"eins"}
    finally:
        redmine.script("WorkflowPermission.where(field_name: 'is_private').delete_all")


def test_what_can_neither_be_private_nor_be_taken_back_is_still_ours(
    redmine: Redmine, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = RedminePerson(redmine, bridge="dora")  # whose role may not delete issues
    allows(monkeypatch, Rights(hides="all", sees=True))
    made = ready(person, confidential=True).create({"title": "Personalfrage", "private": True}, "mark")
    assert shown(made)["private"] is False


def test_rights_are_those_of_the_roles(redmine: Redmine) -> None:
    def bound(who: str) -> Binding:
        connector = ready(RedminePerson(redmine, bridge=who))
        return connector._bound

    assert (bound("bruecke").hides, bound("bruecke").sees) == ("all", True)
    assert (bound("admin").hides, bound("admin").sees) == ("all", True)
    assert (bound("dora").hides, bound("dora").sees) == ("", False)
    stranger = ready(RedminePerson(redmine, bridge="gast", is_public=True))._bound
    assert (stranger.hides, stranger.sees) == ("", False)


# ---- with the whole bridge ------------------------------------------------------------------------------------------


def test_a_confidential_task_is_private_there_and_back(tmp_path: Path, person: RedminePerson, desk: Desk) -> None:
    mirror = between(tmp_path, person, desk)
    mirror.sets(tracker_confidential="true", kalender_confidential="true")
    desk.adds("Personalfrage", "CLASS:CONFIDENTIAL")
    desk.adds("offen")
    person.issue("Vergabe", is_private=True)
    mirror.begins()
    assert {name: one["is_private"] for name, one in issues(person).items()} == {
        "Personalfrage": True,
        "offen": False,
        "Vergabe": True,
    }
    assert everybody_sees(person) == {"offen"}
    assert desk.task("Vergabe")["CLASS"] == "CONFIDENTIAL"
    rests(mirror)
    desk.edits("offen", "CLASS:PRIVATE")
    person.change(f"issues/{issues(person)['Vergabe']['id']}", is_private=False)
    mirror.sync()
    assert everybody_sees(person) == {"Vergabe"}
    assert "CLASS" not in desk.task("Vergabe").properties
    rests(mirror)


def test_where_our_role_may_not_hide_it_a_confidential_task_waits(tmp_path: Path, redmine: Redmine, desk: Desk) -> None:
    person = RedminePerson(redmine, bridge="dora")
    mirror = between(tmp_path, person, desk)
    mirror.sets(tracker_confidential="true", kalender_confidential="true")
    desk.adds("Personalfrage", "CLASS:CONFIDENTIAL")
    desk.adds("offen")
    mirror.sync("--accept", ends=1)
    assert set(issues(person)) == {"offen"}
    (parked,) = mirror.json("status")["parked"]
    assert parked["title"] == "Personalfrage"
    assert "nothing confidential is made there" in str(parked)
    assert "may not make issues private" in mirror.run("check").said
