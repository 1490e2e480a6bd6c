"""The rows of one file as records (ADR 0017: who a row is).

A row that the bridge made or has written to has its id in the column `cells.ID`. Any other is held by its title until
the bridge first writes to the file, and then keeps that very id in the column: no pull ever writes.
"""

from __future__ import annotations

import hashlib
import json
import threading
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
from connectors.errors import NotACollection, NotFound, Rejected, Transient, VersionMismatch
from connectors.workbook import cells
from connectors.workbook.delimited import Delimited
from connectors.workbook.document import Document, Row, Unfit, Unreadable
from connectors.workbook.file import Stamp, WatchedFile
from connectors.workbook.spreadsheet import Spreadsheet
from connectors.workbook.structured import Structured

HOST = "file:"
HELD = "row-"
"""How the id of a row begins that people made."""

FORMATS = (".xlsx", ".csv", ".yaml", ".yml")


class WorkbookConnector:
    """One table of tasks in a local file. Compares before it writes; a file cannot refuse a stale write by itself."""

    def __init__(self, access: Access, clock: Callable[[], float] = time.time) -> None:
        name, _, self._sheet = access.collection.partition("#")
        self._setting = f"{access.name.upper()}_COLLECTION"
        self._file = WatchedFile(Path(name).expanduser().resolve(), clock)
        self._lock = threading.RLock()
        self.abilities = Abilities(client_ids=True, marks=True, writes=1)

    def identify(self, remembered: str | None = None) -> Identity:
        """Read the file once: it must have a table of tasks."""
        path = self._file.path
        if path.suffix.lower() not in FORMATS:
            raise NotACollection(f"{self._setting} names {path}: it must end in {', '.join(FORMATS)}.")
        with self._lock:
            document, _ = self._read()
        # What has no column is not even sent; a kind is, so that `create` can refuse what it could not tell apart.
        self.abilities = replace(self.abilities, create_fields=document.names | {"kind"})
        warnings = []
        if not self._file.writable():
            warnings.append(f"{path} or its folder may not be written by this account: it is only read.")
        if document.loses:
            warnings.append(f"{path} has parts that saving would lose ({document.loses}): it is only read.")
        where = f"{path}#{self._sheet}" if self._sheet else str(path)
        return Identity("workbook", HOST, where, path.name, not warnings, tuple(warnings))

    def collections(self) -> list[Offer]:
        """The tables of the file that is named; where none or a folder is named, the files there that may have one."""
        path = self._file.path
        if path.is_dir():
            return [Offer(str(one), one.name) for one in sorted(path.iterdir()) if one.suffix.lower() in FORMATS]
        found = self.identify()
        with self._lock:
            document, _ = self._read()
        sheets = document.tables if isinstance(document, Spreadsheet) and not self._sheet else []
        if len(sheets) < 2:
            return [Offer(found.collection, found.title, found.writable)]
        return [Offer(f"{path}#{sheet}", f"{path.name} · {sheet}", found.writable) for sheet in sheets]

    def memory(self) -> str | None:
        """There is nothing to remember."""
        return None

    def pull(self, cursor: str | None, known: Mapping[str, str]) -> Changes:
        """Every row; those whose version is known are left out."""
        with self._lock:
            document, stamp = self._read()
        records = self._records(document, stamp)
        fresh = tuple(one for native_id, one in records.items() if known.get(native_id) != one.version)
        return Changes(fresh, None, True, present=frozenset(records))

    def create(self, fields: Fields, mark: str) -> Record:
        """Append a row whose id is the mark, unless it is there already."""
        with self._lock:
            document, stamp = self._read()
            if (made := self._records(document, stamp).get(mark)) is not None:
                return made
            kind = str(fields.get("kind") or "")
            if "kind" not in document.names and kind.casefold() not in ("", "task", "aufgabe"):
                raise Rejected(f"{self._file.path} has no column that tells a {kind} from a task: add a column Art.")
            before = _pinned(document)
            document.append(mark, _Titles(before).written({n: v for n, v in fields.items() if n in document.names}))
            _refer_again(document, before, mark, frozenset(fields))
            return self._save(document, stamp, mark)

    def update(self, ref: Ref, fields: Fields, if_version: str) -> Record:
        """Write these cells; the file is compared with what was read before it is replaced."""
        with self._lock:
            document, stamp = self._read()
            self._compare(document, stamp, ref, if_version)
            strange = sorted(fields.keys() - document.names)
            if strange:
                raise Rejected(f"{self._file.path} has no column for {', '.join(strange)}: add one.")
            before = _pinned(document)
            row = before[ref.native_id]
            taken = {name: value for name, value in fields.items() if name not in row.locked}
            document.change(row, _Titles(before).written(taken))
            _refer_again(document, before, ref.native_id, frozenset(taken))
            return self._save(document, stamp, ref.native_id)

    def delete(self, ref: Ref, if_version: str) -> None:
        """Take the row out."""
        with self._lock:
            document, stamp = self._read()
            self._compare(document, stamp, ref, if_version)
            document.remove(_pinned(document)[ref.native_id])
            self._write(document, stamp)

    def probe(self, ref: Ref) -> Probe:
        """Gone is what had its id in the column; a row held by its title may only have got another title."""
        with self._lock:
            document, stamp = self._read()
        found = self._records(document, stamp).get(ref.native_id)
        if found is not None:
            return Alive(found)
        unpinned = any(not row.id for row in document.rows())
        return Hidden() if ref.native_id.startswith(HELD) and unpinned else Gone()

    def normalises(self, name: str, sent: Native, shown: Native) -> bool:
        """Nothing is turned into something else."""
        return False

    def id_of(self, mark: str) -> str:
        """The mark itself."""
        return mark

    # ---- inside ------------------------------------------------------------------------------------------------

    def _read(self) -> tuple[Document, Stamp]:
        content, stamp = self._file.read()
        path, suffix = self._file.path, self._file.path.suffix.lower()
        try:
            if suffix == ".xlsx":
                return Spreadsheet(content, self._sheet), stamp
            document: Document = Delimited(content) if suffix == ".csv" else Structured(content)
            return document, stamp
        except Unreadable:
            raise Transient(f"{path} cannot be opened: it is damaged, or its save is not finished.") from None
        except Unfit:
            raise NotACollection(f"{path} has no table of tasks: one column needs the header Titel or Title.") from None

    def _records(self, document: Document, stamp: Stamp) -> dict[str, Record]:
        rows = _rows(document)
        titles = _Titles(rows)
        return {native_id: self._record(native_id, row, titles, stamp) for native_id, row in rows.items()}

    def _record(self, native_id: str, row: Row, titles: _Titles, stamp: Stamp) -> Record:
        fields = titles.read(row.fields)
        content = json.dumps([fields, sorted(row.locked)], sort_keys=True, ensure_ascii=False)
        version = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:20]
        mark = "" if native_id.startswith(HELD) else native_id
        saved = float(stamp.time // 1_000_000_000)
        ref = Ref(HOST, native_id)
        where = str(self._file.path)
        return Record(ref, self._collection, version, saved, fields, mark, where, locked=row.locked)

    @property
    def _collection(self) -> str:
        return f"{self._file.path}#{self._sheet}" if self._sheet else str(self._file.path)

    def _compare(self, document: Document, stamp: Stamp, ref: Ref, if_version: str) -> None:
        record = self._records(document, stamp).get(ref.native_id)
        if record is None:
            raise NotFound(f"{self._file.path} has no row {ref.native_id}.")
        if record.version != if_version:
            raise VersionMismatch(f"The row {ref.native_id} of {self._file.path} has changed.", record=record)

    def _save(self, document: Document, stamp: Stamp, native_id: str) -> Record:
        self._write(document, stamp)
        read, now = self._read()
        record = self._records(read, now).get(native_id)
        if record is None:
            raise NotFound(f"{self._file.path} has no row {native_id}.")
        return record

    def _write(self, document: Document, stamp: Stamp) -> None:
        if document.loses:
            raise Rejected(f"{self._file.path} has parts that saving would lose ({document.loses}): it is only read.")
        self._file.replace(document.save(), stamp)


# ---- who a row is (ADR 0017) -----------------------------------------------------------------------------------


def _rows(document: Document) -> dict[str, Row]:
    """Every row by its id. Of two with one id the upper keeps it: the other was copied by hand."""
    found: dict[str, Row] = {}
    held = []
    for row in document.rows():
        if row.id and row.id not in found:
            found[row.id] = row
        else:
            held.append(row)
    for row in held:
        number = 1
        while (native_id := _held(row, number)) in found:
            number += 1
        found[native_id] = row
    return found


def _held(row: Row, number: int) -> str:
    said = f"{' '.join(str(row.fields.get('title')).casefold().split())}\n{number}"
    return HELD + hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _pinned(document: Document) -> dict[str, Row]:
    """Every row, each with the id in its column that it is known by."""
    rows = _rows(document)
    for native_id, row in rows.items():
        if row.id != native_id:
            document.identify(row, native_id)
    return rows


class _Titles:
    """References: a cell names another row by its title, or by its id where several have that title."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._title_of = {native_id: str(row.fields.get("title") or "") for native_id, row in rows.items()}
        self._ids: dict[str, list[str]] = {}
        for native_id, title in self._title_of.items():
            self._ids.setdefault(title, []).append(native_id)

    def read(self, fields: Fields) -> dict[str, Native]:
        """With ids in the place of titles. What names no row, or several, is absent and not empty (R7)."""
        found: dict[str, Native] = {}
        for name, value in fields.items():
            if name not in cells.REFERENCES or value is None:
                found[name] = value
            elif (native_id := self._id(str(value))) is not None:
                found[name] = native_id
        return found

    def written(self, fields: Fields) -> dict[str, Native]:
        """With titles in the place of ids."""
        return {
            name: self._name(value) if name in cells.REFERENCES and isinstance(value, str) else value
            for name, value in fields.items()
        }

    def _id(self, said: str) -> str | None:
        if said in self._title_of:
            return said
        ids = self._ids.get(said, [])
        return ids[0] if len(ids) == 1 else None

    def _name(self, native_id: str) -> str:
        title = self._title_of.get(native_id, "")
        return title if title and len(self._ids[title]) == 1 else native_id


def _refer_again(document: Document, before: Mapping[str, Row], written: str, fields: frozenset[str]) -> None:
    """Let every cell name the row that it named before a title came or changed; what was just written stays."""
    named = _Titles(before)
    after = _rows(document)
    titles = _Titles(after)
    for native_id, row in after.items():
        old = named.read(before[native_id].fields) if native_id in before else {}
        new = titles.read(row.fields)
        for name in cells.REFERENCES & old.keys():
            ours = native_id == written and name in fields
            if not ours and old[name] in after and new.get(name) != old[name]:
                document.change(row, titles.written({name: old[name]}))


def connect(access: Access) -> Connector:
    """A connector to the file that the settings name."""
    if access.url:
        raise NotACollection(f"{access.name.upper()}_URL means nothing for a file: name it in COLLECTION alone.")
    return WorkbookConnector(access)
