"""One fresh calendar on a real Radicale, what people do in it, and a hand in the wire between."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable

import requests

from connectors.base import Access, Connector, Native
from connectors.caldav import TYPE, CalDavConnector
from connectors.caldav.ics import parse
from connectors.caldav.records import write
from tests.radicale_server import Radicale

_numbers = itertools.count(1)


class Calendar:
    """One fresh calendar on a real Radicale, and what people do in it."""

    title_field = "SUMMARY"
    text_field = "DESCRIPTION"
    expired_cursor = "http://radicale.org/ns/sync/" + "0" * 64
    sample_fields: dict[str, Native] = {  # noqa: RUF012 - a constant of the contract
        "DESCRIPTION": "Zeile eins\nZeile zwei",
        "STATUS": "IN-PROCESS",
        "PERCENT-COMPLETE": 40,
        "COMPLETED": "2026-11-20T10:00:00+00:00",
        "PRIORITY": 1,
        "DTSTART": "2026-11-01",
        "DUE": "2026-12-01",
        "CATEGORIES": ("IT, extern", "Presse"),
        "PARENT": "some-uid",
        "DEPENDS-ON": ("one", "two"),
        "CLASS": "PUBLIC",
    }

    def __init__(self, server: Radicale, title: str = "", components: tuple[str, ...] | None = ("VTODO",)) -> None:
        self.server = server
        self.path = server.calendar(f"c{next(_numbers)}-{uuid.uuid4().hex[:6]}", title, components)
        self.secrets = (server.password, "Z2VoZWlt")

    def access(self, **settings: object) -> Access:
        given = {"url": self.server.url + self.path, "user": self.server.user, "password": self.server.password}
        return Access("rathaus", **{**given, **settings})  # type: ignore[arg-type]

    def connect(self) -> Connector:
        return TYPE.connect(self.access())

    def ready(self, **settings: object) -> CalDavConnector:
        connector = CalDavConnector(self.access(**settings))
        connector.identify()
        return connector

    def add(self, title: str) -> str:
        uid = str(uuid.uuid4())
        self.put(uid, f"SUMMARY:{title}" if title.isalnum() else "SUMMARY:x")
        if not title.isalnum():
            self.edit(uid, "SUMMARY", title)
        return uid

    def edit(self, native_id: str, field: str, value: Native) -> None:
        todo = parse(self.server.get(f"{self.path}{native_id}.ics"))
        assert todo is not None
        write(todo, {field: value})
        self.server.put(f"{self.path}{native_id}.ics", todo.text())

    def remove(self, native_id: str) -> None:
        self.server.delete(f"{self.path}{native_id}.ics")

    def put(self, uid: str, *lines: str, name: str = "", kind: str = "VTODO") -> str:
        """Store an object of these lines and return its ETag."""
        return self.server.put(f"{self.path}{name or uid + '.ics'}", ics(uid, *lines, kind=kind))


def ics(uid: str, *lines: str, kind: str = "VTODO") -> str:
    own = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Leute//DE", f"BEGIN:{kind}", f"UID:{uid}"]
    return "\r\n".join([*own, "DTSTAMP:20260101T000000Z", *lines, f"END:{kind}", "END:VCALENDAR", ""])


Send = Callable[[], requests.Response]


def tamper(connector: CalDavConnector, change: Callable[[str, str, Send], requests.Response]) -> None:
    """Stand between a connector and its server: ``change`` sees method and URL, and sends or answers itself."""
    session = connector._http._session
    send = session.request

    def request(method: str, url: str, **given: object) -> requests.Response:
        answer = change(method, url, lambda: send(method, url, **given))  # type: ignore[arg-type]
        if getattr(answer, "request", None) is None:  # made up by `says`
            answer.request = requests.Request(method, url).prepare()
            answer.url = url
        return answer

    session.request = request  # type: ignore[method-assign,assignment]


def says(status: int, body: str = "", **headers: str) -> requests.Response:
    """An answer that the server did not give."""
    answer = requests.Response()
    answer.status_code = status
    answer._content = body.encode()
    answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return answer


def edited(answer: requests.Response, old: str, new: str) -> requests.Response:
    """The server's answer with something in it replaced, which has to be there."""
    text = answer.content.decode()
    assert old in text
    answer._content = text.replace(old, new).encode()
    return answer
