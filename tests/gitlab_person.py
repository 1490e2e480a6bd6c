"""A person who works in a GitLab project through the REST interface, on the fake and on a live server alike.

It is the platform that `connectors.testing` asks for. Its HTTP is its own: it shares nothing with the connector.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import requests

from connectors.base import Abilities, Access, Connector, Fields, Native, Record
from connectors.gitlab import TYPE

Json = Any


class GitLabPerson:
    """Works on the issues of one project, and lets a connector be made to it (`connectors.testing.Platform`)."""

    title_field = "title"
    text_field = "description"
    expired_cursor = '{"home": "projects/0"}'

    def __init__(self, url: str, token: str, project: str, bridge: str = "", collection: str = "") -> None:
        self.url, self.project, self.bridge = url.rstrip("/"), project, bridge or token
        self.collection = collection or project
        self.secrets = (token, self.bridge)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["PRIVATE-TOKEN"] = token
        self.is_open = self.call("GET", "")["visibility"] == "public"
        # one issue is made and thrown away, so that there are labels
        made = self.call("POST", "/issues", {"title": "Muster", "labels": "Presse,IT,status::In Arbeit"})
        labels = {one["name"]: str(one["id"]) for one in self.call("GET", "/labels?per_page=100")}
        self.call("DELETE", f"/issues/{made['iid']}")
        self.sample_fields: Fields = {
            "description": "Zwei Zeilen:\nä ö ü „so“",
            "due_date": "2026-12-01",
            "labels": tuple(sorted((labels["Presse"], labels["IT"]))),
            "visibility": "public" if self.is_open else "members",
            "status": labels["status::In Arbeit"],
            **({"start_date": "2026-10-25"} if "start_date" in made else {}),
        }

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def call(self, method: str, path: str, body: Json = None) -> Json:
        """One request to the project that has to succeed."""
        address = f"{self.url}/api/v4/projects/{quote(self.project, safe='')}{path}"
        answer = self._session.request(method, address, json=body)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None

    # ---- what the contract asks for ----------------------------------------------------------------------------

    def connect(self) -> Connector:
        return TYPE.connect(Access("entwicklung", self.url, token=self.bridge, collection=self.collection))

    def add(self, title: str) -> str:
        made = self.call("POST", "/issues", {"title": title})
        return f"issue:{made['id']}@{made['project_id']}#{made['iid']}"

    def edit(self, native_id: str, field: str, value: Native) -> None:
        self.call("PUT", f"/issues/{native_id.partition('#')[2]}", {field: value})

    def remove(self, native_id: str) -> None:
        self.call("DELETE", f"/issues/{native_id.partition('#')[2]}")

    def comment(self, native_id: str) -> None:
        self.call("POST", f"/issues/{native_id.partition('#')[2]}/notes", {"body": "Gesehen."})


class _MakesMilestones:
    """A connector that makes milestones where it is told nothing else; all the rest is the connector's own."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    @property
    def abilities(self) -> Abilities:
        own = self._connector.abilities
        return replace(own, defaults={**own.defaults, "type": "milestone"})

    def create(self, fields: Fields, mark: str) -> Record:
        return self._connector.create({"type": "milestone", **fields}, mark)


class MilestonePerson(GitLabPerson):
    """The same person at the milestones. There are no comments, no labels and no secrets among them."""

    comment = None  # type: ignore[assignment]

    def __init__(self, url: str, token: str, project: str, bridge: str = "") -> None:
        super().__init__(url, token, project, bridge)
        self.sample_fields = {
            "description": "Zwei Zeilen:\nä ö ü „so“",
            "start_date": "2026-10-25",
            "due_date": "2026-12-01",
            "status": "closed",
        }

    def connect(self) -> Connector:
        return _MakesMilestones(super().connect())  # type: ignore[return-value]

    def add(self, title: str) -> str:
        return f"milestone:{self.call('POST', '/milestones', {'title': title})['id']}"

    def edit(self, native_id: str, field: str, value: Native) -> None:
        self.call("PUT", f"/milestones/{native_id.partition(':')[2]}", {field: value})

    def remove(self, native_id: str) -> None:
        self.call("DELETE", f"/milestones/{native_id.partition(':')[2]}")
