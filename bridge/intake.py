"""Taking in: what was read becomes candidates, shadows, deletes and records that wait (steps 1 and 3 of a pass).

Every difference between a record and its own shadow is a change, translated with the current mapping (R1); what
people changed asks to become the base (`bridge.merge`); what we sent ourselves comes back as an echo (R17). All
of it happens in the book; the caller commits once per connector, so that nothing that was read can be lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bridge import chronicle
from bridge.book import Book, new_id
from bridge.merge import Candidate, raised
from bridge.state import (
    LIFE,
    NEVER,
    UNSAID,
    Item,
    Key,
    Link,
    LinkState,
    Memo,
    Parked,
    Unlinked,
)
from bridge.station import Station, evidence, meant, same
from bridge.vanished import without_echoes
from connectors.base import Fields, Record
from mappings.canonical import FIELDS, Cell, Kind, Type, Value, field_of, is_empty, plain, preferred
from mappings.translate import Reading

KEPT_REPLACED = 2
"""Writes of ours that a platform replaced and that are remembered per cell (R26)."""


# ---- one record -----------------------------------------------------------------------------------------------


def take_record(station: Station, link: Link, record: Record, *, silent: bool = False) -> bool:
    """Take in a record that has a link. Returns whether people changed something.

    ``silent`` sets the shadow without asking for anything: the ledger's values are right (R5, accepted).
    """
    assert record.fields is not None
    station.learn_options(record.options)
    station.bind_milestones(record.fields)
    _mend(link)
    if link.shadow == record.fields:
        _set_shadow(station, link, record, link.waits_for)
        return False
    before, after = station.read(link.shadow), station.read(record.fields)
    item = station.book.item(link.item)
    if after.kind.value != item.kind:
        freeze(station, link, f"rests here: it became a {after.kind.value} there; make it a {item.kind} again", record)
        return False
    edits = {} if silent else without_echoes(station, before, _edits(station, before, after))
    changed, was_dead = False, item.dead
    for cell, values in edits.items():
        if not _take_echo(station, link, cell, before, after, record):
            changed |= _take_edit(station, link, cell, values, before, after, record)
    _take_life(station, link, item, record, before, after)
    revive_if_it_lives(station, item, was_dead)
    if not after.archived:
        _park_unreadable(station, link, after)
        station.note(item.title, after)
    _set_shadow(station, link, record, after.waiting)
    return changed


def revive_if_it_lives(station: Station, item: Item, was_dead: bool) -> None:
    """A change that a delete had not seen brings the item back to wherever it has no record (R22)."""
    if was_dead and not item.dead:
        why = "edited or reopened there after the delete (R22)"
        chronicle.journal(station, item, LIFE, "deleted", "live", "edit", why)
        revive(station.book, item)


def _edits(station: Station, before: Reading, after: Reading) -> dict[Cell, frozenset[Value]]:
    """Cells that changed (R1), and those that became readable: first contact's rules for these (R7, R16)."""
    edits: dict[Cell, frozenset[Value]] = {}
    for field in sorted(after.carried - before.carried):
        edits.update(_cells_of(field, after))
    edits.update(station.translator.changes(before, after))
    return edits


def _cells_of(field: str, reading: Reading) -> dict[Cell, frozenset[Value]]:
    if FIELDS[field].many:
        return {cell: values for cell, values in reading.cells.items() if field_of(cell).name == field}
    values = reading.asserted(field)
    return {field: values} if values is not None else {}


def _take_edit(
    station: Station,
    link: Link,
    cell: Cell,
    values: frozenset[Value],
    before: Reading,
    after: Reading,
    record: Record,
) -> bool:
    """A person's change asks to become the base."""
    candidate = _candidate(station, link, cell, values, before, after, record)
    if candidate is None:
        return False
    shown = evidence(before, cell)
    for written, key in link.wrote.get(cell, ()):
        if written == shown and key not in link.replaced.get(cell, ()):
            link.replaced[cell] = (*link.replaced.get(cell, ()), key)[-KEPT_REPLACED:]
    chronicle.offer(station, station.book.item(link.item), candidate)
    link.known[cell] = max(candidate.known, candidate.key)
    link.memo.pop(cell, None)
    link.parked.pop(cell, None)
    return True


def candidates(station: Station, link: Link, record: Record) -> Iterator[Candidate]:
    """What a record would ask for if it were taken in now. Nothing is taken in by it."""
    before, after = station.read(link.shadow), station.read(record.fields or {})
    for cell, values in without_echoes(station, before, _edits(station, before, after)).items():
        candidate = _candidate(station, link, cell, values, before, after, record)
        if candidate is not None:
            yield candidate


def _candidate(
    station: Station,
    link: Link,
    cell: Cell,
    values: frozenset[Value],
    before: Reading,
    after: Reading,
    record: Record,
) -> Candidate | None:
    """A change with its key; None for an empty value that asks for nothing."""
    if field_of(cell).type is Type.REFERENCE:
        values = meant(values)
    item, known = station.book.item(link.item), link.known.get(cell, NEVER)
    first = field_of(cell).name not in before.carried
    if first and not _worth_saying(item, cell, values, after):
        return None
    at, since = station.interval(link, record, cell)
    key = station.key(at, link.native_id)
    key = raised(_first_key(station, item, cell, after, key) if first else key, known)
    was = None if first else preferred(before.asserted(cell) or frozenset({None}))
    ancestor = None if first else plain(str(was or ""))
    return Candidate(cell, values, key, known, station.id, was, ancestor, since, station.company(cell, after))


def _worth_saying(item: Item, cell: Cell, values: frozenset[Value], after: Reading) -> bool:
    """At first contact an empty value asks for nothing, and never beats a filled one (R16)."""
    if values == {None}:
        return False
    return not after.silent(cell) or item.key(cell) == NEVER or item.key(cell).time <= UNSAID


def _first_key(station: Station, item: Item, cell: Cell, after: Reading, key: Key) -> Key:
    """At first contact what is only meant counts from the beginning of time, and what is said beats an empty base."""
    if after.silent(cell):
        return Key(UNSAID, station.peer.rank, key.ref)
    emptied = item.key(cell) > key and is_empty(cell, item.value(cell))
    return raised(key, item.key(cell)) if emptied else key


def _take_echo(station: Station, link: Link, cell: Cell, before: Reading, after: Reading, record: Record) -> bool:
    """A cell that reads what an open intent sent is our own write, with the key of the edit that caused it (R17)."""
    for intent in reversed(station.book.intents(station.id)):
        if intent.link != link.id or intent.kind == "create":
            continue
        sent = station.resolve_new(intent.sent, record)
        if cell not in intent.cells:
            if _is_set_as_sent(station.translator.natives(cell), sent, record):
                return True  # it was sent whole, before this element moved: nobody has been shown anything new
            continue
        predicted = station.read({**link.shadow, **sent})
        exact = same(predicted, after, cell)
        names = [] if exact else station.natives_of(cell, intent.cells[cell], link.shadow, sent)
        if not exact and not (names and is_as_sent(station, {name: sent[name] for name in names}, record)):
            continue
        if not exact:
            link.memo[cell] = Memo(intent.cells[cell], evidence(after, cell), refused=False)
        link.known[cell] = max(link.known.get(cell, NEVER), intent.keys[cell])
        return True
    return False


def _is_set_as_sent(names: frozenset[str], sent: Fields, record: Record) -> bool:
    """Whether sets show exactly what was sent: they merge by element, and are written whole (R10, R17)."""
    shown = record.fields or {}
    return bool(names) and all(isinstance(sent.get(name), tuple) and sent[name] == shown.get(name) for name in names)


def is_as_sent(station: Station, sent: Fields, record: Record) -> bool:
    """Whether a record shows what was sent, or what the platform is known to make of it (R25)."""
    shown = record.fields or {}
    return all(
        value == shown.get(name) or station.connector.normalises(name, value, shown.get(name))
        for name, value in sent.items()
        if name in shown
    )


def _take_life(station: Station, link: Link, item: Item, record: Record, before: Reading, after: Reading) -> None:
    """Reopening an archived record raises life's key, even where the item lives already (R22)."""
    if after.archived and not before.archived:  # by us, if our answer was lost (R17); else it is their own matter
        sent = [i for i in station.book.intents(station.id) if i.link == link.id and i.kind == "archive"]
        link.archived = link.archived or bool(sent)
    if not (link.archived and before.archived and not after.archived):
        return
    link.archived = False
    ours = any(i.link == link.id and i.kind == "unarchive" for i in station.book.intents(station.id))
    if not ours:
        item.life_key = max(item.life_key, raised(station.key(record.modified_at, link.native_id), item.life_key))
        link.known[LIFE] = item.life_key
        station.book.touch(item)


def _park_unreadable(station: Station, link: Link, after: Reading) -> None:
    """A title that cannot be read is left alone, with the reason; the rest of the record goes on (R27)."""
    problem = after.problems.get("title", "")
    if problem:
        link.parked["title"] = Parked(problem, station.now)
    elif link.parked.get("title") and link.parked["title"].reason == link.problem:
        del link.parked["title"]
    link.problem = problem


def _mend(link: Link) -> None:
    """A record that could not be read at all until now is no longer parked for that (R27)."""
    if link.problem and "" in link.parked and link.parked[""].reason == link.problem:
        del link.parked[""]
        link.problem = ""


def take_problem(station: Station, link: Link, record: Record) -> None:
    """A record that cannot be read is left alone, with the reason, until it can (R27)."""
    station.read_records.add(link.native_id)
    if link.problem != record.problem or "" not in link.parked:
        link.problem = record.problem
        link.parked[""] = Parked(record.problem, station.now)
        link.version = ""  # put back exactly as it was, it would look as if nothing had changed
        station.book.keep_link(link)


def _forget_refusals(link: Link, record: Record) -> None:
    """A record that changed may take now what it refused before (R25)."""
    if link.shadow != record.fields:
        link.memo.pop(LIFE, None)


def _set_shadow(station: Station, link: Link, record: Record, waits_for: frozenset[str]) -> None:
    _forget_refusals(link, record)
    link.shadow = dict(record.fields or {})
    link.version = record.version
    link.collection = record.collection
    link.locked = record.locked
    link.url = record.url or link.url
    if record.modified_at is not None:
        link.modified_at = int(record.modified_at)
    link.read_at = station.now
    link.waits_for = waits_for
    link.dirty = True
    station.read_records.add(link.native_id)
    station.book.keep_link(link)


# ---- deleted, moved, frozen -----------------------------------------------------------------------------------


def take_delete(station: Station, link: Link, why: str = "deleted there (R22)") -> None:
    """The record is proven gone: the item dies, unless somebody changed what these people had not seen (R22)."""
    book = station.book
    item = book.item(link.item)
    if _hand_over(station, link):
        return
    was_dead = item.dead
    item.deletes.append(_carried(item, link))
    link.state = LinkState.RETIRED
    link.dirty = link.behind = False
    book.keep_link(link)
    book.touch(item)
    if item.dead and not was_dead:
        chronicle.journal(station, item, LIFE, "live", "deleted", "edit", why)
    elif not item.dead:
        want(book, item, station.id)
        chronicle.journal(
            station, item, LIFE, "live", "live", "edit", "deleted there, edited elsewhere: it stays (R22)"
        )


def would_die(station: Station, link: Link) -> bool:
    """Whether a deletion there meets nothing that its people had not been shown (R22)."""
    item = station.book.item(link.item)
    return replace(item, deletes=[*item.deletes, _carried(item, link)]).dead


def _carried(item: Item, link: Link) -> dict[Cell, Key]:
    """What a delete of this record carries: the keys of all that was shown there (R22)."""
    return {cell: max(link.known.get(cell, NEVER), link.offered.get(cell, NEVER)) for cell in [*item.cells, LIFE]}


def _hand_over(station: Station, link: Link) -> bool:
    """Of two records of one task people deleted one: the other one, which waited for that, takes its place (R20)."""
    book = station.book
    for waiting in list(book.unlinked(station.id)):
        other = book.link_at(station.id, waiting.native_id)
        if other is None or other.item != link.item or other.id == link.id or waiting.record.problem:
            continue
        link.state, other.state, other.archived = LinkState.RETIRED, LinkState.LIVE, False
        link.dirty = link.behind = False
        book.keep_link(link)
        book.drop_unlinked(station.id, waiting.native_id)
        book.touch(book.item(link.item))
        take_record(station, other, waiting.record)
        return True
    return False


def freeze(station: Station, link: Link, reason: str, record: Record | None = None) -> None:
    """The record moved away, is hidden, or changed its kind: its link rests and is reported (R19)."""
    if link.state is not LinkState.FROZEN or link.problem != reason:
        link.state = LinkState.FROZEN
        link.problem, link.released = reason, ""
        link.dirty = link.behind = False
        if record is not None:
            link.version = record.version
        station.book.keep_link(link)


def want(book: Book, item: Item, connector: str) -> None:
    """The item shall appear on this connector: remember it, durably, until it does."""
    if book.link_of(item.id, connector) is None:
        book.keep_link(Link(new_id(), item.id, connector, native_id="", state=LinkState.WANTED, dirty=True))


def revive(book: Book, item: Item) -> None:
    """A deleted item lives again: it shall appear wherever it has no record."""
    for binding in book.bindings.values():
        if binding.accepted and not binding.forgotten:
            want(book, item, binding.id)


def wait(station: Station, record: Record, reason: str = "") -> None:
    """A record without a link waits to be paired, or is parked with a reason (R16, R27)."""
    title, kind = "", Kind.TASK.value
    if not record.problem:
        reading = station.read(record.fields or {})
        kind = reading.kind.value
        title = station.translator.title(record.fields or {})
        reason = reason or reading.problems.get("title", "")
        if not reason and not station.translator.holds(reading.kind):
            reason = f"the kind {kind} is not mirrored here"
    native_id = record.ref.native_id
    known = station.book.unlinked_at(station.id, native_id)
    station.book.keep_unlinked(
        Unlinked(
            station.id,
            native_id,
            record,
            title,
            kind,
            record.problem or reason,
            since=known.since if known else station.now,
        )
    )
