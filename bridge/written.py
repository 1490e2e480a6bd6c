"""What we wrote, read back: shown, refused, normalised, or changed by a person meanwhile (R17, R25)."""

from __future__ import annotations

from bridge.intake import take_record
from bridge.state import LIFE, NEVER, Intent, Link, LinkState, Memo
from bridge.station import Station, evidence, same
from connectors.base import Fields, Native, Record
from mappings.canonical import Cell, Value

KEPT_WRITES = 2
"""Our last writes of a cell that are remembered, to notice a platform that keeps replacing them (R26)."""


def settle_write(station: Station, link: Link, intent: Intent, record: Record, *, at_once: bool) -> None:
    """The outcome of a write: shown, refused, normalised, or changed by a person meanwhile (R25).

    ``at_once``: the record is what our own request was answered with. A created record that is found later starts
    from what was sent and the platform's defaults: whatever differs then is a person's edit (R17).
    """
    assert record.fields is not None
    station.learn_options(record.options)
    old = dict(link.shadow)
    sent = station.resolve_new(intent.sent, record)
    before, predicted, after = station.read(old), station.read({**old, **sent}), station.read(record.fields)
    shadow = _between_sent_and_shown(old, sent, record.fields)
    for cell, wanted in intent.cells.items():
        names = _natives_of(station, cell, wanted, old, sent)
        if same(predicted, after, cell):
            link.memo.pop(cell, None)
            shadow.update({name: record.fields[name] for name in names if _plain(record.fields, name)})
        elif at_once and same(before, after, cell):
            link.memo[cell] = Memo(wanted, evidence(after, cell), refused=True, reason="the platform kept its value")
            link.offered[cell] = max(link.offered.get(cell, NEVER), intent.keys[cell])
            shadow.update({name: record.fields[name] for name in names if _plain(record.fields, name)})
            continue
        elif _normalised(station, names, sent, record, at_once=at_once):
            link.memo[cell] = Memo(wanted, evidence(after, cell), refused=False)
            shadow.update({name: record.fields[name] for name in names if _plain(record.fields, name)})
        link.known[cell] = max(link.known.get(cell, NEVER), intent.keys[cell])
        link.offered[cell] = max(link.offered.get(cell, NEVER), intent.keys[cell])
        if intent.kind in ("archive", "unarchive"):
            continue
        link.wrote[cell] = (*link.wrote.get(cell, ()), (evidence(after, cell), intent.keys[cell]))[-KEPT_WRITES:]
    intent.open = False
    station.book.keep_intent(intent)
    link.shadow = shadow
    link.written = station.run
    _life_was_written(station, link, intent)
    take_record(station, link, record)


def _life_was_written(station: Station, link: Link, intent: Intent) -> None:
    if intent.kind in ("archive", "unarchive"):
        link.archived = intent.kind == "archive"
    if LIFE in intent.keys:
        link.known[LIFE] = max(link.known.get(LIFE, NEVER), intent.keys[LIFE])


def _plain(fields: Fields, name: str) -> bool:
    return name in fields and not isinstance(fields[name], tuple)


def _between_sent_and_shown(old: Fields, sent: Fields, shown: Fields) -> dict[str, Native]:
    """The shadow from which people's edits are told: what was sent; of sets, the elements that we moved as shown."""
    shadow: dict[str, Native] = {**old, **sent}
    for name, value in sent.items():
        now = shown.get(name)
        was = old.get(name, ())
        if isinstance(value, tuple) and isinstance(now, tuple) and isinstance(was, tuple):
            ours = set(value) ^ set(was)
            shadow[name] = tuple(sorted({e for e in now if e in ours} | {e for e in was if e not in ours}))
    for name, value in shown.items():
        shadow.setdefault(name, value)
    return shadow


def _natives_of(station: Station, cell: Cell, wanted: Value, old: Fields, sent: Fields) -> list[str]:
    """The native fields that were written for a cell."""
    writing = station.translator.write({cell: wanted}, old, station.vocabulary, station.refs, station.now, frozenset())
    return [name for name in writing.fields if name in sent]


def _normalised(station: Station, names: list[str], sent: Fields, record: Record, *, at_once: bool) -> bool:
    shown = record.fields or {}
    if at_once and station.abilities.conditional:
        return True
    return bool(names) and all(
        sent[name] == shown.get(name) or station.connector.normalises(name, sent[name], shown.get(name))
        for name in names
    )


def adopt(station: Station, intent: Intent, record: Record, *, at_once: bool) -> Link | None:
    """A record that we made gets its link (R17). Returns None if it turned out to have one already."""
    book = station.book
    known = book.link_at(station.id, record.ref.native_id)
    link = book.link(intent.link) if intent.link in {one.id for one in book.links_of(intent.item)} else None
    if (known is not None and known.state is not LinkState.RETIRED) or link is None:
        intent.open = False
        book.keep_intent(intent)
        return None
    book.name_record(link, record.ref.native_id)
    link.born = record.ref.born
    link.state = LinkState.LIVE
    link.shadow = dict(station.abilities.defaults)
    link.known = {}
    link.memo, link.parked, link.wrote = {}, {}, {}
    link.behind = True
    item = book.item(link.item)
    link.known[LIFE] = intent.keys.get(LIFE, item.life_key)
    book.drop_unlinked(station.id, record.ref.native_id)
    settle_write(station, link, intent, record, at_once=at_once)
    return link
