"""A platform in memory that misbehaves on demand, in every way that the specification lists.

`HostilePlatform` stands between any two requests: it loses answers, commits late, acts and says no, says yes and
does nothing, and lets people act at the worst moment. `HostileConnector` adds what only a pull can do wrong.
Nothing here is random: a test says which fault strikes, and where. `Watcher` hears what was read and written, for
tests that need to know what people had been shown.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from connectors.base import Alive, Changes, Fields, Identity, Probe, Record, Ref
from connectors.errors import (
    CursorExpired,
    Forbidden,
    Lost,
    NotACollection,
    NotFound,
    PlatformError,
    RateLimited,
    Rejected,
    Transient,
    Unauthorized,
    VersionMismatch,
)
from connectors.memory import MemoryConnector
from connectors.memory_platform import Entry, MemoryPlatform, Traits

T = TypeVar("T")

ERRORS: Mapping[str, Callable[[], PlatformError]] = {
    "401": lambda: Unauthorized("The sign-in failed (401)."),
    "403": lambda: Forbidden("The rights do not suffice (403)."),
    "404": lambda: NotFound("There is no such record (404)."),
    "409": lambda: Rejected("The record is in conflict (409).", clean=True),
    "412": lambda: VersionMismatch("Somebody was faster (412)."),
    "422": lambda: Rejected("The value is refused (422).", clean=True),
    "429": lambda: RateLimited("Too many requests (429).", retry_after=5.0),
    "429 without Retry-After": lambda: RateLimited("Too many requests (429)."),
    "500": lambda: Transient("The server failed (500).", answered=True),
    "502": lambda: Transient("The gateway failed (502).", answered=True),
    "503": lambda: Transient("The server is busy (503).", answered=True),
    "lost": lambda: Lost("The time ran out before the request arrived."),
    "malformed": lambda: Transient("The answer was HTML, not JSON.", answered=True),
}
"""What a request may answer instead of being carried out."""

ACTED: Mapping[str, Callable[[], PlatformError]] = {
    "lost after": lambda: Lost("The time ran out; the request had been carried out."),
    "reset after": lambda: Lost("The connection was reset; the request had been carried out."),
    "500 after": lambda: Transient("The server failed (500) and had acted.", answered=True),
    "malformed after": lambda: Transient("The answer was HTML, not JSON, and the server had acted.", answered=True),
    "422 after": lambda: Rejected("The value is refused (422), and yet the server acted.", clean=False),
}
"""What a request may answer although it was carried out."""

WRITE_FAULTS = (*ERRORS, *ACTED, "late", "nothing")
"""Every fault of a write. "late": no answer, carried out later. "nothing": success that changed nothing."""

PULL_FAULTS = (
    *(name for name in ERRORS if name not in ("404", "409", "412", "422")),
    *("404 collection", "truncated", "empty", "repeated", "shifted", "expired"),
)
"""Every fault of a pull."""

UNANSWERED = frozenset({"lost", "lost after", "reset after", "late"})
"""Faults after which nobody knows whether the platform acted, or will."""


class Watcher(Protocol):
    """Hears of everything that passes between the bridge and a platform."""

    def snapshot(self, platform: HostilePlatform, native_id: str) -> object:
        """Whatever the watcher wants to remember of a record as it is now."""

    def read(self, platform: HostilePlatform, entry: Entry, snapshot: object) -> None:
        """The bridge has been told of a record, as it was when the snapshot was taken."""

    def sending(self, platform: HostilePlatform, request: str, native_id: str, mark: str) -> None:
        """A write is on its way."""

    def wrote(self, platform: HostilePlatform, before: Entry | None, after: Entry, fields: Fields, mark: str) -> None:
        """A write was carried out."""


@dataclass
class Landing:
    """Something that people do when a request is about to be carried out, or just was.

    ``request`` is listing (or since), get, post, put or delete; ``when`` is before or after; the ``skip`` first
    requests of that name pass undisturbed.
    """

    request: str
    when: str
    act: Callable[[], object]
    skip: int = 0


class HostilePlatform(MemoryPlatform):
    """A server whose next requests go wrong as it is told.

    ``write_faults`` maps the number of a write (from 1, counted since `behave`) to its fault, ``read_faults`` the
    number of a `get`; ``struck`` tells which faults did, and on what. ``lying_versions``: the version stays what
    it was, whatever changes. ``time_lie`` is added to every time of change that is told, and not to the clock. One that
    is not ``dated`` tells its time only by what it stamps.
    """

    def __init__(self, name: str, traits: Traits, clock: Callable[[], float]) -> None:
        super().__init__(name, traits, clock)
        self.watcher: Watcher | None = None
        self.time_lie = 0.0
        self.dated = True
        self.lying_versions = self.lied = False
        self._peeked: dict[str, tuple[Entry, object]] = {}
        self.late: list[Callable[[], object]] = []
        self.writes = self.asked_history = 0
        self.struck: list[tuple[str, str]] = []
        self.behave()

    def behave(self) -> None:
        """Forget every fault that has not struck."""
        self.write_faults: dict[int, str] = {}
        self.read_faults: dict[int, str] = {}
        self.landings: list[Landing] = []
        self.pull_fault = self.history_fault = ""
        self.down = ""
        self._nth_write = self._nth_get = 0

    def fails(self, *faults: str) -> None:
        """The next writes go wrong, one after the other; "" is one that goes well."""
        self.write_faults = {self._nth_write + number: fault for number, fault in enumerate(faults, 1)}

    def commit_late(self) -> None:
        """What was sent and never answered is carried out now, if the server still accepts it."""
        waiting, self.late = self.late, []
        for commit in waiting:
            try:
                commit()
            except PlatformError:
                continue  # the server refuses it by now; nobody hears of that

    def restored(self, backup: MemoryPlatform) -> None:
        """The server is put back from a backup. Ids that were given since are not given again."""
        given = self._count
        self.roll_back(backup)
        self._count = given
        self.late.clear()

    def heard(self, *native_ids: str) -> None:
        """The client hands on what it was last told of these records."""
        for native_id in native_ids:
            if self.watcher and native_id in self._peeked:
                self.watcher.read(self, *self._peeked[native_id])

    # ---- requests ----------------------------------------------------------------------------------------------

    def listing(self) -> list[Entry]:
        self._land("listing", "before")
        answer = self._told(super().listing())
        self._land("listing", "after")
        return answer

    def since(self, epoch: int, seq: int) -> list[Entry]:
        self._land("listing", "before")
        answer = self._told(super().since(epoch, seq))
        self._land("listing", "after")
        return answer

    def get(self, native_id: str) -> Entry:
        self._nth_get += 1
        self._land("get", "before")
        if (fault := self.read_faults.pop(self._nth_get, "")) or self.down:
            raise ERRORS[fault or self.down]()
        answer = self._told([super().get(native_id)])
        self._land("get", "after")
        return answer[0]

    def times(self, native_id: str) -> dict[str, float]:
        self.asked_history += 1
        if self.down or self.history_fault:
            raise ERRORS[self.down or self.history_fault]()
        return {name: at + self.time_lie for name, at in super().times(native_id).items()}

    def post(self, fields: Fields, mark: str) -> Entry:
        return self._write("post", mark, lambda: self._post(fields, mark))

    def put(self, native_id: str, fields: Fields, if_version: str | None) -> Entry:
        def unchanged() -> Entry:
            return self._told([self._writable(native_id, if_version)])[0]

        return self._write("put", native_id, lambda: self._put(native_id, fields, if_version), unchanged)

    def delete(self, native_id: str, if_version: str | None) -> None:
        self._write("delete", native_id, lambda: self._delete(native_id, if_version))

    # ---- inside ------------------------------------------------------------------------------------------------

    def _touch(self, entry: Entry) -> None:
        version = entry.version
        super()._touch(entry)
        if self.lying_versions and version:
            entry.version, self.lied = version, True

    def _land(self, request: str, when: str) -> None:
        for landing in [one for one in self.landings if (one.request, one.when) == (request, when)]:
            if landing.skip:
                landing.skip -= 1
            else:
                self.landings.remove(landing)
                landing.act()

    def _told(self, entries: list[Entry]) -> list[Entry]:
        answer = [replace(copy.deepcopy(one), modified_at=one.modified_at + self.time_lie) for one in entries]
        if self.watcher:
            self._peeked.update({one.id: (one, self.watcher.snapshot(self, one.id)) for one in answer})
        return answer

    def _write(self, name: str, about: str, act: Callable[[], T], unchanged: Callable[[], T] | None = None) -> T:
        self._nth_write += 1
        self.writes += 1
        if self.watcher:
            self.watcher.sending(self, name, about if name != "post" else "", about if name == "post" else "")
        self._land(name, "before")
        fault = self.write_faults.pop(self._nth_write, "") or self.down
        if fault:
            self.struck.append((fault, about))
        if fault in ERRORS:
            raise ERRORS[fault]()
        if fault == "late":
            self.late.append(act)
            raise Lost("The time ran out; the request is still under way.")
        if fault == "nothing" and unchanged:
            return unchanged()
        answer = act()
        self._land(name, "after")
        if fault in ACTED:
            raise ACTED[fault]()
        return answer

    def _post(self, fields: Fields, mark: str) -> Entry:
        known = self.traits.client_ids and mark in self.entries and self.entries[mark].here
        made = super().post(fields, mark)
        if self.watcher and not known:
            self.watcher.wrote(self, None, made, fields, mark)
        return self._told([made])[0]

    def _put(self, native_id: str, fields: Fields, if_version: str | None) -> Entry:
        before = copy.deepcopy(self.entries.get(native_id))
        after = super().put(native_id, fields, if_version)
        if self.watcher:
            self.watcher.wrote(self, before, after, fields, "")
        return self._told([after])[0]

    def _delete(self, native_id: str, if_version: str | None) -> None:
        super().delete(native_id, if_version)
        if self.watcher:
            self.watcher.wrote(self, None, self.entries[native_id], {}, "")


class HostileConnector(MemoryConnector):
    """The client of a `HostilePlatform`; its pulls go wrong as the platform says."""

    platform: HostilePlatform
    stamped: tuple[float, float] | None = None

    @property
    def clock(self) -> tuple[float, float] | None:
        return super().clock if self.platform.dated else self.stamped

    def identify(self, remembered: str | None = None) -> Identity:
        if self.platform.down:
            raise ERRORS[self.platform.down]()
        return super().identify(remembered)

    def pull(self, cursor: str | None, known: Mapping[str, str]) -> Changes:
        fault, self.platform.pull_fault = self.platform.pull_fault, ""
        if self.platform.down:
            raise ERRORS[self.platform.down]()
        if fault == "404 collection":
            raise NotACollection("The collection is not there (404).", found=("Another",))
        if fault == "expired" and cursor is not None:
            raise CursorExpired("The cursor is too old.")
        if fault in ERRORS:
            raise ERRORS[fault]()
        if fault in ("truncated", "empty", "repeated", "shifted"):
            changes = _spoilt(fault, super().pull(cursor if fault == "repeated" else None, {}), cursor)
        else:
            changes = super().pull(cursor, known)
        self.platform.heard(*(record.ref.native_id for record in changes.records))
        return changes

    def create(self, fields: Fields, mark: str) -> Record:
        record = super().create(fields, mark)
        self._learn(record)
        self.platform.heard(record.ref.native_id)
        return record

    def update(self, ref: Ref, fields: Fields, if_version: str) -> Record:
        try:
            record = super().update(ref, fields, if_version)
        except VersionMismatch as mismatch:
            if mismatch.record is not None:
                self.platform.heard(ref.native_id)
            raise
        self._learn(record)
        self.platform.heard(ref.native_id)
        return record

    def _learn(self, record: Record) -> None:
        """What was stamped for us just now tells the server's time, within a second."""
        ahead = (record.modified_at or 0) - self._clock()
        self.stamped = ahead, ahead + 1

    def delete(self, ref: Ref, if_version: str) -> None:
        try:
            super().delete(ref, if_version)
        except VersionMismatch as mismatch:
            if mismatch.record is not None:
                self.platform.heard(ref.native_id)
            raise

    def probe(self, ref: Ref) -> Probe:
        if self.platform.down:
            raise ERRORS[self.platform.down]()
        answer = super().probe(ref)
        if isinstance(answer, Alive):
            self.platform.heard(ref.native_id)
        return answer


def _spoilt(fault: str, changes: Changes, cursor: str | None) -> Changes:
    """A listing that was cut off, came back empty, says everything twice, or lost a record between two pages."""
    records = changes.records
    match fault:
        case "truncated":
            half = records[: len(records) // 2]
            return replace(changes, records=half, cursor=cursor, complete=False, delta=False, present=frozenset())
        case "empty":
            return replace(changes, records=(), present=frozenset())
        case "repeated":
            return replace(changes, records=records + records)
        case _:
            shifted = (*records[1:], *records[1:2])
            return replace(changes, records=shifted, present=_ids(shifted))


def _ids(records: tuple[Record, ...]) -> frozenset[str]:
    return frozenset(record.ref.native_id for record in records)
