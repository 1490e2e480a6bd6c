"""One connector in one pass: its settings, what the ledger knows of it, and how its records are read.

A *peer* is a configured connector, ready to be used. A *station* is a peer on the way through one pass: it lends
the translator its vocabulary and its references, and turns a record's time into a key of the total order (R3, R4).
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge import clock
from bridge.book import Book, new_id
from bridge.limits import USUAL, Release, Thresholds
from bridge.scoping import OPEN, Fence
from bridge.state import Binding, Item, Key, Link, LinkState
from connectors.base import NEW, Abilities, Connector, Fields, HasTraffic, Native, Options, Record
from mappings.canonical import CUT, GROUPS, Cell, Kind, Value, alike, field_of, normal, preferred, shortened
from mappings.scene import STALE, Pending
from mappings.translate import Reading, Translator, Vocabulary

SILENCES = 3
"""Requests without an answer after which a platform counts as down for the rest of the pass."""

NOTES = 20
"""Warnings about values without a meaning that one connector may give in a pass."""

MARK = "sb-"
"""How every mark begins."""


@dataclass(frozen=True)
class Peer:
    """A configured connector. Greater ``rank`` wins ties; ``digest`` tells mapping and zone (R31).

    ``fence`` says which items belong there, ``release`` what becomes of the record of one that does not any more.
    """

    name: str
    rank: int
    connector: Connector
    translator: Translator
    read_only: bool = False
    digest: str = ""
    writes: int | None = None
    thresholds: Thresholds = USUAL
    fence: Fence = OPEN
    release: Release = "archive"


class Station:
    """A peer in one pass.

    ``whole``       this pass read its collection whole, so creating there is safe (R16)
    ``failed``      a sentence why nothing more is sent there in this pass, "" otherwise
    ``unsettled``   an answer left an outcome open that another look in this pass can settle
    ``singly``      links whose cells are tried field by field after a refusal
    ``tried``       (link, cell) that were refused in this pass
    ``mute``        its history did not answer in this pass
    ``exact``       (native id, cell): what the record showed, and when the cell changed by the history there (R4)
    ``rescoped``    the settings' scope is another one than the ledger knows: who belongs here is asked of everybody
    ``beside``      all stations of the pass, by id
    ``hanging``     by native id, what hangs on a record, looked up when a record is to be deleted
    """

    def __init__(self, peer: Peer, binding: Binding, book: Book, run: int, now: int, *, by_hand: bool = True) -> None:
        self.peer = peer
        self.binding = binding
        self.book = book
        self.run = run
        self.now = now
        self.translator = peer.translator
        self.connector = peer.connector
        self.refs = _References(book, binding.id, peer.fence)
        self.read_records: set[str] = set()
        self.whole = False
        self.by_hand = by_hand
        self.failed = ""
        self.trouble = ""
        self.unsettled = False
        self.made_again: set[str] = set()
        self.silences = 0
        self.forbidden = 0
        self.troubles = 0
        self.mute = False
        self.singly: set[str] = set()
        self.tried: set[tuple[str, Cell]] = set()
        self.exact: dict[tuple[str, Cell], tuple[Fields, float]] = {}
        self.rescoped = False
        self.beside: Mapping[str, Station] = {}
        self.hanging: dict[str, list[Link | None]] | None = None
        self._notes: dict[str, list[str]] = {}
        self.pulled = self.created = self.updated = self.deleted = 0
        self.vocabulary = Vocabulary(there=binding.there, meant=binding.meant, bound=binding.bound)

    @property
    def id(self) -> str:
        """The binding's id: what links refer to."""
        return self.binding.id

    @property
    def abilities(self) -> Abilities:
        """What the connector can do."""
        return self.connector.abilities

    @property
    def name(self) -> str:
        """The connector's name in the settings."""
        return self.peer.name

    # ---- trouble ----------------------------------------------------------------------------------------------

    def fail(self, reason: str, book: Book, *, retry_after: float = 0.0) -> None:
        """Send nothing more to this connector in this pass (R27)."""
        self.failed = self.failed or reason
        self.binding.fail(self.failed, self.now, retry_after)
        book.keep_binding(self.binding)

    def lost(self, reason: str, book: Book) -> None:
        """A request was not answered; after a few of them the platform counts as down."""
        self.silences += 1
        self.trouble = reason
        if self.silences >= SILENCES:
            self.fail(reason, book)

    def mark(self) -> str:
        """A fresh mark for a record that we create: it tells our ledger's records from another's (R17, R30)."""
        return f"{MARK}{self.book.ledger}-{new_id()}"

    def left_alone(self, link: Link, cell: Cell) -> str:
        """Why a cell (or, under "", the whole record) is not written in this pass; "" if it may be (R27)."""
        for name in {cell, ""}:
            parked = link.parked.get(name)
            if parked and ((link.id, name) in self.tried or (not self.by_hand and parked.retry_at > self.now)):
                return parked.reason
        return ""

    def note(self, title: str, reading: Reading) -> None:
        """Remember what of a record has no meaning here, to be said once (R7)."""
        for field, sentence in reading.problems.items():
            if field != "title":
                self._notes.setdefault(sentence, []).append(title)

    def notes(self) -> list[str]:
        """What was read and has no meaning, with the task, or with how many there are."""
        said = sorted(self._notes.items())[:NOTES]
        return [
            f"{self.name}: {titles[0]}: {sentence}" if len(titles) == 1 else f"{self.name}: {sentence} ({len(titles)}×)"
            for sentence, titles in said
        ]

    # ---- reading ----------------------------------------------------------------------------------------------

    def read(self, fields: Fields) -> Reading:
        """Native fields in canonical words, with the current mapping."""
        return self.translator.read(fields, self.vocabulary, self.refs)

    def key(self, modified_at: float | None, native_id: str) -> Key:
        """The key of a change: its time on the server's clock, corrected and floored; the future is now (R3, R4)."""
        if modified_at is None:
            return Key(self.now, self.peer.rank, native_id)
        return Key(min(int(self.local(modified_at) // 1), self.now), self.peer.rank, native_id)

    def interval(self, link: Link, record: Record, cell: Cell) -> tuple[float | None, int]:
        """When a cell changed at the latest, on the server's clock, and since when it may have, on ours (R4)."""
        fields, moment = self.exact.get((record.ref.native_id, cell), (None, 0.0))
        if fields is None or fields != record.fields:
            return record.modified_at, link.read_at
        return moment, max(link.read_at, int(self.local(moment)))

    def local(self, server_time: float) -> float:
        """A time on the server's clock as a time on ours, in Unix seconds."""
        return server_time - self.binding.offset

    def company(self, cell: Cell, reading: Reading) -> dict[str, Value]:
        """What the record shows in the other fields of the cell's group (R12)."""
        group = field_of(cell).group
        shown = {}
        for name in GROUPS.get(group, ()):
            values = reading.asserted(name) if name != cell else None
            if values is not None:
                shown[name] = preferred(values)
        return shown

    def natives_of(self, cell: Cell, wanted: Value, old: Fields, sent: Fields) -> list[str]:
        """The native fields that were written for a cell."""
        if cell == "title":
            return [name for name in [self.translator.title_native] if name in sent]
        writing = self.translator.write({cell: wanted}, old, self.vocabulary, self.refs, self.now, frozenset())
        return [name for name in writing.fields if name in sent]

    # ---- options ----------------------------------------------------------------------------------------------

    def absorb(self, options: Options | None) -> None:
        """Remember columns and labels by id, under the title by which they were first understood (R10)."""
        if options is None:
            return
        for name, titles in options.items():
            self.binding.there[name] = dict(titles)
            self._pin(name, titles)
        self.book.keep_binding(self.binding)

    def learn_options(self, options: Options) -> None:
        """Options that came to be with a write of ours."""
        for name, titles in options.items():
            if any(self.binding.there.get(name, {}).get(id) != title for id, title in titles.items()):
                self.binding.there.setdefault(name, {}).update(titles)
                self._pin(name, titles)
                self.book.keep_binding(self.binding)

    def _pin(self, name: str, titles: Mapping[str, str]) -> None:
        meant = self.binding.meant.setdefault(name, {})
        for id, title in titles.items():
            if id not in meant or (meant[id] != title and not self._understood(name, id)):
                meant[id] = title

    def _understood(self, name: str, id: str) -> bool:
        value: Native = id
        return not self.read({name: value}).problems.get("status")

    def bind_milestones(self, fields: Fields) -> list[str]:
        """An element named like a milestone stands for it from now on, whatever either is renamed to (R10).

        Returns the titles of the elements that were bound just now.
        """
        titles = []
        for name, found in self.translator.standing(fields, self.vocabulary, self.refs).items():
            bound = self.binding.bound.setdefault(name, {})
            for element, item in found.items():
                bound[element] = item
                titles.append(self.binding.meant.get(name, {}).get(element, element))
                self.book.keep_binding(self.binding)
        return titles

    def resolve_new(self, sent: Fields, record: Record) -> dict[str, Native]:
        """What was sent, with the ids that new options have got meanwhile."""
        resolved: dict[str, Native] = {}
        for name, value in sent.items():
            titles = {**self.binding.there.get(name, {}), **record.options.get(name, {})}
            ids = {normal(title): id for id, title in titles.items()}
            if isinstance(value, tuple):
                resolved[name] = tuple(sorted({_resolved(element, ids) for element in value}))
            else:
                resolved[name] = _resolved(value, ids) if isinstance(value, str) and titles else value
        return resolved

    # ---- what a link shows ------------------------------------------------------------------------------------

    def clean(self, link: Link, reading: Reading, cell: Cell, value: Value) -> bool:
        """Whether nothing is to be written: it shows the value, or what we sent is known to look like this (R25)."""
        if self.translator.shows(reading, cell, value):
            return True
        memo = link.memo.get(cell)
        return memo is not None and alike(cell, memo.wanted, value) and memo.evidence == evidence(reading, cell)

    def holds(self, item: Item) -> bool:
        """Whether the platform can hold this kind of item."""
        return self.translator.holds(Kind(item.kind))

    def admits(self, item: Item) -> bool:
        """Whether the item belongs to this connector: to its scope, and to what it is fit for."""
        return self.peer.fence.admits(self.book, item)


def _resolved(element: str, ids: Mapping[str, str]) -> str:
    return ids.get(normal(element[len(NEW) :]), element) if element.startswith(NEW) else element


def meant(values: frozenset[Value]) -> frozenset[Value]:
    """Asserted values as they enter the base: a reference to a record that was made again means its item."""
    return frozenset(value.removeprefix(STALE) if isinstance(value, str) else value for value in values)


def evidence(reading: Reading, cell: Cell) -> str:
    """What a record shows for a cell, as text that can be kept and compared."""
    return repr(reading.inputs.get(cell))


def same(one: Reading, other: Reading, cell: Cell) -> bool:
    """Whether two readings say the same of a cell."""
    first, second = one.asserted(cell), other.asserted(cell)
    if first is None or second is None:
        return first is second
    return first == second or (
        len(first) == len(second) and all(any(alike(cell, value, twin) for twin in second) for value in first)
    )


def unforeseen(error: BaseException) -> str:
    """A fault of the program as a sentence: where it happened, and nothing that could be a secret."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"a fault of the program ({type(error).__name__} in {Path(where.filename).name}:{where.lineno}): report it"


def traffic(connector: Connector) -> tuple[int, tuple[float, float] | None]:
    """Requests sent so far and the clock interval, where the connector counts."""
    return (connector.requests, connector.clock) if isinstance(connector, HasTraffic) else (0, None)


def share_clocks(stations: Iterable[Station]) -> None:
    """Connectors on one host share one clock (R4)."""
    hosts: dict[str, list[Station]] = {}
    for station in stations:
        hosts.setdefault(station.binding.host, []).append(station)
    for here in hosts.values():
        told = [interval for station in here if (interval := traffic(station.connector)[1]) is not None]
        offset, error = clock.offset(here[0].binding.offset, clock.narrowed(told))
        for station in here:
            station.binding.offset = offset
            station.binding.offset_error = error if error is not None else station.binding.offset_error


class _References:
    """References of one connector, through the book's links (R13)."""

    def __init__(self, book: Book, connector: str, fence: Fence) -> None:
        self.book = book
        self.connector = connector
        self.fence = fence

    def item_of(self, native_id: str) -> str | None:
        link = self.book.link_at(self.connector, native_id)
        if link is None:
            return None
        if link.state is LinkState.RETIRED and self.native_of(link.item) is not None:
            return STALE + link.item
        return link.item

    def native_of(self, item: str) -> str | None:
        link = self.book.link_of(item, self.connector)
        if link is None or link.state is not LinkState.LIVE or not self._admits(self.book.item(item)):
            return None  # also while it is only about to be let go of (ADR 0021)
        return link.native_id

    def title_of(self, item: str) -> str:
        if not self._admits(self.book.item(item)):
            raise Pending(item)  # what does not belong here is not named here either
        return self.book.item(item).title

    def milestone_titled(self, title: str, limit: int | None = None) -> str | None:
        found = self.book.items_titled(title)
        if not found and limit is not None and title.endswith(CUT):
            longer = self.book.items_starting(title.removesuffix(CUT)[:-1])  # the last letter may lack its accent
            found = [item for item in longer if normal(shortened(item.title, limit)) == normal(title)]
        milestones = [item.id for item in found if item.kind == Kind.MILESTONE and not item.dead and self._admits(item)]
        return milestones[0] if len(milestones) == 1 else None

    def _admits(self, item: Item) -> bool:
        return self.fence.admits(self.book, item)
