"""A person who works in an OpenProject project through API v3, on the fake and on a live server alike.

It is the platform that `connectors.testing` asks for. Its HTTP is its own: it shares nothing with the connector.
"""

from __future__ import annotations

from typing import Any

import requests

from connectors.base import Access, Connector, Fields, Native
from connectors.openproject import TYPE

Json = Any


class OpenProjectPerson:
    """Works on the tasks of one project, and lets a connector be made to it (`connectors.testing.Platform`)."""

    title_field = "title"
    text_field = "description"
    expired_cursor = '{"project": 0}'
    milestones = False

    def __init__(self, url: str, key: str, project: str, bridge: str = "") -> None:
        self.url, self.project, self.bridge = url.rstrip("/"), project, bridge or key
        self.secrets = (key, self.bridge)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = ("apikey", key)
        types = self.call("GET", f"/projects/{project}/types")["_embedded"]["elements"]
        self._type = next(one["id"] for one in types if one["isMilestone"] == self.milestones)
        statuses = self.call("GET", "/statuses")["_embedded"]["elements"]
        priorities = self.call("GET", "/priorities")["_embedded"]["elements"]
        doing = next(one for one in statuses if one["name"] in ("In progress", "In Bearbeitung"))
        high = next(one for one in priorities if one["name"] in ("High", "Hoch"))
        self.sample_fields: Fields = {
            "description": "Zwei Zeilen:\nä ö ü „so“",
            "priority": str(high["id"]),
            "due": "2026-12-01",
            "progress": 30,
            "status": str(doing["id"]),
            **({} if self.milestones else {"start": "2026-10-25", "parent": self._parent()}),
        }

    def _parent(self) -> Native:
        return None

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def call(self, method: str, path: str, body: Json = None) -> Json:
        """One request that has to succeed."""
        headers = {"Content-Type": "application/json"}
        answer = self._session.request(method, f"{self.url}/api/v3{path}", json=body, headers=headers)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None

    # ---- what the contract asks for ----------------------------------------------------------------------------

    def connect(self) -> Connector:
        return TYPE.connect(Access("vorhaben", self.url, token=self.bridge, collection=self.project))

    def add(self, title: str) -> str:
        project = self.call("GET", f"/projects/{self.project}")["id"]
        links = {"type": {"href": f"/api/v3/types/{self._type}"}, "project": {"href": f"/api/v3/projects/{project}"}}
        return str(self.call("POST", "/work_packages", {"subject": title, "_links": links})["id"])

    def edit(self, native_id: str, field: str, value: Native) -> None:
        assert field == "title"
        lock = self.call("GET", f"/work_packages/{native_id}")["lockVersion"]
        self.call("PATCH", f"/work_packages/{native_id}", {"lockVersion": lock, "subject": value})

    def remove(self, native_id: str) -> None:
        self.call("DELETE", f"/work_packages/{native_id}")

    def comment(self, native_id: str) -> None:
        self.call("POST", f"/work_packages/{native_id}/activities", {"comment": {"raw": "Gesehen."}})
