"""Scopes: what wanders in and out of them, and that nothing dies or leaks by it (ADR 0021)."""

from __future__ import annotations

import pytest

from bridge.release import RESTS
from bridge.state import LinkState
from connectors.memory_platform import GONE
from mappings.canonical import normal
from tests.world import World

PRESS = "label = Presse"


def world(faces: str = "ab", release: str = "archive", scope: str = PRESS, at: str = "B") -> World:
    """Two platforms or more, one of which has a scope; "t1" is in it and mirrored, "t2" is not."""
    made = World(faces)
    made.connects(at, at, scope=scope, release=release)  # type: ignore[arg-type]
    made.person("A").creates("t1", labels=("Presse",)).creates("t2")
    made.sync_until_quiet()
    return made


# ---- in ---------------------------------------------------------------------------------------------------------


def test_what_is_outside_a_scope_is_not_made_there_and_what_is_inside_is() -> None:
    made = world()
    made.shows("B", "t1", labels=("Presse",))
    made.absent("B", "t2")
    assert not made.item("t2").dead


def test_what_enters_a_scope_appears_there() -> None:
    made = world()
    made.person("A").labels("t2", add=["presse"])
    made.sync_until_quiet()
    made.shows("B", "t2", labels=("presse",))


def test_a_record_that_people_make_outside_the_scope_stays_where_it_is() -> None:
    made = world()
    made.person("B").creates("lokal", due="2026-05-04")
    made.sync_until_quiet()
    made.absent("A", "lokal")
    made.shows("B", "lokal", due="2026-05-04")
    (waiting,) = made.store.unlinked()
    assert (waiting.title, waiting.outside, waiting.reason) == ("lokal", True, "")
    assert made.outcome.exit_code == 0


def test_it_is_taken_in_when_it_enters_the_scope() -> None:
    made = world()
    made.person("B").creates("lokal", due="2026-05-04")
    made.sync_until_quiet()
    made.person("B").labels("lokal", add=["Presse"])
    made.sync_until_quiet()
    made.shows("A", "lokal", due="2026-05-04", labels=("Presse",))
    assert made.store.unlinked() == []


def test_it_is_not_listed_any_more_when_it_is_gone() -> None:
    made = world()
    made.person("B").creates("lokal")
    made.sync_until_quiet()
    made.person("B").deletes("lokal")
    made.sync_until_quiet()
    assert made.store.unlinked() == []


def test_a_record_outside_the_scope_is_the_one_of_an_item_that_enters_it() -> None:
    made = world()
    made.person("B").creates("Bericht b", title="Bericht")
    made.person("A").creates("Bericht a", title="bericht")
    made.sync_until_quiet()
    assert len(made.store.unlinked()) == 1
    made.person("A").labels("Bericht a", add=["Presse"])
    made.sync_until_quiet()
    assert made.store.unlinked() == []
    made.shows("B", "Bericht a", labels=("Presse",))
    assert len([e for e in made.platforms["B"].entries.values() if normal(str(e.fields["title"])) == "bericht"]) == 1


# ---- out --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", "ABC")
def test_what_leaves_a_scope_is_archived_there_and_lives_elsewhere(place: str) -> None:
    made = world("abc", at=place)
    other = "B" if place == "A" else "A"
    made.person(other).labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    assert made.archived(place, "t1")
    assert not made.item("t1").dead
    assert made.link(place, "t1").state is LinkState.FROZEN
    assert (made.link(place, "t1").released, made.link(place, "t1").problem) == ("archived", RESTS)
    made.shows(other, "t1", labels=())
    made.shows("C" if place != "C" else "B", "t1", labels=())


def test_what_leaves_a_scope_is_deleted_there_where_the_settings_say_so() -> None:
    made = world(release="delete")
    native_id = made.record("B", "t1").id
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    assert made.platforms["B"].entries[native_id].place == GONE
    assert not made.item("t1").dead
    made.shows("A", "t1", labels=())
    made.person("A").labels("t1", add=["Presse"])
    made.sync_until_quiet()
    made.shows("B", "t1", labels=("Presse",))
    assert made.record("B", "t1").id != native_id


def test_what_leaves_a_scope_is_left_there_where_the_settings_say_so() -> None:
    made = world(release="leave")
    made.person("A").labels("t1", remove=["Presse"]).edits("t1", due="2026-05-04")
    made.sync_until_quiet()
    made.shows("B", "t1", labels=("Presse",), due=None)
    assert made.link("B", "t1").released == "left"
    made.person("B").edits("t1", due="2026-06-08")  # not read: it does not belong there any more
    made.sync_until_quiet()
    made.shows("A", "t1", due="2026-05-04")


@pytest.mark.parametrize("release", ["archive", "delete", "leave"])
def test_what_is_deleted_where_it_was_released_does_not_die_elsewhere(release: str) -> None:
    made = world(release=release)
    native_id = made.record("B", "t1").id
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    if release != "delete":
        made.person("B").deletes("t1")
        made.sync_until_quiet()
        made.passes(100_000)
        made.sync_until_quiet()
    made.shows("A", "t1", labels=())
    made.person("A").labels("t1", add=["Presse"])
    made.sync_until_quiet()
    made.shows("B", "t1", labels=("Presse",))
    assert made.record("B", "t1").id != native_id


def test_an_edit_that_takes_its_own_record_out_of_the_scope_travels_first() -> None:
    made = world("abc")
    made.person("B").labels("t1", remove=["Presse"]).edits("t1", due="2026-05-04")
    made.sync_until_quiet()
    made.shows("A", "t1", labels=(), due="2026-05-04")
    made.shows("C", "t1", labels=(), due="2026-05-04")
    assert made.archived("B", "t1")
    assert not made.item("t1").dead


@pytest.mark.parametrize("release", ["archive", "delete", "leave"])
def test_what_was_typed_just_before_a_release_is_not_lost(release: str) -> None:
    made = world(release=release)
    made.person("A").labels("t1", remove=["Presse"])
    made.during("B", "listing", "after", lambda: made.person("B").edits("t1", due="2026-05-04"))
    made.sync_until_quiet()
    if release != "leave":  # nothing is read just before nothing is written
        made.shows("A", "t1", due="2026-05-04")


@pytest.mark.parametrize("release", ["archive", "delete"])
def test_an_edit_just_before_the_release_that_keeps_it_in_scope_prevents_it(release: str) -> None:
    made = world(release=release, scope="label = Presse or visibility = public")
    made.person("A").labels("t1", remove=["Presse"])
    made.during("B", "listing", "after", lambda: made.person("B").edits("t1", visibility="public"))
    made.sync_until_quiet()
    made.shows("B", "t1", labels=(), visibility="public", archived=False)
    made.shows("A", "t1", labels=(), visibility="public")


# ---- back again -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", "ABC")
@pytest.mark.parametrize("release", ["archive", "delete", "leave"])
def test_what_comes_back_shows_what_was_agreed_meanwhile(place: str, release: str) -> None:
    made = world("abc", release=release, at=place)
    other = made.person("B" if place == "A" else "A")
    other.labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    other.edits("t1", due="2026-05-04")
    made.sync_until_quiet()
    other.labels("t1", add=["Presse"])
    made.sync_until_quiet()
    made.everywhere("t1", due="2026-05-04", labels=("Presse",), archived=False)
    assert made.link(place, "t1").state is LinkState.LIVE
    assert made.link(place, "t1").released == ""


@pytest.mark.parametrize("release", ["archive", "leave"])
def test_what_people_did_there_meanwhile_is_merged_when_it_comes_back(release: str) -> None:
    made = world(release=release)
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    made.person("B").edits("t1", due="2026-06-08", start="2026-05-04")
    made.passes(60)
    made.person("A").edits("t1", due="2026-05-18")
    made.sync_until_quiet()
    made.shows("A", "t1", due="2026-05-18", start=None)
    made.person("A").labels("t1", add=["Presse"])
    made.sync_until_quiet()
    made.everywhere("t1", due="2026-05-18", start="2026-05-04")
    assert made.losers("t1", "due") == ["2026-06-08"]


@pytest.mark.parametrize("release", ["archive", "leave"])
def test_an_edit_of_a_released_record_that_belongs_to_the_scope_brings_it_back(release: str) -> None:
    made = world(release=release, scope="label = Presse or label = Rat")
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    made.person("B").edits("t1", due="2026-05-04")
    made.sync_until_quiet()
    made.shows("A", "t1", due=None)
    made.person("B").labels("t1", add=["Rat"])
    made.sync_until_quiet()
    made.everywhere("t1", labels=("Rat",), due="2026-05-04", archived=False)


def test_a_released_record_that_changed_is_asked_for_once() -> None:
    made = world(release="leave")
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    made.person("B").edits("t1", due="2026-05-04")
    made.sync()
    asked: list[str] = []
    get = made.platforms["B"].get
    made.platforms["B"].get = lambda id: asked.append(id) or get(id)  # type: ignore[method-assign,func-returns-value]
    made.sync()
    assert asked == []


def test_a_released_record_that_was_moved_away_rests_for_that_and_comes_back() -> None:
    made = world()
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    made.person("B").moves_out("t1")
    made.person("A").labels("t1", add=["Presse"])
    made.sync_until_quiet()
    assert made.link("B", "t1").problem == "rests here: it does not belong to this collection any more"
    made.person("B").moves_back("t1")
    made.sync_until_quiet()
    made.everywhere("t1", labels=("Presse",), archived=False)


def test_a_record_deleted_by_release_and_fetched_back_by_people_is_left_alone() -> None:
    made = world(release="delete")
    native_id = made.record("B", "t1").id
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    made.platforms["B"].restore(native_id)
    made.sync_until_quiet()
    made.passes(100_000)
    made.sync_until_quiet()
    assert made.platforms["B"].entries[native_id].place == ""
    made.person("A").labels("t1", add=["Presse"])
    made.sync_until_quiet()
    assert made.record("B", "t1").id == native_id
    made.everywhere("t1", labels=("Presse",))


# ---- settings ----------------------------------------------------------------------------------------------------


def test_a_changed_scope_waits_for_a_person_and_is_shown() -> None:
    made = world()
    made.connects("B", "B", scope="label = Rat or label = Presse and kind = milestone")
    made.person("A").creates("t3", labels=("Rat",))
    before = made.picture()["B"]
    planned = made.sync(dry=True)
    assert [(one.peer.name, one.reason) for one in planned.contacts] == [
        ("B", "its scope changed: before “label = Presse”, now “label = Rat or label = Presse and kind = milestone”")
    ]
    acts = sorted((made.name_of(one.connector), one.kind, one.title) for one in planned.operations)
    assert acts == [("B", "archive", "t1"), ("B", "create", "t3")]
    outcome = made.sync(accept=False)
    assert (outcome.exit_code, made.picture()["B"]) == (3, before)
    assert not made.sync(accept=outcome.digest).waits
    made.sync_until_quiet()
    made.shows("B", "t3", labels=("Rat",))
    assert made.archived("B", "t1")
    assert not made.sync(accept=False).waits


def test_a_plan_shows_also_what_would_only_be_left_there() -> None:
    made = world(release="leave")
    made.connects("B", "B", scope="label = Rat", release="leave")
    planned = made.sync(dry=True)
    assert [(one.kind, one.title, one.reason) for one in planned.operations] == [
        ("release", "t1", "it is outside the scope of this connector")
    ]


def test_a_scope_that_is_taken_out_is_asked_for_and_brings_everything() -> None:
    made = world()
    made.person("B").creates("lokal")
    made.sync_until_quiet()
    made.connects("B", "B")
    (met,) = made.sync(dry=True).contacts
    assert met.reason == "its scope changed: before “label = Presse”, now “everything”"
    made.sync_until_quiet()
    made.everywhere("t2")
    made.everywhere("lokal")


def test_what_wanders_by_its_own_values_needs_no_consent() -> None:
    made = world()
    made.person("A").labels("t1", remove=["Presse"]).labels("t2", add=["Presse"])
    assert not made.sync(accept=False).waits
    assert made.archived("B", "t1")
    made.shows("B", "t2")


def test_releases_count_as_destruction() -> None:
    made = world()
    for number in range(6):
        made.person("A").creates(f"n{number}", labels=("Presse",))
    made.sync_until_quiet()
    for number in range(6):
        made.person("A").labels(f"n{number}", remove=["Presse"])
    (held,) = made.sync(accept=False).held
    assert made.name_of(held.connector) == "B"
    assert held.reason == "6 of 7 records would be deleted, closed or blanked within a day"
    assert not any(made.archived("B", f"n{number}") for number in range(6))


def test_a_first_contact_brings_only_what_is_in_the_scope() -> None:
    made = World("a")
    made.person("A").creates("t1", labels=("Presse",)).creates("t2")
    made.sync_until_quiet()
    made.builds("B", "b")
    made.connects("B", "B", scope=PRESS)
    made.person("B").creates("lokal")
    made.sync_until_quiet()
    made.shows("B", "t1")
    made.absent("B", "t2")
    made.absent("A", "lokal")


def test_a_read_only_connector_has_a_scope_too_and_is_never_written() -> None:
    made = World("ab")
    made.connects("B", "B", scope=PRESS, read_only=True)
    made.person("B").creates("t1", labels=("Presse",)).creates("t2")
    made.sync_until_quiet()
    made.shows("A", "t1")
    made.absent("A", "t2")
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    assert made.link("B", "t1").released == "left"
    made.person("B").edits("t1", due="2026-05-04")
    made.sync_until_quiet()
    made.shows("A", "t1", due=None)
    assert made.platforms["B"].writes == 0
