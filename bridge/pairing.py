"""Records without an item get one: one that is there without a record here, or a new one (R16).

`bridge.match` decides who is who; here the decision becomes links. Pairing looks at all connectors of the pass at
once, after everything that was read has been taken in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bridge import chronicle, exact, intake, match
from bridge.book import Book, new_id
from bridge.merge import Candidate
from bridge.state import NEVER, Item, Link, LinkState, Unlinked
from bridge.station import Station
from connectors.base import Record
from mappings.canonical import CONFIDENTIAL, normal


def pair(stations: Mapping[str, Station], times: exact.Times) -> list[match.Ambiguous]:
    """Give every record that waits its item: one that is there without a record here, or a new one."""
    if not stations:
        return []
    book = next(iter(stations.values())).book
    moved = _take_moved(stations)
    waiting = {
        match.Stray(u.connector, u.native_id, u.kind, u.title, _secret(stations[u.connector], u)): u
        for u in book.unlinked()
        if u.connector in stations and (_stays_outside(stations[u.connector], u) or _may_pair(stations[u.connector], u))
    }
    outside = {stray: one for stray, one in waiting.items() if _is_outside(stations[one.connector], one)}
    ambiguous, made = _pair(stations, {stray: one for stray, one in waiting.items() if stray not in outside}, None)
    wanted = _called_for(stations, outside)
    called = {
        replace(stray, secret=is_secret(stations[stray.connector], outside[stray])): outside[stray] for stray in wanted
    }
    more, found = _pair(stations, called, frozenset[str]().union(*wanted.values()))
    for stray, one in [pair for pair in outside.items() if pair[0] not in wanted]:
        if _is_archived(stations[one.connector], one):
            _leave(book, outside, stray)
        elif one.reason:
            one.reason, one.candidates = "", ()
            book.keep_unlinked(one)
    exact.ask([*moved, *made, *found], times)
    for station, link, record in [*moved, *made, *found]:
        intake.take_record(station, link, record)
    if made and any(station.peer.fence.looks_up for station in stations.values()):
        return pair(stations, times)  # what is part of an item that was just made may belong there too
    return [*ambiguous, *more]


Made = list[tuple[Station, Link, Record]]


def _pair(
    stations: Mapping[str, Station],
    waiting: dict[match.Stray, Unlinked],
    items: frozenset[str] | None,
) -> tuple[list[match.Ambiguous], Made]:
    """Decide who is who. ``items``: only with these; a record that finds none there stays without an item."""
    book = next(iter(stations.values())).book
    put_away = {stray for stray, one in waiting.items() if _is_archived(stations[one.connector], one)}
    for stray in put_away & _namesakes(waiting):
        _leave(book, waiting, stray)
    if not waiting:
        return [], []
    free = _free_items(stations, waiting)
    if items is not None:
        free = {key: [one for one in group if one.item in items] for key, group in free.items()}
    ambiguous, made = list[match.Ambiguous](), Made()
    for decision in match.pair(waiting, free):
        if isinstance(decision, match.Ambiguous):
            ambiguous.append(decision)
            for stray in decision.strays:
                waiting[stray].reason = "several records or items have this title: make the titles unique"
                waiting[stray].candidates = decision.candidates
                book.keep_unlinked(waiting[stray])
        elif decision.item is None and put_away.issuperset(decision.strays):
            for stray in decision.strays:
                _leave(book, waiting, stray)
        elif decision.item is not None or items is None:
            made += _link(stations, decision, waiting)
    return ambiguous, made


def _is_outside(station: Station, waiting: Unlinked) -> bool:
    """Whether a record does not belong to its connector's scope by what it says."""
    if _stays_outside(station, waiting):
        return True
    outside = not station.peer.fence.admits_record(station.book, station.read(waiting.record.fields or {}))
    if outside != waiting.outside:
        waiting.outside = outside
        station.book.keep_unlinked(waiting)
    return outside


def _secret(station: Station, waiting: Unlinked) -> bool | None:
    """Whether a record is confidential, where that matters: not as long as it stays outside the scope."""
    return False if _stays_outside(station, waiting) else is_secret(station, waiting)


def is_secret(station: Station, waiting: Unlinked) -> bool | None:
    """Whether a record is confidential; None where it is on a platform that is fit for that and cannot tell."""
    meant = station.read(waiting.record.fields or {}).asserted("visibility")
    if meant is not None and len(meant) == 1:
        return CONFIDENTIAL in meant
    return None if station.peer.fence.confidential else False


def _stays_outside(station: Station, waiting: Unlinked) -> bool:
    """Whether nothing can have brought a record outside the scope into it since it was read: then it costs nothing."""
    return waiting.outside and not station.rescoped and not station.peer.fence.looks_up


def _called_for(
    stations: Mapping[str, Station], outside: Mapping[match.Stray, Unlinked]
) -> dict[match.Stray, frozenset[str]]:
    """Records outside the scope that may be the ones of items that shall be made in their place (R16)."""
    if not outside:
        return {}
    book = next(iter(stations.values())).book
    places: dict[tuple[str, str, str], set[str]] = {}
    for link in book.flagged("dirty"):
        item = book.item(link.item)
        wanted = link.state is LinkState.WANTED and link.connector in stations and not item.dead
        if wanted and stations[link.connector].admits(item):
            places.setdefault((link.connector, item.kind, normal(item.title)), set()).add(item.id)
    keys = {stray: (stray.connector, stray.kind, normal(stray.title)) for stray in outside}
    called = {stray: frozenset(places[key]) for stray, key in keys.items() if key in places}
    return {stray: items for stray, items in called.items() if _may_pair(stations[stray.connector], outside[stray])}


def _is_archived(station: Station, waiting: Unlinked) -> bool:
    return station.translator.is_archived(waiting.record.fields or {})


def _namesakes(strays: Iterable[match.Stray]) -> set[match.Stray]:
    """Records that are called like another one in the same place."""
    called: dict[tuple[str, str, str], list[match.Stray]] = {}
    for stray in strays:
        called.setdefault((stray.connector, stray.kind, normal(stray.title)), []).append(stray)
    return {stray for group in called.values() if len(group) > 1 for stray in group}


def _leave(book: Book, waiting: dict[match.Stray, Unlinked], stray: match.Stray) -> None:
    """What people put away before it was met stays where it is, and is nobody's item until they take it out."""
    book.drop_unlinked(stray.connector, stray.native_id)
    del waiting[stray]


def _take_moved(stations: Mapping[str, Station]) -> list[tuple[Station, Link, Record]]:
    """Records that people moved here from another mirrored collection are linked on (R19)."""
    book = next(iter(stations.values())).book
    made = []
    strays = [one for one in book.unlinked() if one.connector in stations and not one.record.problem]
    for binding in book.bindings.values():
        here = [one for one in strays if stations[one.connector].binding.host == binding.host]
        book.load_records(binding.id, [one.native_id for one in here])
    for waiting in strays:
        station = stations[waiting.connector]
        item = _moved_item(station, waiting)
        if item is None:
            continue
        if not station.admits(book.item(item)):
            waiting.outside = True
            book.keep_unlinked(waiting)
            continue
        link = book.link_of(item, station.id)
        if link is not None and link.state is not LinkState.WANTED:
            waiting.reason = "it was moved here, and the task has another record here already"
            book.keep_unlinked(waiting)
            continue
        made.append((station, _attach(station, book.item(item), waiting.record), waiting.record))
    return made


def _moved_item(station: Station, waiting: Unlinked) -> str | None:
    """The item of a record that is missed in another collection of the same host."""
    for binding in station.book.bindings.values():
        if binding.id != station.id and binding.host == station.binding.host:
            link = station.book.link_at(binding.id, waiting.native_id)
            if link is not None and link.state is LinkState.FROZEN and link.born == waiting.record.ref.born:
                return link.item
    return None


def _attach(station: Station, item: Item, record: Record) -> Link:
    """Link a record to an item, taking the place that was kept for it."""
    book = station.book
    link = book.link_of(item.id, station.id)
    if link is None:
        link = Link(new_id(), item.id, station.id, "")
        book.keep_link(link)
    book.name_record(link, record.ref.native_id)
    link.born, link.state, link.behind = record.ref.born, LinkState.LIVE, True
    link.known["life"] = item.life_key
    book.drop_unlinked(station.id, record.ref.native_id)
    return link


def _may_pair(station: Station, waiting: Unlinked) -> bool:
    known = station.book.link_at(station.id, waiting.native_id)
    if _moved_item(station, waiting) is not None:
        return False
    if known is not None and known.born == waiting.record.ref.born:
        return False  # its ref is known: it is no new record (R20)
    if waiting.record.problem or station.read(waiting.record.fields or {}).problems.get("title"):
        return False
    if not station.translator.holds(station.read(waiting.record.fields or {}).kind):
        return False
    creating = any(i.kind == "create" for i in station.book.intents(station.id))
    return not (creating and waiting.record.own and not station.abilities.marks)


def _free_items(
    stations: Mapping[str, Station], strays: Iterable[match.Stray]
) -> dict[tuple[str, str], list[match.Free]]:
    book = next(iter(stations.values())).book
    titles = {normal(stray.title) for stray in strays}
    book.load_titles(sorted(titles))
    items = [item for title in sorted(titles) for item in book.items_titled(title) if not item.dead]
    book.load_links_of([item.id for item in items])
    creating = {intent.item for intent in book.intents() if intent.kind == "create"}
    free: dict[tuple[str, str], list[match.Free]] = {}
    for item in items:
        taken = {link.connector for link in book.links_of(item.id) if link.state in (LinkState.LIVE, LinkState.FROZEN)}
        secret = item.value("visibility") == CONFIDENTIAL
        one = match.Free(item.id, item.kind, item.title, frozenset(taken), item.id in creating, secret)
        free.setdefault((item.kind, normal(item.title)), []).append(one)
    return free


def _link(
    stations: Mapping[str, Station], pairing: match.Pairing, waiting: Mapping[match.Stray, Unlinked]
) -> list[tuple[Station, Link, Record]]:
    """Link the records of a pairing to their item, and name the item, so that others can refer to it."""
    made = []
    book = next(iter(stations.values())).book
    item = book.item(pairing.item) if pairing.item else book.new_item(pairing.strays[0].kind)
    for stray in pairing.strays:
        station, record = stations[stray.connector], waiting[stray].record
        link = _attach(station, item, record)
        title = station.read(record.fields or {}).asserted("title")
        if title and "title" not in item.cells:
            key = station.key(record.modified_at, record.ref.native_id)
            chronicle.offer(station, item, Candidate("title", title, key, NEVER, station.id))
        made.append((station, link, record))
    book.keep_item(item)
    for binding in book.bindings.values():
        if binding.accepted and not binding.forgotten:
            intake.want(book, item, binding.id)
    return made


def has_namesake(station: Station, item: Item) -> bool:
    """Whether a record waits there that may be the item's: then none is made beside it (R16)."""
    secret, title = item.value("visibility") == CONFIDENTIAL, normal(item.title)
    alike = [one for one in station.book.unlinked(station.id) if one.kind == item.kind and normal(one.title) == title]
    return any(not one.record.problem and is_secret(station, one) != (not secret) for one in alike)
