"""A ledger in memory: for tests, and for whoever wants a pass without a file.

It keeps what a database would keep and no more: objects are pickled when they are saved, so that a pass that dies
loses exactly what it did not save. Indexes answer the look-ups; whatever is listed comes in the order in which it
was first saved.
"""

from __future__ import annotations

import pickle
import threading
import uuid
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Generic, TypeVar

from bridge.ledger_errors import LedgerError
from bridge.state import (
    Batch,
    Binding,
    Conflict,
    Entry,
    Intent,
    Item,
    Link,
    LinkState,
    Run,
    Unlinked,
)
from mappings.canonical import normal

T = TypeVar("T")
Marks = Iterable[Hashable]
Packed = list[tuple[Hashable, bytes, tuple[Hashable, ...]]]
"""Key, pickle and marks of each object."""


class Shelf(Generic[T]):
    """Pickles of one kind of object by their key, and which of them bear which mark."""

    def __init__(self, key: Callable[[T], Hashable], marks: Callable[[T], Marks] = lambda _: ()) -> None:
        self._key = key
        self._marks = marks
        self._kept: dict[Hashable, bytes] = {}
        self._place: dict[Hashable, int] = {}
        self._next = 0
        self._marked: dict[Hashable, set[Hashable]] = {}
        self._bears: dict[Hashable, tuple[Hashable, ...]] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def pack(self, values: Iterable[T]) -> Packed:
        """All that can go wrong about saving, before anything is saved."""
        return [(self._key(value), pickle.dumps(value, 5), tuple(self._marks(value))) for value in values]

    def put(self, packed: Packed) -> None:
        """Save what `pack` made."""
        for key, kept, marks in packed:
            if key not in self._kept:
                self._place[key] = self._next
                self._next += 1
            self._kept[key] = kept
            if marks != self._bears.get(key, ()):
                self._unmark(key)
                self._bears[key] = marks
                for mark in marks:
                    self._marked.setdefault(mark, set()).add(key)

    def drop(self, key: Hashable) -> None:
        """Forget an object, if it is there."""
        if key in self._kept:
            self._unmark(key)
            for index in (self._kept, self._place, self._bears):
                index.pop(key, None)

    def _unmark(self, key: Hashable) -> None:
        for mark in self._bears.get(key, ()):
            self._marked[mark].discard(key)

    def get(self, keys: Iterable[Hashable]) -> list[T]:
        """Fresh copies of these objects, those that are there."""
        found = sorted({key for key in keys if key in self._kept}, key=self._place.__getitem__)
        return [pickle.loads(self._kept[key]) for key in found]

    def keys(self, *marks: Hashable) -> set[Hashable]:
        """Keys of the objects with one of these marks."""
        return {key for mark in marks for key in self._marked.get(mark, ())}

    def marked(self, *marks: Hashable) -> list[T]:
        """Fresh copies of the objects with one of these marks."""
        return self.get(self.keys(*marks))

    def all(self) -> list[T]:
        """Fresh copies of all."""
        return [pickle.loads(kept) for kept in self._kept.values()]

    def starting(self, text: str) -> list[T]:
        """Fresh copies of the objects whose key starts with this text."""
        return self.get(key for key in self._kept if str(key).startswith(text))

    def copy(self) -> Shelf[T]:
        """An equal shelf that goes its own way from now on."""
        twin: Shelf[T] = Shelf(self._key, self._marks)
        twin._kept, twin._place, twin._next = dict(self._kept), dict(self._place), self._next
        twin._marked = {mark: set(keys) for mark, keys in self._marked.items()}
        twin._bears = dict(self._bears)
        return twin


def _link_marks(link: Link) -> Marks:
    yield "record", link.connector, link.native_id
    yield "item", link.item
    yield "of", link.connector
    if link.state is LinkState.FROZEN:
        yield "frozen", link.connector
    if link.state is LinkState.LIVE:
        yield "live", link.connector
    if link.state is not LinkState.RETIRED:
        for flag in ("dirty", "behind", "waits_for", "pending", "parked"):
            if getattr(link, flag):
                yield "flag", flag


def _item_marks(item: Item) -> Marks:
    yield "title", normal(item.title)
    if item.dead:
        yield "dead"


def _intent_marks(intent: Intent) -> Marks:
    yield "of", intent.connector
    if intent.open:
        yield "open"
    if intent.harm:
        yield "harm", intent.connector


class MemoryStore:
    """The ledger of `bridge.state.Store`, in memory."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._identity = uuid.uuid4().hex[:8]
        self._items: Shelf[Item] = Shelf(lambda it: it.id, _item_marks)
        self._links: Shelf[Link] = Shelf(lambda it: it.id, _link_marks)
        self._intents: Shelf[Intent] = Shelf(lambda it: it.id, _intent_marks)
        self._bindings: Shelf[Binding] = Shelf(lambda it: it.id)
        self._unlinked: Shelf[Unlinked] = Shelf(
            lambda it: (it.connector, it.native_id), lambda it: [("of", it.connector)]
        )
        self._runs: Shelf[Run] = Shelf(lambda it: it.id)
        # Conflicts and entries never change: they need no copies.
        self._conflicts: dict[str, Conflict] = {}
        self._journal: list[Entry] = []

    def copy(self) -> MemoryStore:
        """A store of the same contents that goes its own way from now on: for a plan that stores nothing."""
        twin = MemoryStore()
        with self._lock:
            twin._identity = self._identity
            for name in ("_items", "_links", "_intents", "_bindings", "_unlinked", "_runs", "_conflicts", "_journal"):
                setattr(twin, name, getattr(self, name).copy())
        return twin

    def close(self) -> None:
        """Nothing is open; here so that every ledger ends alike."""

    # ---- look-ups --------------------------------------------------------------------------------------------

    def identity(self) -> str:
        """What tells this ledger from every other (R30)."""
        return self._identity

    def bindings(self) -> list[Binding]:
        """All that were ever bound and not forgotten."""
        with self._lock:
            return [binding for binding in self._bindings.all() if not binding.forgotten]

    def links_by_record(self, connector: str, native_ids: Iterable[str]) -> list[Link]:
        """Links, retired ones included (R20), of these records."""
        with self._lock:
            return self._links.marked(*(("record", connector, native_id) for native_id in native_ids))

    def links_of(self, items: Iterable[str]) -> list[Link]:
        """Every link of these items, retired ones included."""
        with self._lock:
            return self._links.marked(*(("item", item) for item in items))

    def links_flagged(self, flag: str, connectors: Iterable[str] | None = None) -> list[Link]:
        """Links, not retired, with this flag: "dirty", "behind", or non-empty "waits_for", "pending", "parked"."""
        wanted = None if connectors is None else set(connectors)
        with self._lock:
            found = self._links.marked(("flag", flag))
            return [link for link in found if wanted is None or link.connector in wanted]

    def links_frozen(self, connector: str) -> list[Link]:
        """Frozen links of a connector."""
        with self._lock:
            return self._links.marked(("frozen", connector))

    def live_refs(self, connector: str) -> dict[str, str]:
        """Native id to version, of every live link of a connector."""
        with self._lock:
            return {link.native_id: link.version for link in self._links.marked(("live", connector))}

    def count_live(self, connector: str) -> int:
        """How many live links of a connector are there whose item lives."""
        with self._lock:
            dead = self._items.keys("dead")
            return sum(link.item not in dead for link in self._links.marked(("live", connector)))

    def versions_written(self, connector: str, since_run: int) -> dict[str, str]:
        """Native id to version, of the live links that were written in ``since_run`` or later."""
        with self._lock:
            live = self._links.marked(("live", connector))
        return {link.native_id: link.version for link in live if link.written >= max(since_run, 1)}

    def items(self, ids: Iterable[str]) -> list[Item]:
        """These items."""
        with self._lock:
            return self._items.get(ids)

    def items_titled(self, titles: Iterable[str]) -> list[Item]:
        """Items with one of these titles, compared by `mappings.canonical.normal`."""
        with self._lock:
            return self._items.marked(*(("title", normal(title)) for title in titles))

    def items_starting(self, title: str) -> list[Item]:
        """Items whose title begins like this one, compared by `mappings.canonical.normal`."""
        return [item for item in self.all_items() if normal(item.title).startswith(normal(title))]

    def find_items(self, text: str) -> list[Item]:
        """The item of this id; else those whose id starts so; else those whose `normal` title it is."""
        if not text:
            return []
        with self._lock:
            return self._items.get([text]) or self._items.starting(text) or self.items_titled([text])

    def all_items(self) -> list[Item]:
        """Every item, oldest first."""
        with self._lock:
            return self._items.all()

    def intents_open(self) -> list[Intent]:
        """Intents whose outcome is not recorded yet, oldest first."""
        with self._lock:
            return self._intents.marked("open")

    def intents_since(self, connector: str, at: int) -> list[Intent]:
        """Intents with a harm that were written for this connector since that time (the guard's rolling day)."""
        with self._lock:
            return [intent for intent in self._intents.marked(("harm", connector)) if intent.at >= at]

    def unlinked(self) -> list[Unlinked]:
        """Records that wait to be paired, oldest first."""
        with self._lock:
            return self._unlinked.all()

    def conflicts(self, item: str | None = None) -> list[Conflict]:
        """Kept conflicts, newest first."""
        with self._lock:
            return [it for it in reversed(self._conflicts.values()) if item is None or it.item == item]

    def journal(self, item: str | None = None, run: int | None = None) -> list[Entry]:
        """Journal entries, oldest first."""
        with self._lock:
            found = self._journal if item is None else [entry for entry in self._journal if entry.item == item]
            return [entry for entry in found if run is None or entry.run == run]

    def runs(self, limit: int = 1) -> list[Run]:
        """The newest runs, newest first."""
        with self._lock:
            return sorted(self._runs.all(), key=lambda run: run.id, reverse=True)[:limit]

    # ---- writing ---------------------------------------------------------------------------------------------

    def save(self, batch: Batch) -> None:
        """Store all of it, or nothing; in the order of the batch's fields, so what is forgotten is gone after it."""
        with self._lock:
            coming = {item.id for item in batch.items}
            for link in {link.id: link for link in batch.links}.values():  # the last word on each counts
                if link.item not in coming and link.item not in self._items:
                    raise LedgerError(f"Nothing was stored: link {link.id} belongs to an item that is not there.")
            packed: list[tuple[Shelf[Any], Packed]] = [
                (self._items, self._items.pack(batch.items)),
                (self._links, self._links.pack(batch.links)),
                (self._intents, self._intents.pack(batch.intents)),
                (self._bindings, self._bindings.pack(batch.bindings)),
                (self._unlinked, self._unlinked.pack(batch.unlinked)),
                (self._runs, self._runs.pack(batch.runs)),
            ]
            for shelf, rows in packed:
                shelf.put(rows)
            for key in batch.forget_unlinked:
                self._unlinked.drop(tuple(key))
            self._conflicts |= {conflict.id: conflict for conflict in batch.conflicts}
            for id in batch.forget_conflicts:
                self._conflicts.pop(id, None)
            self._journal += batch.journal

    def forget(self, connector: str) -> None:
        """Forget a connector: its binding, links, intents and unlinked records. Items and journal stay."""
        with self._lock:
            self._bindings.drop(connector)
            for shelf in (self._links, self._intents, self._unlinked):
                for key in shelf.keys(("of", connector)):
                    shelf.drop(key)
