"""What every ledger keeps and answers: in memory, in SQLite (file and memory) and in PostgreSQL."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.ledger import open_ledger
from bridge.ledger_errors import LedgerError
from bridge.memory_store import MemoryStore
from bridge.state import Base, Batch, Binding, Conflict, Key, LinkState, Parked, Run, Side, Store
from tests.ledgers import a_link, an_entry, an_intent, an_item, ids, needs_postgresql, schema, waiting

KINDS = ["memory", "sqlite", "sqlite-in-memory", pytest.param("postgresql", marks=needs_postgresql)]


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "postgresql":
        with schema() as url, open_ledger(url) as ledger:
            yield ledger
    else:
        url = "sqlite://" if request.param == "sqlite-in-memory" else "sqlite:///bridge.db"
        with open_ledger(url, tmp_path) as ledger:
            yield ledger


def test_empty_ledger_answers_nothing(store: Store) -> None:
    everything = [store.bindings(), store.all_items(), store.intents_open(), store.unlinked(), store.conflicts()]
    assert everything == [[]] * 5
    assert [store.journal(), store.runs(), store.items([]), store.links_of(["i"])] == [[]] * 4
    assert store.live_refs("c") == store.versions_written("c", 1) == {}
    assert store.count_live("c") == 0


def test_a_ledger_is_told_from_every_other(store: Store) -> None:
    mine = store.identity()
    assert re.fullmatch("[0-9a-f]{8}", mine)
    assert store.identity() == mine != MemoryStore().identity()


def test_what_is_returned_is_a_fresh_copy(store: Store) -> None:
    item, link = an_item("i", "Plan"), a_link("l", known={"title": Key(1, 0, "r")})
    store.save(Batch(items=[item], links=[link]))
    item.cells["title"] = Base("changed after saving")
    store.items(["i"])[0].cells["title"] = Base("changed after reading")
    store.links_of(["i"])[0].known.clear()
    assert store.items(["i"]) == [an_item("i", "Plan")]
    assert store.links_of(["i"]) == [a_link("l", known={"title": Key(1, 0, "r")})]


def test_saving_again_replaces_and_keeps_the_order(store: Store) -> None:
    store.save(Batch(items=[an_item("z", "one"), an_item("a", "two")]))
    store.save(Batch(items=[an_item("z", "three"), an_item("m", "four"), an_item("m", "five")]))
    assert [(item.id, item.title) for item in store.all_items()] == [("z", "three"), ("a", "two"), ("m", "five")]
    assert ids(store.items(["m", "nobody", "z", "m"])) == ["z", "m"]


def test_a_batch_is_stored_whole_or_not_at_all(store: Store) -> None:
    store.save(Batch(items=[an_item("i", "before")], unlinked=[waiting("n")]))
    bad = Batch(
        items=[an_item("i", "after"), an_item("j")],
        links=[a_link("l", item="nobody")],
        journal=[an_entry(1, "i")],
        forget_unlinked=[("c", "n")],
    )
    with pytest.raises(LedgerError, match=r"^Nothing was stored\b.*\.$"):
        store.save(bad)
    assert store.all_items() == [an_item("i", "before")]
    assert store.unlinked() == [waiting("n")]
    assert store.journal() == []
    assert store.links_of(["nobody"]) == []
    store.save(Batch(items=[an_item("j")], links=[a_link("l", item="j")]))
    assert ids(store.links_of(["j"])) == ["l"]


def test_last_word_of_a_batch_counts(store: Store) -> None:
    store.save(
        Batch(items=[an_item("i")], links=[a_link("l", item="nobody"), a_link("l")], runs=[Run(1, 1), Run(1, 2)])
    )
    assert store.links_of(["i", "nobody"]) == [a_link("l")]
    assert store.runs(2) == [Run(1, 2)]


def test_links_are_found_by_record_retired_ones_included(store: Store) -> None:
    old = a_link("old", native_id="7", state=LinkState.RETIRED, born="2025")
    new = a_link("new", native_id="7", born="2026")
    other = a_link("other", connector="d", native_id="7")
    store.save(Batch(items=[an_item("i")], links=[old, new, other, a_link("far", native_id="8")]))
    assert store.links_by_record("c", ["7"]) == [old, new]
    assert ids(store.links_by_record("c", ["8", "7", "9"])) == ["old", "new", "far"]
    assert ids(store.links_of(["i", "nobody"])) == ["old", "new", "other", "far"]


def test_look_ups_take_more_ids_than_a_database_takes_at_once(store: Store) -> None:
    many = [f"i{number}" for number in range(1203)]
    store.save(Batch(items=[an_item(id, id) for id in many], links=[a_link(f"l{id}", id, native_id=id) for id in many]))
    assert ids(store.items(reversed(many))) == many
    assert ids(store.links_by_record("c", reversed(many))) == [f"l{id}" for id in many]
    assert ids(store.links_of(many)) == [f"l{id}" for id in many]
    assert ids(store.items_titled(many)) == many


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("dirty", True),
        ("behind", True),
        ("waits_for", frozenset({"n"})),
        ("pending", frozenset({"i"})),
        ("parked", {"": Parked("why", 1)}),
    ],
)
def test_flags_find_links_that_are_not_retired(store: Store, flag: str, value: Any) -> None:
    set_: dict[str, Any] = {flag: value}
    links = [a_link(state.value, state=state, **set_) for state in LinkState]
    store.save(Batch(items=[an_item("i")], links=[*links, a_link("plain")]))
    assert ids(store.links_flagged(flag)) == ["wanted", "live", "frozen"]
    store.save(Batch(links=[a_link("live"), a_link("plain", **set_), links[1], a_link("live")]))
    assert ids(store.links_flagged(flag)) == ["wanted", "frozen", "plain"]


def test_flagged_links_are_found_by_connector_too(store: Store) -> None:
    store.save(Batch(items=[an_item("i")], links=[a_link("a", dirty=True), a_link("b", connector="d", dirty=True)]))
    assert ids(store.links_flagged("dirty", ["d"])) == ["b"]
    assert ids(store.links_flagged("dirty", [])) == []
    assert sorted(ids(store.links_flagged("dirty"))) == ["a", "b"]


def test_frozen_links_are_found_by_connector(store: Store) -> None:
    frozen = a_link("f", state=LinkState.FROZEN, problem="moved")
    store.save(
        Batch(items=[an_item("i")], links=[frozen, a_link("l"), a_link("g", connector="d", state=LinkState.FROZEN)])
    )
    assert store.links_frozen("c") == [frozen]


def test_live_refs_and_written_versions(store: Store) -> None:
    links = [
        a_link("a", version="1", written=3),
        a_link("b", version="2", written=5),
        a_link("c", version="3"),
        a_link("d", version="4", written=9, state=LinkState.RETIRED),
        a_link("e", version="5", written=9, connector="d"),
    ]
    store.save(Batch(items=[an_item("i")], links=links))
    assert store.live_refs("c") == {"n-a": "1", "n-b": "2", "n-c": "3"}
    assert store.versions_written("c", 4) == {"n-b": "2"}
    assert store.versions_written("c", 3) == {"n-a": "1", "n-b": "2"}
    assert store.versions_written("c", 0) == {"n-a": "1", "n-b": "2"}


def test_live_links_are_counted_while_their_item_lives(store: Store) -> None:
    dead = replace(an_item("dead"), deletes=[{"life": Key(9, 9, "z"), "title": Key(9, 9, "z")}])
    links = [a_link("a"), a_link("b", item="dead"), a_link("c", state=LinkState.FROZEN), a_link("d", connector="d")]
    store.save(Batch(items=[an_item("i"), dead], links=links))
    assert dead.dead
    assert store.count_live("c") == 1
    store.save(Batch(items=[replace(dead, deletes=[])]))
    assert store.count_live("c") == 2


def test_items_are_found_by_normal_title(store: Store) -> None:
    long = "ß" * 300
    store.save(Batch(items=[an_item("i", "Straße  bauen "), an_item("j", "STRASSE BAUEN"), an_item("k", long + "x")]))
    assert ids(store.items_titled(["strasse bauen", "nobody"])) == ["i", "j"]
    assert store.items_titled([long + "y"]) == []
    assert ids(store.items_starting("STRASSE  ba")) == ["i", "j"]
    assert ids(store.items_starting(long)) == ["k"]
    assert store.items_starting("bauen") == []
    assert ids(store.items_titled([long + "X"])) == ["k"]
    store.save(Batch(items=[an_item("i", "renamed")]))
    assert ids(store.items_titled(["strasse bauen"])) == ["j"]


def test_items_are_found_by_id_then_prefix_then_title(store: Store) -> None:
    store.save(Batch(items=[an_item("ab12"), an_item("ab"), an_item("aß", "AB1"), an_item("b", "Ufer%")]))
    assert ids(store.find_items("ab")) == ["ab"]
    assert ids(store.find_items("a")) == ["ab12", "ab", "aß"]
    assert ids(store.find_items("ab1")) == ["ab12"]
    assert ids(store.find_items("ufer%")) == ["b"]
    assert store.find_items("%") == store.find_items("") == store.find_items("B") == []


def test_intents_open_and_of_the_rolling_day(store: Store) -> None:
    intents = [
        an_intent("z", at=10, harm="destroy", open=False),
        an_intent("a", at=20, harm="rewrite"),
        an_intent("b", at=20),
        an_intent("d", "d", at=20, harm="create"),
    ]
    store.save(Batch(intents=intents))
    assert ids(store.intents_open()) == ["a", "b", "d"]
    assert store.intents_since("c", 10) == [intents[0], intents[1]]
    assert ids(store.intents_since("c", 11)) == ["a"]
    store.save(Batch(intents=[replace(intents[2], open=False)]))
    assert ids(store.intents_open()) == ["a", "d"]


def test_unlinked_records_wait_and_are_forgotten(store: Store) -> None:
    store.save(Batch(unlinked=[waiting("2"), waiting("1"), waiting("1", "d")]))
    store.save(Batch(unlinked=[replace(waiting("2"), reason="two candidates")]))
    assert store.unlinked() == [replace(waiting("2"), reason="two candidates"), waiting("1"), waiting("1", "d")]
    store.save(Batch(unlinked=[waiting("3")], forget_unlinked=[("c", "1"), ("c", "3"), ("c", "nobody")]))
    assert [(it.connector, it.native_id) for it in store.unlinked()] == [("c", "2"), ("d", "1")]


def test_bindings_come_in_the_order_in_which_they_were_bound(store: Store) -> None:
    one, two = Binding("z", "rathaus", "caldav", "h", "c", offset=-0.5), Binding("a", "amt", "caldav", "h", "d")
    store.save(Batch(bindings=[one, two]))
    store.save(Batch(bindings=[replace(one, cursor="7", there={"status": {"1": "Offen"}})]))
    assert store.bindings() == [replace(one, cursor="7", there={"status": {"1": "Offen"}}), two]
    store.save(Batch(bindings=[replace(two, forgotten=True)]))
    assert ids(store.bindings()) == ["z"]


def test_conflicts_come_newest_first_and_the_journal_oldest_first(store: Store) -> None:
    side = Side("x", "c", 1, 0, "r")
    conflicts = [Conflict(id, 1, 5, item, "title", None, side, side, "R2") for id, item in ("zi", "aj", "bi")]
    entries = [an_entry(1, "i"), an_entry(1, "j"), an_entry(2, "i"), an_entry(2, "i")]
    store.save(Batch(conflicts=conflicts[:1], journal=entries[:2]))
    store.save(Batch(conflicts=conflicts[1:], journal=entries[2:]))
    assert ids(store.conflicts()) == ["b", "a", "z"]
    assert ids(store.conflicts("i")) == ["b", "z"]
    assert store.journal() == entries
    assert store.journal(item="i") == [entries[0], *entries[2:]]
    assert store.journal(run=1) == entries[:2]
    assert store.journal(item="i", run=2) == entries[2:]


def test_runs_come_newest_first(store: Store) -> None:
    store.save(Batch(runs=[Run(number, number * 10) for number in (2, 10, 1)]))
    store.save(Batch(runs=[Run(2, 20, 25, True, {"connectors": {"rathaus": {"pulled": 3, "error": None}}})]))
    assert [run.id for run in store.runs(5)] == [10, 2, 1]
    assert [run.id for run in store.runs()] == [10]
    assert store.runs(2)[1].summary == {"connectors": {"rathaus": {"pulled": 3, "error": None}}}


def test_forgetting_a_connector_leaves_items_and_journal(store: Store) -> None:
    side = Side("x", "c", 1, 0, "r")
    for name in ("c", "d"):
        batch = Batch(
            items=[an_item("i")],
            links=[a_link(f"l{name}", connector=name, dirty=True)],
            intents=[an_intent(f"t{name}", name)],
            bindings=[Binding(name, name, "caldav", "h", name)],
            unlinked=[waiting("n", name)],
            conflicts=[Conflict(name, 1, 5, "i", "title", None, side, side, "R2")],
            journal=[an_entry(1, "i")],
        )
        store.save(batch)
    store.forget("c")
    store.forget("nobody")
    assert ids(store.links_of(["i"])) == ids(store.links_flagged("dirty")) == ["ld"]
    assert ids(store.links_by_record("c", ["n-lc"])) == []
    assert (store.count_live("c"), store.count_live("d")) == (0, 1)
    assert ids(store.intents_open()) == ["td"]
    assert ids(store.bindings()) == ["d"]
    assert store.unlinked() == [waiting("n", "d")]
    assert ids(store.all_items()) == ["i"]
    assert len(store.journal()) == len(store.conflicts()) == 2
    store.save(Batch(bindings=[Binding("c", "again", "caldav", "h", "c")]))
    assert ids(store.bindings()) == ["d", "c"]


def test_threads_save_and_read_side_by_side(store: Store) -> None:
    def work(name: int) -> None:
        for number in range(10):
            store.save(Batch(items=[an_item(f"{name}-{number}")], journal=[an_entry(name, "i")]))
            assert len(store.find_items(f"{name}-")) == number + 1

    failed: list[BaseException] = []

    def guarded(name: int) -> None:
        try:
            work(name)
        except BaseException as error:  # a thread's failure would go unseen
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(store.all_items()) == len(store.journal()) == 80


def test_copy_of_a_memory_store_goes_its_own_way() -> None:
    one = MemoryStore()
    one.save(Batch(items=[an_item("i")], links=[a_link("l", dirty=True)], journal=[an_entry(1, "i")]))
    two = one.copy()
    assert two.identity() == one.identity()
    two.save(Batch(items=[an_item("j")], links=[a_link("l")], journal=[an_entry(2, "i")]))
    assert (ids(one.all_items()), ids(one.links_flagged("dirty")), len(one.journal())) == (["i"], ["l"], 1)
    assert (ids(two.all_items()), ids(two.links_flagged("dirty")), len(two.journal())) == (["i", "j"], [], 2)
