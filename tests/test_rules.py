"""Rules that no named history tells: one small story each, by the number of the rule."""

from __future__ import annotations

import dataclasses
import itertools
from unittest import mock

import pytest

from bridge.outbox import LostLease
from bridge.reading import QUARANTINE
from bridge.state import Batch, LinkState
from connectors.memory_platform import FACES, HIDDEN, MemoryPlatform
from tests.hostile import PULL_FAULTS, HostileConnector
from tests.oracles import exceptions
from tests.test_histories import DAY, JULY, JUNE, MAY, ORDERS, WEEK, at_peace, mirrored
from tests.world import Crash, World

# ---- change and time --------------------------------------------------------------------------------------------


def test_r1_reading_a_coarse_platform_flattens_nothing() -> None:
    world = mirrored()
    world.person("A").edits("t1", status="on_hold")
    world.sync_until_quiet()
    for name in "BC":
        world.person(name).edits("t1", due=MAY if name == "B" else JUNE)
        world.sync_until_quiet()
    world.shows("A", "t1", status="on_hold", due=JUNE)


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


def test_r2_a_slow_clock_does_not_bury_what_was_written_with_knowledge() -> None:
    world = mirrored()
    world.platforms["B"].time_lie = -3_600
    world.person("A").edits("t1", due=MAY)
    world.sync_until_quiet()
    world.person("B").edits("t1", due=JUNE)
    world.sync_until_quiet()
    world.everywhere("t1", due=JUNE)
    assert world.losers("t1") == []


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
    world.person("A").edits("t1", due=MAY)
    world.person("B").edits("t1", due=JUNE)
    changed = world.now
    world.sync()
    (conflict,) = world.store.conflicts()
    assert (conflict.winner.time, conflict.loser.time) == (changed, changed - 1)
    assert read - 5 <= conflict.winner.since <= read
    assert read - 5 <= conflict.loser.since <= read


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


# ---- values -----------------------------------------------------------------------------------------------------


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


# ---- creating, pairing, identity ------------------------------------------------------------------------------------


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


def test_r19_a_changed_kind_freezes_the_link() -> None:
    world = mirrored()
    world.person("A").edits("t1", kind="milestone", title="neu")
    world.sync_until_quiet()
    assert world.link("A", "t1").state is LinkState.FROZEN
    world.shows("B", "t1", kind="task", title="t1")
    world.person("A").edits("t1", kind="task")
    world.sync_until_quiet()
    world.everywhere("t1", title="neu")


# ---- deleting -----------------------------------------------------------------------------------------------------


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


# ---- writing ------------------------------------------------------------------------------------------------------


def test_r24_only_what_changed_is_written() -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    sent = world.listen("B")
    world.sync()
    assert sent == [{"due": MAY}]


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r24_a_comment_between_reading_and_writing_does_not_hold_a_write_up(platform: str) -> None:
    world = mirrored()
    origin = "B" if platform == "A" else "A"
    world.person(origin).edits("t1", due=MAY)
    world.during(platform, "listing", "after", lambda: world.person(platform).comments("t1"))
    world.sync()
    world.everywhere("t1", due=MAY)


def test_r25_a_normalised_title_does_not_travel_and_is_not_sent_again() -> None:
    world = mirrored()
    world.person("A").edits("t1", title="mit  Lücke")
    world.sync()
    before = world.writes
    for _ in range(4):
        world.sync()
    assert world.writes == before
    world.shows("A", "t1", title="mit  Lücke")
    world.shows("C", "t1", title="mit Lücke")
    world.person("C").edits("t1", title="Neu von C")
    world.sync_until_quiet()
    world.everywhere("t1", title="Neu von C")


@pytest.mark.parametrize("fault", ["", "lost after", "500 after"])
def test_r25_a_title_that_is_normalised_on_creation_does_not_travel(fault: str) -> None:
    world = mirrored("t0")
    world.platforms["C"].fails(fault)
    world.person("A").creates("t1", title="mit  Lücke")
    world.sync()
    at_peace(world)
    world.shows("A", "t1", title="mit  Lücke")
    world.shows("B", "t1", title="mit  Lücke")
    world.shows("C", "t1", title="mit Lücke")


def test_r25_a_refused_value_is_sent_again_when_either_side_changes() -> None:
    world = mirrored()
    world.person("A").edits("t1", status="done")
    world.sync_until_quiet()
    world.shows("C", "t1", status="todo")
    world.person("C").edits("t1", status="doing")
    world.sync_until_quiet()
    world.shows("A", "t1", status="in_progress")
    world.person("A").edits("t1", status="done")
    world.sync_until_quiet()
    world.shows("C", "t1", status="done")
    at_peace(world)


def test_r25_success_that_changed_nothing_is_a_refusal() -> None:
    world = mirrored()
    world.platforms["B"].fails("nothing")
    world.person("A").edits("t1", due=MAY)
    world.sync()
    world.sync()
    world.shows("A", "t1", due=MAY)
    world.shows("B", "t1", due=None)
    assert world.link("B", "t1").memo["due"].refused
    world.person("A").edits("t1", due=JUNE)
    world.sync_until_quiet()
    world.everywhere("t1", due=JUNE)


def test_r26_a_field_written_too_often_in_a_day_is_left_alone_until_tomorrow() -> None:
    world = mirrored()
    for number in range(15):
        world.person("A").edits("t1", due=f"2026-05-{number + 1:02}")
        world.sync()
    world.shows("B", "t1", due="2026-05-10")
    world.person("A").edits("t1", title="neu")
    world.sync()
    world.shows("B", "t1", title="neu", due="2026-05-10")
    world.passes(DAY)
    world.sync_until_quiet()
    world.everywhere("t1", due="2026-05-15")


def test_r26_an_edit_that_the_platform_replaced_itself_is_not_written_again() -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    world.sync()
    link = world.link("B", "t1")
    link.replaced["due"] = (world.item("t1").key("due"),)
    link.shadow = {**link.shadow, "due": None}
    link.dirty = True
    world.store.save(Batch(links=[link]))
    world.platforms["B"].entries[link.native_id].fields["due"] = None
    sent = world.listen("B")
    assert world.sync().exit_code == 1
    assert sent == []
    assert "due" in world.link("B", "t1").parked
    world.person("A").edits("t1", due=JUNE)
    assert world.sync().exit_code == 0
    world.everywhere("t1", due=JUNE)


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r27_one_bad_record_parks_alone(platform: str) -> None:
    world = mirrored("t1", "t2")
    world.platforms[platform].spoil(world.record(platform, "t1").id, "the file does not parse")
    other = "B" if platform == "A" else "A"
    world.person(other).edits("t2", due=MAY)
    world.person(platform).edits("t2", title="neu")
    outcome = world.sync()
    assert outcome.exit_code == 1
    assert not world.item("t1").dead
    world.everywhere("t2", due=MAY, title="neu")
    world.platforms[platform].spoil(world.record(platform, "t1").id, "")
    world.person(other).edits("t1", due=JUNE)
    assert world.sync().exit_code == 0
    world.everywhere("t1", due=JUNE)


def test_r27_one_refused_value_does_not_hold_up_the_other_fields() -> None:
    world = mirrored("t1", "t2")
    put = world.platforms["B"].put

    def picky(native_id, fields, if_version):  # type: ignore[no-untyped-def]
        if "due" in fields:
            world.platforms["B"].fails("422")
        return put(native_id, fields, if_version)

    world.platforms["B"].put = picky  # type: ignore[method-assign]
    world.person("A").edits("t1", due=MAY, title="neu", labels=("presse",))
    assert world.sync().exit_code == 1
    world.shows("B", "t1", due=None, title="neu", labels=("presse",))
    assert "due" in world.link("B", "t1").parked
    world.platforms["B"].put = put  # type: ignore[method-assign]
    assert world.sync().exit_code == 0
    world.everywhere("t1", due=MAY)


@pytest.mark.parametrize("fault", ["401", "403", "404 collection", "429", "500", "502", "503", "lost", "malformed"])
def test_r27_a_platform_that_is_down_costs_only_itself(fault: str) -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    world.platforms["B"].pull_fault = fault
    outcome = world.sync()
    assert outcome.exit_code == 1
    assert outcome.connectors["B"].error
    world.shows("C", "t1", due=MAY)
    assert world.sync().exit_code == 0
    world.everywhere("t1", due=MAY)


def test_r27_what_stops_to_be_readable_right_after_a_write_is_not_written_for_ever() -> None:
    world = mirrored("t1", "t2")
    world.person("B").deletes("t1")
    record = world.record("C", "t1").id
    world.during("C", "put", "after", lambda: world.platforms["C"].spoil(record, "It cannot be read."))
    world.sync()
    writes = world.writes
    world.sync()
    assert world.writes == writes
    world.platforms["C"].spoil(record, "")
    at_peace(world)
    assert world.item("t1").dead


@pytest.mark.parametrize("platform", ["A", "B", "C"])
def test_r27_what_is_mended_by_undoing_is_read_again_by_the_next_sweep(platform: str) -> None:
    world = mirrored()
    record = world.record(platform, "t1")
    version = record.version
    world.platforms[platform].spoil(record.id, "It cannot be read.")
    world.sync()
    world.platforms[platform].spoil(record.id, "")
    world.record(platform, "t1").version = version
    world.passes(DAY + 1)
    world.sync_until_quiet()
    assert exceptions(world) == {}


def test_r27_the_service_asks_again_where_a_platform_was_down_for_a_while() -> None:
    world = mirrored()
    for beat in range(20):
        world.passes(300)
        world.sync(by_hand=False, down="B" if beat < 5 else "")
    world.person("A").edits("t1", title="neu")
    world.sync(by_hand=False)
    world.everywhere("t1", title="neu")
    assert world.outcome.exit_code == 0


def test_r27_the_service_leaves_a_platform_alone_for_a_while_and_says_so() -> None:
    world = mirrored()
    world.sync(down="B")
    world.passes(10)
    with mock.patch.object(HostileConnector, "identify", side_effect=AssertionError("asked")):
        outcome = world.sync(by_hand=False, order="B")
    assert outcome.connectors["B"].error == "The time ran out before the request arrived. (tried again later)"
    assert [one.failures for one in world.store.bindings() if one.name == "B"] == [1]


def test_r27_one_forbidden_record_does_not_hold_up_the_others() -> None:
    world = mirrored(*(f"t{n}" for n in range(5)))
    for n in range(5):
        world.person("A").edits(f"t{n}", due=MAY)
    world.platforms["B"].fails("403")
    world.sync(down="C")
    shown = [one.fields["due"] for one in world.platforms["B"].listing()]
    assert sorted(map(str, shown)) == [MAY] * 4 + ["None"]
    at_peace(world)


def test_r27_a_server_that_cannot_write_is_not_asked_without_end_and_says_why() -> None:
    world = mirrored(*(f"t{n}" for n in range(40)))
    for n in range(40):
        world.person("A").edits(f"t{n}", due=MAY)
    world.platforms["B"].fails(*["500"] * 200)
    before = world.platforms["B"].writes
    outcome = world.sync()
    assert world.platforms["B"].writes - before == 20
    assert outcome.connectors["B"].error == "The server failed (500)."
    at_peace(world)


def test_r27_lost_rights_end_the_writing_of_a_pass() -> None:
    world = mirrored(*(f"t{n}" for n in range(9)))
    for n in range(9):
        world.person("A").edits(f"t{n}", due=MAY)
    world.platforms["B"].fails(*["403"] * 9)
    before = world.platforms["B"].writes
    outcome = world.sync()
    assert world.platforms["B"].writes - before == 3
    assert "rights" in str(outcome.connectors["B"].error)
    at_peace(world)


@pytest.mark.parametrize("method", ["pull", "update"])
def test_r27_a_fault_of_one_connector_costs_only_that_connector(method: str) -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)

    def fail(*_: object) -> None:
        raise OverflowError("secret")

    right = getattr(HostileConnector, method)

    def broken(connector: HostileConnector, *given: object) -> object:
        return fail() if connector.platform.name == "B" else right(connector, *given)

    with mock.patch.object(HostileConnector, method, broken):
        outcome = world.sync()
    world.shows("C", "t1", due=MAY)
    told = f"{outcome.connectors['B'].error} {exceptions(world)}"
    assert "OverflowError in test_rules.py" in told
    assert "secret" not in told
    at_peace(world)
    world.everywhere("t1", due=MAY)


def test_r28_what_was_read_is_stored_whatever_dies_next() -> None:
    """A change keeps the time at which it was first seen, also if the pass that saw it was killed (R4)."""
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    world.passes(10)
    world.person("C").edits("t1", due=JUNE)

    def die(step: str) -> None:
        if step == "taken":
            raise Crash(step)

    with pytest.raises(Crash):
        world.sync(down="C", step=die)
    world.passes(10)
    world.person("A").edits("t1", title="neu")
    world.sync_until_quiet()
    world.everywhere("t1", due=JUNE, title="neu")


def test_r29_who_lost_the_ledger_sends_nothing_more() -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    before, asked = world.writes, itertools.count(1)
    with pytest.raises(LostLease):
        world.sync(held=lambda: next(asked) < 2)
    assert world.writes == before + 1
    world.sync()
    world.everywhere("t1", due=MAY)
    at_peace(world)


# ---- connectors and settings ----------------------------------------------------------------------------------------


def test_r30_one_collection_belongs_to_one_connector() -> None:
    world = mirrored()
    world.connects("zweimal", "B")
    before = world.writes
    outcome = world.sync()
    assert outcome.exit_code == 1
    assert outcome.connectors["zweimal"].error
    assert world.writes == before


def test_r30_a_foreign_mark_stops_the_connector() -> None:
    world = mirrored()
    world.sync()
    foreign = World("ac")
    foreign.person("C").creates("t9")
    foreign.sync_until_quiet()
    (entry,) = foreign.platforms["A"].listing()
    MemoryPlatform.post(world.platforms["A"], entry.fields, entry.mark)
    before = world.writes
    outcome = world.sync(accept=False)
    assert outcome.exit_code != 0
    assert outcome.connectors["A"].error
    assert world.writes == before


def test_r30_our_own_records_are_no_strangers_to_a_new_ledger() -> None:
    """Two of one title are left to a person, who makes the titles unique: as new, they still bear our old marks."""
    world = mirrored("t1", "t2")
    world.person("C").edits("t1", title="gleich").edits("t2", title="gleich")
    world.sync_until_quiet()
    world.store.forget(next(one.id for one in world.store.bindings() if one.name == "A"))
    world.sync()
    assert "make the titles unique" in str(exceptions(world))
    first, _ = world.platforms["A"].listing()
    world.platforms["A"].edit(first.id, title="eindeutig")
    assert world.sync().connectors["A"].error is None


def test_r32_a_read_only_connector_is_read_and_never_written() -> None:
    world = World("ac")
    world.builds("B", "b")
    world.connects("B", "B", read_only=True)
    world.person("A").creates("t1")
    world.person("B").creates("t2", due=MAY)
    world.sync_until_quiet()
    world.shows("A", "t2", due=MAY)
    world.person("A").edits("t2", due=JUNE)
    world.sync_until_quiet()
    world.shows("C", "t2", due=JUNE)
    world.person("B").edits("t2", title="neu")
    world.sync_until_quiet()
    world.shows("A", "t2", title="neu", due=JUNE)
    world.person("A").deletes("t2")
    world.sync_until_quiet()
    world.shows("B", "t2", due=MAY)
    assert world.platforms["B"].writes == 0
    world.passes(WEEK)
    world.sync()
    assert world.item("t2").dead


def test_a_plan_shows_what_is_then_done() -> None:
    world = mirrored("t1", "t2")
    world.person("A").edits("t1", due=MAY)
    world.person("B").creates("t3")
    world.person("C").deletes("t2")
    plan = world.sync(dry=True)
    planned = sorted((world.name_of(o.connector), o.kind, o.title) for o in plan.operations)
    before = {name: platform.writes for name, platform in world.platforms.items()}
    outcome = world.sync()
    done = sorted((world.name_of(o.connector), o.kind, o.title) for o in outcome.operations)
    assert planned == done
    for name, platform in world.platforms.items():
        assert platform.writes - before[name] == sum(one[0] == name for one in planned)


def test_a_quiet_pass_asks_little_and_stores_little() -> None:
    world = mirrored(*(f"t{n}" for n in range(5)))
    world.sync()
    outcome = world.sync()
    assert [one.requests for one in outcome.connectors.values()] == [2, 1, 1]
    assert [one.pulled for one in outcome.connectors.values()] == [0, 0, 0]


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


def test_a_plan_promises_nothing_that_a_platform_cannot_hold() -> None:
    world = World("ac")
    world.builds("B", "a")
    world.connects("B", "B", lacks=["due"])
    world.person("C").creates("t1", due=MAY)
    plan = world.sync(dry=True)
    assert sorted(str(one.cells.get("due")) for one in plan.operations) == [MAY, "None"]


def test_r31_what_nobody_there_was_shown_is_not_known_when_a_mapping_learns_its_field() -> None:
    world = World("ac")
    world.builds("B", "b")
    world.connects("B", "B", lacks=["due"])
    world.person("A").creates("t1", due=MAY)
    world.sync_until_quiet()
    world.person("B").edits("t1", due=JULY)
    world.connects("B", "B")
    world.sync(accept=True)
    world.sync_until_quiet()
    world.everywhere("t1", due=JULY)
    assert world.losers("t1", "due") == [MAY]


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


# ---- archived before they were met ----------------------------------------------------------------------------------


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


# ---- two records of one task ---------------------------------------------------------------------------------------


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
