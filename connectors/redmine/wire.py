"""The requests to Redmine, and what its refusals mean (facts: redmine, sections 2 to 5).

Two traps rule this file. A key that is wrong or was revoked does not fail: on what is public the answer is that of a
stranger, and an empty or shorter listing looks like a mass deletion; so `Wire.me` belongs to every pass. And what a
question asks for besides what is known is silently left out; so every listing goes by id, and its rows are looked at.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel
from requests import Response

from connectors.base import Access, Record
from connectors.errors import NotACollection, NotFound, Rejected, Transient, Unauthorized
from connectors.http import Http
from connectors.redmine.shapes import (
    History,
    Issue,
    Page,
    Priority,
    Project,
    Role,
    Shape,
    Status,
    Tracker,
    User,
    Version,
    read,
)
from connectors.redmine.words import Words

PAGE = 100  # more is silently cut (section 3)

_Shape = TypeVar("_Shape", bound=BaseModel)
_FORMAT = re.compile(r"/jstoolbar/(textile|markdown|common_mark)\.js|wiki_syntax_(textile|markdown|common_mark)")


class KeyHttp(Http):
    """HTTP with Redmine's own header: what comes as a Bearer token is for OAuth where Redmine knows that."""

    def __init__(self, access: Access, *, sleep: Callable[[float], None] = time.sleep) -> None:
        key = access.token.encode().decode("latin-1")
        bare = replace(access, user="", password="")
        super().__init__(bare, headers={"X-Redmine-API-Key": key, "Accept": "application/json"}, sleep=sleep)
        self._session.headers.pop("Authorization", None)
        self._stamps: tuple[float, float] | None = None

    @property
    def clock(self) -> tuple[float, float] | None:
        """How far the server's clock is ahead: by its answers, or where these have no Date by what it stamped for us.

        Redmine's own web server sends none (section 2), only one that stands before it.
        """
        return super().clock or self._stamps

    def stamped(self, stamp: float, sent: float, received: float) -> None:
        """A write of ours was stamped in this whole second, after it was sent and before it was read back (R4)."""
        low, high = stamp - received, stamp + 1 - sent
        with self._lock:
            old_low, old_high = self._stamps or (low, high)
            narrowed = (max(low, old_low), min(high, old_high))
            self._stamps = narrowed if narrowed[0] <= narrowed[1] else (low, high)  # else a clock was set anew

    @property
    def _credentials(self) -> str:
        return f"{self.name}_TOKEN"


def root_of(url: str) -> str:
    """Where Redmine itself is: people copy the address of a project as well as that of the server."""
    parts = urlsplit(url)
    path = parts.path
    for inner in ("/projects", "/issues", "/versions", "/my/", "/login"):
        path = path.partition(inner)[0]
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


class Wire:
    """The REST interface of one Redmine."""

    def __init__(self, http: KeyHttp, *, private: bool = False) -> None:
        self.http = http
        self._ours = _ALL if private else _PUBLIC
        self.root = root_of(http.base)
        self.instance = http.host + urlsplit(self.root).path

    # ---- who and where ---------------------------------------------------------------------------------------

    def me(self, *, memberships: bool = False) -> User:
        """Our account: the proof that the key holds, whatever the other answers look like (section 2)."""
        path = "/users/current.json"
        answer = self._send("GET", path, params={"include": "memberships"} if memberships else None, accept=(401, 404))
        if answer.status_code == 401:
            raise Unauthorized(
                f"{self.http.host} does not accept the key in {self.http.name}_TOKEN: is it right, and is the REST "
                "interface switched on there?"
            )
        if answer.status_code == 404:
            raise NotACollection(f"There is no Redmine at {self.root}: is {self.http.name}_URL right?")
        return self._one(answer, "user", User)

    def still(self, project: int, title: str) -> Project:
        """Our project, read now. One that is gone is lost access, and never an absence of records (R21)."""
        try:
            return self.project(str(project))
        except NotFound:
            raise NotACollection(
                f"The project “{title}” on {self.http.host} is not there any more for our account: it was deleted, or "
                "moved to another server."
            ) from None

    def project(self, name: str) -> Project:
        """A project by its id or identifier."""
        path = f"/projects/{quote(name, safe='')}.json"
        return self._one(self._send("GET", path, params={"include": "trackers"}), "project", Project)

    def projects(self) -> list[Project]:
        """The projects that our account sees, the first hundred of them."""
        answer = self._send("GET", "/projects.json", params={"limit": str(PAGE)})
        return self._many(answer, "projects", Project)

    def role(self, id: int) -> Role:
        """What a role allows."""
        return self._one(self._send("GET", f"/roles/{id}.json"), "role", Role)

    def words(self, project: Project) -> Words:
        """What trackers, statuses and priorities there are."""
        trackers = self._many(self._send("GET", "/trackers.json"), "trackers", Tracker)
        statuses = self._many(self._send("GET", "/issue_statuses.json"), "issue_statuses", Status)
        priorities = self._many(self._send("GET", "/enumerations/issue_priorities.json"), "issue_priorities", Priority)
        own = project.trackers if project.trackers is not None else tuple(trackers)
        return Words(tuple(trackers), tuple(statuses), tuple(priorities), tuple(own))

    def formatting(self, issue: int) -> str:
        """How the instance shows text: textile, markdown or common_mark; "" if it does not tell.

        The API does not say it; the page of an issue does, by the toolbar of its form (section 4).
        """
        headers = {"Accept": "text/html"}
        answer = self._send("GET", f"/issues/{issue}", headers=headers, accept=(401, 403, 404, 406))
        found = _FORMAT.search(answer.text) if answer.status_code == 200 else None
        return (found[1] or found[2]) if found else ""

    # ---- reading ---------------------------------------------------------------------------------------------

    def newest(self, project: int | None) -> dict[str, object]:
        """The issue of a project, or of them all, that changed last, unread; {} if there is none."""
        page = self._page(project, {"sort": "updated_on:desc", "limit": "1"})
        return page.issues[0] if page.issues else {}

    def issues(self, project: int, **filters: str) -> Iterator[dict[str, object]]:
        """The issues of a project, unread, by ascending id.

        Pages by offset drift while people work (section 3); here every page starts behind the last id.
        """
        behind = 0
        while True:
            where = {"issue_id": f">={behind + 1}", "sort": "id", "limit": str(PAGE), **filters}
            page = self._page(project, where)
            ids = [row.get("id") for row in page.issues]
            numbers = [id for id in ids if isinstance(id, int)]
            if len(numbers) < len(ids) or any(number <= behind for number in numbers):
                raise Transient(f"{self.http.host} did not list the issues that we asked for.")
            yield from page.issues
            if not numbers or page.total_count <= len(numbers):
                return
            behind = max(numbers)

    def issue_ids(self, project: int, **filters: str) -> frozenset[int]:
        """The ids of all issues of a project, from the table that people export: fifty times cheaper than the rows.

        It ends without a word at a limit that the administrator sets (section 3), so it is asked again behind the
        last id until nothing comes.
        """
        found: set[int] = set()
        while True:
            answer = self._send(
                "GET",
                f"/projects/{project}/issues.csv",
                params={
                    **self._ours,
                    "set_filter": "1",
                    "issue_id": f">={max(found, default=0) + 1}",
                    "sort": "id",
                    "c[]": "id",
                    "encoding": "UTF-8",
                    **filters,
                },
                headers={"Accept": "text/csv"},
            )
            more = self._column(answer) - found
            if not more:
                return frozenset(found)
            found |= more

    def issue(self, id: int) -> Issue:
        """One issue, with its children and the statuses that it may get."""
        answer = self._send("GET", f"/issues/{id}.json", params={"include": "children,allowed_statuses"})
        return self._one(answer, "issue", Issue)

    def history(self, id: int) -> History:
        """The journals of one issue: which attributes were changed when (section 3)."""
        answer = self._send("GET", f"/issues/{id}.json", params={"include": "journals"})
        return self._one(answer, "issue", History)

    def versions(self, project: int) -> list[dict[str, object]]:
        """All versions of a project, unread, and those that others share with it; there is no paging (section 5)."""
        answer = self._send("GET", f"/projects/{project}/versions.json")
        found = read(_Versions, self.http.json(answer))
        if found is None or not all(isinstance(row.get("id"), int) for row in found.versions):
            raise self.http.unreadable(answer, "an answer of Redmine")
        return list(found.versions)

    def version(self, id: int) -> Version:
        """One version."""
        return self._one(self._send("GET", f"/versions/{id}.json"), "version", Version)

    # ---- writing ---------------------------------------------------------------------------------------------

    def stamped(self, record: Record, sent: float) -> Record:
        """A record that was written at that time and read back just now. Every write stamps an issue (section 3)."""
        if record.modified_at is not None and "/versions/" not in record.url:
            self.http.stamped(record.modified_at, sent, time.time())
        return record

    def make_issue(self, project: int, body: Mapping[str, object]) -> Issue:
        """Make an issue; a refusal leaves nothing behind (section 4)."""
        answer = self._send("POST", "/issues.json", {"issue": {"project_id": project, **body}})
        return self._one(answer, "issue", Issue)

    def change_issue(self, id: int, body: Mapping[str, object]) -> None:
        """Change an issue. Success proves nothing: what is forbidden is ignored (section 4)."""
        self._send("PUT", f"/issues/{id}.json", {"issue": body})

    def delete_issue(self, id: int) -> None:
        """Delete an issue, and all its children with it."""
        self._send("DELETE", f"/issues/{id}.json")

    def make_version(self, project: int, body: Mapping[str, object]) -> Version:
        """Make a version; its name has to be new in the project."""
        answer = self._send("POST", f"/projects/{project}/versions.json", {"version": body})
        return self._one(answer, "version", Version)

    def change_version(self, id: int, body: Mapping[str, object]) -> None:
        """Change a version."""
        self._send("PUT", f"/versions/{id}.json", {"version": body})

    def delete_version(self, id: int) -> None:
        """Delete a version; one that issues are in is refused with 422 and without a word (section 5)."""
        answer = self._send("DELETE", f"/versions/{id}.json", accept=(422,))
        if answer.status_code == 422:
            raise Rejected(f"{self.http.host} keeps version {id}: there are issues in it.")

    # ---- answers ---------------------------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
    ) -> Response:
        answer = self.http.request(
            method, self.root + path, json=body, params=params, headers=headers, accept={406, 422, *accept}
        )
        # With a bad key a table is answered by way of the form in which people sign in, which is no table (section 2).
        if urlsplit(answer.url).path.endswith("/login"):
            raise Unauthorized(f"{self.http.host} does not accept our sign-in: check {self.http.name}_TOKEN.")
        if answer.status_code == 406 and 406 not in accept:
            raise self.http.failure(answer)
        if answer.status_code == 422 and 422 not in accept:
            raise Rejected(f"{self.http.host} refuses this: {self._said(answer)}.")
        return answer

    def _page(self, project: int | None, where: Mapping[str, str]) -> Page:
        path = "/issues.json" if project is None else f"/projects/{project}/issues.json"
        answer = self._send("GET", path, params={**self._ours, **where})
        page = read(Page, self.http.json(answer))
        if page is None:
            raise self.http.unreadable(answer, "an answer of Redmine")
        return page

    def _column(self, answer: Response) -> set[int]:
        """The ids in a table of one column; the byte order mark and the head "#" come first."""
        lines = answer.content.decode("utf-8-sig", "replace").split()
        if "text/csv" not in answer.headers.get("Content-Type", "") or lines[:1] != ["#"]:
            raise self.http.unreadable(answer, "an answer of Redmine")
        if not all(line.isdecimal() for line in lines[1:]):
            raise self.http.unreadable(answer, "an answer of Redmine")
        return set(map(int, lines[1:]))

    def _one(self, answer: Response, key: str, shape: type[_Shape]) -> _Shape:
        value = self.http.json(answer)
        found = read(shape, value.get(key)) if isinstance(value, dict) else None
        if found is None:
            raise self.http.unreadable(answer, "an answer of Redmine")
        return found

    def _many(self, answer: Response, key: str, shape: type[_Shape]) -> list[_Shape]:
        value = self.http.json(answer)
        rows = value.get(key) if isinstance(value, dict) else None
        found = [read(shape, row) for row in rows] if isinstance(rows, list) else [None]
        if any(one is None for one in found):
            raise self.http.unreadable(answer, "an answer of Redmine")
        return [one for one in found if one is not None]

    def _said(self, answer: Response) -> str:
        """The sentences of a refusal, in the language of our account; it has no codes (section 2)."""
        refusal = read(_Refusal, answer.json()) if answer.content.strip().startswith(b"{") else None
        said = "; ".join(refusal.errors) if refusal else ""
        return self.http.redact(" ".join(said.split()))[:300].rstrip(".") or "without a reason"


class _Refusal(Shape):
    errors: tuple[str, ...]


class _Versions(Shape):
    versions: tuple[dict[str, object], ...]


# Closed issues too, those of subprojects not; and what is marked as private only for connectors that are fit for it
# (ADR 0021), since it is out of scope for all others (R19).
_ALL = {"status_id": "*", "subproject_id": "!*"}
_PUBLIC = {**_ALL, "is_private": "0"}
