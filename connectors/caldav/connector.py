"""CalDAV task lists as a connector: VTODOs on any server, Nextcloud Tasks included (RFC 4791, RFC 6578).

Native ids are UIDs, since that is what tasks refer to each other by. Addresses are another matter: an object may
have any file name. Ours are named after their UID. The names that differ are kept in the cursor, which the ledger
stores together with what was pulled, so that a deletion, of which a server tells only the address, is always
understood. Versions are ETags. A claimed deletion is believed only after a GET (facts: nextcloud, section 8).
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from urllib.parse import quote

from requests import Response

from connectors.base import (
    Abilities,
    Access,
    Alive,
    Changes,
    Fields,
    Gone,
    Hidden,
    Identity,
    Moved,
    Native,
    Offer,
    OutOfScope,
    Probe,
    Record,
    Ref,
)
from connectors.caldav import discovery, records
from connectors.caldav.cursors import closed, opened, stem
from connectors.caldav.discovery import Place
from connectors.caldav.ics import Todo, Unreadable, parse, uid_in
from connectors.caldav.objects import Body, Objects
from connectors.caldav.wire import Dav
from connectors.errors import (
    Forbidden,
    Lost,
    NotACollection,
    NotFound,
    PlatformError,
    Rejected,
    Terminal,
    VersionMismatch,
)
from connectors.http import Http

_KEPT = 2000  # bodies kept in memory, so that a write needs no read first
_BESIDE = 60.0  # seconds for which the list of calendars beside ours is believed
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_PRECONDITION = re.compile(
    r"no-uid-conflict|(?:valid|supported)-calendar-(?:data|object-resource|component)|(?:max|min)-[a-z-]+"
)


class CalDavConnector:
    """The way to one calendar. Everything but `identify` may be called from several threads."""

    def __init__(self, access: Access) -> None:
        self._http = Http(access)
        self._dav = Dav(self._http)
        self._access = access
        self._settings = [self._http.base, access.user, access.collection]
        self._found: Objects | None = None
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}  # UID to file name, where that is not the UID and ".ics"
        self._bodies: OrderedDict[str, Body] = OrderedDict()
        self._beside: tuple[float, list[Place]] = (-inf, [])
        self.abilities = Abilities(
            conditional=True, client_ids=True, marks=True, defaults=records.EMPTY, writes=access.writes or 8
        )

    def __repr__(self) -> str:
        return f"CalDavConnector({self._http.host})"

    @property
    def requests(self) -> int:
        """Requests sent."""
        return self._http.requests

    @property
    def clock(self) -> tuple[float, float] | None:
        """How far the server's clock is ahead of ours."""
        return self._http.clock

    # ---- who we are bound to ------------------------------------------------------------------------------

    def identify(self, remembered: str | None = None) -> Identity:
        """Find the calendar, or take the one that was remembered for the same settings."""
        place = discovery.recall(remembered, self._settings)
        if place is None:
            place = discovery.discover(self._dav, self._access.collection)
        self._found = Objects(self._dav, place)
        if self._access.writes is None and "/remote.php/" in place.path:
            # Parallel writers meet "database is locked" on some instances (facts: nextcloud, preface).
            self.abilities = replace(self.abilities, writes=1)
        host = self._http.host
        slow = f"{host} cannot say what changed since the last pass: every pass lists the whole calendar."
        return Identity("caldav", host, place.path, place.title, place.writable, () if place.syncs else (slow,))

    def collections(self) -> list[Offer]:
        """The calendars that take tasks, each by its path."""
        return [Offer(quote(one.path), one.title, one.writable) for one in discovery.offers(self._dav)]

    def text_formats(self) -> Mapping[str, str]:
        """A task's note is plain text, whatever a program makes of it (RFC 5545, 3.8.1.5)."""
        return {"DESCRIPTION": "plain"}

    def memory(self) -> str | None:
        """Where the calendar is."""
        return discovery.remember(self._found.place, self._settings) if self._found else None

    @property
    def _objects(self) -> Objects:
        if self._found is None:
            raise RuntimeError("identify() comes first")
        return self._found

    def id_of(self, mark: str) -> str:
        """The UID, which is the file name too: the mark itself where it can be one."""
        return mark if _FILE_NAME.fullmatch(mark) else str(uuid.uuid5(uuid.NAMESPACE_OID, mark))

    def normalises(self, name: str, sent: Native, shown: Native) -> bool:
        """Blanks at line ends, and a date written beside a moment."""
        return records.normalises(name, sent, shown)

    # ---- pulling ------------------------------------------------------------------------------------------

    def pull(self, cursor: str | None, known: Mapping[str, str]) -> Changes:
        """One REPORT where nothing changed; what changed is then read in chunks."""
        objects = self._objects
        token, names = opened(cursor)
        self._learn(names)
        listing = objects.changes(token)
        uids = {reply.name: names.get(reply.name) or stem(reply.name) for reply in listing.here}
        changed = [reply for reply in listing.here if known.get(uids[reply.name]) != reply.etag]
        bodies = [*objects.get_all(changed), *objects.still_there(listing.gone)]
        found: dict[str, Record] = {}
        withheld: set[str] = set()
        present = set(uids.values()) - {uids[reply.name] for reply in changed}
        for body in bodies:
            record = self._record(body)
            if record is None:
                continue
            if record.ref.native_id in found or record.ref.native_id in present:
                record = self._unreadable(body, body.name, "another task in this calendar has the same UID")
            uid = record.ref.native_id
            names[body.name] = uid
            if self._withholds(record):
                withheld.add(uid)
                continue
            if known.get(uid) == record.version:
                present.add(uid)
            else:
                found[uid] = record
        alive = {body.name for body in bodies}
        present |= set(found)
        gone = {names.get(name) or stem(name) for name in listing.gone if name not in alive} - present  # or renamed
        tombstones = [Record(self._ref(uid), objects.place.path, "", None, None) for uid in sorted(gone | withheld)]
        if not listing.delta:
            names = {name: uid for name, uid in names.items() if uid in present}
        self._learn(names)
        cursor = closed(listing.token, names)
        if listing.delta:
            return Changes((*found.values(), *tombstones), cursor, complete=False, delta=True)
        return Changes(tuple(found.values()), cursor, complete=True, present=frozenset(present))

    def _learn(self, names: Mapping[str, str]) -> None:
        """Keep the file names that cannot be told from the UID."""
        odd = {uid: name for name, uid in names.items() if name != uid + ".ics"}
        with self._lock:
            self._names |= odd

    # ---- writing ------------------------------------------------------------------------------------------

    def create(self, fields: Fields, mark: str) -> Record:
        """Store a new task under a name of our own; one that is there already is ours from before (R17)."""
        uid = self.id_of(mark)
        todo = records.fresh(uid, _now())
        records.write(todo, fields)
        name, data = uid + ".ics", todo.text()
        answer = self._objects.put(name, data, {"If-None-Match": "*"}, {400, 403, 404, 409, 412, 500})
        if answer.status_code < 400:
            return self._read_back(name, data, answer)
        if answer.status_code == 412 or (answer.status_code != 500 and "uid" in answer.text.lower()):
            there = self._find(uid)
            if there is not None:
                return there[1]
        raise self._refused(answer)

    def update(self, ref: Ref, fields: Fields, if_version: str) -> Record:
        """Change only the lines that these fields stand on, if the task still is ``if_version``."""
        with self._lock:
            body = self._bodies.get(ref.native_id)
        if body is None or body.etag != if_version:
            found = self._find(ref.native_id)
            if found is None:
                raise self._not_found(ref)
            body, record = found
            if record.version != if_version:
                raise self._mismatch(record)
        todo = self._todo(body)
        records.write(todo, fields)
        records.touch(todo, _now())
        data = todo.text()
        answer = self._objects.put(body.name, data, {"If-Match": if_version}, {403, 404, 409, 410, 412, 500})
        if answer.status_code < 400:
            return self._read_back(body.name, data, answer)
        if answer.status_code in (404, 409, 410, 412) and not _PRECONDITION.search(answer.text):
            raise self._raced(ref)
        raise self._refused(answer)

    def delete(self, ref: Ref, if_version: str) -> None:
        """Delete the task if it still is ``if_version``."""
        answer = self._objects.delete(self._name(ref.native_id), if_version)
        if answer.status_code < 400:
            return
        found = self._find(ref.native_id)
        if found is None:
            raise self._not_found(ref)
        body, record = found
        if answer.status_code == 412 or record.version != if_version:
            raise self._mismatch(record)
        if self._objects.delete(body.name, if_version).status_code >= 400:
            raise self._raced(ref)

    def _read_back(self, name: str, data: bytes, answer: Response) -> Record:
        """The task as the server has it after a write that it answered well (R25)."""
        try:
            body = self._objects.stored(name, data, answer)
        except PlatformError as error:
            raise Lost(f"{self._http.host} took {name} and did not say what it made of it.") from error
        record = self._record(body) if body else None
        if record is None:
            raise NotFound(f"{name} is gone from {self._http.host}, right after it was written.")
        return record

    def _raced(self, ref: Ref) -> NotFound | VersionMismatch:
        """Somebody was faster than our write: what there is now."""
        found = self._find(ref.native_id)
        return self._not_found(ref) if found is None else self._mismatch(found[1])

    def _mismatch(self, record: Record) -> VersionMismatch:
        uid = record.ref.native_id
        return VersionMismatch(f"The task {uid} on {self._http.host} was changed meanwhile.", record=record)

    def _not_found(self, ref: Ref) -> NotFound:
        return NotFound(f"The task {ref.native_id} is not in “{self._objects.place.title}” on {self._http.host}.")

    def _refused(self, answer: Response) -> PlatformError:
        """Why a PUT was refused, in words."""
        host = self._http.host
        if answer.status_code in (404, 409) and not _PRECONDITION.search(answer.text):
            return self._http.failure(answer) if self._objects.readable() else self._objects.missing()
        reason = _PRECONDITION.search(answer.text)
        if reason and answer.status_code in (403, 409):
            return Rejected(f"{host} refuses this task: {reason[0]}.")
        if answer.status_code == 500 and "UNIQUE constraint" in answer.text:
            # Nextcloud 34.0.1 (facts: nextcloud, section 8): trying again helps only once the bin is emptied.
            return Rejected(f"{host} refuses this task: one with the same UID lies in its trash bin.")
        return self._http.failure(answer)

    # ---- probing ------------------------------------------------------------------------------------------

    def probe(self, ref: Ref) -> Probe:
        """Here, in another calendar beside this one, not shown to us, or gone."""
        try:
            found = self._find(ref.native_id)
        except (Forbidden, NotACollection):
            return Hidden()
        if found is not None:
            return OutOfScope() if self._withholds(found[1]) else Alive(found[1])
        # That it is not here is proven: the calendar has just answered a search for it.
        for place in self._siblings():
            record = self._moved_to(ref.native_id, place)
            if record is not None:
                return Moved(place.path, record)
        return Gone()

    def _withholds(self, record: Record) -> bool:
        """Whether a task is its owner's own affair, and this connector is not marked as fit for it."""
        return not self._access.confidential and records.is_private(record.fields or {})

    def _siblings(self) -> list[Place]:
        """The other calendars beside ours, looked up at most once a minute: deletions come in flocks."""
        with self._lock:
            looked, places = self._beside
        if time.monotonic() - looked > _BESIDE:
            places = discovery.siblings(self._dav, self._objects.place)
            with self._lock:
                self._beside = (time.monotonic(), places)
        return places

    def _moved_to(self, uid: str, place: Place) -> Record | None:
        """The task in another calendar: a move keeps its file name, or names it after the UID."""
        for name in {self._name(uid), uid + ".ics"}:
            try:
                body = Objects(self._dav, place).get(name)
            except Terminal:
                continue  # not ours to read: nothing can be said about it
            record = self._record(body, place) if body else None
            if record is not None and record.ref.native_id == uid:
                return record
        return None

    # ---- from objects to records --------------------------------------------------------------------------

    def _ref(self, uid: str) -> Ref:
        return Ref(self._http.host, uid)

    def _name(self, uid: str) -> str:
        with self._lock:
            return self._names.get(uid, uid + ".ics")

    def _find(self, uid: str) -> tuple[Body, Record] | None:
        """The task with this UID: under the name that we know or expect, else wherever it lies."""
        name = self._name(uid)
        if "/" not in name and not name.startswith("."):
            body = self._objects.get(name)
            record = self._record(body) if body else None
            if body and record and (record.ref.native_id == uid or record.problem):
                return body, replace(record, ref=self._ref(uid))  # what cannot be read is not gone (R27)
        for body in self._objects.with_uid(uid):
            record = self._record(body)
            if record and record.ref.native_id == uid:
                self._learn({body.name: uid})
                return body, record
        return None

    def _todo(self, body: Body) -> Todo:
        try:
            todo = parse(body.data)
        except Unreadable as error:
            raise Rejected(f"{body.name} on {self._http.host} cannot be written: {error}.") from None
        if todo is None:
            raise Rejected(f"{body.name} on {self._http.host} is no task.")
        return todo

    def _record(self, body: Body, place: Place | None = None) -> Record | None:
        """An object as a record; None where it is no task."""
        if body.problem:
            return self._unreadable(body, self._uid_of(body.name), body.problem)
        try:
            todo = parse(body.data)
            if todo is None:
                return None
            uid = records.uid_of(todo)
            if not uid:
                raise Unreadable("it has no UID")
            fields, locked = records.read(todo)
        except Unreadable as error:
            return self._unreadable(body, uid_in(body.data) or body.name, str(error))
        if place is None:
            self._keep(uid, body)
        modified = body.modified if body.modified is not None else records.changed_at(todo)
        at = place or self._objects.place
        url = Objects(self._dav, at).url(body.name)
        return Record(self._ref(uid), at.path, body.etag, modified, fields, mark=uid, url=url, locked=locked)

    def _uid_of(self, name: str) -> str:
        """The UID of an object that cannot be read: the one that was met under this name, else what the name says."""
        with self._lock:
            return next((uid for uid, known in self._names.items() if known == name), stem(name))

    def _unreadable(self, body: Body, native_id: str, reason: str) -> Record:
        sentence = f"The task {body.name} on {self._http.host} cannot be read: {reason}."
        at = self._objects
        url = at.url(body.name)
        return Record(self._ref(native_id), at.place.path, body.etag, body.modified, {}, url=url, problem=sentence)

    def _keep(self, uid: str, body: Body) -> None:
        """Keep the text, so that a write based on this very version needs no read first."""
        with self._lock:
            self._bodies[uid] = body
            self._bodies.move_to_end(uid)
            if len(self._bodies) > _KEPT:
                self._bodies.popitem(last=False)


def _now() -> datetime:
    return datetime.now(UTC)
