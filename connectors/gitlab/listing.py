"""What changed since a cursor, and what is there at all (R6, R21).

GitLab lists what changed since a moment, and never what was deleted (facts: platform-apis, A5). So a pull counts:
if there are not as many issues as there were, and the new ones, something was deleted, and everything is listed.
A pull that finds nothing costs three requests: the count, the changes, the milestones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from connectors.errors import Transient
from connectors.gitlab.binding import Cursor
from connectors.gitlab.shapes import ISSUE, Address, digest, issue_id, milestone_id
from connectors.gitlab.wire import PAGE, Wire


class _Stub(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    id: int
    iid: int
    project_id: int = 0
    updated_at: AwareDatetime


@dataclass(frozen=True)
class Row:
    """One row of a list, of which no more than this has to be readable. ``number`` counts within the project."""

    native_id: str
    id: int
    number: int
    stamp: datetime
    digest: str
    raw: object


@dataclass(frozen=True)
class Listing:
    """What a pull read: what may have changed, the native ids that are missing, and the next cursor."""

    rows: tuple[Row, ...]
    missing: tuple[str, ...]
    cursor: Cursor


class Lister:
    """Reads the lists of one project or group; ``home`` says which, see `wire`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def since(self, seen: Cursor, known: Iterable[str]) -> Listing | None:
        """What changed since a cursor; None where only a look at everything can tell.

        ``known`` has what was made since the cursor: deleted again, it was never counted.
        """
        wire, home = self._wire, seen.home
        if seen.since is None:
            return None
        count = wire.count(home)
        rows: dict[str, Row] = {}
        for page in wire.changed(home, seen.since):
            if not page.by_keyset and len(page.rows) == PAGE:
                return None  # by offset, a row that moves while pages are read hides another one (A1)
            rows |= self._by_id(page.rows)
        issues = seen.issues + sum(row.id > seen.last for row in rows.values())
        newest = max((row.stamp.isoformat() for row in rows.values()), default=None)
        if count.total is not None and count.total != issues:
            return None  # something was deleted, or is hidden from us now
        if seen.newest is not None and (newest is None or _earlier(newest, seen.newest)):
            return None  # the latest change that we know of did not happen: the server went back in time (R5)
        milestones = self._milestones(home)
        cursor = self._cursor(home, count.date, rows, issues, milestones, seen)
        before = {**seen.rows, **seen.milestones}
        changed = [row for row in (*rows.values(), *milestones.values()) if before.get(row.native_id) != row.digest]
        missing = {native_id for native_id in known if native_id not in rows and _younger(native_id, seen)}
        missing |= seen.milestones.keys()
        return Listing(tuple(changed), tuple(sorted(missing - milestones.keys())), cursor)

    def everything(self, home: str, known: Iterable[str], ours: Callable[[int], bool]) -> Listing:
        """All issues and milestones.

        Issues that were ``known`` and are not listed are asked for by their numbers, a hundred at a time: a list
        that is paged by offset leaves one out when another is deleted meanwhile (A1). ``ours`` tells whether a
        project still belongs to what is listed.
        """
        rows: dict[str, Row] = {}
        date: float | None = None
        for number, page in enumerate(self._wire.issues(home)):
            date = page.date if number == 0 else date
            rows |= self._by_id(page.rows)
        addresses = (Address.of(native_id) for native_id in known if native_id not in rows)
        missing: dict[int, list[int]] = {}
        for one in addresses:
            if one is not None and one.kind == ISSUE:
                missing.setdefault(one.project, []).append(one.number)
        for project, numbers in sorted(missing.items()):
            rows |= self._by_id(self._wire.numbered(project, numbers)) if ours(project) else {}
        milestones = self._milestones(home)
        cursor = self._cursor(home, date, rows, len(rows), milestones, None)
        return Listing((*rows.values(), *milestones.values()), (), cursor)

    def _milestones(self, home: str) -> dict[str, Row]:
        rows = (self._row(raw, milestone=True) for raw in self._wire.milestones(home))
        return {row.native_id: row for row in rows}

    def _by_id(self, rows: Iterable[object]) -> dict[str, Row]:
        return {row.native_id: row for row in map(self._row, rows)}

    def _row(self, raw: object, *, milestone: bool = False) -> Row:
        try:
            stub = _Stub.model_validate(raw)
        except ValidationError:
            raise Transient(f"{self._wire.http.host} lists something that we cannot read.") from None
        native_id = milestone_id(stub.id) if milestone else issue_id(stub.id, stub.project_id, stub.iid)
        text = json.dumps(raw, sort_keys=True)
        return Row(native_id, stub.id, stub.iid, stub.updated_at.astimezone(UTC), digest(text), raw)

    @staticmethod
    def _cursor(
        home: str,
        date: float | None,
        rows: Mapping[str, Row],
        issues: int,
        milestones: Mapping[str, Row],
        seen: Cursor | None,
    ) -> Cursor:
        stamps = [row.stamp for row in rows.values()]
        before = datetime.fromisoformat(seen.newest).astimezone(UTC) if seen and seen.newest else None
        newest = max([*stamps, before] if before else stamps, default=None)
        cursor = Cursor(
            home,
            at=datetime.fromtimestamp(date, UTC).isoformat() if date is not None else None,
            newest=newest.isoformat() if newest else None,
            issues=issues,
            last=max([row.id for row in rows.values()] + [seen.last if seen else 0]),
            milestones={row.native_id: row.digest for row in milestones.values()},
        )
        return cursor.kept({row.native_id: (row.stamp, row.digest) for row in rows.values()})


def _younger(native_id: str, seen: Cursor) -> bool:
    """Whether an issue is younger than a listing, so that it is among the changes since; milestones are all listed."""
    address = Address.of(native_id)
    return address is not None and (address.kind != ISSUE or address.id > seen.last)


def _earlier(one: str, other: str) -> bool:
    return datetime.fromisoformat(one) < datetime.fromisoformat(other)
