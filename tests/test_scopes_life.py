"""Scopes: life and death, lost answers, references, and what an item is part of (ADR 0021)."""

from __future__ import annotations

import pytest

from bridge.state import LinkState
from tests.test_scopes import PRESS, world
from tests.world import Crash, World

# ---- life -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", ["archive", "delete", "leave"])
def test_an_item_that_dies_while_it_is_released_leaves_that_record_as_it_is(release: str) -> None:
    made = world("abc", release=release)
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    before = made.picture()["B"]
    made.person("A").deletes("t1")
    made.sync_until_quiet()
    assert made.item("t1").dead
    assert made.archived("C", "t1")
    assert made.picture()["B"] == before


def test_a_dead_item_is_not_released_a_second_time() -> None:
    made = world("abc")
    made.person("A").deletes("t1")
    made.sync_until_quiet()
    assert made.archived("B", "t1")
    made.connects("B", "B", scope="label = Rat")
    made.sync_until_quiet()
    assert made.link("B", "t1").state is LinkState.LIVE
    made.person("C").reopens("t1")
    made.sync_until_quiet()
    assert not made.item("t1").dead
    assert made.archived("B", "t1")
    assert made.link("B", "t1").released == "archived"


def test_a_record_under_which_others_stay_is_archived_instead_of_deleted() -> None:
    made = world(release="delete", scope="label = Presse")
    made.person("A").creates("kind", labels=("Presse",), parent="t1")
    made.sync_until_quiet()
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    assert made.archived("B", "t1")
    made.shows("B", "kind", parent="t1")


def test_records_that_are_under_one_another_are_deleted_from_below() -> None:
    made = world(release="delete")
    made.person("A").creates("kind", labels=("Presse",), parent="t1")
    made.sync_until_quiet()
    gone: list[str] = []
    delete = made.platforms["B"].delete
    names = {made.record("B", handle).id: handle for handle in ("t1", "kind")}

    def listen(native_id: str, if_version: str | None) -> None:
        gone.append(names[native_id])
        delete(native_id, if_version)

    made.platforms["B"].delete = listen  # type: ignore[method-assign]
    made.connects("B", "B", scope="label = Rat", release="delete")
    made.sync_until_quiet()
    assert gone == ["kind", "t1"]


def test_the_last_record_that_shows_an_item_is_archived_instead_of_deleted() -> None:
    made = World("ab")
    for name in "AB":
        made.connects(name, name, scope=PRESS, release="delete")
    made.person("A").creates("t1", labels=("Presse",))
    made.sync_until_quiet()
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    assert made.archived("A", "t1")
    assert made.archived("B", "t1")


# ---- lost answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["lost", "lost after", "late", "500 after", "500", "404", "412", "422 after", "403"])
@pytest.mark.parametrize("release", ["archive", "delete"])
def test_a_release_whose_answer_was_lost_kills_nothing(fault: str, release: str) -> None:
    made = world("abc", release=release)
    made.person("A").labels("t1", remove=["Presse"])
    made.platforms["B"].fails(fault)
    made.sync()
    made.settle()
    assert not made.item("t1").dead
    made.shows("A", "t1", labels=())
    made.shows("C", "t1", labels=())
    found = made.records("B", "t1")
    assert not found if release == "delete" else [entry.fields["archived"] for entry in found] == [True]
    made.person("A").labels("t1", add=["Presse"])
    made.settle()
    made.everywhere("t1", labels=("Presse",), archived=False)


@pytest.mark.parametrize("fault", ["lost after", "late", "500 after", "reset after"])
def test_our_own_delete_is_nobodys_word(fault: str) -> None:
    made = world("abc", release="delete")
    made.person("B").labels("t1", remove=["Presse"])  # who knows all of it, so that their delete would be its death
    made.platforms["B"].fails(fault)
    made.sync()
    made.settle()
    assert not made.records("B", "t1")
    assert not made.item("t1").dead
    made.shows("A", "t1", labels=(), archived=False)


@pytest.mark.parametrize("place", "ABC")
@pytest.mark.parametrize("release", ["archive", "leave"])
def test_what_people_release_and_delete_lives_on_elsewhere(release: str, place: str) -> None:
    made = world("abc", release=release, at=place)
    made.person(place).labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    made.person(place).deletes("t1")
    made.settle()
    assert not made.item("t1").dead
    made.person("C" if place == "B" else "B").labels("t1", add=["Presse"])
    made.settle()
    made.everywhere("t1", labels=("Presse",), archived=False)


@pytest.mark.parametrize("release", ["archive", "delete", "leave"])
def test_killed_while_releasing_it_ends_as_if_it_had_not_been(release: str) -> None:
    for number in range(1, 14):
        made = world(release=release)
        made.person("A").labels("t1", remove=["Presse"])
        made.person("A").labels("t2", add=["Presse"])
        left = number

        def step(name: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Crash(name)

        try:
            made.sync(step=step)
        except Crash:
            made.settle()
        made.settle()
        assert not made.item("t1").dead
        made.shows("A", "t1", labels=())
        made.shows("B", "t2", labels=("Presse",))
        records = made.records("B", "t1")
        assert [entry.fields["archived"] for entry in records] == {"archive": [True], "delete": [], "leave": [False]}[
            release
        ]


def test_a_late_update_of_a_record_that_was_released_is_no_edit_of_people() -> None:
    made = world(release="leave")
    made.person("A").edits("t1", due="2026-05-04")
    made.platforms["B"].fails("late")
    made.sync()
    made.person("A").labels("t1", remove=["Presse"])
    made.sync()
    assert made.link("B", "t1").state is LinkState.LIVE  # its outcome is not known yet (R17)
    made.platforms["B"].commit_late()
    made.settle()
    assert made.link("B", "t1").state is LinkState.FROZEN
    made.person("A").edits("t1", due=None)
    made.sync_until_quiet()
    made.person("A").labels("t1", add=["Presse"])
    made.sync_until_quiet()
    made.everywhere("t1", due=None)


# ---- references -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", ["archive", "delete", "leave"])
def test_references_to_what_is_outside_are_kept(release: str) -> None:
    made = world("abc", release=release)
    made.person("A").creates("kind", labels=("Presse",), parent="t1", depends_on=("t1",))
    made.sync_until_quiet()
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    for name in "AC":
        made.shows(name, "kind", parent="t1", depends_on=("t1",))
    made.person("A").labels("t1", add=["Presse"])
    made.sync_until_quiet()
    made.everywhere("kind", parent="t1", depends_on=("t1",))


def test_what_a_platform_clears_because_we_took_its_target_away_is_cleared_nowhere_else() -> None:
    made = world("abc")
    made.person("A").creates("kind", labels=("Presse",), parent="t1", depends_on=("t1",), milestone=None)
    made.sync_until_quiet()
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    made.platforms["B"].edit(made.record("B", "kind").id, parent=None, depends_on=(), due="2026-05-04")
    made.sync_until_quiet()
    for name in "AC":
        made.shows(name, "kind", parent="t1", depends_on=("t1",), due="2026-05-04")
    made.person("A").labels("t1", add=["Presse"])
    made.sync_until_quiet()
    made.everywhere("kind", parent="t1", depends_on=("t1",))


def test_another_parent_is_an_edit_all_the_same() -> None:
    made = world("abc")
    made.person("A").labels("t2", add=["Presse"]).creates("kind", labels=("Presse",), parent="t1")
    made.sync_until_quiet()
    made.person("A").labels("t1", remove=["Presse"])
    made.sync_until_quiet()
    made.person("B").edits("kind", parent="t2")
    made.sync_until_quiet()
    made.everywhere("kind", parent="t2")


def test_a_reference_to_what_was_never_there_waits_and_comes_with_it() -> None:
    made = world("abc")
    made.person("A").creates("kind", labels=("Presse",), parent="t2")
    made.sync_until_quiet()
    made.shows("B", "kind", parent=None)
    made.shows("C", "kind", parent="t2")
    made.person("A").labels("t2", add=["Presse"])
    made.sync_until_quiet()
    made.everywhere("kind", parent="t2")


# ---- what an item is part of --------------------------------------------------------------------------------------


def portal(faces: str = "ab", scope: str = "measure = Bürgerportal") -> World:
    made = World(faces)
    made.connects("B", "B", scope=scope)
    made.person("A").creates("m1", title="Bürgerportal", kind="measure")
    made.sync_until_quiet()
    made.person("A").creates("t1", parent="m1").creates("t2")
    made.sync_until_quiet()
    made.person("A").creates("t3", parent="t1")
    made.sync_until_quiet()
    return made


def test_a_measure_counts_for_all_that_is_part_of_it() -> None:
    made = portal()
    for handle in ("m1", "t1", "t3"):
        made.shows("B", handle)
    made.absent("B", "t2")
    made.person("A").edits("t2", parent="t3")
    made.sync_until_quiet()
    made.shows("B", "t2", parent="t3")


def test_what_is_part_of_a_measure_follows_it_when_it_is_renamed() -> None:
    made = portal()
    made.person("A").edits("m1", title="Serviceportal")
    made.sync_until_quiet()
    assert all(made.archived("B", handle) for handle in ("m1", "t1", "t3"))
    made.person("A").edits("m1", title="bürgerportal")
    made.sync_until_quiet()
    assert not any(made.archived("B", handle) for handle in ("m1", "t1", "t3"))


def test_what_is_part_of_something_that_moves_moves_along() -> None:
    made = portal()
    made.person("A").edits("t1", parent=None)
    made.sync_until_quiet()
    assert made.archived("B", "t1")
    assert made.archived("B", "t3")
    assert not made.archived("B", "m1")


def test_killed_before_the_parts_are_looked_at_they_follow_all_the_same() -> None:
    for number in range(1, 8):
        made = portal()
        made.person("A").edits("m1", title="Serviceportal")
        left = number

        def step(name: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Crash(name)

        with pytest.raises(Crash):
            made.sync(step=step)
        made.settle()
        assert all(made.archived("B", handle) for handle in ("m1", "t1", "t3"))


def test_records_made_together_are_taken_in_together() -> None:
    made = World("ab")
    made.connects("A", "A", scope="measure = Bürgerportal")
    made.person("A").creates("m1", title="Bürgerportal", kind="measure").creates("t1", parent="m1")
    made.person("A").creates("t3", parent="t1").creates("t2")
    made.sync_until_quiet()
    for handle in ("m1", "t1", "t3"):
        made.shows("B", handle)
    made.absent("B", "t2")
