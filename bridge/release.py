"""Letting go of records whose item does not belong to a connector any more, and taking them back (ADR 0021).

A released link is frozen (R19): its record is neither read into the base nor written, and whatever becomes of it,
nothing else dies of it. Its shadow stays what it was, so that what people did there meanwhile is told, and merged by
R2, when the item belongs there again. A record that was deleted for it leaves a retired link, and is made anew then.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge import chronicle, intake
from bridge.book import Book
from bridge.limits import Release
from bridge.state import Item, Link, LinkState
from bridge.station import Station
from bridge.vanished import ARCHIVED, DELETED, LEFT
from connectors.base import Record
from mappings.canonical import CONFIDENTIAL, Cell, Value

OUTSIDE = "it is outside the scope of this connector"
UNFIT = "it is confidential, and this connector is not marked as fit for that"
RESTS = "rests here: it is outside the scope of this connector"
RESTS_UNFIT = "rests here: it is confidential, and this connector is not marked as fit for that"


def why(station: Station, item: Item) -> str:
    """Why an item does not belong to a connector."""
    return UNFIT if _is_unfit(station, item) else OUTSIDE


def _is_unfit(station: Station, item: Item) -> bool:
    return item.value("visibility") == CONFIDENTIAL and not station.peer.fence.confidential


def is_released(link: Link) -> bool:
    """Whether the link rests because its item does not belong there."""
    return link.state is LinkState.FROZEN and bool(link.released)


# ---- out ----------------------------------------------------------------------------------------------------------


def let_go(station: Station, link: Link) -> bool:
    """The record is no more ours to read or write. Not yet while the outcome of a write there is unknown (R17)."""
    book = station.book
    if any(intent.link == link.id for intent in book.intents(station.id)):
        return False
    item = book.item(link.item)
    _note(station, item, there=False)
    link.state = LinkState.FROZEN
    link.released = ARCHIVED if link.archived else LEFT
    link.problem = RESTS_UNFIT if _is_unfit(station, item) else RESTS
    link.dirty = link.behind = link.knocks = False
    link.pending, link.parked = frozenset(), {}
    book.keep_link(link)
    return True


def settle_delete(station: Station, link: Link) -> None:
    """The record that we deleted is gone. Nothing dies of it; the item has a place to come back to."""
    book = station.book
    item = book.item(link.item)
    for intent in book.intents(station.id):
        if intent.link == link.id:
            intent.open = False
            book.keep_intent(intent)
    if link.state is LinkState.RETIRED:
        return
    _note(station, item, there=False)
    link.state, link.released = LinkState.RETIRED, DELETED
    link.dirty = link.behind = False
    link.problem = ""
    book.keep_link(link)
    intake.want(book, item, station.id)


def is_our_delete(book: Book, link: Link) -> bool:
    """Whether we asked the platform to delete this record, and do not know yet that it did not."""
    return any(intent.kind == "delete" and intent.link == link.id for intent in book.intents(link.connector))


def _note(station: Station, item: Item, *, there: bool) -> None:
    reason = "it belongs to this connector again" if there else why(station, item)
    before, after = ("outside", "inside") if there else ("inside", "outside")
    chronicle.journal(station, item, "scope", before, after, "scope", reason)


def way(station: Station, link: Link, item: Item) -> tuple[Release, frozenset[str]]:
    """How a record is released, and whose records go first.

    A record under which others stay is archived instead of deleted: platforms delete what hangs on it as well. So is
    the last one that shows an item, so that nobody's task is only in the ledger.
    """
    if station.peer.read_only:
        return "leave", frozenset()
    if station.peer.release != "delete":
        return station.peer.release, frozenset()
    under = _under(station, link.native_id)
    stays = any(one is None or not _goes(station, one) for one in under)
    if stays or not _is_shown_elsewhere(station, item):
        return "archive", frozenset()
    return "delete", frozenset(one.item for one in under if one is not None)


def _under(station: Station, native_id: str) -> list[Link | None]:
    """Records that hang on another one; None for one without an item. Looks through all, once per plan."""
    if station.hanging is None:
        book, names = station.book, station.translator.natives("parent")
        known = [*book.store.live_refs(station.id), *(one.native_id for one in book.store.links_frozen(station.id))]
        book.load_records(station.id, known)
        station.hanging = {}
        for link in [link for id in known if (link := book.link_at(station.id, id)) is not None]:
            for name in names:
                station.hanging.setdefault(str(link.shadow.get(name)), []).append(link)
        for waiting in book.unlinked(station.id):
            for name in names:
                station.hanging.setdefault(str((waiting.record.fields or {}).get(name)), []).append(None)
    return [link for link in station.hanging.get(native_id, []) if link is None or link.state is not LinkState.RETIRED]


def _goes(station: Station, link: Link) -> bool:
    """Whether the record is about to be deleted as well."""
    item = station.book.item(link.item)
    return link.state is LinkState.LIVE and "" not in link.parked and not item.dead and not station.admits(item)


def _is_shown_elsewhere(station: Station, item: Item) -> bool:
    """Whether another connector shows the item, and goes on doing so."""
    beside = station.beside
    others = {x.connector for x in station.book.links_of(item.id) if x.state is LinkState.LIVE} - {station.id}
    return any(other not in beside or beside[other].admits(item) for other in others)


# ---- in -----------------------------------------------------------------------------------------------------------


def knock(station: Station, link: Link, record: Record) -> None:
    """People changed a released record: whether it belongs there by that is told when everything was taken in."""
    if record.problem or record.version == link.version:
        return
    link.knocks = link.dirty = True
    station.book.keep_link(link)


def take_back(station: Station, link: Link, record: Record) -> None:
    """A released record is mirrored again: what people did there meanwhile is taken in (R2)."""
    book = station.book
    _note(station, book.item(link.item), there=True)
    link.state, link.problem, link.knocks = LinkState.LIVE, "", False
    link.dirty = link.behind = True
    book.keep_link(link)
    for other in book.flagged("pending"):
        if other.connector == station.id and link.item in other.pending and not other.dirty:
            other.dirty = True  # what refers to it can show that now (R13)
            book.keep_link(other)
    intake.take_record(station, link, record)


def stay_out(station: Station, link: Link, record: Record) -> None:
    """The record was looked at and does not belong there: it is not asked about again until it changes."""
    link.version = record.version
    link.knocks = link.dirty = False
    station.book.keep_link(link)


def take_in_again(station: Station, link: Link, record: Record) -> bool:
    """A released record as it is now: taken back if its item belongs there, or would by what people changed there."""
    item = station.book.item(link.item)
    changes: Mapping[Cell, frozenset[Value]] = {}
    if link.knocks:
        before, after = station.read(link.shadow), station.read(record.fields or {})
        changes = station.translator.changes(before, after)
    if station.admits(item) or (changes and station.peer.fence.admits(station.book, item, changes)):
        take_back(station, link, record)
        return True
    stay_out(station, link, record)
    return False


def forget_gone(station: Station, link: Link) -> None:
    """A released record is gone: nothing else dies of it (R19). The item is made anew there when it comes back."""
    link.state, link.released = LinkState.RETIRED, DELETED
    link.dirty = link.behind = link.knocks = False
    link.problem = ""
    station.book.keep_link(link)
    intake.want(station.book, station.book.item(link.item), station.id)


def take_restored(station: Station, link: Link, record: Record) -> bool:
    """A record that was deleted because its item does not belong here was fetched back by people: it is left there."""
    book = station.book
    if link.released != DELETED or station.admits(book.item(link.item)):
        return False
    link.state, link.released, link.problem = LinkState.FROZEN, LEFT, RESTS
    link.archived = False
    link.version = record.version
    book.drop_unlinked(station.id, link.native_id)
    book.keep_link(link)
    return True
