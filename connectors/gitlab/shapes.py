"""What GitLab's answers look like, and what of them becomes native fields (facts: platform-apis, A1, A2, A5).

Only what is mirrored has a place here: assignees, comments, times spent, weights and people's names never become
fields (data protection; they are untouched on the issue). An issue and a milestone are two kinds of record with
ids of their own, so a native id says which: ``issue:76@32#6`` is the issue with the id 76, in project 32
with the number 6, which together address it (an id alone is for administrators); ``milestone:12`` is a milestone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict

from connectors.base import Native
from connectors.gitlab.text import line_in, text_from, title_from

ISSUE, MILESTONE = "issue", "milestone"
MIRRORED = frozenset({None, "issue", "task"})
"""Types of issues that are mirrored; incidents and test cases are another trade's."""

OPENED, CLOSED, CANCELLED = "opened", "closed", "cancelled"
"""What stands for the state of a record that no label tells more of; see connectors.gitlab.text for the third."""

PLANNER = 15
"""The role from which an account sees confidential issues and may change all that is mirrored (A2, A5)."""

_ID = re.compile(r"issue:(\d+)@(\d+)#(\d+)|milestone:(\d+)")
_STATES = re.compile(r"(?:status|workflow)::(.+)", re.IGNORECASE | re.DOTALL)
_DEFAULT_LISTS = {"to do", "doing"}


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Person(_Shape):
    """An account. ``is_admin`` is only shown to administrators."""

    id: int
    is_admin: bool = False


class Access(_Shape):
    """A role in a project or in one of its groups."""

    access_level: int


class Permissions(_Shape):
    """Our roles; both are null for who is no member."""

    project_access: Access | None = None
    group_access: Access | None = None


class Project(_Shape):
    """A project, as far as it matters to its issues."""

    id: int
    name: str = ""
    path_with_namespace: str
    name_with_namespace: str = ""
    visibility: str = "private"
    archived: bool = False
    issues_enabled: bool = True
    issues_access_level: str = "enabled"
    permissions: Permissions | None = None

    @property
    def called(self) -> str:
        """What people call it."""
        return f"project “{self.path_with_namespace}”"

    @property
    def level(self) -> int:
        """Our role as a number, 0 for who is no member."""
        roles = (self.permissions.project_access, self.permissions.group_access) if self.permissions else ()
        return max((role.access_level for role in roles if role), default=0)

    @property
    def level_above(self) -> int:
        """Our role in the groups above it."""
        above = self.permissions.group_access if self.permissions else None
        return above.access_level if above else 0

    @property
    def open_to_all(self) -> bool:
        """Whether everybody on the internet may read the project."""
        return self.visibility == "public"

    @property
    def shows_issues(self) -> bool:
        """Whether everybody on the internet may read its issues, confidential ones left out."""
        return self.open_to_all and self.issues_access_level not in ("private", "disabled")

    @property
    def has_issues(self) -> bool:
        """Whether there are issues at all."""
        return self.issues_enabled and self.issues_access_level != "disabled"


class Group(_Shape):
    """A group of projects and of other groups."""

    id: int
    name: str = ""
    full_path: str
    full_name: str = ""
    visibility: str = "private"

    @property
    def called(self) -> str:
        """What people call it."""
        return f"group “{self.full_path}”"

    @property
    def open_to_all(self) -> bool:
        """Whether everybody on the internet may read its milestones."""
        return self.visibility == "public"


class Label(_Shape):
    """A label of the project or of a group above it."""

    id: int
    name: str


class Milestone(_Shape):
    """A milestone of a project, or of a group above it, which then has a ``group_id`` in the place of the other."""

    id: int
    iid: int
    title: str
    project_id: int | None = None
    group_id: int | None = None
    description: str | None = None
    state: str = "active"
    due_date: str | None = None
    start_date: str | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    web_url: str | None = None

    @property
    def native_id(self) -> str:
        """Its global id, told apart from an issue's."""
        return milestone_id(self.id)

    def fields(self, visibility: str) -> dict[str, Native]:
        """The native fields. A milestone has no labels, so it is open or closed and nothing between."""
        return {
            "type": MILESTONE,
            "title": title_from(self.title),
            "description": text_from(self.description or ""),
            "status": _state(self.state, self.description or "", None),
            "due_date": self.due_date,
            "start_date": self.start_date,
            "visibility": visibility,
        }


class Pointer(_Shape):
    """What something else is referred to by."""

    id: int


class Issue(_Shape):
    """An issue. ``labels`` are names; ``start_date`` is shown since GitLab 19.1 only (A2)."""

    id: int
    iid: int
    project_id: int
    title: str
    description: str | None = None
    state: str
    labels: tuple[str, ...] = ()
    milestone: Pointer | None = None
    due_date: str | None = None
    start_date: str | None = None
    confidential: bool = False
    issue_type: str | None = None
    moved_to_id: int | None = None
    author: Pointer | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    web_url: str = ""

    @property
    def native_id(self) -> str:
        """Its global id, its project and its number there: moved to another project it has another one (A5)."""
        return issue_id(self.id, self.project_id, self.iid)

    @property
    def starts(self) -> bool:
        """Whether this server shows start dates of issues at all."""
        return "start_date" in self.model_fields_set

    @property
    def of_our_kind(self) -> bool:
        """Whether it is here and no incident, so that it may be mirrored."""
        return self.moved_to_id is None and self.issue_type in MIRRORED

    def fields(self, ids: Mapping[str, str], visibility: str) -> dict[str, Native]:
        """The native fields; ``ids`` are those of the labels by name. One that has none was deleted just now."""
        labels = [name for name in self.labels if name in ids]
        states = [name for name in labels if state_of(name) is not None]
        status = _state(self.state, self.description or "", self.closed_at)
        if status == OPENED and states:
            status = ids[states[0]] if len(states) == 1 else ", ".join(sorted(states))
        found: dict[str, Native] = {
            "type": ISSUE,
            "title": title_from(self.title),
            "description": text_from(self.description or ""),
            "status": status,
            "labels": tuple(sorted(ids[name] for name in labels if name not in states)),
            "milestone": milestone_id(self.milestone.id) if self.milestone else None,
            "due_date": self.due_date,
            "visibility": visibility,
        }
        return found | ({"start_date": self.start_date} if self.starts else {})


@dataclass(frozen=True)
class Address:
    """Where a record is found: ``number`` is an issue's in its ``project``; both are 0 for a milestone."""

    kind: str
    id: int
    project: int = 0
    number: int = 0

    @classmethod
    def of(cls, native_id: str) -> Address | None:
        """What a native id says, None if it is none of ours."""
        found = _ID.fullmatch(native_id)
        if found is None:
            return None
        return cls(MILESTONE, int(found[4])) if found[4] else cls(ISSUE, int(found[1]), int(found[2]), int(found[3]))


def issue_id(id: int, project: int, number: int) -> str:
    """The native id of an issue."""
    return f"{ISSUE}:{id}@{project}#{number}"


def milestone_id(number: int) -> str:
    """The native id of a milestone."""
    return f"{MILESTONE}:{number}"


def state_of(label: str) -> str | None:
    """What a label says of the state of its issue: ``Review`` for ``status::Review``; None if it says nothing.

    Scoped labels are GitLab's own way to keep a field of which an issue has one value. "To Do" and "Doing" are the
    lists that it offers for every new board.
    """
    if label.casefold() in _DEFAULT_LISTS:
        return label
    scoped = _STATES.fullmatch(label)
    return scoped[1].strip() or None if scoped else None


def _state(state: str, description: str, closed_at: datetime | None) -> str:
    if state != "closed":
        return OPENED
    return CANCELLED if line_in(description, closed_at) else CLOSED


def version_of(fields: Mapping[str, Native]) -> str:
    """A short hash of the native fields: a comment moves ``updated_at`` (A2), and is no edit."""
    return digest(json.dumps(fields, sort_keys=True, ensure_ascii=True))


def digest(text: str) -> str:
    """A short hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def moment(value: datetime, *, up: bool = False) -> str:
    """A moment as a parameter: UTC, milliseconds, no "+" that would have to be escaped (A1).

    Answers have whole milliseconds of what the database keeps finer; ``up`` is the end of that millisecond.
    """
    value = value.astimezone(UTC) + (timedelta(milliseconds=1) if up else timedelta())
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
