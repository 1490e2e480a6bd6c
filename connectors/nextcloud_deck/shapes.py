"""What Deck's answers look like, and what of them becomes native fields.

Only what is mirrored has a place here: assigned people, comments, attachments, order and colour never become
fields (data protection; they are untouched on the card). Three routes show the same card differently
(facts: nextcloud, section 2): ``owner`` is an object or a string, ``labels`` are whole, reduced or null.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic.alias_generators import to_camel

from connectors.base import Fields, Native, Options

WHOLE = ("title", "description", "stack", "done", "duedate", "startdate")
"""The fields that only a PUT of the whole card can write."""


class _Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class Label(_Shape):
    """A label of a board; listings of archived cards show no more than this of it."""

    id: int
    title: str
    color: str | None = None


class Stack(_Shape):
    """A column. ``cards`` is absent where there are none, and always without its cards in a board."""

    id: int
    title: str
    order: int | None = None
    deleted_at: int = 0
    is_done_column: bool | None = None
    cards: list[object] | None = None


class Board(_Shape):
    """A board with its labels and its living stacks, as ``GET boards?details=true`` tells them."""

    id: int
    title: str
    last_modified: int = 0
    archived: bool = False
    deleted_at: int = 0
    permissions: Mapping[str, bool] | list[object] = {}
    labels: list[Label] | None = None
    stacks: list[Stack] | None = None

    def may(self, right: str) -> bool:
        """Whether our account has READ, EDIT, MANAGE or SHARE here. PHP writes an empty object as a list."""
        return isinstance(self.permissions, Mapping) and self.permissions.get(f"PERMISSION_{right}", False)

    @property
    def writable(self) -> bool:
        """An archived board refuses every write."""
        return self.may("EDIT") and not self.archived

    @property
    def since_1_18(self) -> bool:
        """Whether this is Deck 1.18 or later, which its lists tell: they know a column for what is done."""
        return any(stack.is_done_column is not None for stack in self.stacks or ())

    @property
    def columns(self) -> dict[str, str]:
        """The titles of the living stacks by id, in the order in which people see them (they come unsorted)."""
        living = [stack for stack in self.stacks or () if not stack.deleted_at]
        return {str(one.id): one.title for one in sorted(living, key=lambda one: (one.order or 0, one.id))}

    @property
    def tags(self) -> dict[str, str]:
        """The titles of the labels by id."""
        return {str(one.id): one.title for one in sorted(self.labels or (), key=lambda one: one.id)}

    @property
    def options(self) -> Options:
        """What `connectors.base.Changes.options` wants to know."""
        return {"stack": self.columns, "labels": self.tags}


class Card(_Shape):
    """A card, with what a whole-card PUT has to give back unchanged besides the fields."""

    id: int
    title: str
    stack_id: int
    type: str | None = "plain"
    description: str | None = None
    order: int | None = None
    owner: str | Mapping[str, object] | None = None
    archived: bool = False
    done: str | None = None
    duedate: str | None = None
    startdate: str | None = None
    color: str | None = None
    labels: list[Label] | None = None
    last_modified: int | None = None
    created_at: int | None = None
    deleted_at: int = 0

    @field_validator("done", "duedate", "startdate")
    @classmethod
    def _moment(cls, value: str | None) -> str | None:
        return utc(value)

    @property
    def owner_id(self) -> str:
        """The account that made the card, whether it is shown as an object or as a string."""
        uid = self.owner.get("uid") or self.owner.get("primaryKey") if isinstance(self.owner, Mapping) else self.owner
        return str(uid or "")

    def has(self, name: str) -> bool:
        """Whether the answer carried this member at all: servers before Deck 1.18 have no start date, say."""
        return name in self.model_fields_set

    def fields(self, *, no_labels_is_null: bool = False) -> dict[str, Native]:
        """The native fields that this answer really carried (R7).

        ``labels: null`` means "none" in the listing of archived cards and nothing at all anywhere else
        (facts: nextcloud, section 2); a label that was assigned twice is there twice (section 1.7).
        """
        found: dict[str, Native] = {
            "title": self.title,
            "description": (self.description or "").replace("\r\n", "\n").replace("\r", "\n"),
            "stack": str(self.stack_id),
            "archived": self.archived,
        }
        for name in ("done", "duedate", "startdate"):
            if self.has(name):
                found[name] = getattr(self, name)
        if self.labels is not None or no_labels_is_null:
            found["labels"] = tuple(sorted({str(label.id) for label in self.labels or ()}))
        return found

    def whole(self, changed: Fields, user: str) -> dict[str, object]:
        """The body of a PUT: this card with these fields changed (facts: nextcloud, section 1.2).

        Whatever is left out is reset, so that nothing is, but for ``archived``: left out it stays, sent it may be
        refused. The owner has to be there as a string, and is ignored. The stack is the current one or the
        card moves.
        """
        body: dict[str, object] = {
            "title": changed.get("title", self.title),
            "type": self.type or "plain",
            "owner": self.owner_id or user,
            "description": changed.get("description", self.description) or "",
            "order": self.order or 0,
            "stackId": int(str(changed.get("stack") or self.stack_id)),
        }
        for name in ("done", "duedate", "startdate"):
            if self.has(name):
                body[name] = utc(changed.get(name, getattr(self, name)))
        if self.has("color"):
            body["color"] = self.color
        return body


def version_of(fields: Mapping[str, Native]) -> str:
    """A short hash of the native fields: comments, reorders and volatile members do not move it.

    Deck's own stamp would: one reorder stamps every card of the stack, and two changes within a second share
    one (facts: nextcloud, sections 1.3 and 2).
    """
    text = json.dumps(fields, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def utc(moment: Native) -> str | None:
    """A moment as `connectors.base` shapes it: UTC, whole seconds.

    Deck drops an offset instead of converting it, and makes NOW of an empty text (facts: nextcloud, sections
    1.1 and 1.6), so nothing else than this is ever sent.
    """
    if moment is None or moment == "":
        return None
    value = datetime.fromisoformat(str(moment))
    value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value.isoformat(timespec="seconds")
