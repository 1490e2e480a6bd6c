"""One small story per rule, R24 to R33: writing, trouble, connectors and settings, and what holds for all of them."""

from __future__ import annotations

import itertools
from unittest import mock

import pytest

from bridge.outbox import LostLease
from bridge.state import Batch
from connectors.memory_platform import MemoryPlatform
from tests.hostile import HostileConnector
from tests.oracles import exceptions
from tests.test_histories import DAY, JULY, JUNE, MAY, WEEK, at_peace, mirrored
from tests.world import Crash, World


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


def test_r25_a_title_that_is_shown_as_before_because_it_is_shortened_is_not_refused() -> None:
    """“t1” and “t1  ” end alike where blanks are squeezed: what is shown did not change, and nothing was refused."""
    world = mirrored()
    world.person("A").edits("t1", title="neu eins")
    world.sync_until_quiet()
    world.person("A").edits("t1", title="neu  eins")
    world.sync_until_quiet()
    world.shows("C", "t1", title="neu eins")
    assert world.link("C", "t1").parked == {}
    at_peace(world)


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
    assert "OverflowError in test_rules_writing.py" in told
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


def test_r31_an_edit_of_a_field_that_a_mapping_left_out_meanwhile_is_not_overwritten() -> None:
    world = mirrored()
    world.person("A").edits("t1", due=MAY)
    world.sync_until_quiet()
    world.connects("B", "B", lacks=["due"])
    world.sync()
    world.person("B").edits("t1", due=JULY)
    world.sync_until_quiet()
    world.connects("B", "B")
    world.sync_until_quiet()
    world.everywhere("t1", due=JULY)
    assert world.losers("t1", "due") == [MAY]


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


def test_r32_what_a_read_only_connector_missed_is_made_when_it_may_be_written_again() -> None:
    world = mirrored()
    world.connects("C", "C", read_only=True)
    world.person("A").creates("t2", due=MAY)
    world.person("A").edits("t1", due=JUNE)
    world.sync_until_quiet()
    assert len(world.platforms["C"].listing()) == 1
    world.connects("C", "C")
    world.sync_until_quiet()
    world.everywhere("t1", due=JUNE)
    world.everywhere("t2", due=MAY)
    at_peace(world)


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


def test_a_plan_promises_nothing_that_a_platform_cannot_hold() -> None:
    world = World("ac")
    world.builds("B", "a")
    world.connects("B", "B", lacks=["due"])
    world.person("C").creates("t1", due=MAY)
    plan = world.sync(dry=True)
    assert sorted(str(one.cells.get("due")) for one in plan.operations) == [MAY, "None"]
