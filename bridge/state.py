"""What the bridge knows: the types that the pure functions decide on and the ledger stores.

Words are those of the specification. A *base* is the agreed value of one cell with its key; a *link* pairs an
item with a record and holds its *shadow* (native values as last read) and, per cell, the *known* key: the newest
base that people there have been shown (R2). An *intent* is an operation written down before it is sent (R28).

Everything here is plain data: text, numbers, tuples, dictionaries with text keys. `Store` says what a ledger must
be able to answer; `bridge.ledger` answers it with SQL, `bridge.memory_store` in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from connectors.base import Fields, Record
from mappings.canonical import Cell, Value


class Key(NamedTuple):
    """The total order of changes (R3): server time in whole seconds, rank of the connector, ref."""

    time: int
    rank: int
    ref: str


NEVER = Key(-1, 0, "")
"""The key of what nobody wrote."""

UNSAID = 0
"""The time of what a record means without saying it: anything that was said beats it, and nobody lost (R16)."""

BACK_OFF_START, BACK_OFF_MOST = 60, 3_600
"""Seconds: the service's pause after a failure doubles from the one to the other (R27)."""

LIFE: Cell = "life"
"""Life is a field of its own (R22): the name under which links know its key."""


@dataclass(frozen=True)
class Assertion:
    """One side's word on a cell: the values it may mean (R8), its key and the connector it came from.

    For text, ``ancestor`` is what that side started from (R11). ``since`` is the lower end of the time in which
    the change happened, in Unix seconds (R4), 0 if unknown.
    """

    values: frozenset[Value]
    key: Key
    origin: str
    ancestor: str | None = None
    since: int = 0
    company: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Base:
    """The agreed value of one cell, who said it when, and the words it was derived from (R8, R11).

    ``company`` are the values that the winning record showed in the other fields of the group (R12).
    ``run`` is the pass that last changed or confirmed it.
    """

    value: Value = None
    key: Key = NEVER
    origin: str = ""
    run: int = 0
    since: int = 0
    asserts: tuple[Assertion, ...] = ()
    company: Mapping[str, Value] = field(default_factory=dict)


@dataclass
class Item:
    """One task or milestone in canonical words.

    ``deletes`` holds, per delete that was seen, the keys that the deleting platform had been shown (R22).
    """

    id: str
    kind: str
    cells: dict[Cell, Base] = field(default_factory=dict)
    life_key: Key = NEVER
    deletes: list[dict[Cell, Key]] = field(default_factory=list)

    def value(self, cell: Cell) -> Value:
        """The agreed value of a cell; None if nobody ever said one."""
        base = self.cells.get(cell)
        return base.value if base else None

    def key(self, cell: Cell) -> Key:
        """The key of a cell's base, or of life."""
        if cell == LIFE:
            return self.life_key
        base = self.cells.get(cell)
        return base.key if base else NEVER

    @property
    def title(self) -> str:
        """The agreed title."""
        return str(self.value("title") or "")

    @property
    def dead(self) -> bool:
        """Dead only while no cell's key, and no reopening, is newer than what a delete had been shown (R22)."""
        return any(
            self.life_key <= shown.get(LIFE, NEVER)
            and all(base.key <= shown.get(cell, NEVER) for cell, base in self.cells.items())
            for shown in self.deletes
        )


class LinkState(StrEnum):
    """What became of the pairing of an item with a record."""

    WANTED = "wanted"  # the item shall appear there; the record is not made yet
    LIVE = "live"
    RETIRED = "retired"  # its record or item was deleted
    FROZEN = "frozen"  # moved away, hidden, or its kind changed (R19)


@dataclass(frozen=True)
class Memo:
    """A value that a platform shows otherwise than it was sent (R25): not sent again until either side changes.

    ``wanted`` is the canonical value that was sent, ``evidence`` what the record showed for the cell afterwards.
    ``refused`` tells a refusal (its old value stayed) from a normalisation.
    """

    wanted: Value
    evidence: str
    refused: bool
    reason: str = ""


@dataclass(frozen=True)
class Parked:
    """A cell (or, under the cell "", a whole record) left alone for a reason that staff understand (R27)."""

    reason: str
    since: int
    tries: int = 1
    retry_at: int = 0


@dataclass
class Link:
    """The pairing of an item with a record.

    offered    cell -> greatest key shown, refused or parked here: what a delete carries (R22)
    wrote      cell -> the last two writes as (evidence, key) (R26)
    replaced   cell -> those of our writes that this platform replaced itself (R26)
    fuse       cell -> (day, writes on that day) (R26)
    archived   the record was archived because its item died
    dirty      something is still to be written here
    behind     a base changed that this link does not know yet (R2)
    waits_for  native ids that the record refers to and that have no item yet (R13)
    pending    items that the record shall refer to and that have no record here yet (R13)
    problem    why the link is frozen or its record cannot be read, "" otherwise
    released   what became of the record when its item left the connector's scope: left, archived or deleted; ""
    unseen     since when a frozen record may be deleted as well as hidden, 0 for never (R21)
    knocks     people changed a released record: whether it belongs there again is still to be asked
    written    run in which the bridge last wrote here
    """

    id: str
    item: str
    connector: str
    native_id: str
    born: str = ""
    state: LinkState = LinkState.LIVE
    collection: str = ""
    version: str = ""
    modified_at: int = 0
    read_at: int = 0
    shadow: Fields = field(default_factory=dict)
    locked: frozenset[str] = frozenset()
    url: str = ""
    known: dict[Cell, Key] = field(default_factory=dict)
    offered: dict[Cell, Key] = field(default_factory=dict)
    memo: dict[Cell, Memo] = field(default_factory=dict)
    wrote: dict[Cell, tuple[tuple[str, Key], ...]] = field(default_factory=dict)
    replaced: dict[Cell, tuple[Key, ...]] = field(default_factory=dict)
    parked: dict[Cell, Parked] = field(default_factory=dict)
    fuse: dict[Cell, tuple[int, int]] = field(default_factory=dict)
    archived: bool = False
    dirty: bool = False
    behind: bool = False
    waits_for: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()
    problem: str = ""
    released: str = ""
    unseen: int = 0
    knocks: bool = False
    written: int = 0


@dataclass
class Intent:
    """An operation written down before it is sent; its id is the mark that a created record carries (R17, R28).

    ``kind`` is create, update, archive or delete. ``sent`` are native fields, ``cells`` the canonical values they
    stand for and ``keys`` the keys of the edits that caused them. ``answered``: the platform has answered, so
    nothing of it can land late. ``harm`` is what the guard counts it as: destroy, create, rewrite or "".
    ``record`` is the native id, "" for a create whose record is not known.
    """

    id: str
    kind: str
    connector: str
    item: str
    link: str
    record: str
    sent: Fields
    cells: dict[Cell, Value]
    keys: dict[Cell, Key]
    run: int
    at: int
    harm: str = ""
    answered: bool = False
    open: bool = True


@dataclass
class Unlinked:
    """A record without an item: it waits to be paired, or is parked with the reason (R16, R27).

    ``outside``: it does not belong to its connector's scope, and stays where it is.
    """

    connector: str
    native_id: str
    record: Record
    title: str
    kind: str
    reason: str = ""
    candidates: tuple[str, ...] = ()
    since: int = 0
    outside: bool = False


@dataclass
class Binding:
    """What the ledger knows of one connector: what it is bound to (R30), and how far it was read.

    id         short and stable; links refer to it
    accepted   a person has seen its first contact and agreed (R16)
    mapping    digest of mapping and zone under which shadows were taken in (R31)
    scope, confidential   the scope that links were made under, and whether it was fit for what is confidential (R31)
    there, meant, bound   see `mappings.translate.Vocabulary`
    offset     seconds that the host's clock is ahead of ours, and its uncertainty (R3)
    swept_at, read_whole_at   last listing of all ids and versions; last reading of all contents (R6)
    failures, retry_at, error what keeps it from being read, for the service's back-off
    count      live records at the last complete pass; the guard's yardstick
    """

    id: str
    name: str
    type: str
    host: str
    collection: str
    title: str = ""
    accepted: bool = False
    mapping: str = ""
    scope: str = ""
    confidential: bool = False
    cursor: str | None = None
    memory: str | None = None
    there: dict[str, dict[str, str]] = field(default_factory=dict)
    meant: dict[str, dict[str, str]] = field(default_factory=dict)
    bound: dict[str, dict[str, str]] = field(default_factory=dict)
    offset: float = 0.0
    offset_error: float | None = None
    newest: int = 0
    swept_at: int = 0
    read_whole_at: int = 0
    complete_run: int = 0
    complete_at: int = 0
    count: int = 0
    failures: int = 0
    retry_at: int = 0
    error: str = ""
    forgotten: bool = False

    def fail(self, reason: str, now: int, retry_after: float = 0.0) -> None:
        """Remember why it could not be read or written to, and until when the service leaves it alone (R27)."""
        self.error = reason
        self.failures += 1
        self.retry_at = now + int(max(retry_after, min(BACK_OFF_START * 2**self.failures, BACK_OFF_MOST)))


@dataclass(frozen=True)
class Side:
    """One side of a conflict, or where a value came from."""

    value: Value
    connector: str
    time: int
    since: int
    ref: str


@dataclass(frozen=True)
class Conflict:
    """Two values of one cell met, neither knowing of the other; the loser is kept (R9)."""

    id: str
    run: int
    at: int
    item: str
    cell: Cell
    base: Value
    winner: Side
    loser: Side
    rule: str


@dataclass(frozen=True)
class Entry:
    """One line of the journal: which cell of which item changed from what to what, by which platform, and why.

    ``connector`` is where the change came from for ``act`` = "edit" and where it was written to for "write".
    """

    run: int
    at: int
    item: str
    cell: Cell
    before: Value
    after: Value
    connector: str
    act: str
    why: str


@dataclass
class Run:
    """One pass: when it ran and how it ended. ``summary["waiting"]`` says, by connector, what waits for a person."""

    id: int
    started: int
    finished: int = 0
    ok: bool = False
    summary: dict[str, object] = field(default_factory=dict)


@dataclass
class Batch:
    """What one transaction stores, all or nothing: whole objects, replaced by id."""

    items: list[Item] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    unlinked: list[Unlinked] = field(default_factory=list)
    forget_unlinked: list[tuple[str, str]] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    forget_conflicts: list[str] = field(default_factory=list)
    journal: list[Entry] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is anything to store."""
        return any(vars(self).values())


class Store(Protocol):
    """What a ledger answers. Every object returned is a fresh copy that the caller may change.

    Nothing here costs more than the number of rows it returns (all look-ups are indexed).
    """

    def identity(self) -> str:
        """Eight hexadecimal digits that tell this ledger from every other; they are part of its marks (R30)."""
        ...

    def bindings(self) -> list[Binding]:
        """All that were ever bound and not forgotten."""
        ...

    def links_by_record(self, connector: str, native_ids: Iterable[str]) -> list[Link]:
        """Links, retired ones included (R20), of these records."""
        ...

    def links_of(self, items: Iterable[str]) -> list[Link]:
        """Every link of these items, retired ones included."""
        ...

    def links_flagged(self, flag: str, connectors: Iterable[str] | None = None) -> list[Link]:
        """Links, not retired, with this flag: "dirty", "behind", or non-empty "waits_for", "pending", "parked".

        Of all connectors, or only of these.
        """
        ...

    def links_frozen(self, connector: str) -> list[Link]:
        """Frozen links of a connector."""
        ...

    def live_refs(self, connector: str) -> dict[str, str]:
        """Native id to version, of every live link of a connector. For complete listings only: costs all of them."""
        ...

    def count_live(self, connector: str) -> int:
        """How many live links of a connector are there whose item lives."""
        ...

    def versions_written(self, connector: str, since_run: int) -> dict[str, str]:
        """Native id to version, of the live links that were written in ``since_run`` or later."""
        ...

    def items(self, ids: Iterable[str]) -> list[Item]:
        """These items."""
        ...

    def items_titled(self, titles: Iterable[str]) -> list[Item]:
        """Items with one of these titles, compared by `mappings.canonical.normal`."""
        ...

    def items_starting(self, title: str) -> list[Item]:
        """Items whose title begins like this one, compared by `mappings.canonical.normal`."""
        ...

    def find_items(self, text: str) -> list[Item]:
        """Items whose id is, or starts with, the text; else those whose `normal` title it is."""
        ...

    def all_items(self) -> list[Item]:
        """Every item, oldest first."""
        ...

    def intents_open(self) -> list[Intent]:
        """Intents whose outcome is not recorded yet, oldest first."""
        ...

    def intents_since(self, connector: str, at: int) -> list[Intent]:
        """Intents with a harm that were written for this connector since that time (the guard's rolling day)."""
        ...

    def unlinked(self) -> list[Unlinked]:
        """Records that wait to be paired, oldest first."""
        ...

    def conflicts(self, item: str | None = None) -> list[Conflict]:
        """Kept conflicts, newest first."""
        ...

    def journal(self, item: str | None = None, run: int | None = None) -> list[Entry]:
        """Journal entries, oldest first."""
        ...

    def runs(self, limit: int = 1) -> list[Run]:
        """The newest runs, newest first."""
        ...

    def save(self, batch: Batch) -> None:
        """Store all of it in one durable transaction, or nothing (R28)."""
        ...

    def forget(self, connector: str) -> None:
        """Forget a connector: its binding, links, intents and unlinked records. Items and journal stay."""
        ...


def sequence(values: Iterable[Value]) -> Sequence[Value]:
    """Values in an order that is the same on every machine."""
    return sorted(values, key=lambda value: (value is not None, str(type(value)), str(value)))
