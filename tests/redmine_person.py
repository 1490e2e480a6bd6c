"""A person who works in a Redmine project through the REST interface, with an account of her own.

It is the platform that `connectors.testing` asks for. Its HTTP is its own: it shares nothing with the connector.
"""

from __future__ import annotations

from typing import Any

from connectors.base import Access, Connector, Fields, Native
from connectors.redmine import TYPE
from tests.redmine_server import Redmine

Json = Any

ATTRIBUTES = {
    "type": "tracker_id",
    "title": "subject",
    "description": "description",
    "status": "status_id",
    "priority": "priority_id",
    "start": "start_date",
    "due": "due_date",
    "progress": "done_ratio",
    "parent": "parent_issue_id",
    "milestone": "fixed_version_id",
}


class RedminePerson:
    """Works in one project of her own, and lets a connector be made to it (`connectors.testing.Platform`)."""

    title_field = "title"
    text_field = "description"
    expired_cursor = '{"project": 0, "since": "", "seen": {}, "whole": 0}'

    def __init__(self, redmine: Redmine, who: str = "anna", bridge: str = "bruecke", **project: Json) -> None:
        self.redmine, self.who, self.bridge = redmine, who, bridge
        self.project = redmine.project(**project)
        self.collection = str(self.project["identifier"])
        self.secrets = (redmine.keys[bridge],)

    @property
    def sample_fields(self) -> Fields:
        """The default data has the same ids in every language; parent and milestone are of another project."""
        return {
            "type": "2",
            "description": "Zwei Zeilen:\nä ö ü „so“",
            "status": "2",
            "priority": "3",
            "due": "2026-12-01",
            "start": "2026-10-25",
            "progress": 33,
            "milestone": f"versions/{self.redmine.shared_version()}",
            "parent": f"issues/{self.redmine.shared_issue()}",
        }

    def call(self, method: str, path: str, body: Json = None, **params: str) -> Json:
        """One request as this person that has to succeed."""
        return self.redmine.call(self.who, method, path, body, **params)

    def issue(self, subject: str, **attributes: Json) -> str:
        """A new issue without a start; its native id."""
        wanted = {"project_id": self.project["id"], "subject": subject, "start_date": "", **attributes}
        return f"issues/{self.call('POST', '/issues.json', {'issue': wanted})['issue']['id']}"

    def version(self, name: str, **attributes: Json) -> str:
        """A new version; its native id."""
        wanted = {"name": name, **attributes}
        made = self.call("POST", f"/projects/{self.project['id']}/versions.json", {"version": wanted})
        return f"versions/{made['version']['id']}"

    def change(self, native_id: str, **attributes: Json) -> None:
        """Change attributes, as Redmine calls them."""
        self.call("PUT", f"/{native_id}.json", {native_id.partition("s/")[0]: attributes})

    def look(self, native_id: str, **params: str) -> Json:
        """What the REST interface shows of an issue or version."""
        return self.call("GET", f"/{native_id}.json", **params)[native_id.partition("s/")[0]]

    # ---- what the contract asks for ----------------------------------------------------------------------------

    def connect(self) -> Connector:
        access = Access("rathaus", self.redmine.url, token=self.redmine.keys[self.bridge], collection=self.collection)
        return TYPE.connect(access)

    def add(self, title: str) -> str:
        return self.issue(title)

    def edit(self, native_id: str, field: str, value: Native) -> None:
        written = str(value).partition("/")[2] if field in ("parent", "milestone") else value
        self.change(native_id, **{ATTRIBUTES[field]: "" if value is None else written})

    def remove(self, native_id: str) -> None:
        self.call("DELETE", f"/{native_id}.json")

    def comment(self, native_id: str) -> None:
        self.change(native_id, notes="Gesehen.")
