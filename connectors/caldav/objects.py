"""The objects of one calendar by their file names: what changed, reading many, reading one, writing one.

A pull costs one REPORT while nothing changed. What changed is read by multiget; where a server tells the time of
a change only in answer to GET and PROPFIND (Radicale 3.9), a few objects are read by GET and many get their times
from one PROPFIND, because the client's own LAST-MODIFIED proves nothing (R4).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import quote, urlsplit

from requests import Response

from connectors.caldav import discovery, wire
from connectors.caldav.discovery import Place
from connectors.caldav.wire import Dav, NotXml, Reply
from connectors.errors import (
    CursorExpired,
    Forbidden,
    NotACollection,
    NotFound,
    PlatformError,
    RateLimited,
    Rejected,
    Transient,
    Unauthorized,
)
from connectors.http import moment

_CHUNK = 100  # objects in one multiget: 40 ms on Nextcloud (facts: nextcloud, section 8)
_FEW = 10
_NO_REPORT = frozenset({400, 403, 405, 409, 410, 415, 501, 507})
_BLANK = b"\xef\xbb\xbf \t\r\n"  # what may stand before the first line, a byte order mark included
_COUNTER = re.compile(r"(.*\D)(\d+)")


@dataclass(frozen=True)
class Body:
    """One object as it was read: file name, ETag, the server's time of change, and the text, or why there is none."""

    name: str
    etag: str
    modified: float | None
    data: bytes | str
    problem: str = ""


@dataclass(frozen=True)
class Listing:
    """What a server lists: objects with their ETags, names that it claims are gone, and the next token."""

    here: tuple[Reply, ...]
    gone: tuple[str, ...] = ()
    token: str = ""
    delta: bool = False


class Objects:
    """The objects in one calendar."""

    def __init__(self, dav: Dav, place: Place) -> None:
        self.dav, self.place = dav, place
        self._http = dav.http
        self._syncs = place.syncs

    def url(self, name: str) -> str:
        """The address of an object."""
        return self.place.url + quote(name, safe="")

    # ---- what is there, and what changed ------------------------------------------------------------------

    def changes(self, token: str) -> Listing:
        """What changed since ``token``; all that is there for "" and where the server has no deltas."""
        if self._syncs:
            found = self._sync(token)
            if found is not None:
                return found if found.delta else self._tasks_of(found)
            self._syncs = False
        if token:
            raise CursorExpired(f"{self._http.host} cannot say what changed any more.")
        replies = self._propfind((wire.ETAG, wire.MODIFIED))
        return self._tasks_of(Listing(tuple(replies)))

    def _sync(self, token: str) -> Listing | None:
        """The sync-collection REPORT, page by page where the server cuts it; None where it knows none."""
        found: dict[str, Reply] = {}
        since = token
        while True:
            answer = self._report(wire.sync_collection(since), 0, _NO_REPORT)
            if answer.status_code >= 400:
                self._give_up_sync(answer, token)
                return None
            page = self.dav.read(answer)
            if not page.token:
                raise Transient(f"{self._http.host} broke off its report of changes.")
            if since and _older(page.token, since):
                # A server restored from a backup says so in no other way (facts: nextcloud, section 8).
                raise CursorExpired(f"{self._http.host} fell behind what it told us before.")
            found |= {reply.name: reply for reply in page.replies if self._is_object(reply)}
            cut = any(reply.status == 507 for reply in page.replies)  # RFC 6578, 3.6
            if not cut or page.token == since:
                break
            since = page.token
        here = tuple(reply for reply in found.values() if reply.status == 200)
        gone = tuple(name for name, reply in found.items() if reply.status in (404, 410))
        return Listing(here, gone, page.token, bool(token))

    def _give_up_sync(self, answer: Response, token: str) -> None:
        """Make sense of a refused sync-collection: the token is too old, or the server has no such report."""
        told = answer.content
        if answer.status_code == 403 and b"valid-sync-token" not in told and b"supported-report" not in told:
            raise self._http.failure(answer)
        if token:
            raise CursorExpired(f"{self._http.host} no longer knows what changed since the last pass.")

    def _tasks_of(self, listing: Listing) -> Listing:
        """A complete listing without events and the like, where the calendar may hold such."""
        if not self.place.mixed or not listing.here:
            return listing
        tasks = {reply.name for reply in self.query((wire.ETAG,))}
        return Listing(tuple(reply for reply in listing.here if reply.name in tasks), token=listing.token)

    def query(self, props: Iterable[str], uid: str | None = None) -> list[Reply]:
        """The tasks of this calendar; with ``uid``, those whose UID contains it."""
        return [reply for reply in self.dav.read(self._report(wire.query(props, uid), 1)).replies if reply.name]

    def with_uid(self, uid: str) -> Iterator[Body]:
        """Objects whose UID may be this one, wherever they lie in the calendar."""
        try:
            replies = self.query((wire.ETAG, wire.MODIFIED, wire.DATA), uid)
        except Rejected:  # a server without this filter: that the calendar answers is all that can be asked
            discovery.check(self.dav, self.place.url)
            return
        yield from (_body(reply) for reply in replies if reply.etag)

    def _propfind(self, props: Iterable[str]) -> list[Reply]:
        try:
            replies = self.dav.propfind(self.place.url, 1, props)[1]
        except NotFound:
            raise self.missing() from None
        return [reply for reply in replies if self._is_object(reply) and reply.etag]

    def _report(self, body: str, depth: int, accept: Container[int] = ()) -> Response:
        try:
            return self.dav.report(self.place.url, body, depth, accept)
        except NotFound:
            raise self.missing() from None

    def _is_object(self, reply: Reply) -> bool:
        return bool(reply.name) and wire.path_of(reply.href) != self.place.path

    def missing(self) -> NotACollection:
        """The error for a calendar that is not where it was."""
        return NotACollection(
            f"The calendar “{self.place.title}” is not at {self.place.path} on {self._http.host} any more: "
            f"check {self._http.name}_URL and {self._http.name}_COLLECTION."
        )

    # ---- reading ------------------------------------------------------------------------------------------

    def get(self, name: str) -> Body | None:
        """One object, None where there is none of this name."""
        answer = self._http.request("GET", self.url(name), accept={404, 410})
        if answer.status_code >= 400:
            return None
        if (
            not answer.content.lstrip(_BLANK).upper().startswith(b"BEGIN:")
            and b"<html" in answer.content[:2000].lower()
        ):
            raise self._http.unreadable(answer, "a task")
        stamp = moment(answer.headers.get("Last-Modified"))
        return Body(name, wire.etag(answer.headers.get("ETag")), stamp, answer.content)

    def get_all(self, replies: Sequence[Reply]) -> Iterator[Body]:
        """These objects, freshly read; those that are gone meanwhile are left out."""
        timed = any(reply.modified is not None for reply in replies)
        if len(replies) == 1 or (not timed and len(replies) <= _FEW):
            yield from self._one_by_one([reply.name for reply in replies])
            return
        found = {body.name: body for body in self._multiget([urlsplit(reply.href).path for reply in replies])}
        stamps: Mapping[str, Reply] = {}
        if found and all(body.modified is None for body in found.values()):
            stamps = {reply.name: reply for reply in self._propfind((wire.ETAG, wire.MODIFIED))}
        yield from self._one_by_one([reply.name for reply in replies if reply.name not in found])
        for body in found.values():
            stamp = stamps.get(body.name)
            if stamp is None:
                yield body
            elif stamp.etag == body.etag:
                yield Body(body.name, body.etag, stamp.modified, body.data)
            else:  # changed between the two requests
                yield from self._one_by_one([body.name])

    def still_there(self, names: Collection[str]) -> Iterator[Body]:
        """Those of the objects claimed to be gone that are there all the same (facts: nextcloud, section 8)."""
        if len(names) <= _FEW:
            yield from self._one_by_one(names)
            return
        alive = [body.name for body in self._multiget([urlsplit(self.url(name)).path for name in names])]
        yield from self._one_by_one(alive)

    def _one_by_one(self, names: Iterable[str]) -> Iterator[Body]:
        """These objects; one that the server does not hand out is said, and stops none of the others (R27)."""
        refused: list[Body] = []
        error: PlatformError | None = None
        for name in names:
            try:
                body = self.get(name)
            except (Forbidden, Rejected, Transient) as problem:
                if isinstance(problem, RateLimited) or not getattr(problem, "answered", True):
                    raise
                error = problem
                refused.append(Body(name, "", None, b"", problem=str(problem)))
                continue
            if body is not None:
                yield body
        if error is not None and not self.readable():
            raise error
        yield from refused

    def _multiget(self, paths: Iterable[str]) -> Iterator[Body]:
        rest = iter(paths)
        while chunk := list(islice(rest, _CHUNK)):
            try:
                replies = self.dav.read(self._report(wire.multiget(chunk), 1)).replies
            except NotXml:
                continue  # one of them spoils the answer: whoever is missing is read by itself
            yield from (_body(reply) for reply in replies if reply.status == 200 and wire.DATA in reply.props)

    # ---- writing ------------------------------------------------------------------------------------------

    def put(self, name: str, data: bytes, headers: Mapping[str, str], accept: Container[int]) -> Response:
        """Store an object under a condition."""
        typed = {"Content-Type": "text/calendar; charset=utf-8", **headers}
        return self._http.request("PUT", self.url(name), body=data, headers=typed, accept=accept)

    def delete(self, name: str, etag: str) -> Response:
        """Delete an object if it still is this version."""
        return self._http.request("DELETE", self.url(name), headers={"If-Match": etag}, accept={404, 410, 412})

    def stored(self, name: str, data: bytes, answer: Response) -> Body | None:
        """What a PUT left on the server: what was sent, where a strong ETag says so (RFC 4791, 5.3.4)."""
        tag = answer.headers.get("ETag", "")
        if tag and not tag.startswith("W/"):
            return Body(name, wire.etag(tag), moment(answer.headers.get("Date")), data)
        return self.get(name)

    def readable(self) -> bool:
        """Whether the calendar answers us: only then does a missing object prove anything."""
        try:
            discovery.check(self.dav, self.place.url)
        except (NotFound, Unauthorized):
            return False
        return True


def _body(reply: Reply) -> Body:
    data = reply.props.get(wire.DATA)
    return Body(reply.name, reply.etag, reply.modified, "".join(data.itertext()) if data is not None else "")


def _older(new: str, old: str) -> bool:
    """Whether a token that ends in a counter counts less than the one before."""
    one, other = _COUNTER.fullmatch(new), _COUNTER.fullmatch(old)
    return bool(one and other and one[1] == other[1] and int(one[2]) < int(other[2]))
