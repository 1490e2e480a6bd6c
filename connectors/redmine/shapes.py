"""What Redmine's answers look like. Only what is mirrored has a place here.

People, custom fields, estimates, categories, relations, watchers and attachments never become fields (data
protection; they stay untouched on the issue). Relations would have side effects besides: *precedes* moves the dates of
the successor, *blocks* forbids to close it, and neither stamps the issue (facts: redmine, sections 3 and 6).
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

_Shape = TypeVar("_Shape", bound=BaseModel)


class Shape(BaseModel):
    """An object of an answer; what it has besides is not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Named(Shape):
    """Something that an issue refers to."""

    id: int
    name: str = ""


class Status(Named):
    """A status, as the list of all has it."""

    is_closed: bool = False


class Priority(Named):
    """A priority, as the list of all has it."""

    is_default: bool = False
    active: bool = True


class Tracker(Named):
    """A tracker. ``enabled_standard_fields`` is missing before Redmine 5.0: then it has them all."""

    default_status: Named | None = None
    enabled_standard_fields: tuple[str, ...] | None = None

    def has(self, attribute: str) -> bool:
        """Whether its issues have a standard field; one that was switched off is ignored when it is written."""
        return self.enabled_standard_fields is None or attribute in self.enabled_standard_fields


class Project(Shape):
    """A project; ``status`` is 5 once it is closed, 9 archived."""

    id: int
    name: str
    identifier: str
    status: int = 1
    trackers: tuple[Named, ...] | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything can be written there."""
        return self.status == 1


class Membership(Shape):
    """The roles that somebody has in one project."""

    project: Named
    roles: tuple[Named, ...] = ()


class User(Shape):
    """Our account. The answer carries the key as well, which has no place here on purpose."""

    id: int
    admin: bool = False
    memberships: tuple[Membership, ...] = ()


class Role(Shape):
    """What a role allows."""

    permissions: tuple[str, ...] = ()
    issues_visibility: str = "all"


class Issue(Shape):
    """An issue. A reference that is not set is missing from the answer; so are children and statuses in a listing."""

    id: int
    project: Named
    tracker: Named
    status: Named
    priority: Named
    author: Named | None = None
    parent: Named | None = None
    fixed_version: Named | None = None
    subject: str
    description: str | None = None
    start_date: str | None = None
    due_date: str | None = None
    done_ratio: int = 0
    is_private: bool = False
    created_on: str
    updated_on: str
    children: tuple[Named, ...] = ()
    allowed_statuses: tuple[Status, ...] | None = None


class Detail(Shape):
    """One attribute that a journal says was changed; other properties than "attr" are of no interest."""

    property: str
    name: str


class Journal(Shape):
    """One change of an issue; one that is only a note has no details."""

    created_on: str
    details: tuple[Detail, ...] = ()


class History(Shape):
    """An issue with its journals."""

    created_on: str
    journals: tuple[Journal, ...]


class Version(Shape):
    """A version; ``status`` is open, locked or closed."""

    id: int
    project: Named
    name: str
    description: str | None = None
    status: str
    due_date: str | None = None
    wiki_page_title: str | None = None
    created_on: str
    updated_on: str


class Page(Shape):
    """One page of a listing, its rows unread: one that cannot be read must not hide the others."""

    issues: tuple[dict[str, object], ...]
    total_count: int


def seconds(moment: str) -> float:
    """Unix seconds of a moment; Redmine's JSON has whole seconds in UTC, whatever anybody's zone (section 3)."""
    return datetime.fromisoformat(moment).timestamp()


def read(shape: type[_Shape], value: object) -> _Shape | None:
    """A value as a shape, None if it has another one."""
    try:
        return TypeAdapter(shape).validate_python(value)
    except ValidationError:
        return None
