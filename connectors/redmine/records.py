"""From an answer to a record, and from native fields to the body of a write.

Ids are typed as in the instance's own addresses, ``issues/17`` and ``versions/17``, so that an issue and a version
are never the same record and a reference says which of the two it means. On SQLite an id is used again once the newest
record was deleted (facts: redmine, section 4), so the moment of creation belongs to a ref.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping

from connectors.base import Fields, Native, Record, Ref
from connectors.errors import Rejected
from connectors.redmine import texts
from connectors.redmine.shapes import History, Issue, Version, seconds
from connectors.redmine.words import VERSION, Words
from connectors.richtext import TextFormat

ISSUES, VERSIONS = "issues", "versions"

EMPTY: Fields = {
    "type": None,
    "title": "",
    "description": "",
    "status": None,
    "priority": None,
    "start": None,
    "due": None,
    "progress": 0,
    "parent": None,
    "milestone": None,
}

DERIVED = frozenset({"start", "due", "priority", "progress"})
"""What an issue with children gets from them: a write is ignored (section 4), and the value is nobody's word (R7)."""

# The attribute that the form of an issue has for a field, which a tracker can switch off.
_ATTRIBUTES = {
    "description": "description",
    "start": "start_date",
    "due": "due_date",
    "progress": "done_ratio",
    "parent": "parent_issue_id",
    "milestone": "fixed_version_id",
}


# What a journal calls a field.
_JOURNALED = {
    "type": "tracker_id",
    "title": "subject",
    "description": "description",
    "status": "status_id",
    "priority": "priority_id",
    "start": "start_date",
    "due": "due_date",
    "progress": "done_ratio",
    "parent": "parent_id",
    "milestone": "fixed_version_id",
    "private": "is_private",
}


def split(native_id: str) -> tuple[str, int] | None:
    """What a native id points to; None for text that is no id of ours."""
    what, _, number = native_id.partition("/")
    return (what, int(number)) if what in (ISSUES, VERSIONS) and number.isdecimal() and number.isascii() else None


class Records:
    """How the answers of one Redmine become records; ``private``: they say whether an issue is private (ADR 0021)."""

    def __init__(self, root: str, instance: str, *, private: bool = False) -> None:
        self._root, self._instance, self._private = root, instance, private

    def issue(self, issue: Issue, words: Words, rich: TextFormat, *, parent: bool, me: int) -> Record:
        """An issue; ``parent`` where it has children. ``rich`` is how its description is written."""
        fields = issue_fields(issue, words, rich, parent=parent)
        fields |= {"private": issue.is_private} if self._private else {}
        return Record(
            self.ref(ISSUES, issue.id, issue.created_on),
            str(issue.project.id),
            version_of(fields),
            seconds(issue.updated_on),
            fields,
            url=f"{self._root}/issues/{issue.id}",
            own=issue.author.id == me if issue.author else None,
            created_at=seconds(issue.created_on),
            locked=DERIVED if parent else frozenset(),
        )

    def version(self, version: Version, words: Words) -> Record:
        """A version. Who made it, the API does not tell."""
        fields = version_fields(version, words)
        return Record(
            self.ref(VERSIONS, version.id, version.created_on),
            str(version.project.id),
            version_of(fields),
            seconds(version.updated_on),
            fields,
            url=f"{self._root}/versions/{version.id}",
            created_at=seconds(version.created_on),
        )

    def unreadable(self, native_id: str, row: Mapping[str, object], project: int) -> Record:
        """Something in a listing that has a shape that we do not know (R27)."""
        return Record(
            Ref(self._instance, native_id, str(row.get("created_on") or "")),
            str(project),
            f"unreadable {row.get('updated_on')}",
            None,
            {},
            url=f"{self._root}/{native_id}",
            problem=f"The answer for {native_id} has a shape that we cannot read.",
        )

    def ref(self, what: str, id: int, born: str) -> Ref:
        """Who a record is."""
        return Ref(self._instance, f"{what}/{id}", born)


def issue_fields(issue: Issue, words: Words, rich: TextFormat, *, parent: bool) -> dict[str, Native]:
    """The native fields that an issue really has: not what its children decide, nor what its tracker lacks (R7)."""
    fields: dict[str, Native] = {
        "type": str(issue.tracker.id),
        "title": texts.lines(issue.subject),
        "description": texts.heard(issue.description, rich),
        "status": words.status(issue.status.id),
        "priority": str(issue.priority.id),
        "start": issue.start_date,
        "due": issue.due_date,
        "progress": issue.done_ratio,
        "parent": f"{ISSUES}/{issue.parent.id}" if issue.parent else None,
        "milestone": f"{VERSIONS}/{issue.fixed_version.id}" if issue.fixed_version else None,
    }
    tracker = words.tracker(issue.tracker.id)
    lacking = {name for name, attribute in _ATTRIBUTES.items() if tracker and not tracker.has(attribute)}
    lacking |= DERIVED if parent else set()
    return {name: value for name, value in fields.items() if name not in lacking}


def version_fields(version: Version, words: Words) -> dict[str, Native]:
    """The native fields of a version; it has no others."""
    return {
        "type": VERSION,
        "title": texts.lines(version.name),
        "description": texts.lines(version.description),
        "status": words.of_version(version),
        "due": version.due_date,
    }


def hash_of(row: object) -> str:
    """A short hash of something that JSON can say."""
    text = json.dumps(row, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def version_of(fields: Fields) -> str:
    """A short hash of the native fields.

    The stamp that Redmine gives moves with notes, attachments and writes that were ignored, and has whole seconds,
    so that two changes share one (facts: redmine, section 3).
    """
    return hash_of(dict(fields))


def last_changes(history: History, names: Collection[str]) -> dict[str, float]:
    """When these fields of an issue last changed. What has no journal is as it was made (facts: redmine, section 3)."""
    found = dict.fromkeys(_JOURNALED.keys() & set(names), seconds(history.created_on))
    for journal in history.journals:
        attributes = {one.name for one in journal.details if one.property == "attr"}
        for name in found:
            if _JOURNALED[name] in attributes:
                found[name] = max(found[name], seconds(journal.created_on))
    return found


# ---- what to write -------------------------------------------------------------------------------------------------


def issue_body(fields: Fields, words: Words, rich: TextFormat, there: str | None = None) -> dict[str, object]:
    """The attributes of an issue for these fields. ``there`` is the description that it has now, as it is stored.

    A field is cleared by "" and not by null, which is ignored for some of them (section 4).
    """
    body: dict[str, object] = {}
    for name, value in fields.items():
        match name:
            case "type":
                tracker = words.tracker_id(value)
                body |= {} if tracker is None else {"tracker_id": tracker}
            case "title":
                body["subject"] = _text(value)
            case "description":
                body["description"] = texts.said(_text(value), there, rich)
            case "status":
                body["status_id"] = words.status_id(value)
            case "priority":
                body["priority_id"] = words.priority_id(value)
            case "start" | "due":
                body[f"{name}_date"] = _text(value)
            case "progress":
                body["done_ratio"] = value or 0
            case "parent":
                body["parent_issue_id"] = _reference(value, ISSUES)
            case "milestone":
                body["fixed_version_id"] = _reference(value, VERSIONS)
            case "private":
                body["is_private"] = bool(value)
            case _:
                raise Rejected(f"An issue has no field {name}.")
    return body


def version_body(fields: Fields, words: Words) -> dict[str, object]:
    """The attributes of a version for those of these fields that it has; the others are left out (R7)."""
    body: dict[str, object] = {}
    for name, value in fields.items():
        match name:
            case "title":
                body["name"] = texts.name(_text(value))
            case "description":
                body["description"] = texts.brief(_text(value))
            case "status":
                body["status"] = words.version_status(value)
            case "due":
                body["due_date"] = _text(value)
    return body


def _text(value: Native) -> str:
    return "" if value is None else str(value)


def _reference(value: Native, what: str) -> object:
    """The number behind a native id, "" for none."""
    if value is None:
        return ""
    found = split(str(value))
    if found is None or found[0] != what:
        raise Rejected(f"{value} cannot be referred to here.")
    return found[1]
