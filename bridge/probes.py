"""Asking what became of one record, and taking in what the answer proves (R17, R19, R21)."""

from __future__ import annotations

from bridge import intake, release, written
from bridge.state import Intent, Link, LinkState
from bridge.station import Station
from connectors.base import Alive, Gone, Hidden, Moved, Native, OutOfScope, Record, Ref
from connectors.errors import PlatformError

DAY = 86_400
AWAY = "rests here: it does not belong to this collection any more"


def take_probe(station: Station, link: Link, answer: object) -> None:
    """Take in what a probe proved about a record that has a link (R19, R21)."""
    if link.unseen and not isinstance(answer, Hidden):
        link.unseen = 0  # something is known of it again
        station.book.keep_link(link)
    match answer:
        case Alive(record=record) if release.is_released(link):
            release.knock(station, link, record)
        case Alive(record=record) if record.problem:
            intake.take_problem(station, link, record)
        case Alive(record=record):
            thaw(station, link)
            intake.take_record(station, link, record)
        case Gone() if release.is_released(link):
            release.forget_gone(station, link)
        case Gone() if release.is_our_delete(station.book, link):
            release.settle_delete(station, link)
        case Gone() if link.state is LinkState.FROZEN:
            intake.freeze(station, link, "rests here: it was moved away and then deleted; elsewhere it lives on")
        case Gone():
            if link.state is not LinkState.RETIRED:
                intake.take_delete(station, link)
        case Hidden(unsure=unsure):
            if not (unsure and link.unseen and _given_up(station, link)):
                _lose_sight(station, link, unsure)
        case Moved(collection=collection, record=record) if _linked_at(station, link, collection, record):
            gone = release.forget_gone if release.is_released(link) else intake.take_delete
            gone(station, link)  # the other one was there before: a copy, not a move
        case Moved(record=Record() as record) if record.ref.native_id != link.native_id:
            _follow(station, link, answer.collection, record)
        case _:
            intake.freeze(station, link, AWAY)


def _lose_sight(station: Station, link: Link, unsure: bool) -> None:
    """The platform does not show it any more. Of what rested before for another reason nothing else dies (R19)."""
    since = link.unseen or (station.now if link.state is LinkState.LIVE else 0)
    intake.freeze(station, link, "rests here: the platform does not show it to our account any more")
    link.unseen = since if unsure else 0
    station.book.keep_link(link)


def _given_up(station: Station, link: Link) -> bool:
    """Whether a record that was not shown for a day counts as deleted: nobody changed it elsewhere meanwhile (R21)."""
    if station.now - link.unseen < DAY or not intake.would_die(station, link):
        return False
    link.problem = ""
    intake.take_delete(station, link, "not shown there for a day: deleted, as far as anybody can tell (R21)")
    return True


def _linked_at(station: Station, link: Link, collection: str, record: Record | None) -> bool:
    """Whether the record has a link of its own where it was moved to, in this or another mirrored collection."""
    native_id = record.ref.native_id if record is not None else link.native_id
    for binding in station.book.bindings.values():
        if (binding.host, binding.collection) == (station.binding.host, collection):
            other = station.book.link_at(binding.id, native_id)
            if other is not None and other.state is LinkState.LIVE and other.id != link.id:
                return True
    return False


def _follow(station: Station, link: Link, collection: str, record: Record) -> None:
    """Moving gave the record another id: the link follows it, here or, resting, to where others may meet it (R19)."""
    station.book.name_record(link, record.ref.native_id)
    link.born = record.ref.born
    if collection != station.binding.collection or record.problem:
        intake.freeze(station, link, AWAY)
        return
    station.book.drop_unlinked(station.id, record.ref.native_id)
    thaw(station, link)
    fields = record.fields or {}
    # What the other place has no room for fell off on the way, and nobody took it away.
    link.shadow = {name: _still_there(value, fields[name]) for name, value in link.shadow.items() if name in fields}
    intake.take_record(station, link, record)


def _still_there(before: Native, after: Native) -> Native:
    if isinstance(before, tuple) and isinstance(after, tuple):
        return tuple(element for element in before if element in after)
    return None if after is None else before


def let_in(station: Station, link: Link) -> None:
    """Ask for a released record, and take it back if it belongs there again; no answer changes nothing."""
    try:
        answer = station.connector.probe(Ref(station.binding.host, link.native_id, link.born))
    except PlatformError as error:
        station.lost(str(error), station.book)
        return
    if isinstance(answer, Alive):
        if not answer.record.problem:  # one that cannot be read is asked for again in the next pass
            release.take_in_again(station, link, answer.record)
    else:
        take_probe(station, link, answer)


def thaw(station: Station, link: Link) -> None:
    """A frozen record is back (R19)."""
    if link.state is LinkState.FROZEN:
        link.state = LinkState.LIVE
        link.problem, link.unseen = "", 0
        link.dirty = link.behind = True
        station.book.keep_link(link)


def resolve_by_id(station: Station, intent: Intent) -> bool:
    """Ask for the record of an open create by the id that its mark gives it. Returns whether it was found."""
    native_id = station.connector.id_of(intent.id)
    try:
        answer = station.connector.probe(Ref(station.binding.host, native_id, ""))
    except PlatformError:
        return False
    if isinstance(answer, Alive) and not answer.record.problem:
        written.adopt(station, intent, answer.record, at_once=False)
        return True
    if isinstance(answer, (Moved, OutOfScope, Hidden)):
        if written.adopt_unseen(station, intent, Ref(station.binding.host, native_id)):
            take_probe(station, station.book.link(intent.link), answer)
        return True
    if isinstance(answer, Gone) and intent.answered:
        intent.open = False
        station.book.keep_intent(intent)
    return False


def take_claim(station: Station, intent: Intent, ref: Ref) -> None:
    """A record that we made, and whose answer was lost, is said to be gone before we saw it (R17)."""
    try:
        answer = station.connector.probe(ref)
    except PlatformError as error:
        station.lost(str(error), station.book)
        return
    match answer:
        case Alive(record=record) if not record.problem:
            written.adopt(station, intent, record, at_once=False)
        case Alive():
            return
        case _ if written.adopt_unseen(station, intent, ref):
            take_probe(station, station.book.link(intent.link), answer)
