"""The histories that a literal reading gets wrong, as the specification names them: each told as it happened."""

from __future__ import annotations

import itertools

import pytest

from bridge.state import LinkState
from connectors.memory_platform import Traits
from tests.oracles import exceptions, faults
from tests.world import Crash, World

ORDERS = ["".join(order) for order in itertools.permutations("ABC")]
MAY, JUNE, JULY = "2026-05-01", "2026-06-01", "2026-07-01"
DAY, WEEK = 86_400, 7 * 86_400


def mirrored(*titles: str, faces: str = "abc") -> World:
    """A world in which A made these tasks, and everybody has them."""
    world = World(faces)
    for title in titles or ("t1",):
        world.person("A").creates(title)
    world.sync_until_quiet()
    return world


def at_peace(world: World) -> None:
    """When people stop, all is well, and stays so."""
    world.settle()
    assert faults(world) == []
    before, listed = world.writes, exceptions(world)
    world.sync()
    assert world.writes == before
    assert exceptions(world) == listed


def test_r2_a_revert_while_a_third_platform_is_down_is_not_overwritten() -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    world.sync_until_quiet()
    world.person("A").edits("t1", due=JUNE)
    world.sync(down="C")
    world.person("B").edits("t1", due=MAY)
    world.sync(down="C")
    world.sync()
    at_peace(world)
    world.everywhere("t1", due=MAY)
    assert world.losers("t1") == []


def test_r2_an_old_offline_edit_does_not_beat_a_newer_one_that_others_share() -> None:
    world = mirrored()
    world.person("C").edits("t1", due=MAY)
    world.passes(60)
    world.person("A").edits("t1", due=JUNE)
    world.sync(down="C")
    world.passes(60)
    world.sync()
    at_peace(world)
    world.everywhere("t1", due=JUNE)
    assert world.losers("t1", "due") == [MAY]


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("point", ["intent", "sent"])
def test_r28_killed_between_two_platforms_of_one_edit(point: str, nth: int) -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    killed = itertools.count(1)

    def step(name: str) -> None:
        if name == point and next(killed) == nth:
            raise Crash

    try:
        world.sync(step=step)
    except Crash:
        pass
    else:
        assert nth == 3
    world.sync()
    at_peace(world)
    world.everywhere("t1", due=MAY)
    assert world.losers("t1") == []


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r17_our_own_lost_update_does_not_return_as_a_newer_edit(platform: str) -> None:
    origin = "B" if platform == "A" else "A"
    world = mirrored()
    world.platforms[platform].fails("late")
    world.person(origin).edits("t1", due=MAY)
    world.sync()
    world.passes(5)
    world.person(origin).edits("t1", due=JUNE)
    world.passes(5)
    world.platforms[platform].commit_late()
    world.sync()
    at_peace(world)
    world.everywhere("t1", due=JUNE)
    assert world.losers("t1") == []


@pytest.mark.parametrize("order", ORDERS)
def test_r3_three_sides_within_one_second_end_alike_in_every_pull_order(order: str) -> None:
    world = mirrored()
    for name, due in zip("CBA", (MAY, JUNE, JULY), strict=True):
        world.person(name).edits("t1", due=due)
        world.now -= 1
    world.sync(order=order)
    at_peace(world)
    world.everywhere("t1", due=JULY)
    assert sorted(map(str, world.losers("t1", "due"))) == [MAY, JUNE]


@pytest.mark.parametrize("order", ORDERS)
def test_r3_the_last_of_three_wins_in_every_pull_order(order: str) -> None:
    world = mirrored()
    for name, due in zip("ACB", (MAY, JUNE, JULY), strict=True):
        world.person(name).edits("t1", due=due)
    world.sync(order=order)
    at_peace(world)
    world.everywhere("t1", due=JULY)


def test_r1_an_unrelated_comment_makes_no_old_value_new() -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    world.sync_until_quiet()
    world.person("C").edits("t1", due=JUNE)
    world.passes(60)
    world.person("A").comments("t1")
    world.person("B").comments("t1")
    world.sync()
    at_peace(world)
    world.everywhere("t1", due=JUNE)
    world.person("B").edits("t1", due=JULY)
    world.person("C").comments("t1")
    world.sync()
    at_peace(world)
    world.everywhere("t1", due=JULY)
    assert world.losers("t1") == []


@pytest.mark.parametrize("order", ORDERS)
def test_r16_both_sides_create_the_same_title_in_one_pass(order: str) -> None:
    world = mirrored("t0")
    world.person("A").creates("t1", title="Bericht", due=MAY)
    world.person("C").creates("t2", title="bericht ", labels=("presse",))
    world.sync(order=order)
    at_peace(world)
    assert world.item("t1").id == world.item("t2").id
    for name in "ABC":
        world.shows(name, "t1", due=MAY, labels=("presse",))


def test_r16_both_sides_create_the_same_title_a_week_apart() -> None:
    world = mirrored("t0")
    world.person("A").creates("t1", title="Bericht", due=MAY)
    world.sync(down="B")
    for _ in range(7):
        world.passes(DAY)
        world.sync(down="B")
    world.person("B").creates("t2", title="Bericht")
    world.sync()
    at_peace(world)
    assert world.item("t1").id == world.item("t2").id
    world.everywhere("t1", due=MAY)


def test_r16_a_second_task_of_a_title_that_everybody_has_is_a_task_of_its_own() -> None:
    world = mirrored()
    world.passes(WEEK)
    world.person("B").creates("t2", title="t1", due=MAY)
    world.sync_until_quiet()
    assert world.item("t1").id != world.item("t2").id
    world.shows("A", "t1", due=None)
    world.shows("A", "t2", due=MAY)
    at_peace(world)


@pytest.mark.parametrize("order", ORDERS)
def test_r22_a_delete_and_an_edit_in_one_pass_end_alive_in_every_order(order: str) -> None:
    world = mirrored()
    world.person("C").edits("t1", due=MAY)
    world.person("B").deletes("t1")
    world.sync(order=order)
    at_peace(world)
    assert not world.item("t1").dead
    world.everywhere("t1", due=MAY)


@pytest.mark.parametrize("order", ORDERS)
def test_r22_an_edit_that_is_older_than_the_delete_but_unseen_outlives_it(order: str) -> None:
    world = mirrored()
    world.person("B").deletes("t1")
    world.passes(60)
    world.person("A").edits("t1", status="in_progress")
    world.sync(order=order)
    at_peace(world)
    world.shows("A", "t1", status="in_progress")
    world.shows("B", "t1", status="open")
    world.shows("C", "t1", status="doing")


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r20_deleted_archived_and_swept_for_weeks_nothing_comes_back(platform: str) -> None:
    world = mirrored()
    world.person(platform).deletes("t1")
    world.sync()
    for _ in range(3):
        world.passes(WEEK + 1)
        world.sync()
    at_peace(world)
    assert world.item("t1").dead
    world.absent(platform, "t1")
    assert all(world.archived(name, "t1") for name in {*"ABC"} - {platform})
    assert len(world.store.all_items()) == 1


def test_r20_a_record_that_is_restored_beside_its_successor_is_no_new_task() -> None:
    world = mirrored()
    old = world.record("B", "t1").id
    world.person("B").deletes("t1")
    world.person("C").edits("t1", due=MAY)
    world.sync_until_quiet()
    assert world.record("B", "t1").id != old
    world.person("B").restores(old)
    outcome = world.sync()
    assert outcome.exit_code == 1
    assert len(world.store.all_items()) == 1
    assert {name: len(world.platforms[name].listing()) for name in "ABC"} == {"A": 1, "B": 2, "C": 1}
    world.platforms["B"].remove(old)
    assert world.sync().exit_code == 0


def test_r20_the_id_of_a_deleted_record_is_used_again() -> None:
    world = World("ac")
    world.builds(
        "R", "b", traits=Traits(conditional=False, marks=False, deltas=False, reuses=True, statuses=("open", "closed"))
    )
    world.connects("R", "R")
    world.person("R").creates("t1", due=MAY)
    world.sync_until_quiet()
    old = world.record("R", "t1").id
    world.person("R").deletes("t1").creates("t2", due=JUNE)
    assert world.record("R", "t2").id == old
    world.sync()
    world.sync_until_quiet()
    mirrors = world.platforms["A"].entries.values()
    assert [(entry.fields["due"], entry.fields["archived"]) for entry in mirrors] == [(MAY, True), (JUNE, False)]
    assert [(item.title, item.dead) for item in world.store.all_items()] == [("t1", True), ("t2", False)]


def test_r25_a_refused_status_is_tried_once_in_ten_passes() -> None:
    world = mirrored()
    world.person("A").edits("t1", status="done")
    world.sync()
    before = world.platforms["C"].writes
    for _ in range(10):
        world.passes(DAY)
        world.sync()
        world.shows("A", "t1", status="done")
        world.shows("C", "t1", status="todo")
    assert world.platforms["C"].writes == before
    assert world.link("C", "t1").memo["status"].refused
    at_peace(world)


def test_r13_a_milestone_that_was_parked_reaches_its_tasks_when_it_is_made() -> None:
    world = World()
    world.person("A").creates("m", kind="milestone").creates("t1", milestone="m")
    for name in "BC":
        world.platforms[name].fails("422")
    world.sync()
    for name in "BC":
        assert world.records(name, "m") == []
        world.shows(name, "t1", milestone=None)
    world.sync()
    at_peace(world)
    world.everywhere("t1", milestone="m")


@pytest.mark.parametrize("order", ORDERS)
def test_r13_a_cycle_of_two_sides_is_broken_at_its_older_edge(order: str) -> None:
    world = mirrored("x", "y")
    world.person("A").edits("x", parent="y")
    world.person("C").edits("y", parent="x")
    world.sync(order=order)
    at_peace(world)
    world.everywhere("y", parent="x")
    world.everywhere("x", parent=None)
    assert world.losers("x", "parent") == [world.item("y").id]


def test_r10_the_label_of_a_milestone_is_renamed() -> None:
    world = World("ad")
    world.person("A").creates("m", kind="milestone").creates("t1", milestone="m", labels=("presse",))
    world.sync_until_quiet()
    board = world.platforms["D"]
    label = next(key for key, title in board.options["labels"].items() if title == "m")
    board.retitle("labels", label, "Meilenstein eins")
    board.comment(world.record("D", "t1").id)
    world.sync()
    world.shows("A", "t1", milestone="m", labels=("presse",))
    assert world.losers("t1") == []
    before = world.writes
    world.sync()
    assert world.writes == before


def test_r10_a_milestone_is_renamed_and_its_label_stays_bound() -> None:
    world = World("ad")
    world.person("A").creates("m", kind="milestone").creates("t1", milestone="m")
    world.sync_until_quiet()
    labels = world.record("D", "t1").fields["labels"]
    world.person("A").edits("m", title="ganz anders")
    world.sync_until_quiet()
    world.shows("A", "t1", milestone="m", labels=())
    world.person("A").edits("t1", due=MAY)
    world.sync_until_quiet()
    world.shows("A", "t1", milestone="m", labels=())
    world.shows("D", "t1", labels=labels)


def test_r10_a_column_is_renamed_and_no_card_is_edited() -> None:
    world = World("ad")
    for name in ("t1", "t2", "t3"):
        world.person("A").creates(name, status="in_progress")
    world.sync_until_quiet()
    journal, writes = len(world.store.journal()), world.writes
    board = world.platforms["D"]
    board.retitle("status", "o2", "Läuft gerade so")
    board.comment(world.record("D", "t1").id)
    world.sync()
    assert (len(world.store.journal()), world.writes) == (journal, writes)
    for name in ("t1", "t2", "t3"):
        world.shows("A", name, status="in_progress")
    world.person("A").edits("t1", status="done")
    world.person("A").edits("t2", due=MAY)
    world.sync()
    world.shows("D", "t1", status="o3")
    world.shows("D", "t2", status="o2", due=MAY)


def test_r22_a_card_that_people_archive_does_not_vanish_elsewhere() -> None:
    world = mirrored()
    world.person("B").archives("t1")
    world.sync_until_quiet()
    assert not world.item("t1").dead
    assert [world.archived(name, "t1") for name in "ABC"] == [False, True, False]
    world.person("B").edits("t1", due=MAY)
    world.person("A").edits("t1", title="neu")
    world.sync_until_quiet()
    world.shows("A", "t1", due=MAY, title="neu")
    world.shows("B", "t1", due=MAY, title="neu", archived=True)


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r5_a_server_restored_from_yesterday_changes_nothing_until_a_person_chooses(platform: str) -> None:
    names = [f"t{n}" for n in range(6)]
    world = mirrored(*names)
    backup = world.platforms[platform].backup()
    world.passes(DAY // 2)
    for name in names:
        world.person("A" if platform != "A" else "B").edits(name, due=MAY)
    world.person(platform).creates("jung")
    world.sync_until_quiet()
    world.passes(3_600)
    world.platforms[platform].roll_back(backup)
    for _ in range(3):
        before = world.platforms[platform].writes
        outcome = world.sync(accept=False)
        assert outcome.exit_code in (1, 3)
        assert world.platforms[platform].writes == before
        for other in {*"ABC"} - {platform}:
            for name in names:
                world.shows(other, name, due=MAY)
            world.shows(other, "jung")
    world.sync(accept=True)
    world.sync_until_quiet()
    for name in names:
        world.everywhere(name, due=MAY)


def test_r30_a_connector_that_points_elsewhere_is_a_first_contact_and_no_mass_deletion() -> None:
    names = [f"t{n}" for n in range(6)]
    world = mirrored(*names)
    world.builds("X", "b")
    world.connects("B", "X")
    before = world.writes
    for _ in range(2):
        outcome = world.sync(accept=False)
        assert outcome.exit_code == 3
        assert world.writes == before
        assert not any(item.dead for item in world.store.all_items())
    world.sync(accept=True)
    world.sync_until_quiet()
    assert len(world.platforms["X"].listing()) == len(world.platforms["B"].listing()) == 6
    assert not any(item.dead for item in world.store.all_items())


def test_r30_a_renamed_connector_is_still_the_same() -> None:
    world = mirrored()
    world.disconnects("B")
    world.connects("rathaus", "B")
    before = world.writes
    outcome = world.sync(accept=False)
    assert outcome.exit_code == 0
    assert world.writes == before
    world.person("A").edits("t1", due=MAY)
    assert world.sync(accept=False).exit_code == 0
    world.everywhere("t1", due=MAY)
    assert len(world.platforms["B"].listing()) == 1


def test_r30_a_connector_taken_out_of_the_settings_rests_and_deletes_nothing() -> None:
    world = mirrored()
    seat = world.disconnects("B")
    assert world.sync(accept=False).exit_code == 0
    world.person("A").edits("t1", due=MAY)
    world.sync(accept=False)
    world.passes(WEEK)
    world.sync(accept=False)
    world.shows("B", "t1", due=None)
    world.shows("C", "t1", due=MAY)
    world.person("B").edits("t1", title="neu")
    world.seats["B"] = seat
    world.sync(accept=False)
    world.sync_until_quiet()
    world.everywhere("t1", due=MAY, title="neu")


def test_r31_a_mapping_that_learns_a_field_waits_for_a_person_and_loses_nothing() -> None:
    world = World("ac")
    world.builds("B", "b")
    world.connects("B", "B", lacks=["due"])
    world.person("A").creates("t1", due=MAY)
    world.person("A").creates("t2")
    world.sync_until_quiet()
    world.shows("B", "t1", due=None)
    world.person("B").edits("t2", due=JULY)
    world.sync_until_quiet()
    world.shows("A", "t2", due=None)
    world.connects("B", "B")
    before = world.writes
    outcome = world.sync(accept=False)
    assert (outcome.exit_code, world.writes) == (3, before)
    world.sync(accept=True)
    world.sync_until_quiet()
    world.everywhere("t1", due=MAY)
    world.everywhere("t2", due=JULY)
    assert world.sync(accept=False).exit_code == 0


def test_r31_a_mapping_that_forgets_a_field_clears_it_nowhere() -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    world.sync_until_quiet()
    world.connects("B", "B", lacks=["due"])
    world.sync(accept=True)
    world.person("A").edits("t1", due=JUNE)
    world.sync_until_quiet()
    world.shows("B", "t1", due=MAY)
    world.shows("C", "t1", due=JUNE)


def test_r33_a_ledger_restored_from_a_backup_writes_nothing() -> None:
    world = mirrored()
    old = world.store.copy()
    world.person("A").creates("t2")
    world.person("B").creates("t3")
    world.sync_until_quiet()
    world.restores(old)
    before = world.writes
    outcome = world.sync(accept=False)
    assert outcome.exit_code != 0
    assert world.platforms["A"].writes == before - sum(world.platforms[n].writes for n in "BC")
    assert len(world.platforms["A"].listing()) == 3
    assert world.link("A", "t1").state is LinkState.LIVE
