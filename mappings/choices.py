"""Choices: one of a vocabulary, on platforms whose own vocabulary is coarser, finer or spread over a board (R8).

A native value asserts a set of canonical values: the one it means, and every value that this platform can only
show as that one. What can be shown depends on the options that are there: a board without a column for "on hold"
shows it as planned. It may depend on the record as well: a milestone may be open or closed and nothing between,
beside tasks that have five statuses. Status may have a *flag* (a moment that means done whatever the column says, as
in Deck) or a *stamp* (a moment that goes with done, as COMPLETED in iCalendar).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo

from connectors.base import Native
from mappings.canonical import CONFIDENTIAL, FIELDS, INTERNAL, Value, normal
from mappings.dates import day_of, instant, placed
from mappings.scene import Heard, Scene, Unreadable, Unshowable, Wish
from mappings.tables import DONE, Choice, Day, choice_value, spelled


class ChoiceCodec:
    """A choice in a native field of its own: a table of values, or options such as the columns of a board."""

    def __init__(self, name: str, table: Choice, stamp_as: Day | None) -> None:
        self.name = name
        self._table = table
        choices = FIELDS[name].choices
        self._meaning = {normal(key): choice_value(choices, raw) for key, raw in table.values.items()}
        self._native: dict[Value, Native] = {}
        for key, raw in table.values.items():
            self._native.setdefault(choice_value(choices, raw), int(key) if table.as_ == "number" else key)
        self._shown_as = _pairs(name, table)
        self._empties = table.empty is not None
        self._empty = choice_value(choices, table.empty) if table.empty is not None else None
        self._mark = table.flag or table.stamp or ""
        self._mark_as_moment = stamp_as is None or stamp_as.native != self._mark or stamp_as.as_ == "moment"
        self.natives = frozenset({table.native} | ({self._mark} if self._mark else set()))
        self._fixed: dict[Value, frozenset[Value]] = {}
        self._known = frozenset(choice_value(choices, raw) for raw in table.coarse.knows) if table.coarse else None

    def read(self, scene: Scene) -> Heard:
        """What the column, the value or the flag asserts."""
        if self._flagged(scene):
            return Heard({self.name: self._asserted(DONE, scene)}, {self.name: _IS_DONE})
        native = scene.fields[self._table.native]
        meant = self._meant(native, scene)
        return Heard({self.name: self._asserted(meant, scene)}, {self.name: self._evidence(native, meant, scene)})

    def write(self, wish: Wish, scene: Scene) -> Mapping[str, Native]:
        """The value or column for the wish; the completion moment set or cleared with it."""
        target = _target(self.name, wish.value, _targets(self._available(scene), self._shown_as))
        fields: dict[str, Native] = {}
        place = self._place(target, scene)
        only_by_flag = bool(self._table.flag) and target == DONE and place is None
        if not only_by_flag and (wish.fresh or not self._agrees(wish.value, scene)):
            fields[self._table.native] = place
        if self._mark:
            done = wish.value == DONE or only_by_flag
            fields |= self._marked(wish, scene) if done else self._unmarked(wish)
        return fields

    def _marked(self, wish: Wish, scene: Scene) -> Mapping[str, Native]:
        current, day = scene.fields.get(self._mark), wish.wanted.get("completed_on")
        if current not in (None, "", False):
            return {}
        moment = instant(wish.at)
        if isinstance(day, str) and day and day != day_of(moment, scene.zone):  # noon of today may still be to come
            return {self._mark: _placed(day, None, scene.zone, as_moment=self._mark_as_moment)}
        return {self._mark: moment if self._mark_as_moment else day_of(moment, scene.zone)}

    def _unmarked(self, wish: Wish) -> Mapping[str, Native]:
        """Cleared, unless a stamp is wanted in its own right."""
        return {} if self._table.stamp and wish.wanted.get("completed_on") else {self._mark: None}

    def _agrees(self, value: Value, scene: Scene) -> bool:
        """Whether the value or column alone, without the flag, shows a value. An unknown one is left alone (R7)."""
        native = scene.fields[self._table.native]
        try:
            return value in self._asserted(self._meant(native, scene), scene)
        except Unreadable:
            return native not in (None, "")

    def _flagged(self, scene: Scene) -> bool:
        return bool(self._table.flag) and scene.fields.get(self._mark) not in (None, "", False)

    def _meant(self, native: Native, scene: Scene) -> Value:
        """The canonical value that a native one means."""
        if native is None or native == "":
            if self._empties:
                return self._empty
            raise Unreadable(f"has no {self._table.native}")
        if self._table.as_ == "number":
            key = str(native) if isinstance(native, int) else ""
            title: str | None = key
        else:
            title = scene.shelf(self._table.native).meaning(native) if isinstance(native, str) else None
            key = normal(title)
        if title is None or key not in self._meaning:
            raise Unreadable(
                f"the {self._table.native} “{title or native}” is not in the mapping of {self.name}: "
                "add it, or choose another"
            )
        return self._meaning[key]

    def _evidence(self, native: Native, meant: Value, scene: Scene) -> object:
        """What a person would have to change for an edit of this field.

        Nothing there is the same as the value that says so (STATUS:NEEDS-ACTION, PRIORITY:0). Where there is a flag,
        a column that means done is the same as the flag: ticking off what is there already is no edit of status.
        """
        if self._table.flag and meant == DONE:
            return _IS_DONE
        if scene.shelf(self._table.native).there is not None:
            return native
        if self._empties and meant == self._empty:
            return ("empty",) if meant is None or native in (None, "") or native == self._native.get(meant) else native
        return native

    def _places(self, scene: Scene) -> Iterator[tuple[Native, Value]]:
        """Every native value that can be written, in the order of preference, with its meaning."""
        shelf = scene.shelf(self._table.native)
        if shelf.there is None:
            yield from ((native, value) for value, native in self._native.items())
            return
        for option in shelf.there:
            key = normal(shelf.meaning(option))
            if key in self._meaning:
                yield option, self._meaning[key]

    def _place(self, value: Value, scene: Scene) -> Native:
        if value is None:
            return None
        return next((native for native, meant in self._places(scene) if meant == value), None)

    def _available(self, scene: Scene) -> frozenset[Value]:
        there = {meant for _, meant in self._places(scene)}
        there |= {self._empty} if self._empties else set()
        there |= {DONE} if self._table.flag else set()
        return frozenset(there if self._known is None or not self._is_coarse(scene) else there & self._known)

    def _is_coarse(self, scene: Scene) -> bool:
        coarse = self._table.coarse
        return coarse is not None and scene.fields.get(coarse.native) == coarse.value

    def _asserted(self, meant: Value, scene: Scene) -> frozenset[Value]:
        if scene.shelf(self._table.native).there is None and not self._is_coarse(scene):
            if meant not in self._fixed:  # the values of a property never change, as columns do
                self._fixed[meant] = self._says(meant, scene)
            return self._fixed[meant]
        return self._says(meant, scene)

    def _says(self, meant: Value, scene: Scene) -> frozenset[Value]:
        targets = _targets(self._available(scene), self._shown_as)
        return frozenset({meant} | {value for value, target in targets if target == meant})


class ElementChoiceCodec:
    """A choice that shows as one element of a shared set: "öffentlich" among the labels."""

    def __init__(self, name: str, table: Choice) -> None:
        self.name = name
        self._native = table.native
        choices = FIELDS[name].choices
        self._names = {choice_value(choices, raw): names for raw, names in table.elements.items()}
        self._without = next(value for value, names in self._names.items() if not names)
        self._targets = _targets(frozenset(self._names), _pairs(name, table))
        self.natives = frozenset({table.native})

    def read(self, scene: Scene) -> Heard:
        """The choice whose element is there."""
        found = {value for value in self._names if self._of(value, scene)}
        if len(found) > 1:
            names = ", ".join(sorted(map(spelled, found)))
            raise Unreadable(f"{self._native} says {names} at once: keep one")
        meant = found.pop() if found else self._without
        return Heard({self.name: self._asserted(meant)}, {self.name: ("element", meant)})

    def write(self, wish: Wish, scene: Scene) -> Mapping[str, Native]:
        """The elements of the other choices go, the wanted one comes."""
        target = _target(self.name, wish.value, self._targets)
        current = scene.elements(self._native)
        ours = {element for value in self._names for element in self._of(value, scene) if value != target}
        kept = set(current) - ours
        if names := self._names[target]:
            kept.add(scene.shelf(self._native).pick(names))
        return {self._native: tuple(sorted(kept))}

    def _of(self, value: Value, scene: Scene) -> set[str]:
        names, shelf = set(map(normal, self._names[value])), scene.shelf(self._native)
        return {element for element in scene.elements(self._native) if normal(shelf.meaning(element)) in names}

    def _asserted(self, meant: Value) -> frozenset[Value]:
        return frozenset({meant} | {value for value, target in self._targets if target == meant})


def _target(name: str, value: Value, targets: tuple[tuple[Value, Value], ...]) -> Value:
    """Where a value is shown; `Unshowable` if nowhere."""
    for wanted, target in targets:
        if wanted == value:
            return target
    raise Unshowable(f"nothing here stands for the {name} {spelled(value)}")


def _pairs(name: str, table: Choice) -> frozenset[tuple[Value, Value]]:
    choices = FIELDS[name].choices
    pairs = {choice_value(choices, key): choice_value(choices, raw) for key, raw in table.shown_as.items()}
    if name == "visibility":
        pairs.setdefault(CONFIDENTIAL, INTERNAL)  # a platform without a word for it shows what is not public
    return frozenset(pairs.items())


_IS_DONE = ("done",)


@lru_cache(maxsize=512)
def _targets(there: frozenset[Value], shown_as: frozenset[tuple[Value, Value]]) -> tuple[tuple[Value, Value], ...]:
    """Where each value is shown, given what is there: itself, or the first of its chain that is."""
    steps, found = dict(shown_as), []
    for value in there | set(steps):
        seen: set[Value] = set()
        target = value
        while target not in there and target in steps and target not in seen:
            seen.add(target)
            target = steps[target]
        if target in there:
            found.append((value, target))
    return tuple(found)


def _placed(day: str, current: Native, zone: ZoneInfo, *, as_moment: bool) -> str:
    try:
        return placed(day, current, zone, as_moment=as_moment)
    except ValueError as error:
        raise Unshowable(str(error)) from None
