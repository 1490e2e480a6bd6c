"""The rows of one file as records: the verbs of `connectors.base.Connector` over a desk (`desk`) and rows (`rows`)."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from connectors.base import (
    Abilities,
    Access,
    Alive,
    Changes,
    Connector,
    Fields,
    Gone,
    Hidden,
    Identity,
    Native,
    Offer,
    Probe,
    Record,
    Ref,
)
from connectors.errors import Forbidden, NotACollection, NotFound, Rejected, Transient, VersionMismatch
from connectors.workbook import words
from connectors.workbook.delimited import Delimited
from connectors.workbook.desk import Change, Desk
from connectors.workbook.document import Document, Row, Unfit, Unreadable
from connectors.workbook.file import LocalFile
from connectors.workbook.memory import Memory, recalled, told
from connectors.workbook.place import FORMATS, Place, Stamp
from connectors.workbook.rows import HELD, Names, by_id, pin, refer_again
from connectors.workbook.spreadsheet import Spreadsheet
from connectors.workbook.structured import Structured
from connectors.workbook.webdav import DavFile

TOGETHER = 16
"""Writes that may wait for one save."""


class WorkbookConnector:
    """One table of tasks in a file, on this machine or on a WebDAV server.

    ``conditional`` is not claimed: a file on this machine cannot refuse a write by itself, and between the comparison
    and the replacing lie microseconds.
    """

    def __init__(self, place: Place, sheet: str, setting: str) -> None:
        self._place, self._sheet, self._setting = place, sheet, setting
        self._desk = Desk(place, self._parse)
        self._identity: Identity | None = None
        self._held: frozenset[str] = frozenset()
        self._sure = False  # whether that is all of them: not if others were read before we remembered any
        self.abilities = Abilities(client_ids=True, marks=True, writes=TOGETHER)

    def identify(self, remembered: str | None = None) -> Identity:
        """Find the file; it must have a table of tasks."""
        if self._place.suffix not in FORMATS:
            shown = ", ".join(FORMATS)
            raise NotACollection(
                f"{self._setting} has to name a file that ends in {shown}, and not {self._place.name}."
            )
        known = recalled(remembered)
        if known is not None:
            self._held, self._sure = known.held, True
        if known is not None and self._place.recall(known.place) and known.sheet == self._sheet:
            self._takes(known.names)
            self._identity = known.identity
        else:
            self._look()
        assert self._identity is not None
        return self._identity

    def _look(self) -> None:
        """Who the file is by now, and whether it may be written."""
        identity = self._place.find()
        document, _ = self._now(again=True)
        warnings = list(identity.warnings)
        if document.loses:
            warnings.append(f"{self._place.name} has {document.loses}: it is only read.")
        where = f"{identity.collection}#{self._sheet}" if self._sheet else identity.collection
        self._identity = replace(identity, collection=where, writable=not warnings, warnings=tuple(warnings))
        self._takes(document.names)

    def collections(self) -> list[Offer]:
        """The tables of the file that is named; where none or a folder is named, the files there that may have one."""
        if (files := self._place.files()) is not None:
            return files
        found = self.identify()
        document, _ = self._now(again=False)
        sheets = document.tables if isinstance(document, Spreadsheet) and not self._sheet else []
        if len(sheets) < 2:
            return [Offer(self._place.within(self._sheet), found.title, found.writable)]
        return [Offer(self._place.within(one), f"{found.title} · {one}", found.writable) for one in sheets]

    def text_formats(self) -> Mapping[str, str]:
        """A cell is plain text."""
        return {"description": "plain"}

    def memory(self) -> str | None:
        """Who the file is and what columns it has, where finding that out costs requests; and who has no id yet."""
        names = self.abilities.create_fields or frozenset()
        memory = Memory(self._place.remember(), self._sheet, self._identity, names, self._held)
        return told(memory) if self._identity is not None else None

    def pull(self, cursor: str | None, known: Mapping[str, str]) -> Changes:
        """Every row, unless the file is what it was; those whose version is known are left out."""
        found = self._opened(cursor or "", again=True)
        if found is None:
            return Changes((), cursor, False, delta=True)
        document, stamp = found
        self._takes(document.names)
        if cursor is None and self._identity is not None and self._place.remember():
            self._look()  # rights come and go: every sweep asks
        records = self._records(document, stamp)
        self._note(by_id(document))
        self._sure = self._sure or not known
        fresh = tuple(one for native_id, one in records.items() if known.get(native_id) != one.version)
        return Changes(fresh, stamp.token or None, True, present=frozenset(records))

    def create(self, fields: Fields, mark: str) -> Record:
        """Append a row whose id is the mark, unless it is there already."""

        def change(document: Document, stamp: Stamp) -> bool:
            if mark in by_id(document):
                return False
            kind = str(fields.get("kind") or "")
            if kind and "kind" not in document.names and not words.alike("kind", kind, "Task"):
                raise Rejected(f"{self._place.name} has no column that tells a {kind} from a task: add a column Art.")
            before = pin(document)
            taken = {name: value for name, value in fields.items() if name in document.names}
            document.append(mark, Names(before).written(taken))
            refer_again(document, before, mark, frozenset(fields))
            return True

        return self._written(change, mark)

    def update(self, ref: Ref, fields: Fields, if_version: str) -> Record:
        """Write these cells, if the row is still what was read."""

        def change(document: Document, stamp: Stamp) -> bool:
            self._compare(document, stamp, ref, if_version)
            strange = sorted(fields.keys() - document.names)
            if strange:
                raise Rejected(f"{self._place.name} has no column for {', '.join(strange)}: add one.")
            before = pin(document)
            row = before[ref.native_id]
            taken = {name: value for name, value in fields.items() if name not in row.locked}
            document.change(row, Names(before).written(taken))
            refer_again(document, before, ref.native_id, frozenset(taken))
            return True

        return self._written(change, ref.native_id)

    def delete(self, ref: Ref, if_version: str) -> None:
        """Take the row out."""

        def change(document: Document, stamp: Stamp) -> bool:
            self._compare(document, stamp, ref, if_version)
            document.remove(pin(document)[ref.native_id])
            return True

        self._desk.write(self._guarded(change))

    def probe(self, ref: Ref) -> Probe:
        """Gone is what had its id in the column; a row held by its title may only have got another title (ADR 0017)."""
        document, stamp = self._now(again=True)
        found = self._records(document, stamp).get(ref.native_id)
        if found is not None:
            return Alive(found)
        uncertain = not self._sure or ref.native_id in self._held
        unpinned = ref.native_id.startswith(HELD) and uncertain and any(not row.id for row in document.rows())
        return Hidden() if unpinned or ref.native_id in document.astray else Gone()

    def normalises(self, name: str, sent: Native, shown: Native) -> bool:
        """A word is written as the file says it."""
        return words.alike(name, sent, shown)

    def id_of(self, mark: str) -> str:
        """The mark itself."""
        return mark

    # ---- inside ------------------------------------------------------------------------------------------------

    def _note(self, rows: Mapping[str, Row]) -> None:
        """Remember which rows have no id yet, and forget those that have got one."""
        self._held = (self._held | rows.keys()) - {native_id for native_id, row in rows.items() if row.id}

    def _takes(self, names: frozenset[str]) -> None:
        """What has no column is not even sent; a kind is, so that `create` can refuse what it could not tell apart."""
        self.abilities = replace(self.abilities, create_fields=names | {"kind"})

    def _parse(self, content: bytes) -> Document:
        if not content.strip():
            raise Transient(f"{self._place.name} is empty: perhaps its save is not finished.")
        try:
            if self._place.suffix in (".xlsx", ".xlsm"):
                return Spreadsheet(content, self._sheet)
            return Delimited(content) if self._place.suffix == ".csv" else Structured(content)
        except Unreadable:
            said = f"{self._place.name} cannot be opened: it is damaged, or its save is not finished."
            raise Transient(said) from None
        except Unfit as error:
            why = str(error) or "{name} has no table of tasks: one column needs the header Titel or Title."
            raise NotACollection(why.replace("{name}", self._place.name)) from None

    def _opened(self, unless: str, *, again: bool) -> tuple[Document, Stamp] | None:
        return self._desk.read(unless, again=again)

    def _now(self, *, again: bool) -> tuple[Document, Stamp]:
        found = self._opened("", again=again)
        assert found is not None  # only a token can say that nothing changed
        return found

    def _records(self, document: Document, stamp: Stamp) -> dict[str, Record]:
        rows = by_id(document)
        names = Names(rows)
        return {native_id: self._record(native_id, row, names, stamp) for native_id, row in rows.items()}

    def _record(self, native_id: str, row: Row, names: Names, stamp: Stamp) -> Record:
        fields = names.read(row.fields)
        content = json.dumps([fields, sorted(row.locked)], sort_keys=True, ensure_ascii=False)
        version = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:20]
        mark = "" if native_id.startswith(HELD) else native_id
        ref = Ref(self._place.host, native_id)
        collection = self._identity.collection if self._identity else ""
        saved = float(int(stamp.time))
        return Record(ref, collection, version, saved, fields, mark, self._place.url, locked=row.locked)

    def _compare(self, document: Document, stamp: Stamp, ref: Ref, if_version: str) -> None:
        rows = by_id(document)
        if ref.native_id not in rows:
            raise NotFound(f"{self._place.name} has no row {ref.native_id}.")
        record = self._record(ref.native_id, rows[ref.native_id], Names(rows), stamp)
        if record.version != if_version:
            raise VersionMismatch(f"The row {ref.native_id} of {self._place.name} has changed.", record=record)

    def _guarded(self, change: Change) -> Change:
        def guarded(document: Document, stamp: Stamp) -> bool:
            if document.loses:
                raise Forbidden(f"{self._place.name} has {document.loses}: it is only read.")
            return change(document, stamp)

        return guarded

    def _written(self, change: Change, native_id: str) -> Record:
        document, stamp = self._desk.write(self._guarded(change))
        rows = by_id(document)
        self._note(rows)
        if native_id not in rows:
            raise NotFound(f"{self._place.name} has no row {native_id}.")
        return self._record(native_id, rows[native_id], Names(rows), stamp)


class SharedWorkbook(WorkbookConnector):
    """A file on a server, which costs requests and has a clock of its own (`connectors.base.HasTraffic`)."""

    def __init__(self, file: DavFile, sheet: str, setting: str) -> None:
        super().__init__(file, sheet, setting)
        self._file = file

    @property
    def requests(self) -> int:
        """Requests sent since this connector was made."""
        return self._file.requests

    @property
    def clock(self) -> tuple[float, float] | None:
        """How far the server's clock is ahead of ours."""
        return self._file.clock


def connect(access: Access, clock: Callable[[], float] = time.time) -> Connector:
    """A connector to the file that the settings name: by its address, or else by its path on this machine."""
    if access.url:
        file = DavFile(access)
        return SharedWorkbook(file, file.sheet, file.setting)
    name, _, sheet = access.collection.partition("#")
    file_here = LocalFile(Path(name or ".").expanduser().resolve(), clock)
    return WorkbookConnector(file_here, sheet, f"{access.name.upper()}_COLLECTION")
