"""Issues and milestones of our project or group as records, read one by one or from the rows of a list."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from connectors.base import Fields, Moved, Options, OutOfScope, Record, Ref
from connectors.errors import NotFound, Rejected
from connectors.gitlab.listing import Row
from connectors.gitlab.project import BoundProject
from connectors.gitlab.shapes import ISSUE, MILESTONE, Address, Issue, Milestone, moment, state_of, version_of
from connectors.gitlab.wire import Wire

_OF_THE_PROJECT = frozenset({"labels", "milestone", "status", "visibility"})
_HISTORIES = {"status": ("state", "label"), "labels": ("label",), "milestone": ("milestone",)}
"""Native fields of an issue with the histories that tell of them."""
_Shape = TypeVar("_Shape", Issue, Milestone)


class Records:
    """Reads records. ``starts``: whether this server shows start dates of issues; ``learn`` is told when it does."""

    def __init__(self, wire: Wire, bound: BoundProject, learn: Callable[[], None]) -> None:
        self._wire, self._bound, self._learn = wire, bound, learn
        self.starts = False

    # ---- from a list -------------------------------------------------------------------------------------------

    def listed(self, row: Row) -> Record:
        """A row as a record; one that cannot be read is a problem of its own (R27)."""
        milestone = row.native_id.startswith(MILESTONE)
        try:
            found = Milestone.model_validate(row.raw) if milestone else Issue.model_validate(row.raw)
        except ValidationError:
            what = f"Milestone {row.id}" if milestone else f"Issue {row.number}"
            return Record(
                Ref(self._wire.instance, row.native_id),
                self._bound.id,
                f"unreadable {row.digest}",
                row.stamp.timestamp(),
                {},
                problem=f"{what} has a shape that we cannot read.",
            )
        if isinstance(found, Milestone):
            return self._milestone(found)
        return self._issue(found) if self.belongs(found) else self.tombstone(found.native_id)

    def tombstone(self, native_id: str) -> Record:
        """A claim that something is not ours to mirror any more: a probe tells what became of it."""
        return Record(Ref(self._wire.instance, native_id), self._bound.id, "", None, None)

    # ---- one by one --------------------------------------------------------------------------------------------

    def read(self, address: Address | None) -> Issue | Milestone:
        """A record as it is now, wherever it belongs by now."""
        if address is None:
            raise NotFound("This is no id of a record on GitLab.")
        if address.kind == MILESTONE:
            return shaped(Milestone, self._wire.milestone(self._bound.home, address.id), f"Milestone {address.id}")
        found = shaped(Issue, self._wire.issue(address.project, address.number), f"Issue {address.number}")
        if found.id != address.id:  # the project is another one behind the same id: a backup, an import
            raise NotFound(f"Issue {address.number} is another one by now.")
        return found

    def shown(self, found: Issue | Milestone) -> Record:
        """The record, if it still belongs to what is mirrored here."""
        if isinstance(found, Milestone):
            return self._milestone(found)
        if not self.belongs(found):
            raise NotFound(f"Issue {found.iid} does not belong to “{self._bound.binding.path}” any more.")
        return self._issue(found)

    def belongs(self, issue: Issue) -> bool:
        """Whether an issue belongs to what is mirrored.

        A confidential one does not: no other tool is known to show it to as few people (A5). Except for what we made
        ourselves in a project that everybody may read: it came from the others, and is confidential for that reason.
        And except where the settings say that it may: in a project that not everybody may read, for in an open one
        nobody can tell what is confidential from what is only not public.
        """
        if not issue.of_our_kind or not self._bound.has(issue.project_id):
            return False
        if self._bound.keeps_secrets(issue.project_id):
            return True
        return not issue.confidential or (bool(self._own(issue)) and self._bound.project(issue.project_id).shows_issues)

    def moved(self, issue: Issue, moved_to: int) -> Moved | OutOfScope:
        """Where a moved issue lives on: under another id, made when this one was (facts: platform-apis, A5)."""
        made, on_the_way = issue.created_at, {issue.id}
        found = self._wire.elsewhere(moved_to, moment(made), moment(made, up=True))
        while found is not None and found.moved_to_id is not None and found.id not in on_the_way:  # moved once more
            on_the_way.add(found.id)
            found = self._wire.elsewhere(found.moved_to_id, moment(made), moment(made, up=True))
        if found is None:
            return OutOfScope()
        if self._bound.has(found.project_id):
            return Moved(self._bound.id, self._issue(found)) if self.belongs(found) else OutOfScope()
        # Its labels and readers are the other project's, whose own connector knows them: absent, not empty (R7).
        fields = {name: value for name, value in found.fields({}, "").items() if name not in _OF_THE_PROJECT}
        return Moved(str(found.project_id), self._record(found, fields, self._own(found)))

    def _issue(self, issue: Issue) -> Record:
        if issue.starts != self.starts:
            self.starts = issue.starts
            self._learn()
        visibility = self._bound.visibility(issue.project_id, confidential=issue.confidential)
        ids = self._bound.ids(issue)
        fields = issue.fields(ids, visibility)
        record = self._record(issue, fields, self._own(issue))
        if not self._bound.may_change(issue.project_id):
            record = replace(record, locked=frozenset(fields))
        return replace(record, options=_titles(ids)) if ids else record

    def _milestone(self, milestone: Milestone) -> Record:
        """A milestone, of which GitLab does not tell who made it, and which is never confidential."""
        fields = milestone.fields(self._bound.visibility(None))
        locked = {"visibility"} if self._bound.binding.manages_milestones else fields
        return replace(self._record(milestone, fields, None), locked=frozenset(locked))

    def _own(self, issue: Issue) -> bool | None:
        return issue.author.id == self._bound.binding.user if issue.author else None

    def _record(self, found: Issue | Milestone, fields: Fields, own: bool | None) -> Record:
        ours = found.project_id is None or self._bound.has(found.project_id)
        return Record(
            Ref(self._wire.instance, found.native_id),
            self._bound.id if ours else str(found.project_id),
            version_of(fields),
            found.updated_at.timestamp(),
            fields,
            url=found.web_url or "",
            own=own,
            created_at=found.created_at.timestamp(),
        )

    # ---- exact times (R4) --------------------------------------------------------------------------------------

    def times(self, address: Address | None, names: Collection[str]) -> Mapping[str, float]:
        """When these fields last changed, in Unix seconds of GitLab's clock (A4): a request per history."""
        if address is None or address.kind != ISSUE:
            return {}
        found: dict[str, float] = {}
        for kind in sorted({kind for name, kinds in _HISTORIES.items() if name in names for kind in kinds}):
            for event in self._wire.events(address.project, address.number, kind):
                name, at = _changed(kind, event), event.get("created_at")
                if name in names and isinstance(at, str):
                    found[name] = max(found.get(name, 0.0), datetime.fromisoformat(at).timestamp())
        return found


def _changed(kind: str, event: Mapping[str, object]) -> str:
    """The native field that an event is about; a label may say how far its issue is."""
    label = event.get("label")
    title = label.get("name") if isinstance(label, dict) else None  # null once the label was deleted
    says_state = kind == "state" or (isinstance(title, str) and state_of(title) is not None)
    return "status" if says_state else {"label": "labels"}.get(kind, kind)


def _titles(ids: Mapping[str, str]) -> Options:
    """The titles of an issue's labels: one that somebody made since the last pull is known by its record alone."""
    states = {key: state for name, key in ids.items() if (state := state_of(name)) is not None}
    return {"labels": {key: name for name, key in ids.items() if key not in states}, "status": states}


def shaped(shape: type[_Shape], raw: object, what: str) -> _Shape:
    """An answer as an issue or a milestone; Rejected where it cannot be read, which is this record's trouble alone."""
    try:
        return shape.model_validate(raw)
    except ValidationError:
        raise Rejected(f"{what} has a shape that we cannot read.") from None


def called(found: Issue | Milestone) -> str:
    """What people call it."""
    return f"Milestone {found.id}" if isinstance(found, Milestone) else f"Issue {found.iid}"
