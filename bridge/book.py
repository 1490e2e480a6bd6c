"""The working set of one pass: what it has loaded, what it has changed, and the store behind it.

Everything that a pass touches is loaded once and changed in memory; `commit` stores what was touched in one
transaction. A dry book never stores, so `plan` runs the very same steps and leaves no trace. What was not
committed when the process dies is as if it had never been: that is the whole crash story of this file (R28).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence

from bridge.state import Batch, Binding, Conflict, Entry, Intent, Item, Link, LinkState, Run, Store, Unlinked
from mappings.canonical import Cell, alike, normal


def new_id() -> str:
    """A fresh id for an item, link, intent or conflict: it never was and never will be used again."""
    return uuid.uuid4().hex


class Book:
    """Loaded objects by id, with the look-ups that a pass needs. Not thread-safe: one thread decides."""

    def __init__(self, store: Store, *, dry: bool = False) -> None:
        self.store = store
        self.dry = dry
        self.ledger = store.identity()
        self._items: dict[str, Item] = {}
        self._links: dict[str, Link] = {}
        self._by_record: dict[tuple[str, str], list[str]] = {}
        self._by_item: dict[str, list[str]] = {}
        self._complete_items: set[str] = set()
        self._flagged: dict[str, set[str]] = {}
        self._titles_loaded: set[str] = set()
        self._titles: dict[str, set[str]] = {}
        self._unlinked: dict[tuple[str, str], Unlinked] = {(u.connector, u.native_id): u for u in store.unlinked()}
        self._intents: dict[str, Intent] = {intent.id: intent for intent in store.intents_open()}
        self.bindings: dict[str, Binding] = {binding.id: binding for binding in store.bindings()}
        self._touched: dict[str, dict[str, object]] = {}
        self._batch = Batch()
        self.met: frozenset[str] | None = None  # the connectors of this pass: the others rest, and cost nothing
        self.named: set[tuple[str, str]] = set()  # records that have got a link in this pass
        self.straight: dict[str, set[str]] = {}  # by field, items from which no circle is reached, as things stand
        self.conflicts: list[Conflict] = []
        self.entries: list[Entry] = []
        self.follow: Callable[[Sequence[Entry]], None] = lambda entries: None  # what changes follow from others
        self._followed = 0

    # ---- items ------------------------------------------------------------------------------------------------

    def item(self, id: str) -> Item:
        """The item with this id; it must exist."""
        if id not in self._items:
            self.load_items([id])
        return self._items[id]

    def knows(self, id: str) -> bool:
        """Whether there is an item with this id."""
        self.load_items([id])
        return id in self._items

    def load_items(self, ids: Iterable[str]) -> None:
        """Load several items with one look-up."""
        missing = [id for id in dict.fromkeys(ids) if id not in self._items]
        for item in self.store.items(missing) if missing else []:
            self._items.setdefault(item.id, item)

    def items_titled(self, title: str) -> list[Item]:
        """Items whose title is this, by `normal`, in the order of their ids."""
        wanted = normal(title)
        self.load_titles([wanted])
        found = (self._items[id] for id in self._titles.get(wanted, ()))
        return sorted((item for item in found if normal(item.title) == wanted), key=lambda item: item.id)

    def items_starting(self, title: str) -> list[Item]:
        """Items whose title begins like this, by `normal`, in the order of their ids."""
        wanted = normal(title)
        for item in self.store.items_starting(wanted):
            self._items.setdefault(item.id, item)
        found = (item for item in self._items.values() if normal(item.title).startswith(wanted))
        return sorted(found, key=lambda item: item.id)

    def load_titles(self, titles: Iterable[str]) -> None:
        """Load the items of several `normal` titles with one look-up."""
        missing = [title for title in dict.fromkeys(titles) if title not in self._titles_loaded]
        self._titles_loaded.update(missing)
        for item in self.store.items_titled(missing) if missing else []:
            if item.id not in self._items:
                self._items[item.id] = item
            self._titles.setdefault(normal(self._items[item.id].title), set()).add(item.id)

    def touch(self, item: Item) -> None:
        """The item changed: every link of it has something to show and something to learn."""
        self.keep_item(item)
        for link in self.links_of(item.id):
            if link.state is not LinkState.RETIRED:
                link.dirty = True
                link.behind = link.behind or link.state is LinkState.LIVE
                self.keep_link(link)

    def loaded_items(self) -> list[Item]:
        """Items that this pass has loaded."""
        return [self._items[id] for id in sorted(self._items)]

    def new_item(self, kind: str) -> Item:
        """An item that did not exist before: nothing about it needs to be looked up."""
        item = Item(new_id(), kind)
        self._complete_items.add(item.id)
        self.keep_item(item)
        return item

    def keep_item(self, item: Item) -> None:
        """Store the item with the next commit."""
        self.straight.clear()
        self._items[item.id] = item
        self._titles.setdefault(normal(item.title), set()).add(item.id)
        self._touched.setdefault("items", {})[item.id] = item

    # ---- links ------------------------------------------------------------------------------------------------

    def _admit(self, links: Iterable[Link]) -> None:
        for link in links:
            if link.id not in self._links:
                self._links[link.id] = link
                self._by_record.setdefault((link.connector, link.native_id), []).append(link.id)
                self._by_item.setdefault(link.item, []).append(link.id)

    def load_records(self, connector: str, native_ids: Iterable[str]) -> None:
        """Load the links of several records, and their items, with two look-ups."""
        missing = [id for id in dict.fromkeys(native_ids) if (connector, id) not in self._by_record]
        if missing:
            for id in missing:
                self._by_record[(connector, id)] = []
            self._admit(self.store.links_by_record(connector, missing))
        self.load_items(
            self._links[id].item for native in native_ids for id in self._by_record.get((connector, native), [])
        )

    def load_links_of(self, items: Iterable[str]) -> None:
        """Load all links of several items with one look-up."""
        missing = [id for id in dict.fromkeys(items) if id not in self._complete_items]
        if missing:
            self._complete_items.update(missing)
            self._admit(self.store.links_of(missing))

    def link_at(self, connector: str, native_id: str) -> Link | None:
        """The link of a record, whether live, frozen or retired; the newest if an id was used again."""
        if (connector, native_id) not in self._by_record:
            self.load_records(connector, [native_id])
        links = [self._links[id] for id in self._by_record[(connector, native_id)]]
        standing = [link for link in links if link.state is not LinkState.RETIRED]
        return (standing or links)[-1] if links else None

    def links_of(self, item: str) -> list[Link]:
        """Every link of an item, retired ones included."""
        self.load_links_of([item])
        return [self._links[id] for id in self._by_item.get(item, [])]

    def link_of(self, item: str, connector: str) -> Link | None:
        """The one link of an item on a connector that is not retired."""
        for link in self.links_of(item):
            if link.connector == connector and link.state is not LinkState.RETIRED:
                return link
        return None

    def link(self, id: str) -> Link:
        """A link that this pass has loaded."""
        return self._links[id]

    def flagged(self, flag: str) -> list[Link]:
        """Links, not retired, with this flag; see `Store.links_flagged`."""
        if flag not in self._flagged:
            found = self.store.links_flagged(flag, self.met)
            self._admit(found)
            self.load_items(link.item for link in found)
            self._flagged[flag] = {link.id for link in self._links.values() if getattr(link, flag)}
        links = [self._links[id] for id in sorted(self._flagged[flag])]
        return [link for link in links if getattr(link, flag) and link.state is not LinkState.RETIRED]

    def keep_link(self, link: Link) -> None:
        """Store the link with the next commit."""
        self._admit([link])
        self._touched.setdefault("links", {})[link.id] = link
        for flag, ids in self._flagged.items():
            if getattr(link, flag):
                ids.add(link.id)

    def name_record(self, link: Link, native_id: str) -> None:
        """A wanted link got its record."""
        key = (link.connector, link.native_id)
        if link.id in self._by_record.get(key, []):
            self._by_record[key].remove(link.id)
        link.native_id = native_id
        self.named.add((link.connector, native_id))
        self.load_records(link.connector, [native_id])
        self._by_record[(link.connector, native_id)].append(link.id)
        self.keep_link(link)

    # ---- intents, records that wait ---------------------------------------------------------------------------

    def intents(self, connector: str | None = None) -> list[Intent]:
        """Open intents, oldest first."""
        return [i for i in self._intents.values() if i.open and connector in (None, i.connector)]

    def keep_intent(self, intent: Intent) -> None:
        """Store the intent with the next commit."""
        if intent.open:
            self._intents[intent.id] = intent
        else:
            self._intents.pop(intent.id, None)
        self._touched.setdefault("intents", {})[intent.id] = intent

    def unlinked(self, connector: str | None = None) -> Iterator[Unlinked]:
        """Records that wait to be paired."""
        yield from [u for u in self._unlinked.values() if connector in (None, u.connector)]

    def unlinked_at(self, connector: str, native_id: str) -> Unlinked | None:
        """A record that waits to be paired."""
        return self._unlinked.get((connector, native_id))

    def keep_unlinked(self, waiting: Unlinked) -> None:
        """Let a record wait."""
        key = (waiting.connector, waiting.native_id)
        self._unlinked[key] = waiting
        self._touched.setdefault("unlinked", {})["\0".join(key)] = waiting
        if key in self._batch.forget_unlinked:
            self._batch.forget_unlinked.remove(key)

    def drop_unlinked(self, connector: str, native_id: str) -> None:
        """The record waits no longer: it was paired, or it is gone."""
        key = (connector, native_id)
        if self._unlinked.pop(key, None) is not None:
            self._touched.get("unlinked", {}).pop("\0".join(key), None)
            self._batch.forget_unlinked.append(key)

    # ---- what happened ----------------------------------------------------------------------------------------

    def keep_binding(self, binding: Binding) -> None:
        """Store what is known of a connector with the next commit."""
        self.bindings[binding.id] = binding
        self._touched.setdefault("bindings", {})[binding.id] = binding

    def record_conflict(self, conflict: Conflict) -> None:
        """Keep the loser (R9)."""
        self.conflicts.append(conflict)
        self._batch.conflicts.append(conflict)

    def forget_conflicts(self, item: Item, cell: Cell) -> None:
        """Losers of this pass whose value is the agreed one after all did not lose (R9)."""
        value = item.value(cell)
        for one in [c for c in self.conflicts if c.item == item.id and c.cell == cell]:
            if alike(cell, one.loser.value, value):
                self.conflicts.remove(one)
                if one in self._batch.conflicts:
                    self._batch.conflicts.remove(one)
                else:
                    self._batch.forget_conflicts.append(one.id)

    def record(self, entry: Entry) -> None:
        """Write a line of the journal."""
        self.entries.append(entry)
        self._batch.journal.append(entry)

    def keep_run(self, run: Run) -> None:
        """Store the run with the next commit."""
        self._touched.setdefault("runs", {})[str(run.id)] = run

    def commit(self) -> None:
        """Store all that was touched since the last commit, in one transaction; a dry book stores nothing."""
        new, self._followed = self.entries[self._followed :], len(self.entries)
        self.follow(new)
        batch, self._batch = self._batch, Batch()
        touched, self._touched = self._touched, {}
        if self.dry:
            return
        for name, objects in touched.items():
            getattr(batch, name).extend(objects.values())
        if batch:
            self.store.save(batch)
