"""Asking what became of one record, and taking in what the answer proves (R17, R19, R21)."""

from __future__ import annotations

from bridge import intake, written
from bridge.state import Intent, Link, LinkState
from bridge.station import Station
from connectors.base import Alive, Gone, Hidden, Moved, OutOfScope, Ref
from connectors.errors import PlatformError


def take_probe(station: Station, link: Link, answer: object) -> None:
    """Take in what a probe proved about a record that has a link (R19, R21)."""
    match answer:
        case Alive(record=record) if record.problem:
            intake.take_problem(station, link, record)
        case Alive(record=record):
            thaw(station, link)
            intake.take_record(station, link, record)
        case Gone() if link.state is LinkState.FROZEN:
            intake.freeze(station, link, "rests here: it was moved away and then deleted; elsewhere it lives on")
        case Gone():
            if link.state is not LinkState.RETIRED:
                intake.take_delete(station, link)
        case Hidden():
            intake.freeze(station, link, "rests here: the platform does not show it to our account any more")
        case Moved(collection=collection) if _linked_at(station, link, collection):
            intake.take_delete(station, link)  # the other one was there before: a copy, not a move
        case _:
            intake.freeze(station, link, "rests here: it does not belong to this collection any more")


def _linked_at(station: Station, link: Link, collection: str) -> bool:
    """Whether a record of the same id in another mirrored collection has a link of its own."""
    for binding in station.book.bindings.values():
        if binding.id != station.id and (binding.host, binding.collection) == (station.binding.host, collection):
            other = station.book.link_at(binding.id, link.native_id)
            return other is not None and other.state is LinkState.LIVE
    return False


def thaw(station: Station, link: Link) -> None:
    """A frozen record is back (R19)."""
    if link.state is LinkState.FROZEN:
        link.state = LinkState.LIVE
        link.problem = ""
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
