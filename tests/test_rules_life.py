"""One small story per rule, R16 to R23: creating, pairing, identity, deleting."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.reading import QUARANTINE
from bridge.state import LinkState
from connectors.memory_platform import FACES, HIDDEN, OUT
from tests.hostile import PULL_FAULTS
from tests.oracles import exceptions
from tests.test_histories import DAY, JUNE, MAY, at_peace, mirrored
from tests.world import World


def test_r16_a_first_contact_writes_nothing_until_a_person_agrees() -> None:
    world = World()
    world.person("A").creates("t1")
    world.person("B").creates("t2", title="T1", due=MAY)
    for _ in range(2):
        outcome = world.sync(accept=False)
        assert outcome.exit_code == 3
        assert world.writes == 0
    digest = outcome.digest
    world.person("A").creates("t3")
    assert world.sync(accept=digest).exit_code == 3
    assert world.writes == 0
    outcome = world.sync(accept=False)
    assert world.sync(accept=outcome.digest).exit_code == 0
    world.sync_until_quiet()
    assert {name: len(world.platforms[name].listing()) for name in "ABC"} == {"A": 2, "B": 2, "C": 2}
    assert world.item("t1").id == world.item("t2").id
    world.everywhere("t1", due=MAY)


def test_r16_at_first_contact_an_empty_value_never_beats_a_filled_one() -> None:
    world = World()
    world.person("A").creates("t1", title="Bericht", due=MAY, labels=("presse",))
    world.passes(60)
    world.person("C").creates("t2", title="Bericht", labels=("straße",), status="doing")
    world.sync_until_quiet()
    world.shows("A", "t1", due=MAY, labels=("presse", "straße"), status="in_progress")
    assert world.losers("t1") == []
    at_peace(world)


def test_r16_at_first_contact_a_default_does_not_beat_an_older_value() -> None:
    world = World()
    world.person("C").creates("t1", title="Bericht", status="doing", visibility="public")
    world.passes(60)
    world.person("A").creates("t2", title="Bericht", due=MAY)
    world.sync_until_quiet()
    world.shows("A", "t1", due=MAY, status="in_progress", visibility="public")
    world.shows("C", "t1", due=MAY, status="doing", visibility="public")
    assert world.losers("t1") == []
    at_peace(world)


def test_r16_at_first_contact_the_later_of_two_filled_values_wins_and_the_other_is_kept() -> None:
    world = World()
    world.person("C").creates("t1", title="Bericht", due=MAY)
    world.person("A").creates("t2", title="Bericht", due=JUNE)
    world.sync_until_quiet()
    world.everywhere("t1", due=JUNE)
    assert world.losers("t1", "due") == [MAY]


def test_r16_another_kind_is_another_thing() -> None:
    world = World()
    world.person("A").creates("t1", title="Bericht")
    world.person("C").creates("t2", title="Bericht", kind="milestone")
    world.sync_until_quiet()
    assert world.item("t1").id != world.item("t2").id


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r16_what_people_put_away_before_it_was_met_stays_where_it_is(platform: str) -> None:
    world = mirrored("t0")
    world.person(platform).creates("t1").archives("t1")
    world.sync_until_quiet()
    assert [len(one.listing()) for one in world.platforms.values()].count(1) == 2
    world.person(platform).reopens("t1")
    world.sync_until_quiet()
    world.everywhere("t1", archived=False)


def test_r16_a_task_that_was_put_away_here_and_lives_there_is_one_task() -> None:
    world = World("ab")
    world.person("A").creates("t1")
    world.person("B").creates("t1").archives("t1")
    world.sync()
    at_peace(world)
    assert [len(one.listing()) for one in world.platforms.values()] == [1, 1]
    world.shows("A", "t1", archived=False)


def test_r16_an_archived_namesake_does_not_make_a_task_ambiguous() -> None:
    world = World("ab")
    world.person("B").creates("t1").archives("t1")
    world.person("A").creates("t1")
    world.person("B").creates("t1")
    world.sync()
    at_peace(world)
    assert [len(one.listing()) for one in world.platforms.values()] == [1, 2]


def test_r17_the_quarantine_begins_when_a_create_is_sent_and_not_with_its_pass() -> None:
    world = mirrored()
    world.person("A").creates("t2")
    world.platforms["B"].fails("late")
    world.during("B", "listing", "after", lambda: world.passes(10 * QUARANTINE))
    world.sync()
    world.sync()
    world.platforms["B"].commit_late()
    at_peace(world)
    assert len(world.platforms["B"].listing()) == 2


def test_r17_after_the_quarantine_a_create_that_never_landed_is_made() -> None:
    world = mirrored("t0")
    world.platforms["B"].fails("lost")
    world.person("A").creates("t1")
    world.sync()
    world.sync()
    assert len(world.platforms["B"].listing()) == 1
    world.passes(QUARANTINE + 1)
    world.sync()
    world.sync()
    assert len(world.platforms["B"].listing()) == 2
    at_peace(world)


def test_r18_a_record_is_made_of_little_and_the_rest_follows() -> None:
    world = World("ab")
    world.person("A").creates("t1", due=MAY, labels=("presse",), description="Text")
    world.platforms["B"].fails("", "lost")
    world.sync()
    world.shows("B", "t1", due=None, labels=(), description=None)
    world.sync_until_quiet()
    world.everywhere("t1", due=MAY, labels=("presse",), description="Text")
    assert len(world.platforms["B"].listing()) == 1


@pytest.mark.parametrize("platform", ["A", "B", "C"])
@pytest.mark.parametrize("place", ["(out of scope)", HIDDEN, "elsewhere"])
def test_r19_a_record_that_moved_is_not_gone_and_comes_back(platform: str, place: str) -> None:
    other = "B" if platform == "A" else "A"
    world = mirrored("t1", "t2")
    world.person(platform).moves_out("t1", to=place)
    world.sync_until_quiet()
    assert world.link(platform, "t1").state is LinkState.FROZEN
    assert not world.item("t1").dead
    assert len(world.records(platform, "t1", anywhere=True)) == 1
    assert exceptions(world)
    world.person(other).edits("t1", due=MAY)
    world.sync_until_quiet()
    world.person(platform).moves_back("t1")
    world.sync_until_quiet()
    world.everywhere("t1", due=MAY)


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r19_a_record_deleted_while_it_was_away_takes_nothing_with_it(platform: str) -> None:
    world = mirrored("t1", "t2")
    world.person(platform).moves_out("t1")
    world.sync_until_quiet()
    record = world.records(platform, "t1", anywhere=True)[0]
    world.platforms[platform].remove(record.id)
    world.sync()
    world.passes(DAY + 1)
    world.sync_until_quiet()
    assert not world.item("t1").dead
    assert world.link(platform, "t1").state is LinkState.FROZEN
    for other in {"A", "B", "C"} - {platform}:
        world.shows(other, "t1", title="t1")


def discreet(face: str = "b") -> World:
    """A and C, and R, on which what was deleted and what is hidden from us look alike; all show t1 and t2."""
    world = World("ac")
    world.builds("R", face, traits=replace(FACES[face], discreet=True))
    world.connects("R", "R")
    world.person("A").creates("t1").creates("t2")
    world.sync_until_quiet()
    return world


@pytest.mark.parametrize("act", ["deletes", "moves_out"])
def test_r21_what_may_be_deleted_counts_as_deleted_after_a_second_look_a_day_later(act: str) -> None:
    world = discreet()
    getattr(world.person("R"), act)("t1", *([HIDDEN] if act == "moves_out" else []))
    world.sync_until_quiet()
    world.passes(DAY - 60)
    world.sync_until_quiet()
    assert world.link("R", "t1").state is LinkState.FROZEN
    assert not world.item("t1").dead
    world.passes(120)
    world.sync_until_quiet()
    assert world.item("t1").dead
    for other in "AC":
        assert world.record(other, "t1").fields["archived"]
    if act == "deletes":
        at_peace(world)


def test_r21_what_comes_back_after_the_second_look_is_revived() -> None:
    world = discreet()
    world.person("R").moves_out("t1", to=HIDDEN)
    world.sync_until_quiet()
    world.passes(DAY + 60)
    world.sync_until_quiet()
    assert world.item("t1").dead
    world.person("R").moves_back("t1")
    world.sync_until_quiet()
    world.everywhere("t1", archived=False)


def test_r21_what_was_moved_away_before_it_was_hidden_takes_nothing_with_it() -> None:
    world = discreet("a")
    world.person("R").moves_out("t1")
    world.sync_until_quiet()
    world.platforms["R"].remove(world.records("R", "t1", anywhere=True)[0].id)
    for _ in range(3):
        world.sync_until_quiet()
        world.passes(DAY + 60)
    assert not world.item("t1").dead
    assert world.link("R", "t1").state is LinkState.FROZEN


def test_r21_the_day_between_two_looks_begins_anew_when_the_record_was_seen() -> None:
    world = discreet("a")
    id, platform = world.record("R", "t1").id, world.platforms["R"]
    platform.move(id, HIDDEN)
    world.sync_until_quiet()
    platform.move(id, OUT)
    world.passes(DAY + 60)
    world.sync_until_quiet()
    platform.remove(id)
    world.sync_until_quiet()
    assert not world.item("t1").dead


def test_r21_what_was_edited_elsewhere_meanwhile_is_not_taken_for_deleted() -> None:
    world = discreet()
    world.person("R").deletes("t1")
    world.sync_until_quiet()
    world.person("A").edits("t1", due=MAY)
    world.sync_until_quiet()
    for _ in range(3):
        world.passes(DAY + 60)
        world.sync_until_quiet()
    assert not world.item("t1").dead
    assert world.link("R", "t1").state is LinkState.FROZEN
    world.shows("C", "t1", due=MAY)


def test_r19_a_changed_kind_freezes_the_link() -> None:
    world = mirrored()
    world.person("A").edits("t1", kind="milestone", title="neu")
    world.sync_until_quiet()
    assert world.link("A", "t1").state is LinkState.FROZEN
    world.shows("B", "t1", kind="task", title="t1")
    world.person("A").edits("t1", kind="task")
    world.sync_until_quiet()
    world.everywhere("t1", title="neu")


@pytest.mark.parametrize("deleted", ["the new one", "the old one"])
@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r20_of_a_restored_record_and_its_successor_people_may_delete_either(platform: str, deleted: str) -> None:
    world = mirrored()
    old = world.record(platform, "t1").id
    other = "A" if platform != "A" else "C"
    world.person(platform).deletes("t1")
    world.person(other).edits("t1", due=MAY)
    world.sync_until_quiet()
    new = world.record(platform, "t1").id
    world.person(platform).restores(old)
    world.sync_until_quiet()
    assert "delete one of the two" in str(exceptions(world))
    world.provenance.deletes(world.platforms[platform], new if deleted == "the new one" else old)
    world.sync_until_quiet()
    assert not world.item("t1").dead
    world.everywhere("t1", due=MAY)
    assert exceptions(world) == {}


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r22_people_whose_record_was_taken_out_of_the_archive_may_delete_it(platform: str) -> None:
    world = mirrored("t1", "t2")
    other = "A" if platform != "A" else "C"
    record = world.record(other, "t1").id
    world.person(other).deletes("t1")
    world.sync_until_quiet()
    world.person(other).restores(record)
    world.sync_until_quiet()
    world.sync()
    world.person(platform).deletes("t1")
    world.sync_until_quiet()
    assert world.item("t1").dead


@pytest.mark.parametrize("fault", PULL_FAULTS)
@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r21_a_bad_listing_kills_nothing(platform: str, fault: str) -> None:
    world = mirrored("t1", "t2", "t3", "t4", "t5")
    for _ in range(3):
        world.platforms[platform].pull_fault = fault
        world.sync()
    assert not any(item.dead for item in world.store.all_items())
    at_peace(world)
    assert {name: len(world.platforms[name].listing()) for name in "ABC"} == {"A": 5, "B": 5, "C": 5}


def test_r21_a_listing_without_a_record_that_cannot_be_probed_proves_nothing() -> None:
    world = mirrored("t1", "t2")
    platform = world.platforms["B"]
    platform.behave()
    platform.pull_fault = "shifted"
    platform.read_faults = {1: "503"}
    world.sync()
    assert not any(item.dead for item in world.store.all_items())
    at_peace(world)


def test_r22_a_comment_on_an_archived_record_wakes_nothing_and_reopening_does() -> None:
    world = mirrored()
    world.person("B").deletes("t1")
    world.sync_until_quiet()
    world.person("A").comments("t1")
    world.person("C").comments("t1")
    world.sync_until_quiet()
    assert world.item("t1").dead
    world.person("C").reopens("t1")
    world.sync_until_quiet()
    assert not world.item("t1").dead
    assert not world.archived("A", "t1")
    world.shows("B", "t1", title="t1")
    at_peace(world)


def test_r22_an_edit_of_an_archived_record_brings_it_back() -> None:
    world = mirrored()
    world.person("B").deletes("t1")
    world.sync_until_quiet()
    world.person("A").edits("t1", due=MAY)
    world.sync_until_quiet()
    world.everywhere("t1", due=MAY)
    at_peace(world)


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r22_a_record_fetched_back_from_the_trash_lives_again_under_its_old_id(platform: str) -> None:
    world = mirrored()
    native_id = world.record(platform, "t1").id
    world.person(platform).deletes("t1")
    world.sync_until_quiet()
    world.person(platform).restores(native_id)
    world.sync_until_quiet()
    assert not world.item("t1").dead
    assert world.record(platform, "t1").id == native_id
    assert not any(world.archived(name, "t1") for name in "ABC")
    at_peace(world)


@pytest.mark.parametrize("platform", ["A", "B"])
def test_r22_an_archived_record_that_comes_back_from_the_trash_stays_archived(platform: str) -> None:
    world = mirrored()
    world.person("C").deletes("t1")
    world.sync_until_quiet()
    assert world.archived(platform, "t1")
    record = world.record(platform, "t1").id
    world.person(platform).deletes("t1")
    world.sync_until_quiet()
    world.platforms[platform].restore(record)  # as it was: in the archive
    world.sync_until_quiet()
    assert world.item("t1").dead
    assert world.records("C", "t1") == []
    assert world.archived(platform, "t1")
    at_peace(world)
    world.person(platform).reopens("t1")
    world.sync_until_quiet()
    assert not world.item("t1").dead
    assert len(world.records("C", "t1")) == 1


def test_r22_a_delete_where_a_field_cannot_be_held_is_a_delete() -> None:
    world = World("ac")
    world.builds("B", "b")
    world.connects("B", "B", lacks=["due"])
    world.person("A").creates("t1", due=MAY)
    world.sync()
    world.person("A").edits("t1", due=JUNE)
    world.sync_until_quiet()
    world.person("B").deletes("t1")
    world.sync_until_quiet()
    assert world.item("t1").dead


def test_r23_what_looks_like_an_accident_is_held_and_the_rest_goes_on() -> None:
    names = [f"t{n}" for n in range(8)]
    world = mirrored(*names)
    world.passes(2 * DAY)
    for name in names[:5]:
        world.person("B").deletes(name)
    world.person("C").edits("t7", due=MAY)
    outcome = world.sync(accept=False)
    assert outcome.exit_code == 3
    assert not any(world.archived("A", name) or world.archived("C", name) for name in names)
    world.shows("B", "t7", due=MAY)
    digest = outcome.digest
    world.person("B").deletes("t5")
    assert world.sync(accept=digest).exit_code == 3
    assert not any(world.archived("A", name) for name in names)
    outcome = world.sync(accept=False)
    world.sync(accept=outcome.digest)
    world.sync(accept=True)
    assert [world.archived("A", name) for name in names] == [True] * 6 + [False] * 2


def test_r23_drop_by_drop_counts_over_a_day() -> None:
    names = [f"t{n}" for n in range(8)]
    world = mirrored(*names)
    world.passes(2 * DAY)
    codes = []
    for name in names[:5]:
        world.person("B").deletes(name)
        codes.append(world.sync(accept=False).exit_code)
        world.passes(600)
    assert codes == [0, 0, 0, 3, 3]
    world.passes(DAY)
    world.person("B").deletes("t6")
    assert world.sync(accept=False).exit_code == 0


def test_r23_a_collection_that_would_become_empty_is_held() -> None:
    world = mirrored("t1", "t2")
    world.passes(2 * DAY)
    world.person("B").deletes("t1").deletes("t2")
    assert world.sync(accept=False).exit_code == 3
    assert not world.archived("A", "t1")
