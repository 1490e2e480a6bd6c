"""Histories as plain lists, how Hypothesis makes them up, and how a world plays them.

An event is a tuple. Events that make no sense where they happen (editing a record that is not there) do nothing,
so that a history stays playable while Hypothesis shortens it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from random import Random
from typing import Any

from hypothesis import strategies as st

from bridge.reading import QUARANTINE
from connectors.base import Native
from connectors.memory_platform import GONE, OUT, Entry
from tests.hostile import PULL_FAULTS, WRITE_FAULTS
from tests.world import Crash, World

NAMES = "ABC"
STATUSES = {
    "A": ("planned", "in_progress", "on_hold", "done"),
    "B": ("open", "closed"),
    "C": ("todo", "doing", "done"),
}
LABELS = ("presse", "straße")


@dataclass(frozen=True)
class Act:
    """Somebody does something on a platform with the task that has this number."""

    platform: str
    task: int
    what: str
    arg: Any = None


@dataclass(frozen=True)
class Tick:
    """Time goes by."""

    seconds: int


@dataclass(frozen=True)
class Land:
    """What was sent and never answered is carried out now."""


@dataclass(frozen=True)
class Lie:
    """From now on a platform tells times of change that are off by so many seconds, while its clock is right."""

    platform: str
    seconds: int


@dataclass(frozen=True)
class Landed:
    """An act at the worst moment: just before or after a request of a pass."""

    request: str
    when: str
    skip: int
    act: Act


@dataclass(frozen=True)
class Sync:
    """One pass, with everything that goes wrong in it.

    ``writes`` are (platform, number of the write, fault), ``pulls`` (platform, fault); ``crash`` is the number of
    the step at which the process is killed, 0 for none.
    """

    order: str = NAMES
    down: str = ""
    writes: tuple[tuple[str, int, str], ...] = ()
    pulls: tuple[tuple[str, str], ...] = ()
    landed: tuple[Landed, ...] = ()
    crash: int = 0


Event = Act | Tick | Land | Lie | Sync


@dataclass(frozen=True)
class History:
    """Clocks that are off by so many seconds, and what happened."""

    skews: tuple[int, int, int] = (0, 0, 0)
    events: tuple[Event, ...] = ()

    def told(self) -> str:
        """The history as Python that can be pasted into a test."""
        lines = "".join(f"    {_told(event)},\n" for event in self.events)
        return f"History({self.skews}, (\n{lines}))"


def _told(event: Event | Landed) -> str:
    """An event without the fields that say nothing."""
    shown = [(one.name, getattr(event, one.name)) for one in fields(event) if getattr(event, one.name) != one.default]
    return f"{type(event).__name__}({', '.join(f'{name}={value!r}' for name, value in shown)})"


# ---- making them up -----------------------------------------------------------------------------------------------
#
# Left to itself, Hypothesis makes up short and dull histories (measured: a conflict in 24 of 300). So it chooses a
# seed, and a history is drawn from that: rounds of some acts, most of them on one task and many on one field, and
# then a pass. `shortened` does what Hypothesis would do with a failure.

DAYS = (None, "2026-05-04", "2026-06-08", "2026-07-13")
ARGUMENTS: Mapping[str, Callable[[Random], Any]] = {
    "title": lambda dice: dice.choice(["neu", "neu  mit Lücke"]),
    "status": lambda dice: dice.randrange(4),
    "due": lambda dice: dice.choice(DAYS),
    "start": lambda dice: dice.choice(DAYS),
    "label": lambda dice: (dice.choice(LABELS), dice.random() < 0.6),
    "line": lambda dice: dice.choice(["first", "last"]),
    "parent": lambda dice: dice.randrange(-1, 3),
    "milestone": lambda dice: dice.random() < 0.7,
    "create": lambda dice: dice.choice(["", "Bericht", "Bericht", "bericht  "]),
}
WEIGHTS = {
    **{"status": 6, "due": 4, "title": 3, "label": 3, "line": 3, "start": 1, "unline": 1, "parent": 2, "milestone": 2},
    **{"delete": 4, "reopen": 2, "undelete": 1, "create": 3, "out": 1, "back": 2, "archive": 1, "comment": 2},
}


def _act(dice: Random, theme: str = "") -> Act:
    what = theme or dice.choices([*WEIGHTS], [*WEIGHTS.values()])[0]
    return Act(
        dice.choice(NAMES), dice.choice([0, 0, 0, 0, 1, 2]), what, ARGUMENTS[what](dice) if what in ARGUMENTS else None
    )


def _acts(dice: Random) -> list[Event]:
    theme = _act(dice).what if dice.random() < 0.6 else ""
    return [_act(dice, theme if dice.random() < 0.75 else "") for _ in range(dice.randint(1, 4))]


def _order(dice: Random) -> str:
    return "".join(dice.sample(NAMES, 3))


def _down(dice: Random) -> str:
    return "".join(name for name in NAMES if dice.random() < 0.12)


def _hostile_pass(dice: Random) -> Sync:
    faults, landings = dice.choice([0, 0, 1, 2, 3]), dice.choice([0, 0, 1, 2])
    return Sync(
        _order(dice),
        _down(dice),
        tuple((dice.choice(NAMES), dice.randint(1, 2), dice.choice(WRITE_FAULTS)) for _ in range(faults)),
        tuple((dice.choice(NAMES), dice.choice(PULL_FAULTS)) for _ in range(dice.choice([0, 0, 1]))),
        tuple(
            Landed(dice.choice(["listing", "get", "put", "post"]), dice.choice(["before", "after"]), skip, _act(dice))
            for skip in range(landings)
        ),
        dice.choice([0, 0, 0, dice.randint(1, 14)]),
    )


def history(seed: int, *, hostile: bool = False, rounds: int = 4) -> History:
    """A history that begins with a task or two, mirrored or not yet."""
    dice = Random(seed)
    events: list[Event] = [Act(dice.choice(NAMES), 0, "create", "")]
    if dice.random() < 0.5:
        events.append(Act(dice.choice(NAMES), dice.choice([1, 2]), "create", ""))
    if dice.random() < 0.8:
        events += [Sync(), Sync()]
    for _ in range(dice.randint(2, rounds)):
        events += _acts(dice)
        if dice.random() < 0.3:
            events.append(Tick(dice.choice([5, 60, 4_000, 90_000])))
        if hostile and dice.random() < 0.4:
            events.append(Land())
        if hostile and dice.random() < 0.1:
            events.append(Lie(dice.choice(NAMES), dice.choice([0, 86_400, 3_600, -3_600])))
        events.append(_hostile_pass(dice) if hostile else Sync(_order(dice), _down(dice)))
    skews = [dice.choice([0, 0, 7, 3_600, -3_600]) for _ in NAMES]
    return History((skews[0], skews[1], skews[2]), tuple(events))


def histories(*, hostile: bool = False, rounds: int = 4) -> st.SearchStrategy[History]:
    """Histories by seeds that Hypothesis chooses and remembers."""
    return st.integers(0, 2**48).map(lambda seed: history(seed, hostile=hostile, rounds=rounds))


def shortened(history: History, fails: Callable[[History], bool]) -> History:
    """The history without everything that the failure does not need."""
    changed = True
    while changed:
        changed = False
        for shorter in _shorter(history):
            if fails(shorter):
                history, changed = shorter, True
                break
    return history


def _shorter(history: History) -> Iterator[History]:
    events = history.events
    for size in (4, 2, 1):
        for start in range(0, len(events) - size + 1):
            yield replace(history, events=events[:start] + events[start + size :])
    for place, event in enumerate(events):
        if isinstance(event, Sync):
            plain = Sync()
            for name in ("order", "down", "writes", "pulls", "landed", "crash"):
                if getattr(event, name) != getattr(plain, name):
                    simpler = replace(event, **{name: getattr(plain, name)})
                    yield replace(history, events=(*events[:place], simpler, *events[place + 1 :]))
    if any(history.skews):
        yield replace(history, skews=(0, 0, 0))


# ---- playing them -------------------------------------------------------------------------------------------------


class Player:
    """Plays histories. ``orders``: every pass takes the platforms in this order instead of its own."""

    def __init__(self, history: History, *, order: str = "", crashes: bool = True, faults: bool = True) -> None:
        self.world = World(skews=history.skews)
        self.order, self.crashes, self.faults = order, crashes, faults
        self.crashed = 0
        self.done = 0
        self._handles: list[str] = []
        self._values = 0
        for event in history.events:
            self.play(event)

    def play(self, event: Event) -> None:
        """One event."""
        match event:
            case Act():
                self.act(event)
            case Tick(seconds):
                if seconds > QUARANTINE / 2:
                    self.land()  # what was not carried out by then never will be (R17)
                self.world.passes(seconds)
            case Land():
                self.land()
            case Lie(platform, seconds):
                self.world.platforms[platform].time_lie = float(seconds)
            case Sync():
                self.sync(event)

    def land(self) -> None:
        """Late commits arrive."""
        for platform in self.world.platforms.values():
            platform.commit_late()

    def sync(self, event: Sync) -> None:
        """A pass; a create that was never answered lands before its quarantine ends."""
        world = self.world
        for name, number, fault in event.writes if self.faults else ():
            world.platforms[name].write_faults[number] = fault
        for name, fault in event.pulls if self.faults else ():
            world.platforms[name].pull_fault = fault
        for one in event.landed if self.faults else ():
            world.during(one.act.platform, one.request, one.when, partial(self.act, one.act), one.skip)
        left = event.crash if self.crashes else 0

        def step(name: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Crash(name)

        try:
            world.sync(order=self.order or event.order, down=event.down, step=step)
        except Crash:
            self.crashed += 1
        for platform in world.platforms.values():
            platform.behave()

    # ---- people ------------------------------------------------------------------------------------------------

    def act(self, act: Act) -> None:
        """Somebody does something, if it makes sense there."""
        world = self.world
        world.passes(1)
        platform = world.platforms[act.platform]
        before = platform.position()
        if act.what == "create":
            self._create(act)
        elif record := self._find(act, anywhere=act.what == "back", gone=act.what == "undelete"):
            self._do(act, record)
        self.done += platform.position() != before

    def _handle(self, act: Act) -> str | None:
        return self._handles[act.task % len(self._handles)] if self._handles else None

    def _find(self, act: Act, *, anywhere: bool, gone: bool) -> Entry | None:
        handle = self._handle(act)
        if handle is None:
            return None
        if gone:
            tags = self.world.provenance.kin(handle)
            dead = [d for d in self.world.provenance.deaths if d.platform == act.platform and d.tag in tags]
            entry = self.world.platforms[act.platform].entries[dead[-1].record] if dead else None
            return entry if entry and entry.place == GONE else None
        found = self.world.records(act.platform, handle, anywhere=anywhere)
        return found[-1] if found and (found[-1].here or anywhere) else None

    def _create(self, act: Act) -> None:
        if len(self._handles) >= 4:
            return
        handle = f"t{len(self._handles) + 1}"
        self._handles.append(handle)
        platform = self.world.platforms[act.platform]
        fields: dict[str, Native] = {"title": act.arg or handle}
        if act.task == 2:
            fields["kind"] = "milestone"
        self.world.provenance.creates(platform, handle, fields)

    def _do(self, act: Act, record: Entry) -> None:
        platform, provenance = self.world.platforms[act.platform], self.world.provenance
        match act.what:
            case "delete":
                provenance.deletes(platform, record.id)
            case "undelete":
                provenance.reopened.add(provenance.tag(act.platform, record.id))
                platform.restore(record.id)
            case "out":
                provenance.moved.add(provenance.tag(act.platform, record.id))
                platform.move(record.id, OUT)
            case "back":
                platform.move_back(record.id)
            case "archive":
                platform.archive(record.id)
            case "reopen":
                if record.fields["archived"]:
                    provenance.reopens(platform, record.id)
            case "comment":
                platform.comment(record.id)
            case _:
                fields = self._fields(act, record)
                if any(record.fields[name] != value for name, value in fields.items()):
                    provenance.edits(platform, record.id, fields)

    def _fields(self, act: Act, record: Entry) -> Mapping[str, Native]:
        self._values += 1
        match act.what:
            case "title":
                return {"title": f"{act.arg} {self._values}"}
            case "status":
                words = STATUSES[act.platform]
                return {"status": words[act.arg % len(words)]}
            case "due" | "start":
                return {act.what: act.arg}
            case "label":
                name, there = act.arg
                labels = {*_texts(record.fields["labels"])}
                return {"labels": tuple(sorted(labels | {name} if there else labels - {name}))}
            case "line":
                lines = _lines(record)
                new = f"Zeile {self._values}"
                return {"description": "\n".join([new, *lines] if act.arg == "first" else [*lines, new])}
            case "unline":
                return {"description": "\n".join(_lines(record)[1:]) or None}
            case "parent":
                return {"parent": self._id_of(act.platform, act.arg, record, "task")}
            case _:
                return {"milestone": self._id_of(act.platform, 0 if act.arg else -1, record, "milestone")}

    def _id_of(self, platform: str, number: int, record: Entry, kind: str) -> str | None:
        there = [e for e in self.world.platforms[platform].entries.values() if e.here and e.fields["kind"] == kind]
        tag = self.world.provenance.tag
        others = sorted(
            (entry.id for entry in there if entry.id != record.id), key=lambda one: (tag(platform, one), one)
        )
        return others[number % len(others)] if others and number >= 0 else None


def _texts(value: Native) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _lines(record: Entry) -> list[str]:
    return [line for line in str(record.fields["description"] or "").split("\n") if line]
