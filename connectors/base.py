"""The glossary, and what a connector is: read this first.

A *platform* is a collaboration tool; a *collection* is the board, project, calendar or workbook of it that is
mirrored. A *record* is one task or milestone as the platform says it, in the platform's own (*native*) words:
a flat dictionary of native field names to `Native` values. A *ref* says who a record is. A *version* is the
platform's change token: a hint; content is the proof. A *cursor* is the platform's progress token, opaque to
everybody but its connector.

A connector turns HTTP into records and back, and no more. It knows nothing of the canonical model, of other
platforms or of the ledger. What a platform lacks (conditional writes, deltas) its connector makes up for
inside; where that cannot be done, `Abilities` says so and the engine acts on that, never on a platform's name.

Native values are JSON-like and comparable:

* text is ``str`` as the platform has it, line ends as LF; a description is rich text, which is CommonMark whatever the
  platform formats text with: where that is something else, the connector translates (`connectors.richtext`), and
  what it reads is again what it was given;
* a calendar date is ``"2026-12-01"``; a moment is ``"2026-12-01T11:00:00+00:00"`` (always UTC, whole seconds);
  a time without a zone is ``"2026-12-01T12:00:00"``;
* a set is a sorted ``tuple`` of ``str``, without doubles;
* a reference is the native id of the record it points to; "nothing there" is ``None``, for sets ``()``;
* where a field can only take *options* that have an id of their own (a column, a label), the value is the
  option's id, and `Changes.options` tells the id's title; an option that does not exist yet is written as
  `NEW` followed by its title, and the connector makes it.

A field that an answer did not really carry is left out of ``Record.fields`` altogether: absent is not empty (R7).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

Native = str | int | bool | None | tuple[str, ...]
"""One native value; see the module's docstring for the shapes."""

Fields = Mapping[str, Native]
"""Native field name to native value."""

Options = Mapping[str, Mapping[str, str]]
"""Native field name to {option id: title}, for the fields that take options."""

NEW = "+"
"""Prefix of an option that the platform does not have yet: ``"+Meilenstein"``."""

NOTHING: Fields = {}


@dataclass(frozen=True, order=True)
class Ref:
    """Who a record is, for ever (R16, R19).

    ``instance`` is the host (and path) of the platform, ``native_id`` its id there, ``born`` a creation value
    that never changes: some platforms use ids again. ``born`` is "" where the platform's ids are never reused.
    """

    instance: str
    native_id: str
    born: str = ""


@dataclass(frozen=True)
class Record:
    """One task or milestone as the platform says it.

    ``fields`` is None for a tombstone (the platform *claims* that it is gone; `Connector.probe` proves it).
    ``modified_at`` is the platform's own time of the last change in Unix seconds, by its own clock, None if
    it gives none. ``mark`` is what `Connector.create` was given, where the platform has a place for it.
    ``own`` is true when our own account created it, False when somebody else did, None when one cannot tell.
    ``created_at`` is the platform's time of creation in Unix seconds, or None.
    ``locked`` names native fields that this very record does not take at the moment (R7).
    ``problem`` is a sentence why the record cannot be read; its fields are then empty (R27).
    ``options`` names options that came to be with this very write, so that their ids have titles.
    """

    ref: Ref
    collection: str
    version: str
    modified_at: float | None
    fields: Fields | None
    mark: str = ""
    url: str = ""
    own: bool | None = None
    created_at: float | None = None
    locked: frozenset[str] = frozenset()
    problem: str = ""
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class Changes:
    """What a pull found.

    ``complete``: this was a whole listing. ``present`` then holds every native id that was listed, those left
    out of ``records`` because their version was in ``known`` included; who is in neither *may* be gone.
    A listing that is not complete is an unbroken delta (``delta``) or a fragment that proves nothing about the
    records that it does not mention. ``cursor`` was taken before the listing started (R6).
    ``options`` is None when the options were not read in this pull.
    """

    records: tuple[Record, ...]
    cursor: str | None
    complete: bool
    delta: bool = False
    present: frozenset[str] = frozenset()
    options: Options | None = None

    @property
    def whole(self) -> bool:
        """Whether the pull stands for the whole collection: a complete listing or an unbroken delta (R16)."""
        return self.complete or self.delta


# ---- what a probe answers (R19, R21) ------------------------------------------------------------------------


@dataclass(frozen=True)
class Alive:
    """The record is in the collection; here it is, freshly read."""

    record: Record


@dataclass(frozen=True)
class Moved:
    """The record lives on in another collection of the same platform."""

    collection: str
    record: Record | None = None


@dataclass(frozen=True)
class OutOfScope:
    """The record exists, and does not belong to what is mirrored any more."""


@dataclass(frozen=True)
class Hidden:
    """The platform does not show the record to us, although the collection can be read.

    ``unsure``: it may have been deleted as well, and nothing tells the one from the other. Two such answers a day
    apart count as a deletion that archives elsewhere (R21).
    """

    unsure: bool = False


@dataclass(frozen=True)
class Gone:
    """Proven to be deleted."""


Probe = Alive | Moved | OutOfScope | Hidden | Gone


# ---- what a connector is -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Identity:
    """What a connector is bound to (R30): not its name, but the type, the host and the collection's own id.

    ``host`` groups connectors that share a clock and a limit of writes in flight. ``title`` is for people.
    ``writable`` is false where our rights only allow reading; ``warnings`` are sentences for `check`. ``contains`` are
    the ids of other collections that lie within this one.
    """

    type: str
    host: str
    collection: str
    title: str
    writable: bool = True
    warnings: tuple[str, ...] = ()
    contains: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Abilities:
    """What the engine may rely on.

    conditional   ``update`` and ``delete`` refuse a stale ``if_version`` atomically (R24)
    client_ids    ``create`` with the same mark twice makes one record; its native id is ``id_of(mark)`` (R17)
    marks         a created record carries its mark, and keeps it when people edit it (R17)
    create_fields native fields that ``create`` takes in one indivisible step; None: all of them (R18)
    defaults      what a record shows that was created with nothing: the first shadow starts from it (R17)
    writes        writes in flight that the host bears
    """

    conditional: bool = False
    client_ids: bool = False
    marks: bool = False
    create_fields: frozenset[str] | None = None
    defaults: Fields = field(default_factory=dict)
    writes: int = 8


@runtime_checkable
class Connector(Protocol):
    """A way to one collection. Safe to call from several threads once `identify` has returned.

    Every method may raise a `connectors.errors.PlatformError`. ``identify`` comes first, always.
    """

    abilities: Abilities

    def identify(self, remembered: str | None = None) -> Identity:
        """Sign in, find the collection and check the rights.

        ``remembered`` is what `memory` returned in an earlier run: with it, a connector that already knows where
        its collection is sends no request here.
        """
        ...

    def memory(self) -> str | None:
        """What was discovered, to be handed to `identify` next time. None if there is nothing to remember."""
        ...

    def pull(self, cursor: str | None, known: Mapping[str, str]) -> Changes:
        """What changed since ``cursor``; everything, if that is None.

        ``known`` holds versions that the ledger has just seen (native id to version): a record that still has
        exactly that version need not be fetched again, and is then left out of ``Changes.records``.
        Raises CursorExpired when the platform no longer knows the cursor.
        """
        ...

    def create(self, fields: Fields, mark: str) -> Record:
        """Make a record and return it as read back.

        A record made with the same mark before is returned as it is now where `Abilities.client_ids` says so.
        Raises Rejected(clean=False) when the platform refused and something may be left there all the same.
        """
        ...

    def update(self, ref: Ref, fields: Fields, if_version: str) -> Record:
        """Write these native fields and no others; everything else on the record stays what it is (R24).

        Returns the record as read back (R25): as the platform shows it now, not as it was sent.
        Raises VersionMismatch(record=...) with the fresh record when its version is not ``if_version``: told by
        the platform where writes are conditional, else by the connector's own read just before the write.
        Raises NotFound when the record is not there.
        """
        ...

    def delete(self, ref: Ref, if_version: str) -> None:
        """Delete the record. Raises VersionMismatch or NotFound; a record that is gone already is NotFound."""
        ...

    def probe(self, ref: Ref) -> Probe:
        """What became of this record: ask the platform, believe only what it proves (R19, R21)."""
        ...

    def normalises(self, name: str, sent: Native, shown: Native) -> bool:
        """Whether the platform is known to turn ``sent`` into ``shown`` in this native field (R25)."""
        ...

    def id_of(self, mark: str) -> str:
        """The native id that `create` gives to ``mark`` where `Abilities.client_ids` holds, else ""."""
        ...


@runtime_checkable
class HasTraffic(Protocol):
    """A connector that counts: requests sent, and what its answers told of the server's clock."""

    @property
    def requests(self) -> int:
        """Requests sent since this connector was made."""
        ...

    @property
    def clock(self) -> tuple[float, float] | None:
        """Interval (lowest, highest) in seconds that the server's clock is ahead of ours; None if unknown."""
        ...


@dataclass(frozen=True)
class Offer:
    """A collection that is there for our account.

    ``name`` is what ``Access.collection`` has to say to mean exactly this one, best what survives a renaming; "" where
    the URL alone says it. ``title`` is for people. ``writable`` is None where a list does not tell.
    """

    name: str
    title: str
    writable: bool | None = None


@runtime_checkable
class ListsCollections(Protocol):
    """A connector that can say what there is to choose from, for ``init``.

    Called instead of `Connector.identify`, and ``Access.collection`` may be empty then.
    """

    def collections(self) -> Sequence[Offer]:
        """Sign in, and list the collections that could be mirrored. Raises a PlatformError, as `identify` does."""
        ...


@runtime_checkable
class HasHistory(Protocol):
    """A connector of a platform that keeps a history of fields; it is asked where people disagree (R4)."""

    def times(self, ref: Ref, names: Collection[str]) -> Mapping[str, float]:
        """When these native fields last got another value, in Unix seconds of the platform's own clock.

        A field of which the history does not tell is left out; where it tells of none of them, no request is sent.
        May raise a PlatformError: the record's own time is good enough then.
        """
        ...


@runtime_checkable
class HasTextFormats(Protocol):
    """A connector that says how its platform formats text, so that `check` can tell people what of it survives."""

    def text_formats(self) -> Mapping[str, str]:
        """Native fields of text, each with the name of its format in `connectors.richtext.FORMATS`."""
        ...


@runtime_checkable
class RenamesOptions(Protocol):
    """A connector whose options can get another title without a write to the records that show them (R10)."""

    def rename_option(self, name: str, option: str, title: str) -> Options:
        """Give an option of a native field another title; returns it with its title as it is now.

        The same title twice is no error, so that this may be sent again after a lost answer. Raises Rejected where
        another option has the title, where it is none for this platform, or where our rights do not suffice;
        NotFound where the option is gone.
        """
        ...


# ---- how a connector is made ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Access:
    """The settings of one connector, as its type needs them. Secrets are left out of ``repr``.

    ``collection`` is a title, path or id, "" when the URL says it. ``writes`` is None for the type's own default.
    ``timeouts`` are seconds to connect and to read. ``confidential``: the platform is fit for what only few may see,
    so that its own confidential records are mirrored too; else the connector keeps them out of scope.
    """

    name: str
    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    collection: str = ""
    allow_http: bool = False
    writes: int | None = None
    timeouts: tuple[float, float] = (10.0, 60.0)
    confidential: bool = False


@dataclass(frozen=True)
class ConnectorType:
    """One kind of platform: what the entry points of the group ``strategy_bridge.connectors`` name.

    ``needs`` are the names of `Access` fields that must not be empty. ``mapping`` is the default mapping file:
    a file name in mappings/, or an absolute path for a connector that ships its own. ``asks`` are fields that ``init``
    asks for besides, and that may stay empty.
    """

    name: str
    connect: Callable[[Access], Connector]
    needs: tuple[str, ...]
    mapping: str
    asks: tuple[str, ...] = ()
