"""The verbs of a connector on the work packages of one OpenProject project.

OpenProject counts the changes of a work package and refuses a change that is not based on the newest one (facts:
platform-apis, B), so updates are conditional; deleting is not, and starts with a fresh read. A pull asks what was
stamped since the last one, and besides which ids there are: OpenProject tells of no deletion. It has no place for a
mark that people do not see: a lost create is found among the work packages that our own account made since (R17).

What is not there any more answers 404, and so does what was moved to a project that our account may not see. That it
was deleted is proven only to an administrator, who sees them all; to others it is hidden (R21).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from connectors.base import (
    NEW,
    Abilities,
    Access,
    Alive,
    Changes,
    Connector,
    Fields,
    Gone,
    Hidden,
    Identity,
    Moved,
    Native,
    Offer,
    Options,
    OutOfScope,
    Probe,
    Record,
    Ref,
)
from connectors.errors import (
    CursorExpired,
    Forbidden,
    NotFound,
    Rejected,
    VersionMismatch,
)
from connectors.openproject.binding import Binding, Cursor, bind
from connectors.openproject.records import DATES, EMPTY, Records, Writer, hash_of, number
from connectors.openproject.shapes import Version, WorkPackage, moment, read
from connectors.openproject.text import lf
from connectors.openproject.wire import PAGE, KeyHttp, Row, Wire
from connectors.openproject.words import MILESTONE, TASK, Words, folded

_CREATED = frozenset(EMPTY) - {"status", "versions"}
"""A status that the type does not know is replaced without a word while a work package is made, and refused after it
(source: set_attributes_service.rb, reassign_status); a version may have to be made first."""


class OpenProjectConnector:
    """One project. Safe to use from several threads once it is identified."""

    def __init__(self, access: Access, http: KeyHttp) -> None:
        self._wire = Wire(http)
        self._access = access
        self._records = Records(self._wire.root, self._wire.instance)
        self._writer = Writer(self._wire.api)
        self._binding: Binding | None = None
        self._words: Words | None = None
        self._making = threading.Lock()
        self.abilities = Abilities(conditional=True, create_fields=_CREATED, defaults=EMPTY, writes=access.writes or 4)

    @property
    def requests(self) -> int:
        """Requests sent since this connector was made."""
        return self._wire.http.requests

    @property
    def clock(self) -> tuple[float, float] | None:
        """How far the server's clock is ahead of ours; None where it sends no Date."""
        return self._wire.http.clock

    # ---- who we are bound to -----------------------------------------------------------------------------------

    @property
    def _bound(self) -> Binding:
        if self._binding is None:
            raise RuntimeError("identify comes first")
        return self._binding

    def identify(self, remembered: str | None = None) -> Identity:
        """Find the project by identifier, id or name, and what our account may do there."""
        wire, host = self._wire, self._wire.http.host
        setting = "\n".join((wire.root, self._access.collection))
        found = Binding.remembered(remembered, setting) or bind(wire, setting, self._access.collection)
        self._binding = found
        self._learn(found.defaults)
        return Identity("openproject", host, str(found.project), found.title, found.writable, found.warnings(host))

    def collections(self) -> list[Offer]:
        """The projects that our account sees, each by its identifier."""
        self._wire.me()
        return [Offer(one.identifier, one.name) for one in self._wire.projects()]

    def text_formats(self) -> Mapping[str, str]:
        """OpenProject shows descriptions as Markdown."""
        return {"description": "markdown"}

    def memory(self) -> str | None:
        """The project that the settings name, our rights there, and what a new task shows."""
        return self._binding.text() if self._binding else None

    def _learn(self, defaults: Mapping[str, Native]) -> None:
        shown = {**EMPTY, **defaults}
        if "progress" not in defaults:
            del shown["progress"]
        self.abilities = replace(self.abilities, defaults=shown, create_fields=_CREATED & shown.keys())

    def _read_words(self) -> Words:
        """What there is by now of types, statuses, priorities and versions."""
        found = self._wire.words(self._bound.project)
        if found.defaults != self._bound.defaults:
            self._binding = replace(self._bound, defaults=found.defaults)
            self._learn(found.defaults)
        self._words = found
        return found

    @property
    def _vocabulary(self) -> Words:
        return self._words or self._read_words()

    # ---- reading -----------------------------------------------------------------------------------------------

    def pull(self, cursor: str | None, known: Mapping[str, str]) -> Changes:
        """What was stamped since the cursor, and all ids; everything, if there is no cursor."""
        wire, bound = self._wire, self._bound
        wire.forget()
        before = Cursor.read(cursor, bound.project) if cursor is not None else Cursor(bound.project)
        me = wire.me()
        wire.still(bound.project, bound.title)
        if (me.id, me.admin) != (bound.me, bound.admin):
            self._binding = replace(bound, me=me.id, admin=me.admin)
        rows, since = self._listed(before)
        hashes = {row.id: hash_of(row.raw) for row in rows}
        fresh = [row for row in rows if before.seen.get(str(row.id)) != hashes[row.id]]
        there = {row.id for row in rows} | (wire.ids(bound.project) if before.since else frozenset())
        words = self._read_words() if fresh or cursor is None else None
        found = [self._row(row, words) for row in fresh] if words else []
        after = Cursor(bound.project, since, whole=before.whole if before.since else time.time())
        seen = {str(row.id): hashes[row.id] for row in rows if after.overlaps(row.stamp)}
        return Changes(
            tuple(one for one in found if known.get(one.ref.native_id) != one.version),
            replace(after, seen=seen).text(),
            True,
            present=frozenset(map(str, there)),
            options=words.options if words else None,
        )

    def _listed(self, before: Cursor) -> tuple[list[Row], str]:
        """What was stamped since a cursor, or everything; and the stamp from which on to ask the next time."""
        wire, project = self._wire, self._bound.project
        if not before.since:
            newest = wire.newest(project)
            return wire.work_packages(project), newest.stamp if newest else ""
        rows = wire.work_packages(project, (("updatedAt", "<>d", (before.asks, "")),))
        if not rows:  # what was stamped last is gone, or the server went back in time (R5)
            raise CursorExpired(f"{wire.http.host} shows nothing that is as new as what it showed before.")
        # What changes while we turn pages is newer than all of the first one.
        return rows, max((row.stamp for row in rows[:PAGE]), key=datetime.fromisoformat)

    def _row(self, row: Row, words: Words) -> Record:
        found = read(WorkPackage, row.raw)
        if found is None:
            return self._records.unreadable(row.id, row.raw, self._bound.project)
        return self._records.record(found, words, self._bound.me)

    def _record(self, found: WorkPackage) -> Record:
        return self._records.record(found, self._vocabulary, self._bound.me)

    def _fetch(self, ref: Ref) -> WorkPackage:
        """A work package as it is now, wherever it is by now. NotFound where it is not there for us."""
        id = number(ref.native_id)
        if id is None:
            raise NotFound(f"{ref.native_id} is no id of a work package.")
        found = self._wire.work_package(id)
        if ref.born and moment(found.created_at) != ref.born:  # another server, or a backup, behind the same address
            raise NotFound(f"Work package {id} on {self._wire.http.host} is another one by now.")
        return found

    def _compared(self, ref: Ref, if_version: str) -> tuple[WorkPackage, Record]:
        """The record as it is now, which must be what the engine believes it is (R24)."""
        found = self._fetch(ref)
        if found.links.project.id != self._bound.project:
            raise NotFound(f"Work package {found.id} does not belong to “{self._bound.title}” any more.")
        record = self._record(found)
        if record.version != if_version:
            raise self._changed(found.id, record)
        return found, record

    def _changed(self, id: int, record: Record | None) -> VersionMismatch:
        return VersionMismatch(
            f"Work package {id} on {self._wire.http.host} has changed since it was read.", record=record
        )

    def probe(self, ref: Ref) -> Probe:
        """Ask for the record itself; what is not shown is gone only where nothing can be hidden from us (R21)."""
        wire, project = self._wire, self._bound.project
        try:
            found = self._fetch(ref)
        except NotFound:
            me = wire.me()
            wire.still(project, self._bound.title)
            wire.newest(project)  # Forbidden where our role may not see work packages any more: nobody is gone then
            return Gone() if me.admin else Hidden(unsure=True)
        record = self._record(found)
        if found.links.project.id != project:
            return Moved(record.collection, record)
        return Alive(record) if wire.lists(project, found.id) else OutOfScope()

    # ---- writing -----------------------------------------------------------------------------------------------

    def create(self, fields: Fields, mark: str) -> Record:
        """Make a work package. OpenProject has no place for a mark."""
        words = self._vocabulary
        body = self._writer.new(fields, self._bound.project, words)
        return self._record(self._wire.make(self._on_any_day(body, {})))

    def update(self, ref: Ref, fields: Fields, if_version: str) -> Record:
        """Write these fields, if the record is still what the engine believes it is; the answer is how it reads now."""
        found, record = self._compared(ref, if_version)
        shown = record.fields or {}
        changed = {name: value for name, value in fields.items() if name in shown and shown[name] != value}
        options: dict[str, dict[str, str]] = {}
        if "versions" in changed:
            changed["versions"], made = self._made(changed["versions"])
            options = {"versions": made} if made else {}
        body = self._writer.change(found, changed, self._vocabulary)
        if not body:
            return record
        if DATES & changed.keys() and not found.any_day:
            there = {"startDate": found.start, "dueDate": found.due} if not found.is_milestone else {}
            body = self._on_any_day(body, there)
        try:
            now = self._wire.change(found.id, {"lockVersion": found.lock_version, **body})
        except VersionMismatch:
            raise self._changed(found.id, self._record(self._fetch(ref))) from None
        return replace(self._record(now), options=options)

    def _on_any_day(self, body: Mapping[str, object], there: Mapping[str, str | None]) -> dict[str, object]:
        """The body, with leave to lie on a day on which nobody works where a date of it does (R14).

        Without that leave OpenProject moves the date to the next working day without a word. Giving it moves the due
        date by the duration unless both dates are said (source: set_attributes_service.rb).
        """
        days = [body.get(name) for name in ("startDate", "dueDate", "date")]
        if all(self._wire.is_working(day) for day in days if isinstance(day, str)):
            return dict(body)
        return {**there, **body, "ignoreNonWorkingDays": True}

    def _made(self, versions: Native) -> tuple[tuple[str, ...], dict[str, str]]:
        """The ids of these versions, those that are not there yet made; and the names of these."""
        wanted = versions if isinstance(versions, tuple) else ()
        made: dict[str, str] = {}
        for name in [one.removeprefix(NEW) for one in wanted if one.startswith(NEW)]:
            with self._making:
                version = self._version(name.strip())
            made[str(version.id)] = version.name
        return tuple(sorted({one for one in wanted if not one.startswith(NEW)} | made.keys())), made

    def _version(self, name: str) -> Version:
        """The version of this name, made if there is none; two at once would make it twice, or fail."""
        found = self._vocabulary.version_named(name) or self._read_words().version_named(name)
        if found is not None:
            return found
        try:
            made = self._wire.make_version(self._bound.project, name)
        except Forbidden:
            raise Rejected(f"Our account may not make the version “{name}” in “{self._bound.title}”.") from None
        self._read_words()
        return made

    def rename_option(self, name: str, option: str, title: str) -> Options:
        """Rename a version of our project; types, statuses and priorities are the administrators' own."""
        if name != "versions":
            raise Rejected(f"The {name} of a work package cannot be renamed by us.")
        project, called = self._bound.project, self._bound.title
        with self._making:
            words = self._read_words()
            version = next((one for one in words.versions if str(one.id) == option), None)
            if version is None:
                raise NotFound(f"The project “{called}” has no version {option}.")
            if version.name == title:
                return {name: {option: title}}
            if version.links.project is None or version.links.project.id != project:
                raise Rejected(f"The version “{version.name}” belongs to another project than “{called}”.")
            if any(one.id != version.id and folded(one.name) == folded(title) for one in words.versions):
                raise Rejected(f"The project “{called}” has another version “{title}”.")
            try:
                self._wire.rename_version(version.id, title)
            except Forbidden:
                raise Rejected(f"Our account may not rename the version “{version.name}” in “{called}”.") from None
            self._read_words()
        return {name: {option: title}}

    def delete(self, ref: Ref, if_version: str) -> None:
        """Delete the record, which cannot be fetched back. Nothing that others would die with."""
        found, _ = self._compared(ref, if_version)
        if found.links.children:
            raise Rejected(f"Work package {found.id} has children, which would be deleted with it.")
        self._wire.delete(found.id)

    # ---- what is known of the platform -------------------------------------------------------------------------

    def normalises(self, name: str, sent: Native, shown: Native) -> bool:
        """Blanks at the ends of texts, what the project's own type is, and a new version's id."""
        if name == "title":
            return isinstance(shown, str) and str(sent or "").strip() == shown.strip()
        if name == "description":
            return lf(str(sent or "")).rstrip() == lf(str(shown or "")).rstrip()
        if name == "type":
            return sent in (TASK, MILESTONE) and str(shown).isdecimal()
        if name == "versions":
            return self._names(sent) == self._names(shown)
        return name == "progress" and sent is None and shown == 0

    def _names(self, versions: Native) -> set[str]:
        names = {str(one.id): one.name for one in self._words.versions} if self._words else {}
        elements = versions if isinstance(versions, tuple) else ()
        return {folded(names.get(one, one.removeprefix(NEW))) for one in elements}

    def id_of(self, mark: str) -> str:
        """OpenProject chooses its ids itself."""
        return ""


def connect(access: Access) -> Connector:
    """A connector to the project that the settings name."""
    return OpenProjectConnector(access, KeyHttp(access))
