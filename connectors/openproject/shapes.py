"""What OpenProject's answers look like. Only what is mirrored has a place here.

Answers are HAL: what a thing refers to is a link whose address ends in an id. People, estimates, work, custom fields,
categories, relations, watchers and attachments never become fields (data protection; they stay untouched on the work
package). A property that our role may not see is missing from an answer: absent is not empty (R7).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

_Shape = TypeVar("_Shape", bound=BaseModel)
_ID = re.compile(r"/(\d+)(?:\?.*)?$")


class Shape(BaseModel):
    """An object of an answer; what it has besides is not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Link(Shape):
    """A reference. ``href`` is None where nothing is there, and no address where somebody hides what is there."""

    href: str | None = None
    title: str | None = None

    @property
    def id(self) -> int | None:
        """The id at the end of the address; None where there is none."""
        found = _ID.search(self.href or "")
        return int(found[1]) if found else None

    @property
    def hidden(self) -> bool:
        """Whether there is something that we are not shown (urn:openproject-org:api:v3:undisclosed)."""
        return self.href is not None and self.id is None


class Text(Shape):
    """A text with its Markdown; what it is rendered to is not looked at."""

    raw: str | None = None


class Links(Shape):
    """What a work package refers to. ``target_versions`` replace ``version`` where a project may give several."""

    type: Link
    status: Link
    priority: Link
    project: Link
    author: Link | None = None
    parent: Link | None = None
    version: Link | None = None
    target_versions: tuple[Link, ...] | None = Field(default=None, alias="targetVersions")
    children: tuple[Link, ...] = ()
    update: Link | None = Field(default=None, alias="updateImmediately")


class WorkPackage(Shape):
    """A work package. One of a milestone type has a ``date``, all others have a start and a due date (B)."""

    id: int
    lock_version: int = Field(alias="lockVersion")
    subject: str
    description: Text | None = None
    start: str | None = Field(default=None, alias="startDate")
    due: str | None = Field(default=None, alias="dueDate")
    date: str | None = None
    by_hand: bool = Field(default=True, alias="scheduleManually")
    any_day: bool = Field(default=False, alias="ignoreNonWorkingDays")
    progress: int | None = Field(default=None, alias="percentageDone")
    readonly: bool = False
    created_at: AwareDatetime = Field(alias="createdAt")
    updated_at: AwareDatetime = Field(alias="updatedAt")
    links: Links = Field(alias="_links")

    @property
    def is_milestone(self) -> bool:
        """Whether it is of a milestone type: these have no start, not even an empty one (B)."""
        return "date" in self.model_fields_set

    @property
    def has_progress(self) -> bool:
        """Whether the answer carried it."""
        return "progress" in self.model_fields_set

    @property
    def derived_dates(self) -> bool:
        """Whether its children decide when it starts and ends (B: inferred unless scheduled manually)."""
        return bool(self.links.children) and not self.by_hand


class Named(Shape):
    """Something that has a name."""

    id: int
    name: str


class Type(Named):
    """A type of work packages, as the project lists it."""

    is_milestone: bool = Field(default=False, alias="isMilestone")
    position: int = 0


class Status(Named):
    """A status, as the list of all has it."""

    is_closed: bool = Field(default=False, alias="isClosed")
    is_default: bool = Field(default=False, alias="isDefault")


class Priority(Named):
    """A priority, as the list of all has it."""

    is_default: bool = Field(default=False, alias="isDefault")
    is_active: bool = Field(default=True, alias="isActive")


class _VersionLinks(Shape):
    project: Link | None = Field(default=None, alias="definingProject")


class Version(Named):
    """A version; nothing new comes into one that is locked or closed. Other projects may share theirs with ours."""

    status: str = "open"
    links: _VersionLinks = Field(default=_VersionLinks(), alias="_links")


class Project(Named):
    """A project. ``active`` is false once it is archived."""

    identifier: str
    active: bool = True
    public: bool = False


class User(Shape):
    """Our account. The answer carries name and address as well, which have no place here on purpose."""

    id: int
    admin: bool = False


class Attribute(Shape):
    """What a form says of one attribute."""

    name: str = ""
    writable: bool = True
    required: bool = False
    default: bool = Field(default=False, alias="hasDefault")


class Form(Shape):
    """What a new work package would be: attributes, default values, and the statuses that it may get."""

    attributes: dict[str, Attribute]
    statuses: tuple[int, ...]
    progress: int | None

    @property
    def lacking(self) -> tuple[str, ...]:
        """The names of custom fields without which nothing can be made, and which nobody fills."""
        wanted = (one for key, one in self.attributes.items() if key.startswith("customField"))
        return tuple(sorted(one.name for one in wanted if one.required and one.writable and not one.default))


class Page(Shape):
    """One page of a listing, its rows unread: one that cannot be read must not hide the others."""

    total: int
    size: int | None = Field(default=None, alias="pageSize")
    rows: tuple[dict[str, object], ...]


def form_of(value: object) -> Form | None:
    """The parts of a form that are looked at; None if it is none."""
    embedded = _inner(value, "_embedded")
    schema = _inner(embedded, "schema")
    if not isinstance(schema, dict):
        return None
    attributes = {key: read(Attribute, one) for key, one in schema.items() if isinstance(one, dict)}
    allowed = _inner(_inner(schema, "status"), "_links", "allowedValues")
    links = [read(Link, one) for one in allowed] if isinstance(allowed, list) else []
    payload = _inner(embedded, "payload")
    progress = payload.get("percentageDone") if isinstance(payload, dict) else None
    return Form(
        attributes={key: one for key, one in attributes.items() if one is not None},
        statuses=tuple(one.id for one in links if one is not None and one.id is not None),
        progress=progress if isinstance(progress, int) else None,
    )


def page_of(value: object) -> Page | None:
    """A collection; None if it is none."""
    rows = _inner(value, "_embedded", "elements")
    return read(Page, {**value, "rows": rows}) if isinstance(value, dict) else None


def _inner(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def moment(when: datetime) -> str:
    """A moment in whole seconds, as OpenProject's filters read it and as its older releases tell it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(shape: type[_Shape], value: object) -> _Shape | None:
    """A value as a shape, None if it has another one."""
    try:
        return TypeAdapter(shape).validate_python(value)
    except ValidationError:
        return None
