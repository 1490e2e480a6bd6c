"""The server of the platform in memory: what it keeps, what clients may ask of it, what people do on it.

People work on it with `add`, `edit`, `remove` and their kin. A client sends the requests `position`, `since`,
`listing`, `titles`, `get`, `post`, `put` and `delete`: one call is one request, so that a test can stand between
any two of them. What the server can do, and its vices, is said by `Traits`; `FACES` names three that cover what
the engine must be able to live with:

* ``a``  conditional writes, marks that survive edits, deltas with tombstones, the full vocabulary;
* ``b``  none of these: complete listings, unconditional writes, two statuses, records that tell who made them; but
  a history of every field;
* ``c``  ids that the client chooses, complete listings, a history, titles whose blanks are collapsed, and a status
  change that is refused without a word.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.base import NEW, Fields, Native
from connectors.errors import CursorExpired, NotFound, Rejected, VersionMismatch

TITLE_LIMIT = 255

EMPTY: Fields = {
    "title": "",
    "description": None,
    "status": "planned",
    "progress": None,
    "completed_on": None,
    "priority": None,
    "start": None,
    "due": None,
    "parent": None,
    "milestone": None,
    "depends_on": (),
    "responsible": (),
    "labels": (),
    "visibility": "internal",
    "kind": "task",
    "archived": False,
}
"""Every native field, with what a record shows that was created with nothing."""


@dataclass(frozen=True)
class Traits:
    """What this server can do, and its vices.

    ``statuses``  its vocabulary, the first is the default
    ``refuses``   (field, from, to): changes that a client is told to have worked and that did not
    ``squeezes``  blanks in titles are collapsed, whoever writes them
    ``reuses``    the smallest free id is given to the next record
    ``options``   fields whose values are ids of options (columns, labels), see `connectors.base`
    ``lacks``     fields that this platform does not have
    ``history``   it keeps when each field last changed
    ``discreet``  what was deleted and what our account may not see are the same to a client
    """

    conditional: bool = True
    marks: bool = True
    client_ids: bool = False
    deltas: bool = True
    tells_own: bool = True
    create_fields: frozenset[str] | None = None
    statuses: tuple[str, ...] = ("planned", "idea", "in_progress", "ongoing", "on_hold", "done", "cancelled", "unknown")
    refuses: frozenset[tuple[str, Native, Native]] = frozenset()
    squeezes: bool = False
    reuses: bool = False
    options: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    history: bool = False
    discreet: bool = False


_MINIMAL = frozenset({"title", "kind"})

FACES: Mapping[str, Traits] = {
    "a": Traits(),
    "b": Traits(
        conditional=False,
        marks=False,
        deltas=False,
        create_fields=_MINIMAL,
        statuses=("open", "closed"),
        history=True,
    ),
    "c": Traits(
        conditional=False,
        marks=False,
        client_ids=True,
        deltas=False,
        create_fields=_MINIMAL,
        statuses=("todo", "doing", "done"),
        refuses=frozenset({("status", "todo", "done")}),
        squeezes=True,
        history=True,
    ),
}
"""The three faces of the module's docstring."""


@dataclass
class Entry:
    """One record as the server keeps it. ``place`` is "" in the collection, else why it is not there."""

    id: str
    born: int
    fields: dict[str, Native]
    created_at: float
    modified_at: float
    mark: str = ""
    ours: bool = False
    version: int = 0
    seq: int = 0
    place: str = ""
    locked: frozenset[str] = frozenset()
    problem: str = ""
    history: dict[str, float] = field(default_factory=dict)

    @property
    def here(self) -> bool:
        """Whether the record is in the collection and visible."""
        return not self.place


# Where a record may be that is not in the collection; anything else is the name of another collection.
GONE, HIDDEN, OUT = "(gone)", "(hidden)", "(out of scope)"


class MemoryPlatform:
    """The server. Every method is one indivisible step and safe to call from several threads."""

    def __init__(self, name: str, traits: Traits | None = None, clock: Callable[[], float] = time.time) -> None:
        self.name = name
        self.traits = traits or Traits()
        self.clock = clock
        self.entries: dict[str, Entry] = {}
        self.options: dict[str, dict[str, str]] = {name: {} for name in self.traits.options}
        self.epoch = 0
        self._seq = 0
        self._count = 0
        self._lock = threading.RLock()
        if "status" in self.traits.options:
            self.options["status"] = {f"o{n}": title for n, title in enumerate(self.traits.statuses, 1)}

    @property
    def empty(self) -> dict[str, Native]:
        """What a record shows that was created with nothing."""
        fields = {name: value for name, value in EMPTY.items() if name not in self.traits.lacks}
        if "status" in fields:
            fields["status"] = next(iter(self.options.get("status") or self.traits.statuses))
        return fields

    # ---- what a client may ask -------------------------------------------------------------------------------

    def listing(self) -> list[Entry]:
        """Every record of the collection."""
        with self._lock:
            return [copy.deepcopy(entry) for entry in self.entries.values() if entry.here]

    def since(self, epoch: int, seq: int) -> list[Entry]:
        """Every record that changed or left since, oldest change first."""
        with self._lock:
            if epoch != self.epoch or seq > self._seq:
                raise CursorExpired(f"memory://{self.name} does not know this cursor any more.")
            changed = [entry for entry in self.entries.values() if entry.seq > seq]
            return [copy.deepcopy(entry) for entry in sorted(changed, key=lambda entry: entry.seq)]

    def position(self) -> tuple[int, int]:
        """Where the change log ends now."""
        with self._lock:
            return self.epoch, self._seq

    def titles(self) -> dict[str, dict[str, str]]:
        """The titles of all options."""
        with self._lock:
            return copy.deepcopy(self.options)

    def get(self, native_id: str) -> Entry:
        """One record, wherever it is."""
        with self._lock:
            entry = self.entries.get(native_id)
            if entry is None or entry.place == GONE:
                raise NotFound(f"memory://{self.name} has no record {native_id}.")
            return copy.deepcopy(entry)

    def times(self, native_id: str) -> dict[str, float]:
        """When each field of a record last changed, as far as it did since the record was made."""
        with self._lock:
            return dict(self.entries[native_id].history) if self.traits.history else {}

    def post(self, fields: Fields, mark: str) -> Entry:
        """Create a record. A client-chosen id that is there already answers with the record as it is."""
        with self._lock:
            chosen = mark if self.traits.client_ids else ""
            if chosen and chosen in self.entries and self.entries[chosen].place != GONE:
                return copy.deepcopy(self.entries[chosen])
            entry = self._new(fields, chosen)
            entry.mark, entry.ours = mark if self.traits.marks else "", True
            return copy.deepcopy(entry)

    def put(self, native_id: str, fields: Fields, if_version: str | None) -> Entry:
        """Change these fields; with ``if_version`` only if the record still has that version."""
        with self._lock:
            entry = self._writable(native_id, if_version)
            taken = self._checked(fields)
            for name, value in taken.items():
                change = (name, self._title(name, entry.fields[name]), self._title(name, value))
                if name not in entry.locked and change not in self.traits.refuses:
                    self._set(entry, name, value)
            self._touch(entry)
            return copy.deepcopy(entry)

    def delete(self, native_id: str, if_version: str | None) -> None:
        """Delete a record; with ``if_version`` only if it still has that version."""
        with self._lock:
            entry = self._writable(native_id, if_version)
            entry.place = GONE
            self._touch(entry)

    # ---- what people do ----------------------------------------------------------------------------------------

    def add(self, title: str, **fields: Native) -> str:
        """Somebody makes a record; returns its id."""
        with self._lock:
            return self._new({"title": title, **fields}, "").id

    def edit(self, native_id: str, **fields: Native) -> None:
        """Somebody changes fields of a record."""
        with self._lock:
            entry = self._there(native_id)
            for name, value in self._checked(fields).items():
                self._set(entry, name, value)
            self._touch(entry)

    def comment(self, native_id: str) -> None:
        """Somebody comments or reorders a record: its version and time change, its fields do not."""
        with self._lock:
            self._touch(self._there(native_id))

    def archive(self, native_id: str) -> None:
        """Somebody archives a record."""
        self.edit(native_id, archived=True)

    def reopen(self, native_id: str) -> None:
        """Somebody takes a record back out of the archive."""
        self.edit(native_id, archived=False)

    def remove(self, native_id: str) -> None:
        """Somebody deletes a record."""
        self.place(native_id, GONE)

    def restore(self, native_id: str) -> None:
        """Somebody fetches a deleted record back from the trash, as it was."""
        self.place(native_id, "")

    def move(self, native_id: str, collection: str = OUT) -> None:
        """Somebody moves a record to another collection, or out of what is mirrored."""
        self.place(native_id, collection)

    def move_back(self, native_id: str) -> None:
        """Somebody moves a record back into the collection."""
        self.place(native_id, "")

    def place(self, native_id: str, place: str) -> None:
        """Put a record where people say: ``""`` is the collection."""
        with self._lock:
            entry = self.entries[native_id]
            if entry.place != place:
                entry.place = place
                self._touch(entry)

    def lock(self, native_id: str, *names: str) -> None:
        """From now on the server derives these fields itself: no client can write them (R7)."""
        with self._lock:
            self._there(native_id).locked = frozenset(names)

    def spoil(self, native_id: str, problem: str) -> None:
        """The record cannot be read any more; ``problem`` says why, "" mends it."""
        with self._lock:
            entry = self._there(native_id)
            entry.problem = problem
            self._touch(entry)

    def retitle(self, name: str, option: str, title: str) -> None:
        """Somebody renames a column or a label: its id stays."""
        with self._lock:
            self.options[name][option] = title

    def option(self, name: str, title: str) -> str:
        """The id of the option with this title, made if it is not there."""
        with self._lock:
            known = self.options[name]
            found = next((key for key, text in known.items() if text == title), None)
            if found is None:
                found = f"{name[0]}{len(known) + 1}"
                known[found] = title
            return found

    def backup(self) -> MemoryPlatform:
        """A copy of the whole server as it is now."""
        with self._lock:
            kept = MemoryPlatform(self.name, self.traits, self.clock)
            kept._assume(self)
            return kept

    def roll_back(self, backup: MemoryPlatform) -> None:
        """The server is restored from a backup: versions and times go back to what they were (R5)."""
        with self._lock:
            self._assume(backup)

    def forget_changes(self) -> None:
        """The change log is cut: cursors given out before are of no use."""
        with self._lock:
            self.epoch += 1

    # ---- inside ------------------------------------------------------------------------------------------------

    def _assume(self, other: MemoryPlatform) -> None:
        self.entries, self.options = copy.deepcopy(other.entries), copy.deepcopy(other.options)
        self.epoch, self._seq, self._count = other.epoch, other._seq, other._count

    def _new(self, fields: Fields, chosen: str) -> Entry:
        values = {**self.empty, **self._checked(fields)}
        self._count += 1
        now = float(int(self.clock()))
        entry = Entry(chosen or self._free_id(), self._count, values, now, now)
        self.entries[entry.id] = entry
        self._touch(entry)
        return entry

    def _free_id(self) -> str:
        if not self.traits.reuses:
            return f"{self.name}-{self._count}"
        taken = {entry.id for entry in self.entries.values() if entry.place != GONE}
        return next(key for n in range(1, len(taken) + 2) if (key := f"{self.name}-{n}") not in taken)

    def _touch(self, entry: Entry) -> None:
        self._seq += 1
        entry.seq, entry.version, entry.modified_at = self._seq, entry.version + 1, float(int(self.clock()))

    def _set(self, entry: Entry, name: str, value: Native) -> None:
        if entry.fields[name] != value:
            entry.fields[name] = value
            entry.history[name] = float(int(self.clock()))

    def _there(self, native_id: str) -> Entry:
        entry = self.entries.get(native_id)
        if entry is None or entry.place:
            raise NotFound(f"memory://{self.name} has no record {native_id}.")
        return entry

    def _writable(self, native_id: str, if_version: str | None) -> Entry:
        entry = self._there(native_id)
        if if_version is not None and version_of(entry) != if_version:
            raise VersionMismatch(f"Record {native_id} of memory://{self.name} has changed.")
        return entry

    def _title(self, name: str, value: Native) -> Native:
        return self.options[name].get(value, value) if name in self.options and isinstance(value, str) else value

    def _checked(self, fields: Fields) -> dict[str, Native]:
        """The values as the server keeps them, or a refusal that leaves nothing behind."""
        unknown = fields.keys() - self.empty.keys()
        if unknown:
            raise Rejected(f"memory://{self.name} has no field {', '.join(sorted(unknown))}.")
        return {name: self._kept(name, value) for name, value in fields.items()}

    def _kept(self, name: str, value: Native) -> Native:
        if name == "title":
            text = " ".join(str(value or "").split()) if self.traits.squeezes else str(value or "")
            if len(text) > TITLE_LIMIT:
                raise Rejected(f"A title on memory://{self.name} has at most {TITLE_LIMIT} characters.")
            return text
        if name in self.options:
            return self._option(name, value)
        if name == "status" and value not in self.traits.statuses:
            raise Rejected(f"memory://{self.name} has no status {value!r}.")
        return tuple(sorted(set(value))) if isinstance(value, tuple) else value

    def _option(self, name: str, value: Native) -> Native:
        if isinstance(value, tuple):
            return tuple(sorted({str(self._option(name, element)) for element in value}))
        if isinstance(value, str) and value.startswith(NEW):
            return self.option(name, value.removeprefix(NEW))
        if value is not None and value not in self.options[name]:
            raise Rejected(f"memory://{self.name} has no option {value!r} of {name}.")
        return value


def version_of(entry: Entry) -> str:
    """The change token of a record: ids are used again on some platforms, so it names the birth too."""
    return f"{entry.born}.{entry.version}"
