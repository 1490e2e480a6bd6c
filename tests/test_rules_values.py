"""One small story per rule, R1 to R15: change and time, values."""

from __future__ import annotations

import dataclasses

import pytest

from bridge import exact
from connectors.memory_platform import FACES
from tests.test_histories import DAY, JULY, JUNE, MAY, ORDERS, at_peace, mirrored
from tests.world import World


def test_r1_reading_a_coarse_platform_flattens_nothing() -> None:
    world = mirrored()
    world.person("A").edits("t1", status="on_hold")
    world.sync_until_quiet()
    for name in "BC":
        world.person(name).edits("t1", due=MAY if name == "B" else JUNE)
        world.sync_until_quiet()
    world.shows("A", "t1", status="on_hold", due=JUNE)


def test_r2_a_slow_clock_does_not_bury_what_was_written_with_knowledge() -> None:
    world = mirrored()
    world.platforms["B"].time_lie = -3_600
    world.person("A").edits("t1", due=MAY)
    world.sync_until_quiet()
    world.person("B").edits("t1", due=JUNE)
    world.sync_until_quiet()
    world.everywhere("t1", due=JUNE)
    assert world.losers("t1") == []


@pytest.mark.parametrize("skews", [(3_600, 0, 0), (0, -3_600, 0), (-3_600, 3_600, 0), (0, 0, 7_200)])
def test_r3_clocks_that_are_off_do_not_decide(skews: tuple[int, int, int]) -> None:
    world = World(skews=skews)
    world.person("A").creates("t1")
    world.sync_until_quiet()
    for names in ("AB", "BA", "BC", "CB", "CA", "AC"):
        world.passes(10)
        world.person(names[0]).edits("t1", due=MAY)
        world.passes(1)
        world.person(names[1]).edits("t1", due=JUNE)
        world.sync_until_quiet()
        world.everywhere("t1", due=JUNE)
        world.person("A").edits("t1", due=None)
        world.sync_until_quiet()


def test_r4_a_time_in_the_future_counts_as_now() -> None:
    world = mirrored()
    world.platforms["B"].time_lie = 10 * DAY
    world.person("B").edits("t1", due=MAY)
    world.sync_until_quiet()
    world.passes(60)
    world.person("C").edits("t1", title="neu")
    world.person("A").edits("t1", due=JUNE)
    world.sync_until_quiet()
    world.everywhere("t1", due=JUNE, title="neu")
    assert world.item("t1").key("due").time <= world.now


def test_r4_a_conflict_knows_since_when_a_value_may_have_been_there() -> None:
    world = mirrored()
    read = world.now
    world.passes(600)
    world.person("B").edits("t1", due=MAY)
    world.person("A").edits("t1", due=JUNE)
    changed = world.now
    world.sync()
    (conflict,) = world.store.conflicts()
    assert (conflict.winner.time, conflict.loser.time) == (changed, changed - 1)
    assert read - 5 <= conflict.winner.since <= read
    assert conflict.loser.since == conflict.loser.time  # B keeps a history, so that there is nothing to doubt


@pytest.mark.parametrize("skew", [3_600, -3_600])
def test_r4_a_server_without_a_date_tells_its_time_by_our_own_writes(skew: int) -> None:
    world = World(skews=(0, skew, 0))
    world.platforms["B"].dated = False
    world.person("A").creates("t1")
    world.sync_until_quiet()
    assert {one.name: one.offset for one in world.store.bindings()} == {"A": 0, "B": skew, "C": 0}
    for first, last in ("AB", "BA"):
        world.passes(60)
        world.person(first).edits("t1", due=MAY)
        world.passes(1)
        world.person(last).edits("t1", due=JUNE)
        world.sync_until_quiet()
        world.everywhere("t1", due=JUNE)
        world.person("A").edits("t1", due=None)
        world.sync_until_quiet()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("first", "last"), ["BC", "CB"])
def test_r4_a_comment_makes_no_edit_younger_than_it_is(order: str, first: str, last: str) -> None:
    world = mirrored()
    world.passes(60)
    world.person(first).edits("t1", due=MAY)
    world.person(last).edits("t1", due=JUNE)
    edited = world.now
    world.person(last).comments("t1")
    world.person(first).comments("t1")
    world.sync(order=order)
    (conflict,) = world.store.conflicts()
    assert (conflict.winner.value, conflict.loser.value) == (JUNE, MAY)
    assert (conflict.winner.time, conflict.loser.time) == (edited, edited - 1)
    assert (conflict.winner.since, conflict.loser.since) == (edited, edited - 1)
    world.sync_until_quiet()
    world.everywhere("t1", due=JUNE)
    at_peace(world)


def test_r4_where_one_platform_keeps_no_history_the_other_ones_still_counts() -> None:
    world = mirrored()
    world.person("B").edits("t1", due=MAY)
    world.person("A").edits("t1", due=JUNE)
    world.person("B").comments("t1")
    world.sync_until_quiet()
    world.everywhere("t1", due=JUNE)


def test_r4_a_history_is_asked_where_people_disagree_and_nowhere_else() -> None:
    world = mirrored("t1", "t2", "t3")
    world.person("B").edits("t1", due=MAY)
    world.person("C").edits("t1", due=MAY)
    world.person("B").edits("t2", due=MAY)
    world.person("C").edits("t2", start=MAY)
    world.sync_until_quiet()
    assert [world.platforms[name].asked_history for name in "ABC"] == [0, 0, 0]
    world.person("B").edits("t1", due=JUNE)
    world.person("C").edits("t1", due=JULY)
    world.person("B").edits("t3", due=JUNE)
    world.sync(dry=True)
    world.sync()
    assert [world.platforms[name].asked_history for name in "ABC"] == [0, 2, 2]
    world.sync_until_quiet()
    assert [world.platforms[name].asked_history for name in "ABC"] == [0, 2, 2]


@pytest.mark.parametrize("fault", ["500", "lost", "429", "403", "404"])
def test_r4_a_history_that_does_not_answer_changes_nothing(fault: str) -> None:
    world = mirrored("t1", "t2")
    for title in ("t1", "t2"):
        world.person("B").edits(title, due=MAY)
        world.person("A").edits(title, due=JUNE)
        world.person("B").comments(title)
    world.platforms["B"].history_fault = fault
    outcome = world.sync()
    assert world.platforms["B"].asked_history == 1
    assert outcome.connectors["B"].error is None
    world.sync_until_quiet()
    for title in ("t1", "t2"):
        world.everywhere(title, due=MAY)


def test_r4_of_very_many_that_disagree_only_some_histories_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "MOST", 3)
    world = mirrored("t1", "t2", "t3")
    for title in ("t1", "t2", "t3"):
        world.person("B").edits(title, due=MAY)
        world.person("C").edits(title, due=JUNE)
    world.sync()
    assert sum(world.platforms[name].asked_history for name in "BC") == 3


def test_r4_a_history_that_tells_of_another_change_is_not_believed() -> None:
    world = mirrored()
    server = world.platforms["B"]
    world.person("B").edits("t1", due=MAY)
    world.person("A").edits("t1", due=JUNE)
    world.person("B").comments("t1")
    record = world.record("B", "t1")
    for told in (record.created_at - 1_000, record.modified_at + 1_000):
        server.entries[record.id].history["due"] = told
        world.sync(dry=True)
        assert world.outcome.operations
        assert all(one.cells == {"due": MAY} for one in world.outcome.operations)


def test_r4_where_two_platforms_meet_with_different_values_their_histories_are_asked() -> None:
    world = World("ab")
    world.person("B").creates("t1", due=JULY)
    world.builds("C", "c")
    world.person("C").creates("t1", due=JULY)
    world.sync_until_quiet()
    world.passes(60)
    world.person("C").edits("t1", due=MAY)
    world.person("B").edits("t1", due=JUNE)
    world.person("C").comments("t1")
    world.connects("C", "C")
    world.sync_until_quiet()
    world.everywhere("t1", due=JUNE)


def test_r6_a_delta_that_forgot_a_change_is_made_good_by_the_daily_sweep() -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    world.platforms["A"].entries[world.record("A", "t1").id].seq = 0
    world.sync()
    world.shows("B", "t1", due=None)
    world.passes(DAY + 1)
    world.sync_until_quiet()
    world.everywhere("t1", due=MAY)


@pytest.mark.parametrize("platform", ["B", "C"])
def test_r6_a_change_that_kept_its_version_is_found_by_the_weekly_reading(platform: str) -> None:
    world = mirrored()
    world.platforms[platform].lying_versions = True
    world.person(platform).edits("t1", due=MAY)
    for _ in range(8):
        world.passes(DAY + 1)
        world.sync()
    world.sync_until_quiet()
    world.everywhere("t1", due=MAY)


def test_r6_a_cursor_that_expired_costs_one_whole_listing() -> None:
    world = mirrored("t1", "t2")
    world.platforms["A"].forget_changes()
    world.person("A").edits("t1", due=MAY)
    world.person("A").deletes("t2")
    world.sync_until_quiet()
    world.everywhere("t1", due=MAY)
    assert world.item("t2").dead


def test_r7_a_value_without_a_meaning_is_neither_read_nor_written() -> None:
    world = World("ac")
    statuses = (*FACES["b"].statuses, "seltsam")
    world.builds("B", "b", traits=dataclasses.replace(FACES["b"], statuses=statuses))
    world.connects("B", "B")
    world.person("A").creates("t1", status="in_progress")
    world.sync_until_quiet()
    world.platforms["B"].edit(world.record("B", "t1").id, status="seltsam", due=MAY)
    world.person("A").edits("t1", status="done")
    (said,) = world.sync().warnings
    assert said.startswith("B: t1: ")
    assert "seltsam" in said
    world.sync_until_quiet()
    world.shows("A", "t1", status="done", due=MAY)
    world.shows("B", "t1", status="seltsam")
    world.shows("C", "t1", status="done", due=MAY)
    world.platforms["B"].edit(world.record("B", "t1").id, status="open")
    world.sync_until_quiet()
    world.shows("A", "t1", status="done")  # what becomes readable follows first contact's rules: "open" says little
    world.shows("B", "t1", status="closed")


def test_r7_a_cleared_field_is_empty_and_the_clearing_travels() -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY, description="Text")
    world.sync_until_quiet()
    world.person("C").edits("t1", due=None, description=None)
    world.sync_until_quiet()
    world.everywhere("t1", due=None, description=None)


def test_r7_a_field_that_the_server_derives_is_left_to_it() -> None:
    world = mirrored()
    world.platforms["B"].lock(world.record("B", "t1").id, "due")
    world.person("B").comments("t1")
    world.sync()
    world.person("A").edits("t1", due=MAY, title="neu")
    sent = world.listen("B")
    assert "B: neu: cannot be changed there by us: due" in world.sync().warnings
    world.sync_until_quiet()
    assert sent == [{"title": "neu"}]
    world.shows("B", "t1", due=None, title="neu")
    world.shows("C", "t1", due=MAY)
    before = world.writes
    world.sync()
    assert world.writes == before


def test_r9_the_loser_is_kept_with_everything_that_explains_it() -> None:
    world = mirrored()
    world.person("A").edits("t1", due=JULY)
    world.sync_until_quiet()
    world.person("C").edits("t1", due=MAY)
    world.person("B").edits("t1", due=JUNE)
    world.sync()
    (conflict,) = world.store.conflicts()
    assert (conflict.cell, conflict.base, conflict.item) == ("due", JULY, world.item("t1").id)
    assert (conflict.winner.value, conflict.winner.connector) == (JUNE, "B")
    assert (conflict.loser.value, conflict.loser.connector) == (MAY, "C")
    assert conflict.winner.time == conflict.loser.time + 1
    assert "R3" in conflict.rule
    assert conflict.run == world.outcome.run
    world.sync()
    assert len(world.store.conflicts()) == 1


def test_r10_labels_merge_by_element_and_keep_their_spelling() -> None:
    world = mirrored()
    world.person("A").labels("t1", add=["Presse", "alt"])
    world.sync_until_quiet()
    world.person("A").labels("t1", add=["neu"], remove=["alt"])
    world.person("B").labels("t1", add=["Straße"])
    world.person("C").labels("t1", remove=["Presse"], add=["PRESSE"])
    world.sync_until_quiet()
    at_peace(world)
    world.shows("A", "t1", labels=("Presse", "Straße", "neu"))
    world.shows("C", "t1", labels=("PRESSE", "Straße", "neu"))
    assert world.losers("t1") == []


@pytest.mark.parametrize("at_once", [True, False])
def test_r10_a_label_that_was_there_stands_for_the_milestone_that_is_named_like_it(at_once: bool) -> None:
    world = World("ad")
    world.person("A").creates("t1")
    world.sync_until_quiet()
    board = world.platforms["D"]
    board.options["labels"] |= {"kind": "Meilenstein", "phase": "Phase 2"}
    world.provenance.edits(board, world.record("D", "t1").id, {"labels": ("phase",)})
    if not at_once:
        world.sync_until_quiet()
        world.shows("A", "t1", labels=("Phase 2",), milestone=None)
    world.provenance.creates(board, "m", {"title": "Phase 2", "labels": ("kind",)})
    world.sync_until_quiet()
    world.shows("A", "t1", labels=(), milestone="m")
    assert world.record("D", "t1").fields["labels"] == ("phase",)
    assert world.losers("t1") == []


@pytest.mark.parametrize("order", ORDERS)
def test_r11_texts_merge_by_line(order: str) -> None:
    world = mirrored()
    world.person("A").writes("t1", "eins", "zwei", "drei", "vier", "fünf")
    world.sync_until_quiet()
    world.person("A").writes("t1", "EINS", "zwei", "drei", "vier", "fünf")
    world.person("B").writes("t1", "eins", "zwei", "drei", "vier", "fünf", "sechs")
    world.person("C").writes("t1", "eins", "zwei", "vier", "fünf")
    world.sync(order=order)
    at_peace(world)
    world.everywhere("t1", description="EINS\nzwei\nvier\nfünf\nsechs")
    assert world.losers("t1") == []


@pytest.mark.parametrize("order", ORDERS)
def test_r11_of_two_changes_of_one_line_the_later_stands_and_the_other_is_kept(order: str) -> None:
    world = mirrored()
    world.person("A").writes("t1", "eins", "zwei", "drei")
    world.sync_until_quiet()
    world.person("C").writes("t1", "eins", "ZWEI", "drei")
    world.person("A").writes("t1", "eins", "2", "drei", "vier")
    world.sync(order=order)
    at_peace(world)
    world.everywhere("t1", description="eins\n2\ndrei\nvier")
    assert len(world.losers("t1", "description")) == 1


@pytest.mark.parametrize("order", ORDERS)
def test_r11_the_first_words_of_two_sides_end_alike_in_every_order(order: str) -> None:
    world = mirrored()
    world.person("B").writes("t1", "von B")
    world.person("A").writes("t1", "von A")
    world.sync(order=order)
    at_peace(world)
    world.everywhere("t1", description="von A")
    assert world.losers("t1", "description") == ["von B"]


@pytest.mark.parametrize("order", ORDERS)
def test_r12_a_start_after_the_due_date_is_decided_for_both(order: str) -> None:
    world = mirrored()
    world.person("A").edits("t1", start=MAY, due=JULY)
    world.sync_until_quiet()
    world.person("C").edits("t1", due=JUNE)
    world.person("A").edits("t1", start="2026-06-15")
    world.sync(order=order)
    at_peace(world)
    world.everywhere("t1", start="2026-06-15", due=JULY)
    assert world.losers("t1", "due") == [JUNE]


def test_r12_a_contradiction_that_a_person_wants_is_left_alone() -> None:
    world = mirrored()
    world.person("A").edits("t1", start=JULY, due=MAY)
    world.sync_until_quiet()
    world.everywhere("t1", start=JULY, due=MAY)
    assert world.losers("t1") == []


def test_r12_who_closes_a_task_that_shows_half_the_progress_leaves_it_so() -> None:
    world = mirrored()
    world.person("A").edits("t1", progress=50)
    world.sync_until_quiet()
    world.person("B").edits("t1", status="closed")
    world.sync_until_quiet()
    world.shows("A", "t1", status="done", progress=50)
    assert world.losers("t1") == []


def test_r12_done_with_half_the_progress_is_finished() -> None:
    world = mirrored()
    world.person("A").edits("t1", progress=50)
    world.person("B").edits("t1", status="closed")
    world.sync_until_quiet()
    world.shows("A", "t1", status="done", progress=100)
    assert world.losers("t1", "progress") == [50]
    at_peace(world)


def test_r13_a_reference_waits_for_its_target_and_is_never_empty_meanwhile() -> None:
    world = World()
    world.person("A").creates("p").creates("t1", parent="p")
    world.platforms["B"].fails("422")
    world.sync()
    assert world.link("A", "t1").shadow["parent"]
    world.shows("A", "t1", parent="p")
    world.shows("C", "t1", parent="p")
    world.sync_until_quiet()
    world.everywhere("t1", parent="p")
    at_peace(world)


def test_r13_containers_are_made_before_what_hangs_on_them() -> None:
    world = World("ac")
    world.person("A").creates("z").creates("y", parent="z").creates("x", parent="y")
    world.sync()
    world.everywhere("x", parent="y")
    world.everywhere("y", parent="z")


@pytest.mark.parametrize("field", ["parent", "depends_on"])
def test_r13_a_long_chain_is_there_after_one_pass(field: str) -> None:
    world = World("ac")
    for number in range(30):
        last = {field: (f"t{number - 1}",) if field == "depends_on" else f"t{number - 1}"} if number else {}
        world.person("A").creates(f"t{number}", **last)
    world.sync()
    found = world.platforms["C"].listing()
    assert len(found) == 30
    assert sum(bool(one.fields[field]) for one in found) == 29
    at_peace(world)


def test_r13_a_chain_longer_than_the_stack_has_no_circle() -> None:
    world = World("a")
    ids = [world.platforms["A"].add(title="t0")]
    for number in range(1, 1_200):
        ids.append(world.platforms["A"].add(title=f"t{number}", depends_on=(ids[-1],)))
    world.sync()
    assert len(world.store.all_items()) == 1_200
    world.platforms["A"].edit(ids[0], depends_on=(ids[-1],))
    world.sync()
    assert len([one for one in world.store.conflicts() if "circle" in one.rule]) == 1
