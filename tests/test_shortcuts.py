"""Histories in which a shortcut that looks harmless goes wrong: one for each that a model of the rules found."""

from __future__ import annotations

import itertools

import pytest

from bridge.reading import QUARANTINE
from bridge.state import LinkState
from tests.oracles import exceptions, faults
from tests.test_histories import JULY, JUNE, MAY, ORDERS, at_peace, mirrored


@pytest.mark.parametrize("order", ORDERS)
def test_r2_a_finer_and_a_coarse_edit_in_one_pass(order: str) -> None:
    world = mirrored()
    world.person("A").edits("t1", status="in_progress")
    world.person("B").edits("t1", status="closed")
    world.sync(order=order)
    at_peace(world)
    world.shows("A", "t1", status="done")
    world.shows("B", "t1", status="closed")
    assert world.losers("t1", "status") == ["in_progress"]


@pytest.mark.parametrize("order", ORDERS)
def test_r2_a_delete_that_lands_after_its_platform_was_pulled_does_not_bury_an_edit(order: str) -> None:
    world = mirrored()
    world.person("A").edits("t1", status="in_progress")
    world.during("B", "listing", "after", lambda: world.person("B").deletes("t1"))
    world.sync(order=order)
    at_peace(world)
    assert not world.item("t1").dead
    world.shows("A", "t1", status="in_progress")
    world.shows("B", "t1", status="open")


@pytest.mark.parametrize("order", ORDERS)
def test_r3_agreeing_with_an_older_value_counts_as_saying_it_now(order: str) -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    world.person("C").edits("t1", due=JULY)
    world.person("B").edits("t1", due=MAY)
    world.sync(order=order)
    at_peace(world)
    world.everywhere("t1", due=MAY)
    assert world.losers("t1", "due") == [JULY]


@pytest.mark.parametrize("order", ORDERS)
def test_r8_a_coarse_value_that_includes_a_finer_one_does_not_flatten_it(order: str) -> None:
    world = mirrored()
    world.person("A").edits("t1", status="on_hold")
    world.person("C").edits("t1", status="doing")
    world.sync(order=order)
    at_peace(world)
    world.shows("A", "t1", status="on_hold")
    world.shows("C", "t1", status="doing")
    assert world.losers("t1") == []


@pytest.mark.parametrize("order", ORDERS)
def test_r8_three_grains_in_one_pass(order: str) -> None:
    world = mirrored()
    world.person("C").edits("t1", status="doing")
    world.person("A").edits("t1", status="on_hold")
    world.person("B").edits("t1", status="closed")
    world.person("B").edits("t1", status="open")
    world.sync(order=order)
    at_peace(world)
    world.shows("A", "t1", status="on_hold")


@pytest.mark.parametrize("down", ["", "A"])
def test_r9_a_finer_loser_behind_a_coarse_value_is_kept(down: str) -> None:
    world = mirrored()
    world.person("A").edits("t1", status="done")
    world.sync_until_quiet()
    world.person("C").edits("t1", status="todo")
    world.sync_until_quiet()
    world.person("C").edits("t1", status="doing")
    world.person("B").edits("t1", status="closed")
    world.person("B").edits("t1", status="open")
    world.person("A").edits("t1", status="idea")
    world.sync(down=down)
    world.sync()
    at_peace(world)
    world.shows("A", "t1", status="idea")
    assert "in_progress" in world.losers("t1", "status")


def test_r10_a_label_that_was_added_again_after_its_removal_stays() -> None:
    world = mirrored()
    world.person("B").labels("t1", add=["x"])
    world.platforms["C"].pull_fault = "403"
    world.sync()
    world.person("B").labels("t1", remove=["x"])
    world.person("C").labels("t1", add=["x"])
    world.sync()
    at_peace(world)
    world.everywhere("t1", labels=("x",))


@pytest.mark.parametrize("order", ORDERS)
def test_r16_two_of_one_title_here_and_one_there_are_left_to_a_person(order: str) -> None:
    world = mirrored("t0")
    world.person("C").creates("t1", title="Bericht").creates("t2", title="Bericht")
    world.person("A").creates("t3", title="Bericht")
    outcome = world.sync(order=order)
    assert outcome.exit_code == 1
    at_peace(world)
    assert {name: len(world.platforms[name].listing()) for name in "ABC"} == {"A": 2, "B": 1, "C": 3}
    assert len(world.store.unlinked()) == 3
    world.person("A").edits("t3", title="Anderer Bericht")
    world.sync_until_quiet()
    assert {name: len(world.platforms[name].listing()) for name in "ABC"} == {"A": 4, "B": 4, "C": 4}


@pytest.mark.parametrize("fault", ["truncated", "shifted", "empty", "403", "500", "lost"])
def test_r16_nothing_is_created_where_the_listing_was_not_whole(fault: str) -> None:
    world = mirrored("t0", "t9")
    world.person("A").creates("t1", title="Bericht")
    world.person("C").creates("t2", title="Bericht")
    world.platforms["C"].pull_fault = fault
    world.sync()
    if fault in ("shifted", "empty"):  # a lie that nobody can see through: t2 was not in a listing that was "whole"
        return
    assert len(world.platforms["C"].listing()) == 3
    at_peace(world)
    assert world.item("t1").id == world.item("t2").id


@pytest.mark.parametrize("platform", ["A", "B", "C"])
@pytest.mark.parametrize("fault", ["lost after", "reset after", "500 after", "malformed after", "422 after"])
def test_r17_a_created_record_whose_answer_was_lost_and_that_people_retitled_is_one_item(
    platform: str, fault: str
) -> None:
    world = mirrored("t0")
    origin = "C" if platform == "A" else "A"
    world.platforms[platform].fails(fault)
    world.person(origin).creates("t1")
    world.during(platform, "post", "after", lambda: None)
    world.sync()
    if world.records(platform, "t1"):
        world.person(platform).edits("t1", title="neu")
    world.sync()
    at_peace(world)
    assert len(world.store.all_items()) == 2
    world.everywhere("t1", title="neu")


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r17_an_edit_of_a_created_record_whose_answer_was_lost_is_an_edit(platform: str) -> None:
    world = mirrored("t0")
    origin = "C" if platform == "A" else "A"
    world.platforms[platform].fails("lost after")
    world.person(origin).creates("t1", due=MAY)
    world.sync()
    world.person(platform).edits("t1", due=JUNE)
    world.sync()
    at_peace(world)
    world.everywhere("t1", due=JUNE)


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r17_a_created_record_whose_answer_was_lost_and_that_people_deleted_comes_to_rest(platform: str) -> None:
    world = mirrored("t0")
    origin = "C" if platform == "A" else "A"
    world.platforms[platform].fails("lost after")
    world.person(origin).creates("t1")
    world.sync()
    world.person(platform).deletes("t1")
    world.sync()
    at_peace(world)
    if platform == "A":  # a mark that is found deleted was found
        assert world.item("t1").dead


@pytest.mark.parametrize("platform", ["A", "C"])
@pytest.mark.parametrize("place", ["(out of scope)", "elsewhere"])
def test_r17_a_created_record_whose_answer_was_lost_and_that_people_moved_away_is_found_and_frozen(
    platform: str, place: str
) -> None:
    world = mirrored("t0")
    origin = "C" if platform == "A" else "A"
    world.platforms[platform].fails("lost after")
    world.person(origin).creates("t1", due=MAY)
    world.sync()
    world.person(platform).moves_out("t1", to=place)
    world.sync()
    at_peace(world)
    assert not world.item("t1").dead
    assert len(world.records(platform, "t1", anywhere=True)) == 1
    assert world.link(platform, "t1").state is LinkState.FROZEN
    world.person(platform).moves_back("t1")
    world.sync_until_quiet()
    world.everywhere("t1", due=MAY)


def test_r17_an_own_record_that_nothing_explains_is_not_made_twice() -> None:
    world = mirrored("t0")
    world.platforms["B"].fails("lost after", "lost after")
    world.person("A").creates("t1").creates("t2")
    world.sync()
    world.person("B").edits("t1", title="neu eins")
    world.person("B").edits("t2", title="neu zwei")
    for _ in range(3):
        world.passes(QUARANTINE + 1)
        world.sync()
    assert len(world.platforms["B"].listing()) == 3
    assert exceptions(world)


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r17_a_create_is_sent_again_only_after_its_quarantine(platform: str) -> None:
    world = mirrored("t0")
    origin = "C" if platform == "A" else "A"
    world.platforms[platform].fails("late")
    world.person(origin).creates("t1")
    for _ in range(5):
        world.sync()
    world.platforms[platform].commit_late()
    at_peace(world)
    assert len(world.platforms[platform].listing()) == 2
    world.platforms[platform].fails("lost")
    world.person(origin).creates("t2")
    world.sync()
    at_peace(world)
    assert len(world.platforms[platform].listing()) == 3


@pytest.mark.parametrize("platform", ["B", "C"])
def test_r17_a_write_that_lands_after_its_quarantine_on_an_unread_platform_is_still_ours(platform: str) -> None:
    world = mirrored()
    world.platforms[platform].fails("late")
    world.person("A").edits("t1", due=MAY)
    world.sync()
    world.person("A").edits("t1", due=JUNE)
    world.sync(down=platform)
    world.passes(QUARANTINE + 1)
    world.sync(down=platform)
    world.platforms[platform].commit_late()
    world.sync()
    at_peace(world)
    world.everywhere("t1", due=JUNE)
    assert world.losers("t1") == []


def test_r17_a_lost_write_comes_back_normalised_and_is_still_ours() -> None:
    world = mirrored()
    world.platforms["C"].fails("lost after")
    world.person("A").edits("t1", title="mit  Lücke")
    world.sync()
    at_peace(world)
    world.shows("A", "t1", title="mit  Lücke")
    world.shows("B", "t1", title="mit  Lücke")
    world.shows("C", "t1", title="mit Lücke")


def test_r17_a_lost_write_of_which_one_field_was_normalised_and_one_refused_is_still_ours() -> None:
    world = mirrored()
    world.platforms["C"].fails("lost after")
    world.person("A").edits("t1", title="mit  Lücke", status="done", due=MAY)
    world.sync()
    world.passes(QUARANTINE + 1)
    at_peace(world)
    world.shows("A", "t1", title="mit  Lücke", status="done", due=MAY)
    world.shows("C", "t1", title="mit Lücke", status="todo", due=MAY)
    assert world.losers("t1") == []


def test_r22_r25_what_was_refused_does_not_outlive_the_delete_of_those_who_refused_it() -> None:
    world = mirrored()
    world.person("A").edits("t1", status="done")
    world.sync_until_quiet()
    world.shows("C", "t1", status="todo")
    world.person("C").deletes("t1")
    world.sync()
    at_peace(world)
    assert world.item("t1").dead


def test_r24_a_read_before_a_write_is_taken_in_whole() -> None:
    world = mirrored()
    world.person("A").edits("t1", title="neu")
    world.during("B", "listing", "after", lambda: world.person("B").edits("t1", due=MAY))
    world.during("C", "listing", "after", lambda: world.person("A").edits("t1", due=JUNE))
    world.sync()
    at_peace(world)
    world.everywhere("t1", title="neu", due=JUNE)


AROUND = [(name, request, when) for name in "BC" for request in ("get", "put") for when in ("before", "after")]


@pytest.mark.parametrize(("platform", "request_name", "when"), [*AROUND, ("A", "put", "before"), ("A", "put", "after")])
def test_r24_r25_an_edit_around_a_write_is_not_swallowed(platform: str, request_name: str, when: str) -> None:
    world = mirrored()
    origin = "B" if platform == "A" else "A"
    world.person(origin).edits("t1", title="neu")
    world.during(platform, request_name, when, lambda: world.person(platform).edits("t1", due=MAY))
    world.sync()
    at_peace(world)
    world.everywhere("t1", title="neu", due=MAY)


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r25_an_edit_of_the_written_field_before_the_read_back_is_a_persons_edit(platform: str) -> None:
    world = mirrored()
    origin = "B" if platform == "A" else "A"
    world.person(origin).edits("t1", due=MAY)
    world.during(platform, "put", "after", lambda: world.person(platform).edits("t1", due=JUNE))
    world.sync()
    at_peace(world)
    world.everywhere("t1", due=JUNE)
    assert world.losers("t1") == []


def test_r26_people_may_change_their_minds() -> None:
    world = mirrored()
    for name, due in (("C", JULY), ("B", MAY), ("A", JULY), ("C", MAY), ("B", JULY)):
        world.person(name).edits("t1", due=due)
        world.sync_until_quiet()
        world.everywhere("t1", due=due)
    assert exceptions(world) == {}
    assert world.losers("t1") == []


def test_r26_a_platform_that_keeps_replacing_a_value_is_left_alone() -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    world.sync()

    def robot() -> None:
        if world.record("B", "t1").fields["due"] != JUNE:
            world.person("B").edits("t1", due=JUNE)

    robot()
    for _ in range(3):
        world.sync()
        robot()
    writes = world.platforms["B"].writes
    for _ in range(20):
        world.person("A").edits("t1", due=MAY)
        world.sync()
        world.sync()
        robot()
    assert world.platforms["B"].writes - writes <= 12
    assert "due" in world.link("B", "t1").parked
    world.passes(2 * 86_400)
    assert faults(world) == []


@pytest.mark.parametrize("seen", list(itertools.product([False, True], repeat=2)))
def test_r22_life_needs_every_field_to_have_been_seen(seen: tuple[bool, bool]) -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    if seen[0]:
        world.sync_until_quiet()
    world.person("A").labels("t1", add=["x"])
    if seen[1]:
        world.sync_until_quiet()
    world.person("B").deletes("t1")
    world.sync()
    at_peace(world)
    assert world.item("t1").dead == seen[1]
