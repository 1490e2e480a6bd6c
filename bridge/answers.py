"""What the ledger knows, as views for people and as JSON for machines; `bridge.outcomes` does it for a pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bridge import views
from bridge.book import Book
from bridge.scope_reader import parse
from bridge.scoping import Fence
from bridge.state import NEVER, Base, Binding, Conflict, Entry, Item, Link, LinkState, Parked, Store, Unlinked
from mappings.canonical import FIELDS, Cell, Type, Value, cell_of, field_of


class Names:
    """Titles of items and names of connectors, looked up when they are asked for."""

    def __init__(self, store: Store, book: Book | None = None) -> None:
        self._book = book if book is not None else Book(store, dry=True)
        self.connectors = {binding.id: binding.name for binding in self._book.bindings.values()}

    def title(self, item: str) -> str:
        """The title of an item; its id if it is not known any more."""
        try:
            return self._book.item(item).title
        except KeyError:
            return item

    def kind(self, item: str) -> str:
        """The kind of an item."""
        return self._book.item(item).kind

    def admits(self, connector: str, item: Item) -> bool:
        """Whether an item belongs to a connector, by the scope that was agreed to."""
        binding = self._book.bindings.get(connector)
        return binding is None or Fence(parse(binding.scope), binding.confidential).admits(self._book, item)

    def connector(self, id: str) -> str:
        """The name of a connector."""
        return self.connectors.get(id, id)

    def value(self, cell: Cell, value: Value) -> Value:
        """A value as people read it: references by title."""
        if (
            cell.partition(":")[0] in FIELDS
            and field_of(cell).type in (Type.REFERENCE, Type.REFERENCES)
            and isinstance(value, str)
        ):
            return self.title(value)
        return value


# ---- items and conflicts ----------------------------------------------------------------------------------------


def order(cell: Cell) -> tuple[int, str]:
    """The place of a cell among others: fields as the model lists them."""
    return (list(FIELDS).index(field_of(cell).name), cell)


def values_of(names: Names, item: Item) -> dict[str, Value | tuple[str, ...]]:
    """Every field of an item that somebody ever said something about; sets as tuples."""
    values: dict[str, Value | tuple[str, ...]] = {}
    for name, spec in FIELDS.items():
        if spec.many:
            elements = [base.value for cell, base in item.cells.items() if field_of(cell).name == name]
            values[name] = tuple(sorted(str(names.value(cell_of(name, ""), e)) for e in elements if e is not None))
        elif name in item.cells:
            values[name] = names.value(name, item.value(name))
    return values


def item_json(store: Store, names: Names, item: Item, *, full: bool) -> dict[str, Any]:
    """One item for machines; ``full`` adds its records, history and conflicts."""
    links = [link for link in store.links_of([item.id]) if link.state is not LinkState.RETIRED]
    data: dict[str, Any] = {
        "id": item.id,
        "kind": item.kind,
        "title": item.title,
        "deleted": item.dead,
        "fields": {name: list(v) if isinstance(v, tuple) else v for name, v in values_of(names, item).items()},
        "connectors": sorted(names.connector(link.connector) for link in links if link.state is LinkState.LIVE),
    }
    if full:
        data["records"] = [
            {
                "connector": names.connector(link.connector),
                "id": link.native_id,
                "state": _state(names, item, link),
                "url": link.url,
                "problem": link.problem,
                "released": link.released,
            }
            for link in links
        ]
        data["history"] = [entry_json(names, entry) for entry in store.journal(item=item.id)]
        data["conflicts"] = [conflict_json(names, one) for one in store.conflicts(item=item.id)]
    return data


def entry_json(names: Names, entry: Entry) -> dict[str, Any]:
    """One line of the journal for machines."""
    return {
        "run": entry.run,
        "at": entry.at,
        "connector": names.connector(entry.connector),
        "act": entry.act,
        "field": entry.cell,
        "before": entry.before,
        "after": entry.after,
        "why": entry.why,
    }


def conflict_json(names: Names, one: Conflict) -> dict[str, Any]:
    """One kept conflict for machines: values first, then where and when they were said."""
    return {
        "id": one.id,
        "item": one.item,
        "title": names.title(one.item),
        "field": one.cell,
        "base": one.base,
        "winner": one.winner.value,
        "loser": one.loser.value,
        "rule": one.rule,
        "run": one.run,
        "at": one.at,
        "winner_from": {"connector": one.winner.connector, "at": one.winner.time, "after": one.winner.since},
        "loser_from": {"connector": one.loser.connector, "at": one.loser.time, "after": one.loser.since},
    }


def conflict_view(names: Names, one: Conflict) -> views.ConflictView:
    """One kept conflict for people."""
    return views.ConflictView(
        one.id,
        names.title(one.item),
        one.cell,
        names.value(one.cell, one.base),
        names.value(one.cell, one.winner.value),
        one.winner.connector,
        names.value(one.cell, one.loser.value),
        one.loser.connector,
        one.rule,
        one.at,
        one.winner.time,
        one.loser.time,
    )


def item_rows(store: Store, names: Names, items: Iterable[Item]) -> list[views.ItemRow]:
    """One line per item."""
    items = list(items)
    places: dict[str, list[str]] = {}
    for link in store.links_of([item.id for item in items]):
        if link.state is LinkState.LIVE:
            places.setdefault(link.item, []).append(names.connector(link.connector))
    return [
        views.ItemRow(
            item.id,
            item.kind,
            item.title,
            item.value("status"),
            item.value("due"),
            tuple(sorted(places.get(item.id, ()))),
        )
        for item in items
    ]


def item_view(store: Store, names: Names, item: Item) -> views.ItemView:
    """One item in full for people."""
    links = [link for link in store.links_of([item.id]) if link.state is not LinkState.RETIRED]
    fields = []
    for name, value in values_of(names, item).items():
        if name == "title" or value in (None, ()):
            continue
        base = item.cells.get(name, Base())
        origin = names.connector(base.origin) if base.key != NEVER else ""
        fields.append(views.FieldView(name, value, origin, max(base.key.time, 0)))
    return views.ItemView(
        item.id,
        item.kind,
        item.title,
        tuple(fields),
        tuple(
            views.PlaceView(names.connector(x.connector), _state(names, item, x), x.url, x.problem)
            for x in links
            if not (x.state is LinkState.WANTED and item.dead)
        ),
        tuple(
            views.EntryView(
                entry.at,
                names.connector(entry.connector),
                entry.act,
                views.Change(entry.cell, names.value(entry.cell, entry.before), names.value(entry.cell, entry.after)),
                entry.why,
            )
            for entry in store.journal(item=item.id)
        ),
        tuple(conflict_view(names, one) for one in store.conflicts(item=item.id)),
        tuple(_parked_views(names, links)),
    )


def _state(names: Names, item: Item, link: Link) -> str:
    """The state of a link; "outside" where nothing shall be made because the item does not belong there."""
    if link.state is LinkState.WANTED and not names.admits(link.connector, item):
        return "outside"
    return str(link.state)


# ---- status -----------------------------------------------------------------------------------------------------


def _parked_views(names: Names, links: Iterable[Link]) -> list[views.ParkedView]:
    return [
        views.ParkedView(names.connector(link.connector), names.title(link.item), cell, why.reason, why.since)
        for link in links
        for cell, why in _reasons(link).items()
    ]


def _reasons(link: Link) -> Mapping[Cell, Parked]:
    if link.state is LinkState.FROZEN:
        return {"": Parked(link.problem, 0)}
    return link.parked


def parked(store: Store, names: Names) -> list[views.ParkedView]:
    """Everything that is left alone, with its reason: cells, records, records without an item, resting links."""
    links = store.links_flagged("parked")
    for binding in store.bindings():
        links += [link for link in store.links_frozen(binding.id) if not link.released]
    found = _parked_views(names, links)
    return found + [
        views.ParkedView(names.connector(one.connector), _called(one), "", one.reason, one.since)
        for one in store.unlinked()
        if one.reason
    ]


def _called(waiting: Unlinked) -> str:
    return waiting.title or waiting.native_id


def status_rows(store: Store, configured: Mapping[str, tuple[str, str]]) -> list[views.StatusRow]:
    """Every connector that is set or known, with what waits there.

    ``configured`` are collection and address by name: for those that were never met.
    """
    last = store.runs(1)
    waiting: Any = last[0].summary.get("waiting", {}) if last else {}
    bindings = [binding for binding in store.bindings() if binding.accepted]
    newest = {one.name: one.id for one in sorted(bindings, key=lambda one: (one.complete_run, one.complete_at))}
    rows = []
    for binding in bindings:
        row = _status_row(store, binding)
        if binding.name not in configured:
            row = replace(row, waiting="rests: it is not in BRIDGE_CONNECTORS")
        elif newest[binding.name] != binding.id:
            row = replace(row, waiting="rests: its connector points elsewhere now")
        else:
            row = replace(row, waiting=str(waiting.get(binding.name, "")))
        rows.append(row)
    never = [name for name in configured if name not in newest]
    return rows + [views.StatusRow(name, *configured[name], 0, 0, waiting=str(waiting.get(name, ""))) for name in never]


def _status_row(store: Store, binding: Binding) -> views.StatusRow:
    """One connector: how far it was read, how well its clock is known, and what its scope keeps out."""
    outside = [_called(one) for one in store.unlinked() if one.connector == binding.id and one.outside]
    return views.StatusRow(
        binding.name,
        binding.title,
        binding.host,
        store.count_live(binding.id),
        binding.complete_at,
        binding.offset if binding.offset_error is not None else None,
        binding.offset_error,
        binding.error,
        scope=binding.scope,
        confidential=binding.confidential,
        released=sum(bool(link.released) for link in store.links_frozen(binding.id)),
        outside=tuple(sorted(outside)),
    )


def status_json(store: Store, rows: Sequence[views.StatusRow]) -> dict[str, Any]:
    """What ``status --json`` prints: under a connector's name where it points now, under "resting" what it left."""
    names = Names(store)
    last = store.runs(1)
    resting = [row for row in rows if row.waiting.startswith("rests: ")]
    return {
        "run": last[0].id if last else None,
        "connectors": {row.name: vars(row) for row in rows if row not in resting and (row.complete_at or row.waiting)},
        "resting": [vars(row) for row in resting],
        "parked": [vars(one) for one in parked(store, names)],
        "conflicts": len(store.conflicts()),
    }
