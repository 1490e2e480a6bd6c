"""What we wrote, read back: shown, refused, normalised, or changed by a person meanwhile (R17, R25)."""

from __future__ import annotations

from bridge import intake
from bridge.intake import take_record, wait
from bridge.state import LIFE, NEVER, Intent, Key, Link, LinkState, Memo, Parked
from bridge.station import Station, evidence, same
from connectors.base import Fields, Native, Record, Ref
from mappings.canonical import Cell, Type, field_of

KEPT_ITS_VALUE = "the platform kept its old value"

KEPT_WRITES = 2
"""Our last writes of a cell that are remembered, to notice a platform that keeps replacing them (R26)."""


def settle_write(station: Station, link: Link, intent: Intent, record: Record, *, at_once: bool) -> None:
    """The outcome of a write: shown, refused, normalised, or changed by a person meanwhile (R25).

    ``at_once``: the record is what our own request was answered with. A created record that is found later starts
    from what was sent and the platform's defaults: whatever differs then is a person's edit (R17).
    """
    assert record.fields is not None
    if record.problem:
        _unreadable(station, link, intent, record)
        return
    station.learn_options(record.options)
    old, sent = dict(link.shadow), station.resolve_new(intent.sent, record)
    if {**old, **sent} == dict(record.fields):
        after, shadow = station.read(record.fields), dict(record.fields)
        for cell, key in intent.keys.items():
            if cell in intent.cells:
                link.memo.pop(cell, None)
                _shown(link, intent, cell, key, evidence(after, cell))
    else:
        shadow = _compare(station, link, intent, record, old, sent, at_once=at_once)
    for cell in intent.keys.keys() - intent.cells.keys() - {LIFE}:  # the platform cannot hold it
        link.offered[cell] = max(link.offered.get(cell, NEVER), intent.keys[cell])
    intent.open = False
    station.book.keep_intent(intent)
    link.shadow = shadow
    link.written = station.run
    _life_was_written(station, link, intent, old, record)
    take_record(station, link, record)


def _unreadable(station: Station, link: Link, intent: Intent, record: Record) -> None:
    """What we wrote cannot be read back at the moment: what became of it is told when it can (R17, R27)."""
    if intent.kind == "create":
        link.shadow = {**link.shadow, **intent.sent}
        intent.open = False
    intent.answered = True
    station.book.keep_intent(intent)
    intake.take_problem(station, link, record)


def _compare(
    station: Station,
    link: Link,
    intent: Intent,
    record: Record,
    old: Fields,
    sent: Fields,
    *,
    at_once: bool,
) -> dict[str, Native]:
    """Cell by cell, what became of the write; returns the shadow from which people's edits are told."""
    fields = record.fields or {}
    before, predicted, after = station.read(old), station.read({**old, **sent}), station.read(fields)
    shadow = _between_sent_and_shown(old, sent, fields)
    for cell, wanted in intent.cells.items():
        key = intent.keys[cell]
        names = station.natives_of(cell, wanted, old, sent)
        as_shown = {name: fields[name] for name in names if _plain(fields, name)}
        if same(predicted, after, cell):
            link.memo.pop(cell, None)
        elif at_once and same(before, after, cell) and not _declared_alike(station, names, sent, record):
            link.memo[cell] = Memo(wanted, evidence(after, cell), refused=True, reason=KEPT_ITS_VALUE)
            link.parked[cell] = Parked(KEPT_ITS_VALUE, station.now)
            link.offered[cell] = max(link.offered.get(cell, NEVER), key)
            shadow.update(as_shown)
            continue
        elif _normalised(station, names, sent, record, at_once=at_once):
            link.memo[cell] = Memo(wanted, evidence(after, cell), refused=False)
        else:
            as_shown = {}  # a person's edit: told by what differs from what we sent
        shadow.update(as_shown)
        _shown(link, intent, cell, key, evidence(after, cell))
    return shadow


def _shown(link: Link, intent: Intent, cell: Cell, key: Key, now: str) -> None:
    """People there have been shown the value (R2), and we remember that we wrote it (R26)."""
    link.known[cell] = max(link.known.get(cell, NEVER), key)
    link.offered[cell] = max(link.offered.get(cell, NEVER), key)
    if intent.kind not in ("archive", "unarchive"):
        link.wrote[cell] = (*link.wrote.get(cell, ()), (now, key))[-KEPT_WRITES:]


def _life_was_written(station: Station, link: Link, intent: Intent, old: Fields, record: Record) -> None:
    """Whether the record was archived, or brought back, is what it says itself: success proves nothing (R25)."""
    if intent.kind in ("archive", "unarchive"):
        link.archived = station.translator.is_archived(record.fields or {})
        if link.archived != (intent.kind == "archive"):
            link.shadow = {**link.shadow, **_left_as_it_was(intent.sent, old, record.fields or {})}
            link.memo[LIFE] = Memo(intent.kind, "", refused=True, reason=KEPT_ITS_VALUE)
            link.parked[""] = Parked(KEPT_ITS_VALUE, station.now)
    if LIFE in intent.keys:
        link.known[LIFE] = max(link.known.get(LIFE, NEVER), intent.keys[LIFE])


def _left_as_it_was(sent: Fields, old: Fields, shown: Fields) -> dict[str, Native]:
    """What a write that did nothing left as it was is no edit of anybody; everything else may be one."""
    return {name: shown[name] for name in sent if name in shown and shown[name] == old.get(name)}


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


def _normalised(station: Station, names: list[str], sent: Fields, record: Record, *, at_once: bool) -> bool:
    return (at_once and station.abilities.conditional) or _declared_alike(station, names, sent, record)


def _declared_alike(station: Station, names: list[str], sent: Fields, record: Record) -> bool:
    """Whether the connector says that the platform makes of what was sent what it shows (R25)."""
    shown = record.fields or {}
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
    if link.state is LinkState.RETIRED:  # people restored the record that this one was to replace
        intent.open = False
        book.keep_intent(intent)
        wait(station, record, "it was made while the task's own record was being restored: delete one of the two")
        return None
    link.state = LinkState.LIVE
    link.shadow = dict(station.abilities.defaults)
    link.known = {}
    link.memo, link.parked, link.wrote = {}, {}, {}
    link.behind = True
    item = book.item(link.item)
    link.known[LIFE] = intent.keys.get(LIFE, item.life_key)
    book.drop_unlinked(station.id, record.ref.native_id)
    settle_write(station, link, intent, record, at_once=at_once)
    if any(x.state is LinkState.RETIRED and x.connector == station.id and x.native_id for x in book.links_of(item.id)):
        station.made_again.add(item.id)
    return link


def adopt_unseen(station: Station, intent: Intent, ref: Ref) -> bool:
    """A record that we made and that nobody can show us any more gets its link, as it was sent (R17).

    Returns whether it did; its item may have another record there by now.
    """
    book = station.book
    link = book.link_of(intent.item, station.id)
    intent.open = False
    book.keep_intent(intent)
    if link is None or link.id != intent.link or link.state is not LinkState.WANTED:
        return False
    book.name_record(link, ref.native_id)
    link.born, link.state = ref.born, LinkState.LIVE
    link.shadow = {**station.abilities.defaults, **intent.sent}
    link.known = dict(intent.keys)
    return True


def wake_referrers(station: Station) -> None:
    """What refers to an old record of a task that was made again is to be written anew (R13).

    Rare, so all items are looked through, once for all that were made again.
    """
    again, station.made_again = station.made_again, set()
    book = station.book
    for known in book.store.all_items() if again else ():
        refers = any(
            base.value in again and field_of(cell).type in (Type.REFERENCE, Type.REFERENCES)
            for cell, base in known.cells.items()
        )
        link = book.link_of(known.id, station.id) if refers else None
        if link is not None and link.state is LinkState.LIVE:
            link.dirty = True
            book.keep_link(link)
