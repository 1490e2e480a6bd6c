"""One codec per type of canonical field: what a record says, and what to write so that it says something else.

Choices are in mappings.choices. Sets share native fields with the elements that stand for a kind, for a milestone
or for visibility: none of those is a label (R10), and elements that nobody mapped stay where they are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

from connectors.base import Native
from mappings import tables
from mappings.canonical import TITLE_LIMIT, Cell, Kind, Value, cell_of, element_of, normal, plain, shortened
from mappings.dates import day_of, instant, placed
from mappings.scene import STALE, Codec, Heard, Pending, Scene, Unreadable, Unshowable, Waiting, Wish, one


class TitleCodec:
    """One line of text that must not be empty."""

    def __init__(self, table: tables.Text) -> None:
        self._table = table
        self._limit = min(table.limit or TITLE_LIMIT, TITLE_LIMIT)
        self.natives = frozenset({table.native})

    def read(self, scene: Scene) -> Heard:
        """The title, without the blanks around it."""
        value = scene.fields[self._table.native]
        title = plain(value).strip() if isinstance(value, str) else ""
        if not title:
            raise Unreadable("has no title: give it one")
        if len(title) > TITLE_LIMIT:
            raise Unreadable(f"the title has {len(title)} characters, at most {TITLE_LIMIT} are possible: shorten it")
        return one("title", title, unicodedata.normalize("NFC", title))

    def write(self, wish: Wish, scene: Scene) -> Mapping[str, Native]:
        """The title as it is."""
        title = str(wish.value or "").strip()
        if not title:
            raise Unshowable("a title cannot be empty")
        return {self._table.native: within(title, self._limit, "title")}


class TextCodec:
    """A text of many lines."""

    def __init__(self, name: str, table: tables.Text) -> None:
        self.name = name
        self._table = table
        self.natives = frozenset({table.native})

    def read(self, scene: Scene) -> Heard:
        """The text with LF line ends; an empty one is nothing."""
        value = scene.fields[self._table.native]
        if value is not None and not isinstance(value, str):
            raise Unreadable(f"{self._table.native} is not text")
        text = plain(value) or None
        return one(self.name, text, text)

    def write(self, wish: Wish, scene: Scene) -> Mapping[str, Native]:
        """The text as it is."""
        text = plain(str(wish.value or "")) or None
        return {self._table.native: text and within(text, self._table.limit, self.name)}


class NumberCodec:
    """Progress in per cent."""

    def __init__(self, name: str, table: tables.Number) -> None:
        self.name = name
        self._native = table.native
        self.natives = frozenset({table.native})

    def read(self, scene: Scene) -> Heard:
        """A whole number from 0 to 100."""
        value = scene.fields[self._native]
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100):
            raise Unreadable(f"{self._native} is {value!r}, not a number from 0 to 100")
        return one(self.name, value, value)

    def write(self, wish: Wish, scene: Scene) -> Mapping[str, Native]:
        """The number as it is."""
        return {self._native: wish.value}


class DayCodec:
    """A calendar date (R14). ``status`` is given where this moment *means* done: only what is done has one."""

    def __init__(self, name: str, table: tables.Day, beside: str, status: Codec | None) -> None:
        self.name = name
        self._table = table
        self._beside = beside
        self._status = status
        self.natives = frozenset({table.native})

    def read(self, scene: Scene) -> Heard:
        """The date in the city's zone. Another time of the same day is no edit of the date."""
        value = scene.fields[self._table.native]
        try:
            day = day_of(value, scene.zone)
        except ValueError:
            raise Unreadable(f"{self._table.native} is {value!r}, which is not a date") from None
        return one(self.name, day, day)

    def write(self, wish: Wish, scene: Scene) -> Mapping[str, Native]:
        """The date at the time of day that is there; noon where only a moment can be kept."""
        native = self._table.native
        if wish.value is None:
            return {native: None}
        if self._status is not None and not self._is_done(scene):
            raise Unshowable("only what is done has a date of completion here")
        day, as_moment, there = str(wish.value), self._table.as_ == "moment", scene.fields[native]
        beside = scene.fields.get(self._beside)
        try:
            value = placed(day, there, scene.zone, as_moment=as_moment, beside=beside)
            now = instant(wish.at)
            if self.name == "completed_on" and there in (None, "") and as_moment and day_of(now, scene.zone) == day:
                value = now  # noon may still be to come
            if not as_moment and self._crosses(value, beside, wish, scene):
                value = placed(day, beside, scene.zone, as_moment=as_moment)
        except ValueError as error:
            raise Unshowable(str(error)) from None
        return {native: value}

    def _crosses(self, value: str, beside: Native, wish: Wish, scene: Scene) -> bool:
        """Whether a start would come after the due date on one day, only for the times of day that are kept.

        Servers refuse DUE before DTSTART (measured on Nextcloud: 415), so the later written takes the other's time.
        """
        if not isinstance(beside, str) or len(beside) != len(value) or (self.name == "start" and "due" in wish.wanted):
            return False
        wrong = value > beside if self.name == "start" else value < beside
        try:
            return wrong and day_of(value, scene.zone) == day_of(beside, scene.zone)
        except ValueError:
            return False

    def _is_done(self, scene: Scene) -> bool:
        assert self._status is not None
        try:
            return tables.DONE in self._status.read(scene).cells["status"]
        except Unreadable:
            return False


class ReferenceCodec:
    """A reference by the native id of a record (R13)."""

    def __init__(self, name: str, table: tables.Reference) -> None:
        self.name = name
        self._native = table.native
        self.natives = frozenset({table.native})

    def read(self, scene: Scene) -> Heard:
        """The item behind the record that is referred to."""
        value = scene.fields[self._native]
        if value is None or value == "":
            return one(self.name, None, None)
        if not isinstance(value, str):
            raise Unreadable(f"{self._native} is not a reference")
        item = scene.refs.item_of(value)
        if item is None:
            raise Waiting(value)
        return one(self.name, item, item)

    def write(self, wish: Wish, scene: Scene) -> Mapping[str, Native]:
        """The native id of the item's record."""
        return {self._native: None if wish.value is None else native_id(str(wish.value), scene)}


class ReferencesCodec:
    """A set of references by native id."""

    def __init__(self, name: str, table: tables.Set) -> None:
        self.name = name
        self._native = table.native
        self.natives = frozenset({table.native})

    def read(self, scene: Scene) -> Heard:
        """The items that are known; the others are waited for."""
        found = {native: scene.refs.item_of(native) for native in scene.elements(self._native)}
        items = {item for item in found.values() if item is not None and not item.startswith(STALE)}
        cells: dict[Cell, frozenset[Value]] = {cell_of(self.name, item): frozenset({item}) for item in items}
        inputs = dict.fromkeys(cells, True)
        for item in found.values():
            if item is not None and item.startswith(STALE):  # it says neither yes nor no: whatever is agreed is written
                cells.setdefault(cell_of(self.name, item.removeprefix(STALE)), frozenset())
        waiting = frozenset(native for native, item in found.items() if item is None)
        return Heard(cells, inputs, waiting)

    def write(self, wish: Wish, scene: Scene) -> Mapping[str, Native]:
        """The one reference more or less; those that nobody knows stay."""
        item = element_of(wish.cell)
        elements = {native for native in scene.elements(self._native) if scene.refs.item_of(native) != STALE + item}
        if wish.value is None:
            elements = {native for native in elements if scene.refs.item_of(native) != item}
        else:
            elements.add(native_id(item, scene))
        return {self._native: tuple(sorted(elements))}


class Elements:
    """Which elements of a shared set stand for something else than themselves."""

    def __init__(self, mapping: tables.Mapping_) -> None:
        self._reserved: dict[str, set[str]] = {}
        self._reserve(mapping.kinds.native, mapping.kinds.elements)
        for table in mapping.fields.tables().values():
            if isinstance(table, tables.Choice):
                self._reserve(table.native, table.elements)
        milestone = mapping.fields.milestone
        self._milestones = milestone.native if milestone is not None and milestone.by == "title" else None
        self._limit = milestone.limit if milestone is not None else None

    def reserved(self, native: str, title: str | None) -> bool:
        """Whether a title stands for a kind or a choice."""
        return normal(title) in self._reserved.get(native, ())

    def milestone(self, native: str, element: str, scene: Scene) -> str | None:
        """The milestone that an element stands for: bound to it, or titled like it."""
        title = scene.shelf(native).meaning(element)
        if native != self._milestones or self.reserved(native, title):
            return None
        bound = scene.voc.bound.get(native, {}).get(element)
        if bound is not None or title is None or not normal(title):
            return bound
        return scene.refs.milestone_titled(title, self._limit)

    def _reserve(self, native: str, elements: Mapping[str, tuple[str, ...]]) -> None:
        self._reserved.setdefault(native, set()).update(normal(name) for names in elements.values() for name in names)


class MilestoneCodec:
    """A milestone that shows as an element titled like it (R10)."""

    def __init__(self, table: tables.Reference, elements: Elements, *, needs_record: bool) -> None:
        self.native = table.native
        self._table = table
        self._elements = elements
        self._needs_record = needs_record
        self.natives = frozenset({table.native})

    def read(self, scene: Scene) -> Heard:
        """The milestone whose element is there; of several the one with the smallest id, and that is said."""
        found = {item: element for element, item in sorted(self._found(scene), reverse=True)}
        milestone = min(found) if found else None
        heard = one("milestone", milestone, milestone)
        if len(found) < 2:
            return heard
        shelf = scene.shelf(self.native)  # as they are called here: a milestone may have another title elsewhere
        titles = ", ".join(f"“{shelf.meaning(found[item])}”" for item in sorted(found))
        return Heard(heard.cells, heard.inputs, problem=f"belongs to {len(found)} milestones at once: {titles}")

    def write(self, wish: Wish, scene: Scene) -> Mapping[str, Native]:
        """The elements of other milestones go, the wanted one's comes."""
        native, found = self._table.native, list(self._found(scene))
        kept = set(scene.elements(native)) - {element for element, item in found if item != wish.value}
        if wish.value is not None and all(item != wish.value for _, item in found):
            kept.add(self._element(str(wish.value), scene))
        return {native: tuple(sorted(kept))}

    def standing(self, scene: Scene) -> dict[str, str]:
        """The elements that stand for a milestone and are not bound to it yet."""
        bound = scene.voc.bound.get(self.native, {})
        try:
            return {element: item for element, item in self._found(scene) if element not in bound}
        except Unreadable:
            return {}

    def _found(self, scene: Scene) -> Iterator[tuple[str, str]]:
        for element in scene.elements(self._table.native):
            if (item := self._elements.milestone(self._table.native, element, scene)) is not None:
                yield element, item

    def _element(self, item: str, scene: Scene) -> str:
        native, shelf = self._table.native, scene.shelf(self._table.native)
        if self._needs_record:
            native_id(item, scene)
        bound = sorted(element for element, other in scene.voc.bound.get(native, {}).items() if other == item)
        for element in bound:
            if shelf.there is None or element in shelf.there:
                return element
        title = shortened(scene.refs.title_of(item), self._table.limit)
        element = shelf.pick((title,))
        if self._elements.milestone(native, element, scene) != item:
            raise Unshowable(f"“{title}” does not stand for this milestone alone here: give it another title")
        return element


class LabelsCodec:
    """The elements of a set that stand for nothing but themselves."""

    def __init__(self, name: str, table: tables.Set, elements: Elements) -> None:
        self.name = name
        self._table = table
        self._elements = elements
        self.natives = frozenset({table.native})

    def read(self, scene: Scene) -> Heard:
        """The labels as they are spelled here; their option ids or letter cases are no edit."""
        spellings: dict[Cell, str] = {}
        for element in scene.elements(self._table.native):
            title = self._label(element, scene)
            if title is not None:
                spellings.setdefault(cell_of(self.name, title), title)
        return Heard({cell: frozenset({title}) for cell, title in spellings.items()}, dict.fromkeys(spellings, True))

    def write(self, wish: Wish, scene: Scene) -> Mapping[str, Native]:
        """The one label more or less."""
        native, wanted = self._table.native, element_of(wish.cell)
        current = scene.elements(native)
        if wish.value is None:
            return {native: tuple(sorted(e for e in current if normal(self._label(e, scene)) != wanted))}
        title = wish.value.strip() if isinstance(wish.value, str) and normal(wish.value) == wanted else wanted
        if self._elements.reserved(native, title):
            raise Unshowable(f"“{title}” stands for something else than a label here")
        element = scene.shelf(native).pick((within(title, self._table.limit, "label"),))
        if self._elements.milestone(native, element, scene) is not None:
            raise Unshowable(f"“{title}” stands for the milestone of that name here")
        return {native: tuple(sorted({*current, element}))}

    def _label(self, element: str, scene: Scene) -> str | None:
        native = self._table.native
        title = scene.shelf(native).meaning(element)
        if title is None or not normal(title) or self._elements.reserved(native, title):
            return None
        return None if self._elements.milestone(native, element, scene) is not None else title.strip()


class KindCodec:
    """What a record is: told by an element, or by a native field of its own."""

    def __init__(self, table: tables.Kinds) -> None:
        self.native = table.native
        self._names = {Kind(name): names for name, names in table.elements.items()}
        self._values = {normal(native): Kind(kind) for native, kind in table.values.items()}
        self._written: dict[Kind, tuple[str, ...]] = {}
        for native, kind in table.values.items():
            self._written[Kind(kind)] = (*self._written.get(Kind(kind), ()), native)
        without = [kind for kind, names in self._names.items() if not names]
        self._without = without[0] if without else Kind(table.empty or next(iter(table.values.values())))
        self.kinds = frozenset(self._names) | frozenset(self._written)

    def read(self, scene: Scene) -> tuple[Kind, str]:
        """The kind, and a sentence where it had to be guessed."""
        if self.native not in scene.fields:
            return self._without, ""
        try:
            return self._by_elements(scene) if self._names else self._by_value(scene)
        except Unreadable as error:
            return self._without, str(error)

    def write(self, kind: Kind, scene: Scene) -> Mapping[str, Native]:
        """What makes a new record be of this kind: of several values with one meaning the first that is there."""
        if kind not in self.kinds:
            raise Unshowable(f"the kind {kind} cannot be kept here")
        if not self._names:
            return {self.native: scene.shelf(self.native).pick(self._written[kind])}
        if not self._names[kind]:
            return {}
        return {self.native: (scene.shelf(self.native).pick(self._names[kind]),)}

    def _by_elements(self, scene: Scene) -> tuple[Kind, str]:
        shelf = scene.shelf(self.native)
        titles = {normal(shelf.meaning(element)) for element in scene.elements(self.native)}
        found = [kind for kind, names in self._names.items() if titles.intersection(map(normal, names))]
        if len(found) > 1:
            return found[0], f"is {', '.join(found)} at once, and taken as {found[0]}: keep one"
        return (found[0] if found else self._without), ""

    def _by_value(self, scene: Scene) -> tuple[Kind, str]:
        value = scene.fields[self.native]
        if value is None or value == "":
            return self._without, ""
        title = scene.shelf(self.native).meaning(value) if isinstance(value, str) else None
        if normal(title) not in self._values:
            return (
                self._without,
                f"the {self.native} “{title or value}” is not in the mapping, and taken as {self._without}",
            )
        return self._values[normal(title)], ""


def native_id(item: str, scene: Scene) -> str:
    """The native id of an item's record here; `Pending` while it has none (R13)."""
    native = scene.refs.native_of(item)
    if native is None:
        raise Pending(item)
    return native


def within(text: str, limit: int | None, what: str) -> str:
    """The text, if the platform takes so many characters."""
    if limit is not None and len(text) > limit:
        raise Unshowable(f"the {what} has {len(text)} characters, at most {limit} are possible here: shorten it")
    return text
