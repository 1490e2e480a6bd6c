"""The verbs of a connector on the issues and milestones of one GitLab project or group.

GitLab has no conditional writes but for deleting (facts: platform-apis, A2), so every write starts with a fresh read,
compares, writes at once and reads back (R24, R25). It has no room for a mark that people do not see: a lost create
is found among the issues that our own account made since (R17). An issue that is not shown proves nothing, since
GitLab answers 404 both for what is gone and for what we may not see (A1): it counts as deleted only where our
role sees everything there is.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

from pydantic import ValidationError

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
    Native,
    Offer,
    OutOfScope,
    Probe,
    Record,
    Ref,
)
from connectors.errors import Lost, NotACollection, NotFound, PlatformError, Rejected, Transient, VersionMismatch
from connectors.gitlab.binding import Cursor, folded
from connectors.gitlab.listing import Lister, Listing
from connectors.gitlab.project import CONFIDENTIAL, MEMBERS, BoundProject
from connectors.gitlab.records import Records, called, shaped
from connectors.gitlab.shapes import ISSUE, MILESTONE, OPENED, PLANNER, Address, Issue, Milestone
from connectors.gitlab.wire import Wire
from connectors.gitlab.writing import issue_steps, milestone_steps, new_issue, new_milestone
from connectors.http import Http

_EMPTY: Fields = {
    "type": ISSUE,
    "title": "",
    "description": "",
    "status": OPENED,
    "labels": (),
    "milestone": None,
    "due_date": None,
}
_CREATED = frozenset({"type", "title", "description", "labels", "milestone", "due_date", "visibility"})


class GitLabConnector:
    """One project or group. Safe to use from several threads once it is identified."""

    def __init__(self, access: Access, wire: Wire) -> None:
        self._wire = wire
        self._bound = BoundProject(wire, access)
        self._lister = Lister(wire)
        self._records = Records(wire, self._bound, self._learn)
        self.abilities = Abilities(create_fields=_CREATED, defaults=_EMPTY, writes=access.writes or 4)

    @property
    def requests(self) -> int:
        """Requests sent since this connector was made."""
        return self._wire.http.requests

    @property
    def clock(self) -> tuple[float, float] | None:
        """How far the server's clock is ahead of ours."""
        return self._wire.http.clock

    # ---- who we are bound to -----------------------------------------------------------------------------------

    def identify(self, remembered: str | None = None) -> Identity:
        """Find the project or group, and what our account may do there."""
        found, host = self._bound.identify(remembered), self._wire.http.host
        self._learn()
        said = found.warnings(host, self._bound.setting)
        inside = frozenset(found.inside)
        return Identity("gitlab", host, found.collection, found.title, found.writable, said, inside)

    def collections(self) -> list[Offer]:
        """The projects of which our account is a member, each by its path; a list does not tell what we may do.

        Groups are not listed: who means one names its path.
        """
        return [Offer(one.path_with_namespace, one.name_with_namespace) for one in self._bound.mine()]

    def text_formats(self) -> Mapping[str, str]:
        """GitLab shows descriptions as Markdown."""
        return {"description": "markdown"}

    def memory(self) -> str | None:
        """What the settings name, and our rights on it."""
        return self._bound.memory()

    def _learn(self) -> None:
        """What a new record shows, and takes, on this server and in this project as it was last seen."""
        starts: Fields = {"start_date": None} if self._records.starts else {}
        readers = CONFIDENTIAL if self._bound.shows_issues else MEMBERS
        self.abilities = replace(
            self.abilities,
            create_fields=_CREATED | starts.keys(),
            defaults={**_EMPTY, **starts, "visibility": readers},
        )

    # ---- reading -----------------------------------------------------------------------------------------------

    def pull(self, cursor: str | None, known: Mapping[str, str]) -> Changes:
        """What changed since the cursor, or everything where that cannot tell (see `Lister`)."""
        seen = Cursor.read(cursor, self._bound.home)
        self._bound.forget()
        try:
            listing = self._lister.since(seen, known) if seen else None
            if listing is not None:
                return self._changes(listing, known)
            return self._everything(self._lister.everything(self._bound.home, known, self._bound.has), known)
        except NotFound:
            binding = self._bound.binding
            raise NotACollection(
                f"The {binding.kind} “{binding.path}” on {self._wire.http.host} is not there any more for our account: "
                "it was deleted, or we are no member of it any longer."
            ) from None

    def _changes(self, listing: Listing, known: Mapping[str, str]) -> Changes:
        records = [self._records.listed(row) for row in listing.rows]
        options = self._bound.options() if records else None
        self._learn()
        changed = [one for one in records if known.get(one.ref.native_id) != one.version]
        changed += [self._records.tombstone(native_id) for native_id in listing.missing]
        return Changes(tuple(changed), listing.cursor.text(), False, delta=True, options=options)

    def _everything(self, listing: Listing, known: Mapping[str, str]) -> Changes:
        records = [one for one in map(self._records.listed, listing.rows) if one.fields is not None]
        options = self._bound.options()
        self._learn()
        present = frozenset(one.ref.native_id for one in records)
        changed = tuple(one for one in records if known.get(one.ref.native_id) != one.version)
        return Changes(changed, listing.cursor.text(), True, present=present, options=options)

    def _compared(self, ref: Ref, if_version: str) -> tuple[Issue | Milestone, Record]:
        """The record as it is now, which must be what the engine believes it is (R24)."""
        found = self._records.read(Address.of(ref.native_id))
        record = self._records.shown(found)
        if record.version != if_version:
            raise VersionMismatch(f"{called(found)} has changed since it was read.", record=record)
        return found, record

    def probe(self, ref: Ref) -> Probe:
        """Ask for the record itself; what is not shown is gone only where nothing can be hidden from us (R21)."""
        address = Address.of(ref.native_id)
        try:
            found = self._records.read(address)
        except NotFound:
            return self._missing(address)
        return self._found(found)

    def _found(self, found: Issue | Milestone) -> Probe:
        if isinstance(found, Issue) and found.moved_to_id is not None:
            return self._records.moved(found, found.moved_to_id)
        if isinstance(found, Issue) and not self._records.belongs(found):
            return OutOfScope()
        return Alive(self._records.shown(found))

    def _missing(self, address: Address | None) -> Probe:
        """What a 404 means: the project has to be there, our role has to see all, and a second look to agree."""
        self._bound.forget()
        try:
            if address is None or not self._bound.projects():
                return Hidden()
            if address.kind == MILESTONE:
                return self._missing_milestone()
            project = self._bound.project(address.project)
        except NotFound:
            return Hidden()
        if not project.has_issues:
            return Hidden()
        if not (self._bound.binding.admin or project.level >= PLANNER):
            return Hidden(unsure=True)  # it may have become confidential
        for raw in self._wire.numbered(address.project, [address.number]):
            again = shaped(Issue, raw, f"Issue {address.number}")
            if again.id == address.id:
                return self._found(again)
        return Gone()

    def _missing_milestone(self) -> Probe:
        """Promoted to a group's milestone it has another id (A2), and nothing there tells which one it was."""
        if self._bound.binding.is_group:
            return Gone()
        if not self._bound.binding.sees_all or not self._bound.project().has_issues:
            return Hidden()
        return OutOfScope() if self._wire.milestones_above(self._bound.home) else Gone()

    # ---- writing -----------------------------------------------------------------------------------------------

    def create(self, fields: Fields, mark: str) -> Record:
        """Make an issue or a milestone, and read it. GitLab has no place for a mark."""
        with self._bound.writing(fields):
            return self._create(fields)

    def _create(self, fields: Fields) -> Record:
        binding = self._bound.binding
        if not binding.makes:
            how = binding.without(self._bound.setting)
            raise Rejected(f"Nothing new is made in the group “{binding.path}”: {how}.")
        made: Issue | Milestone
        try:
            if fields.get("type") == MILESTONE:
                raw = self._wire.make_milestone(binding.home, new_milestone(fields, self._bound))
                made = Milestone.model_validate(raw)
            else:
                raw = self._wire.make_issue(binding.makes, new_issue(fields, self._bound))
                made = Issue.model_validate(raw)
        except ValidationError:
            raise Lost(f"{self._wire.http.host} did not say what it made.") from None
        with contextlib.suppress(PlatformError):  # the answer to the request that made it tells the same
            made = self._records.read(Address.of(made.native_id))
        return self._records.shown(made)

    def update(self, ref: Ref, fields: Fields, if_version: str) -> Record:
        """Write these fields on the record as it is at this moment, with no request more than they need."""
        with self._bound.writing(fields):
            return self._update(ref, fields, if_version)

    def _update(self, ref: Ref, fields: Fields, if_version: str) -> Record:
        found, record = self._compared(ref, if_version)
        shown = record.fields or {}
        if isinstance(found, Milestone):
            steps = milestone_steps(found, shown, fields)
        else:
            steps = issue_steps(found, shown, fields, self._bound, self._wire.now())
        for number, body in enumerate(steps):
            try:
                self._put(found, body)
            except Rejected as error:
                raise Rejected(str(error), clean=number == 0) from None
        if not steps:
            return record
        try:
            return self._records.shown(self._records.read(Address.of(ref.native_id)))
        except NotFound:
            raise
        except PlatformError as error:  # the writes were answered: nothing is under way, and a probe will tell
            raise Transient(
                f"{self._wire.http.host} took a change of {called(found)} and did not tell the outcome."
            ) from error

    def _put(self, found: Issue | Milestone, body: Mapping[str, object]) -> None:
        if isinstance(found, Milestone):
            self._wire.put_milestone(self._bound.home, found.id, body)
        else:
            self._wire.put_issue(found.project_id, found.iid, body)

    def delete(self, ref: Ref, if_version: str) -> None:
        """Delete the record; an issue only if it did not change since, which GitLab sees to by the second."""
        found, _ = self._compared(ref, if_version)
        if isinstance(found, Milestone):
            self._wire.delete_milestone(self._bound.home, found.id)
            return
        second = datetime.fromtimestamp(math.ceil(found.updated_at.timestamp()), UTC)
        try:
            self._wire.delete_issue(found.project_id, found.iid, format_datetime(second, usegmt=True))
        except VersionMismatch as error:
            fresh = self._records.shown(self._records.read(Address.of(ref.native_id)))
            raise VersionMismatch(str(error), record=fresh) from None

    # ---- what is known of values -------------------------------------------------------------------------------

    def normalises(self, name: str, sent: Native, shown: Native) -> bool:
        """GitLab takes blanks off the end of texts and both ends of titles (A3), and keeps one label of a meaning."""
        if name == "description":
            return str(sent or "").replace("\r\n", "\n").replace("\r", "\n").rstrip() == str(shown or "").rstrip()
        if name == "title":
            return isinstance(shown, str) and str(sent or "").strip() == shown.strip()
        if name == "visibility":  # in an open project there is nothing between its own staff and everybody
            return (sent, shown) == (MEMBERS, CONFIDENTIAL)
        return name == "labels" and self._meanings(sent) == self._meanings(shown)

    def _meanings(self, labels: Native) -> set[str]:
        names = self._bound.labels().names
        return {folded(names.get(one, one.removeprefix(NEW))) for one in _elements(labels)}

    def id_of(self, mark: str) -> str:
        """GitLab chooses its ids itself."""
        return ""

    def times(self, ref: Ref, names: Collection[str]) -> Mapping[str, float]:
        """When these fields last changed, as far as GitLab keeps a history of them (R4).

        Status, labels and milestone of an issue have one; texts, dates and milestones have none.
        """
        return self._records.times(Address.of(ref.native_id), names)


def _elements(value: Native) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def connect(access: Access) -> Connector:
    """A connector to the project that the settings name."""
    account = replace(access, user="", password="")  # GitLab's interface takes tokens only
    return GitLabConnector(access, Wire(Http(account)))
