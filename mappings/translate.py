"""From a record to what it means and back, by a mapping. Pure.

`Translator.read` says what a record asserts, per cell, and on which native evidence; `Translator.changes` says
what a person edited between two readings (R1); `Translator.shows` says whether anything is left to write (R25);
`Translator.write` finds the native changes that make a record show what is wanted, and change nothing else.

A field that a record does not carry, or that cannot be read there, is absent: neither read nor written (R7).
``read(write(x))`` shows x, and ``write`` of what is shown is empty (R11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from connectors.base import Fields, Native
from mappings import tables
from mappings.canonical import CONFIDENTIAL, FIELDS, Cell, Kind, Value, alike, element_of, field_of, is_empty, plain
from mappings.choices import ChoiceCodec, ElementChoiceCodec
from mappings.codecs import (
    DayCodec,
    Elements,
    KindCodec,
    LabelsCodec,
    MilestoneCodec,
    NumberCodec,
    ReferenceCodec,
    ReferencesCodec,
    TextCodec,
    TitleCodec,
)
from mappings.scene import (
    Codec,
    Heard,
    Pending,
    References,
    Scene,
    Unreadable,
    Unshowable,
    Vocabulary,
    Waiting,
    Wish,
)
from mappings.secret import SecretCodec

__all__ = ["Reading", "References", "Translator", "Vocabulary", "Writing"]


@dataclass(frozen=True)
class Reading:
    """What a record says, in canonical words.

    ``cells``      what is asserted: one value, or the values that the platform cannot tell apart (R8); of sets only
                   the elements that are there, each with its spelling (of depends_on the item's id)
    ``carried``    the canonical fields that this record carries; the others are absent (R7)
    ``problems``   canonical field to a sentence why it could not be read; "kind" where the kind had to be guessed
    ``inputs``     the native evidence per cell: of two readings with equal evidence nothing was edited (R1)
    ``waiting``    native ids of references whose record has no item yet (R13)
    """

    kind: Kind
    cells: Mapping[Cell, frozenset[Value]]
    carried: frozenset[str]
    problems: Mapping[str, str]
    inputs: Mapping[Cell, object]
    waiting: frozenset[str]
    archived: bool

    def asserted(self, cell: Cell) -> frozenset[Value] | None:
        """What the record says in a cell: None if it is absent, ``{None}`` if it is empty or not in the set."""
        if field_of(cell).name not in self.carried:
            return None
        return self.cells.get(cell, frozenset({None}))

    def silent(self, cell: Cell) -> bool:
        """Whether the record says nothing about a cell, so that at first contact its meaning beats nobody (R16)."""
        if self.inputs.get(cell) in (None, ("empty",)):
            return True
        # What only cannot be told from "confidential" says nothing of that.
        return all(is_empty(cell, value) for value in self.asserted(cell) or () if value != CONFIDENTIAL)


@dataclass(frozen=True)
class Writing:
    """What to send to a platform, and what will be shown by it.

    ``fields``      native fields to send: only those that change
    ``shown``       cells that the record shows afterwards
    ``pending``     cells whose reference has no record there yet, with the item they wait for (R13)
    ``unshowable``  cells that this platform cannot show, with a sentence
    ``locked``      cells that this very record does not take at the moment

    A wanted cell that is in none of them is absent on this record.
    """

    fields: dict[str, Native] = field(default_factory=dict)
    shown: frozenset[Cell] = frozenset()
    pending: Mapping[Cell, str] = field(default_factory=dict)
    unshowable: Mapping[Cell, str] = field(default_factory=dict)
    locked: frozenset[Cell] = frozenset()


class Translator:
    """A mapping at work, in one time zone."""

    def __init__(self, mapping: tables.Mapping_, zone: ZoneInfo) -> None:
        self._mapping = mapping
        self._zone = zone
        self._kinds = KindCodec(mapping.kinds)
        self._codecs = _codecs(mapping, needs_record=Kind.MILESTONE in self._kinds.kinds)
        self._sets = {self._kinds.native} if mapping.kinds.elements else set()
        self._sets |= {
            native for name, codec in self._codecs.items() if _is_set(mapping, name) for native in codec.natives
        }
        self.fields = frozenset(self._codecs)
        status = self._codecs["status"].natives if "status" in self._codecs else frozenset()
        self._watched = {
            name: codec.natives | (status if FIELDS[name].group == "status" else frozenset())
            for name, codec in self._codecs.items()
        }

    @property
    def milestone_native(self) -> str | None:
        """The native set whose elements stand for milestones, if a milestone is shown by its title there (R10)."""
        table = self._mapping.fields.milestone
        return table.native if table is not None and table.by == "title" else None

    @property
    def title_native(self) -> str:
        """The native field of the title."""
        return self._mapping.fields.title.native

    def natives(self, cell: Cell) -> frozenset[str]:
        """The native fields from which a cell is read; none if this platform does not have it."""
        codec = self._codecs.get(field_of(cell).name)
        return codec.natives if codec else frozenset()

    def holds(self, kind: Kind) -> bool:
        """Whether items of this kind can be kept on this platform."""
        return kind in self._kinds.kinds

    # ---- reading ---------------------------------------------------------------------------------------------

    def read(self, fields: Fields, voc: Vocabulary, refs: References) -> Reading:
        """What a record says. Never raises: what cannot be read is absent, with a sentence why."""
        scene = Scene(fields, voc, refs, self._zone)
        kind, doubt = self._kinds.read(scene)
        cells: dict[Cell, frozenset[Value]] = {}
        inputs: dict[Cell, object] = {}
        problems = {"kind": doubt} if doubt else {}
        carried: set[str] = set()
        waiting: set[str] = set()
        for name, codec in self._codecs.items():
            try:
                heard = _hear(codec, scene)
            except Unreadable as error:
                problems[name] = str(error)
            except Waiting as reference:
                waiting.add(reference.native_id)
            else:
                if heard is not None:
                    carried.add(name)
                    cells |= heard.cells
                    inputs |= heard.inputs
                    waiting |= heard.waiting
                    problems |= {name: heard.problem} if heard.problem else {}
        archived = self.is_archived(fields)
        return Reading(kind, cells, frozenset(carried), problems, inputs, frozenset(waiting), archived)

    def changes(self, before: Reading, after: Reading) -> dict[Cell, frozenset[Value]]:
        """What was edited between two readings of a record, and what is asserted now (R1, R10)."""
        both = before.carried & after.carried
        return {
            cell: after.cells.get(cell, frozenset({None}))
            for cell in sorted(before.inputs.keys() | after.inputs.keys())
            if field_of(cell).name in both and before.inputs.get(cell) != after.inputs.get(cell)
        }

    def shows(self, reading: Reading, cell: Cell, value: Value) -> bool:
        """Whether nothing is left to write: the record says the value, or one alike, or cannot carry it at all."""
        asserted = reading.asserted(cell)
        if asserted is None:
            return True
        if cell == "completed_on" and value is None and tables.DONE in (reading.asserted("status") or ()):
            return True  # nobody said on which day; any stamp that goes with done will do
        return any(alike(cell, said, value) for said in asserted)

    def standing(self, fields: Fields, voc: Vocabulary, refs: References) -> dict[str, dict[str, str]]:
        """The elements of a record that stand for a milestone by their title alone, as `Vocabulary.bound` keeps them.

        Whoever keeps the vocabulary binds them when they are first met, so that a milestone that gets another title
        keeps its tasks.
        """
        codec = self._codecs.get("milestone")
        if not isinstance(codec, MilestoneCodec):
            return {}
        found = codec.standing(Scene(fields, voc, refs, self._zone))
        return {codec.native: found} if found else {}

    def title(self, fields: Fields) -> str:
        """The canonical title of raw fields, however long; "" if there is none."""
        value = fields.get(self._mapping.fields.title.native)
        return plain(value).strip() if isinstance(value, str) else ""

    # ---- writing ---------------------------------------------------------------------------------------------

    def write(
        self,
        wanted: Mapping[Cell, Value],
        current: Fields,
        voc: Vocabulary,
        refs: References,
        at: int,
        locked: frozenset[str] = frozenset(),
    ) -> Writing:
        """The native changes by which ``current`` shows the wanted cells, and nothing else changes.

        ``at`` is the moment of completion, in Unix seconds, where no better one is known.
        """
        return self._compose(wanted, Scene(current, voc, refs, self._zone), at, locked, fresh=False)

    def blank(self) -> dict[str, Native]:
        """The native fields of a record in which nothing stands."""
        natives = {native for codec in self._codecs.values() for native in codec.natives} | {self._kinds.native}
        sight = self._mapping.fields.visibility
        natives |= {sight.secret.native} if sight is not None and sight.secret is not None else set()
        return {native: () if native in self._sets else None for native in natives}

    def create(self, kind: Kind, cells: Mapping[Cell, Value], voc: Vocabulary, refs: References, at: int) -> Writing:
        """The fields of a new record; what is empty is left out. ValueError for a kind that cannot be kept there."""
        blank = self.blank()
        scene = Scene(blank, voc, refs, self._zone)
        try:
            scene = scene.with_fields({**blank, **self._kinds.write(kind, scene)})
        except Unshowable as error:
            raise ValueError(str(error)) from None
        writing = self._compose(cells, scene, at, frozenset(), fresh=True)
        whole: dict[str, Native] = {**scene.fields, **writing.fields}
        fields: dict[str, Native] = {native: value for native, value in whole.items() if value not in (None, (), "")}
        return Writing(fields, writing.shown, writing.pending, writing.unshowable)

    def _compose(
        self, wanted: Mapping[Cell, Value], scene: Scene, at: int, locked: frozenset[str], *, fresh: bool
    ) -> Writing:
        before, draft = scene.fields, dict(scene.fields)
        reading = self.read(before, scene.voc, scene.refs)
        absent = set() if fresh else FIELDS.keys() - reading.carried
        shown: set[Cell] = set()
        stale: set[str] = set()  # native fields that were changed since ``reading``
        pending: dict[Cell, str] = {}
        unshowable: dict[Cell, str] = {}
        kept: set[Cell] = set()
        for cell in sorted(wanted, key=_order):
            name = field_of(cell).name
            if name in absent or name not in self._codecs:
                continue
            if not stale.isdisjoint(self._watched[name]):
                reading, stale = self.read(draft, scene.voc, scene.refs), set()
            said = name in reading.carried and self.shows(reading, cell, wanted[cell])
            if said and not (fresh and isinstance(self._codecs[name], ChoiceCodec)):  # a new record says its status
                shown.add(cell)
                continue
            try:
                wish = Wish(cell, wanted[cell], wanted, at, fresh)
                change = self._codecs[name].write(wish, scene.with_fields(draft))
            except Pending as reference:
                pending[cell] = reference.item
            except Unshowable as error:
                unshowable[cell] = str(error)
            except Unreadable:
                continue
            else:
                change = {native: value for native, value in change.items() if not _same(value, draft.get(native))}
                if not locked.isdisjoint(change):
                    kept.add(cell)
                    continue
                draft |= change
                shown.add(cell)
                stale |= change.keys()
        fields = {native: value for native, value in draft.items() if not _same(value, before.get(native))}
        return Writing(fields, frozenset(shown), pending, unshowable, frozenset(kept))

    # ---- archive ---------------------------------------------------------------------------------------------

    def archive(self) -> Fields:
        """What makes a record archived; {} where the platform has no archive."""
        archive = self._mapping.archive
        return {} if archive is None else {archive.native: archive.value}

    def unarchive(self) -> Fields:
        """What brings a record back; {} where that is just a change of status."""
        archive, status = self._mapping.archive, self._mapping.fields.status
        if archive is None or (status is not None and status.native == archive.native):
            return {}
        return {archive.native: not archive.value if isinstance(archive.value, bool) else None}

    def is_archived(self, fields: Fields) -> bool:
        """Whether raw fields are those of an archived record."""
        archive = self._mapping.archive
        return archive is not None and _same(fields.get(archive.native), archive.value)


def _codecs(mapping: tables.Mapping_, *, needs_record: bool) -> dict[str, Codec]:
    """A codec per field of the mapping, in the order of `FIELDS`: status before the date of completion."""
    there, elements = mapping.fields.tables(), Elements(mapping)
    codecs: dict[str, Codec] = {}
    for name in FIELDS:
        match there.get(name):
            case tables.Text() as table:
                codecs[name] = TitleCodec(table) if name == "title" else TextCodec(name, table)
            case tables.Number() as table:
                codecs[name] = NumberCodec(name, table)
            case tables.Day() as table:
                status = mapping.fields.status
                flagged = name == "completed_on" and status is not None and status.flag == table.native
                codecs[name] = DayCodec(name, table, _beside(name, mapping), codecs["status"] if flagged else None)
            case tables.Choice() as table:
                codecs[name] = _choice(name, table, mapping)
            case tables.Reference(by="title") as table:
                codecs[name] = MilestoneCodec(table, elements, needs_record=needs_record)
            case tables.Reference() as table:
                codecs[name] = ReferenceCodec(name, table)
            case tables.Set() as table:
                codecs[name] = (
                    ReferencesCodec(name, table) if name == "depends_on" else LabelsCodec(name, table, elements)
                )
            case None:
                pass
    return codecs


def _choice(name: str, table: tables.Choice, mapping: tables.Mapping_) -> Codec:
    codec: Codec | None = None
    if table.elements:
        codec = ElementChoiceCodec(name, table)
    elif table.values:
        codec = ChoiceCodec(name, table, mapping.fields.completed_on)
    if table.secret is not None:
        return SecretCodec(table.secret, codec)
    assert codec is not None
    return codec


def _beside(name: str, mapping: tables.Mapping_) -> str:
    """The native field of the other date of a start and a due date."""
    other = {"start": mapping.fields.due, "due": mapping.fields.start}.get(name)
    return other.native if other is not None else ""


def _is_set(mapping: tables.Mapping_, name: str) -> bool:
    table = getattr(mapping.fields, name)
    return (
        isinstance(table, tables.Set)
        or (isinstance(table, tables.Choice) and bool(table.elements))
        or (isinstance(table, tables.Reference) and table.by == "title")
    )


def _hear(codec: Codec, scene: Scene) -> Heard | None:
    """What a field says; None if the record does not carry it."""
    return codec.read(scene) if all(native in scene.fields for native in codec.natives) else None


def _order(cell: Cell) -> tuple[int, str]:
    return list(FIELDS).index(field_of(cell).name), element_of(cell)


def _same(one: Native, other: Native) -> bool:
    """Equal in kind too: True is not 1."""
    return type(one) is type(other) and one == other
