"""A person who works on a Deck board through the REST interface, on the fake and on a live server alike.

It is the platform that `connectors.testing` asks for. Its HTTP is its own: it shares nothing with the connector.
"""

from __future__ import annotations

from typing import Any, Self

import requests

from connectors.base import Access, Connector, Fields, Native
from connectors.nextcloud_deck import TYPE

Json = Any
COLUMNS = ("Offen", "In Arbeit", "Erledigt")


class DeckPerson:
    """Works on one board, and lets a connector be made to it (`connectors.testing.Platform`)."""

    title_field = "title"
    text_field = "description"
    expired_cursor = '{"board": "0", "tag": null, "modified": null}'

    def __init__(self, url: str, user: str, password: str, board: int, bridge: tuple[str, str] | None = None) -> None:
        self.url, self.board, self.bridge = url.rstrip("/"), board, bridge or (user, password)
        self.secrets = (password, self.bridge[1])
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = (user, password)
        self._session.headers.update({"OCS-APIRequest": "true", "Accept": "application/json"})
        whole = self.call("GET", f"/boards/{board}")
        stacks = {one["title"]: one for one in self.call("GET", f"/boards/{board}/stacks")}
        self.columns = {title: int(stacks[title]["id"]) for title in COLUMNS}
        # Deck 1.16 knows neither start dates nor a column for what is done, 1.18 both
        starts: Fields = {"startdate": "2026-10-25T11:00:00+00:00"} if "isDoneColumn" in stacks[COLUMNS[0]] else {}
        self.labels = sorted(int(label["id"]) for label in whole["labels"])
        self.sample_fields: Fields = {
            "description": "Zwei Zeilen:\nä ö ü „so“",
            "stack": str(self.columns["In Arbeit"]),
            "duedate": "2026-12-01T11:00:00+00:00",
            **starts,
            "done": "2026-11-20T09:30:00+00:00",
            "labels": tuple(sorted(str(one) for one in self.labels[:2])),
            "archived": True,  # the last one: labels of an archived card are locked
        }

    @classmethod
    def on_a_new_board(cls, url: str, user: str, password: str) -> Self:
        """Make a board for one test on a live server; `leave` deletes it."""
        session = requests.Session()
        session.auth = (user, password)
        session.headers.update({"OCS-APIRequest": "true", "Accept": "application/json"})
        root = url.rstrip("/") + "/index.php/apps/deck/api/v1.1"
        board = session.post(f"{root}/boards", json={"title": "Vertrag der Brücke", "color": "0087C5"}).json()["id"]
        for order, title in enumerate(COLUMNS):
            session.post(f"{root}/boards/{board}/stacks", json={"title": title, "order": order}).raise_for_status()
        session.close()
        return cls(url, user, password, int(board))

    def leave(self) -> None:
        """Delete the board."""
        self.call("DELETE", f"/boards/{self.board}")
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def call(self, method: str, path: str, body: Json = None) -> Json:
        """One request to Deck that has to succeed."""
        answer = self._session.request(method, self.url + "/index.php/apps/deck/api/v1.1" + path, json=body)
        self._session.cookies.clear()
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    # ---- what the contract asks for ----------------------------------------------------------------------------

    def connect(self) -> Connector:
        user, password = self.bridge
        access = Access("rathaus", self.url, user=user, password=password, collection=str(self.board))
        return TYPE.connect(access)

    def add(self, title: str) -> str:
        path = f"/boards/{self.board}/stacks/{self.columns['Offen']}/cards"
        return str(self.call("POST", path, {"title": title, "type": "plain", "order": 1})["id"])

    def edit(self, native_id: str, field: str, value: Native) -> None:
        card = self.call("GET", f"/boards/{self.board}/stacks/1/cards/{native_id}")
        path = f"/boards/{self.board}/stacks/{card['stackId']}/cards/{native_id}"
        if field == "archived":
            self.call("PUT", f"{path}/{'archive' if value else 'unarchive'}", {})
            return
        names = ("title", "type", "description", "order", "duedate", "startdate", "done", "color", "stackId")
        whole = {name: card[name] for name in names if name in card} | {"owner": card["owner"]["uid"]}
        self.call("PUT", path, whole | {"stackId" if field == "stack" else field: value})

    def remove(self, native_id: str) -> None:
        self.call("DELETE", f"/boards/{self.board}/stacks/1/cards/{native_id}")

    def comment(self, native_id: str) -> None:
        path = f"{self.url}/ocs/v2.php/apps/deck/api/v1.0/cards/{native_id}/comments"
        answer = self._session.post(path, json={"message": "Gesehen."})
        assert answer.status_code == 200, answer.text[:300]
