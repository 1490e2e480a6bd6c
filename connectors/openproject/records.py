"""From an answer to a record, and from native fields to the body of a write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.base import Fields, Native, Record, Ref
from connectors.errors import Rejected, Transient
from connectors.openproject.shapes import WorkPackage, moment
from connectors.openproject.text import text_from, text_to, title_from, title_to
from connectors.openproject.words import Words

EMPTY: Fields = {
    "type": None,
    "title": "",
    "description": "",
    "status": None,
    "priority": None,
    "start": None,
    "due": None,
    "progress": None,
    "parent": None,
    "versions": (),
}

DATES = frozenset({"start", "due"})

Body = dict[str, object]


def number(native_id: object) -> int | None:
    """The id of a work package; None for text that is no id of ours."""
    text = str(native_id)
    return int(text) if text.isdecimal() and text.isascii() else None


class Records:
    """How the answers of one OpenProject become records."""

    def __init__(self, root: str, instance: str) -> None:
        self._root, self._instance, self._host = root, instance, instance.partition("/")[0]

    def record(self, found: WorkPackage, words: Words, me: int) -> Record:
        """A work package. Its ids are never used again; the second of its creation goes with them all the same."""
        fields = fields_of(found, words)
        author = found.links.author.id if found.links.author else None
        return Record(
            Ref(self._instance, str(found.id), moment(found.created_at)),
            str(found.links.project.id or ""),
            f"{found.lock_version} {hash_of(dict(fields))}",
            found.updated_at.timestamp(),
            fields,
            url=f"{self._root}/work_packages/{found.id}",
            own=author == me if author is not None else None,
            created_at=found.created_at.timestamp(),
            locked=_locked(found, fields),
        )

    def unreadable(self, id: int, row: Mapping[str, object], project: int) -> Record:
        """Something in a listing that has a shape that we do not know (R27). It has to tell which record it is."""
        try:
            born = moment(datetime.fromisoformat(str(row.get("createdAt"))))
        except ValueError:
            raise Transient(f"{self._host} lists something that we cannot read.") from None
        return Record(
            Ref(self._instance, str(id), born),
            str(project),
            f"unreadable {row.get('lockVersion')}",
            None,
            {},
            url=f"{self._root}/work_packages/{id}",
            problem=f"The answer for work package {id} has a shape that we cannot read.",
        )


def fields_of(found: WorkPackage, words: Words) -> dict[str, Native]:
    """The native fields that a work package really has, those that its children decide left out (R7)."""
    links = found.links
    fields: dict[str, Native] = {
        "type": str(links.type.id),
        "title": title_from(found.subject),
        "description": text_from((found.description.raw if found.description else "") or ""),
        "status": words.status(links.status.id) if links.status.id is not None else None,
        "priority": str(links.priority.id) if links.priority.id is not None else None,
    }
    if links.parent is None or not links.parent.hidden:
        fields["parent"] = str(links.parent.id) if links.parent and links.parent.id is not None else None
    if found.is_milestone:
        fields["due"] = found.date
    else:
        fields["versions"] = versions_of(found)
        if not found.derived_dates:
            fields |= {"start": found.start, "due": found.due}
    if found.has_progress and words.has_progress:
        fields["progress"] = found.progress
    return fields


def versions_of(found: WorkPackage) -> tuple[str, ...]:
    """The versions that a work package is put into, by id; ``version`` is there as long as it may be in one only."""
    links = found.links
    several = (links.target_versions or ()) if links.version is None else (links.version,)
    return tuple(sorted(str(one.id) for one in several if one.id is not None))


def _locked(found: WorkPackage, fields: Fields) -> frozenset[str]:
    """What this very work package does not take: its status, its children or our role forbid it (B)."""
    if found.links.update is None:
        return frozenset(fields)
    if found.readonly:
        return frozenset(fields) - {"status"}
    return DATES if found.derived_dates else frozenset()


def hash_of(row: object) -> str:
    """A short hash of something that JSON can say."""
    text = json.dumps(row, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


# ---- what to write -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Writer:
    """Makes bodies: ``api`` is the path that all addresses of links begin with."""

    api: str

    def new(self, fields: Fields, project: int, words: Words) -> Body:
        """The body that makes a work package. Dates that are not said would be today's or the parent's (source)."""
        milestone = words.is_milestone(fields.get("type"))
        body = self._body({"start": None, "due": None, "type": None, **fields}, words, milestone=milestone)
        body["_links"] = {**self._links(body), "project": {"href": f"{self.api}/projects/{project}"}}
        return body

    def change(self, found: WorkPackage, changed: Fields, words: Words) -> Body:
        """The body that changes these fields of a work package; {} for nothing."""
        there = (found.description.raw if found.description else "") or ""
        body = self._body(changed, words, milestone=found.is_milestone, there=there)
        if "versions" in changed:
            body["_links"] = {**self._links(body), **self._versions(changed["versions"], found)}
        return body

    def _body(self, fields: Fields, words: Words, *, milestone: bool, there: str = "") -> Body:
        body: Body = {}
        links: Body = {}
        for name, value in fields.items():
            match name:
                case "title":
                    body["subject"] = title_to(_text(value))
                case "description":
                    body["description"] = {"raw": text_to(_text(value), there)}
                case "due" if milestone:
                    body["date"] = value
                case "start" if milestone:
                    continue
                case "start" | "due":
                    body[f"{name}Date"] = value
                case "progress":
                    body |= {"percentageDone": value} if words.has_progress else {}
                case "type":
                    links["type"] = {"href": f"{self.api}/types/{words.type_id(value)}"}
                case "status":
                    links["status"] = {"href": f"{self.api}/statuses/{words.status_id(value)}"}
                case "priority":
                    links["priority"] = {"href": f"{self.api}/priorities/{words.priority_id(value)}"}
                case "parent":
                    links["parent"] = {"href": self._work_package(value)}
                case "versions":
                    continue
                case _:
                    raise Rejected(f"A work package has no field {name}.")
        return {**body, "_links": links} if links else body

    def _versions(self, value: Native, found: WorkPackage) -> Body:
        wanted = value if isinstance(value, tuple) else ()
        hrefs = [{"href": f"{self.api}/versions/{one}"} for one in wanted]
        if found.links.version is None and found.links.target_versions is not None:
            return {"targetVersions": hrefs}
        if len(hrefs) > 1:
            raise Rejected(f"Work package {found.id} is in a version already, and has room for one only.")
        return {"version": hrefs[0] if hrefs else {"href": None}}

    def _work_package(self, value: Native) -> str | None:
        if value is None:
            return None
        id = number(value)
        if id is None:
            raise Rejected(f"{value} is no work package that could be referred to.")
        return f"{self.api}/work_packages/{id}"

    @staticmethod
    def _links(body: Body) -> Body:
        links = body.get("_links")
        return dict(links) if isinstance(links, dict) else {}


def _text(value: Native) -> str:
    return "" if value is None else str(value)
