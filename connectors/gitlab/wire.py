"""The requests to GitLab's REST interface (version 4), and what its refusals mean (facts: platform-apis, A1, A6).

Lists are followed by the ``Link`` of each answer and never by page numbers of our own. Issues of a project are paged
by keyset, which does not skip a row when another one moves; a server before 18.3 pages by offset instead, silently
or with 405, and every server those of a group. ``home`` is where lists belong to: ``projects/32`` or ``groups/7``.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote, urlsplit

from pydantic import TypeAdapter, ValidationError
from requests import Response

from connectors.errors import NotFound, RateLimited, Rejected, Transient
from connectors.gitlab.shapes import Group, Issue, Label, Person, Project
from connectors.http import PATIENCE, SAFE, Http, retry_after
from connectors.http import moment as http_date

API = "/api/v4"
PAGE = 100
"""The greatest page that GitLab gives."""

_SEEN = (400, 409, 422, 429)
_TRIES = 3
_UNTOLD = 60.0  # seconds to stay away where a refusal does not say: limits are counted per minute
_Shape = TypeVar("_Shape")


@dataclass(frozen=True)
class Page:
    """Rows of a list, unread: one that cannot be read must not hide the others.

    ``by_keyset`` is false where the server counted pages, ``total`` what it counted, ``date`` its time in seconds.
    """

    rows: tuple[object, ...]
    by_keyset: bool
    total: int | None
    date: float | None


class Allowance:
    """How many requests are left to us, as the answers tell (A6): better wait than be turned away."""

    def __init__(self, host: str, sleep: Callable[[float], None]) -> None:
        self._host, self._sleep = host, sleep
        self._lock = threading.Lock()
        self._until = 0.0

    def wait(self) -> None:
        """Wait until a request may be sent; RateLimited if that takes longer than a pass can bear."""
        with self._lock:
            pause = self._until - time.monotonic()
        if pause > PATIENCE:
            raise RateLimited(f"{self._host} takes no more requests from us for now.", retry_after=pause)
        if pause > 0:
            self._sleep(pause)

    def learn(self, answer: Response) -> None:
        """Stop for as long as it says when nothing is left."""
        if answer.headers.get("RateLimit-Remaining", "").strip() == "0":
            with self._lock:
                self._until = time.monotonic() + (_reset(answer) or 0.0)


class Wire:
    """GitLab at one address."""

    def __init__(self, http: Http, sleep: Callable[[float], None] = time.sleep) -> None:
        self.http = http
        self.root = root_of(http.base)
        self.instance = http.host + urlsplit(self.root).path
        self._sleep = sleep
        self._allowance = Allowance(http.host, sleep)
        self._keyset = True

    def now(self) -> datetime | None:
        """The server's time, as far as its answers told it."""
        clock = self.http.clock
        return None if clock is None else datetime.fromtimestamp(time.time() + sum(clock) / 2, UTC)

    # ---- who and where ---------------------------------------------------------------------------------------

    def account(self) -> Person:
        """Our own account."""
        return self._read(self._send("GET", "/user"), TypeAdapter(Person))

    def scopes(self) -> frozenset[str] | None:
        """What our token may do; None where the server does not say (tokens of other kinds, older servers)."""
        answer = self._send("GET", "/personal_access_tokens/self", accept=(401, 403, 404, 405))
        found = self.http.json(answer) if answer.status_code == 200 else None
        scopes = found.get("scopes") if isinstance(found, dict) else None
        return frozenset(map(str, scopes)) if isinstance(scopes, list) else None

    def project(self, name: str) -> Project:
        """A project by id or path. NotFound also stands for "not for you" (A1)."""
        return self._read(self._send("GET", f"/projects/{quote(name, safe='')}"), TypeAdapter(Project))

    def projects(self) -> tuple[Project, ...]:
        """The projects of which we are a member."""
        rows = self._rows("/projects?membership=true&simple=true&order_by=id&sort=asc")
        return self._all(rows, TypeAdapter(Project))

    def group(self, name: str) -> Group | None:
        """A group by id or path, None where there is none for our account."""
        try:
            answer = self._send("GET", f"/groups/{quote(name, safe='')}?with_projects=false")
        except NotFound:
            return None
        return self._read(answer, TypeAdapter(Group))

    def projects_of(self, group: str) -> tuple[Project, ...]:
        """The projects of a group and of its subgroups that are shown to us, archived ones too."""
        rows = self._rows(f"/groups/{group}/projects?include_subgroups=true&with_shared=false&order_by=id&sort=asc")
        return self._all(rows, TypeAdapter(Project))

    def labels(self, home: str) -> tuple[Label, ...]:
        """The labels of a project or group and of the groups above it; of a group, those of its projects as well."""
        below = "include_descendant_groups=true&only_group_labels=false" if _is_group(home) else ""
        return self._all(self._rows(f"/{home}/labels?{below}"), TypeAdapter(Label))

    # ---- issues ----------------------------------------------------------------------------------------------

    def count(self, home: str) -> Page:
        """How many issues there are, all told; ``total`` is None above ten thousand (A1)."""
        return self._page(f"{_issues_of(home)}&per_page=1")[0]

    def issues(self, home: str) -> Iterator[Page]:
        """All issues, the oldest first: an order that no edit changes."""
        return self._issues(home, "order_by=created_at&sort=asc")

    def changed(self, home: str, since: str) -> Iterator[Page]:
        """The issues that changed at that moment or later (A1: the border is included), the newest change last."""
        return self._issues(home, f"order_by=updated_at&sort=asc&updated_after={quote(since)}")

    def numbered(self, project: int, numbers: Iterable[int]) -> tuple[object, ...]:
        """Issues by their numbers, a hundred with one request; those that are not there are left out."""
        wanted = sorted(set(numbers))
        found: list[object] = []
        for start in range(0, len(wanted), PAGE):
            some = "&".join(f"iids[]={number}" for number in wanted[start : start + PAGE])
            page, _ = self._page(f"/projects/{project}/issues?state=all&scope=all&per_page={PAGE}&{some}")
            found += page.rows
        return tuple(found)

    def issue(self, project: int, number: int) -> object:
        """One issue. NotFound also stands for "not for you" (A1)."""
        return self.http.json(self._send("GET", f"/projects/{project}/issues/{number}"))

    def elsewhere(self, moved_to: int, created_from: str, created_to: str) -> Issue | None:
        """The issue of this global id in any project, by when it was made: an id alone is for administrators (A1)."""
        rows = self._rows(
            f"/issues?scope=all&state=all&created_after={quote(created_from)}&created_before={quote(created_to)}"
        )
        found = [row for row in rows if isinstance(row, dict) and row.get("id") == moved_to]
        return self._all(found, TypeAdapter(Issue))[0] if found else None

    def make_issue(self, project: str, body: Mapping[str, object]) -> object:
        """Make an issue."""
        return self.http.json(self._send("POST", f"/projects/{project}/issues", body))

    def put_issue(self, project: int, number: int, body: Mapping[str, object]) -> None:
        """Change an issue: nothing but what the body names."""
        self._send("PUT", f"/projects/{project}/issues/{number}", body)

    def delete_issue(self, project: int, number: int, unmodified_since: str) -> None:
        """Delete an issue unless it changed since: the one conditional write that there is (A2)."""
        headers = {"If-Unmodified-Since": unmodified_since}
        self._send("DELETE", f"/projects/{project}/issues/{number}", headers=headers)

    def events(self, project: int, number: int, kind: str) -> list[dict[str, object]]:
        """The history of an issue's ``state``, ``label`` or ``milestone``, the oldest first (A4)."""
        rows = self._rows(f"/projects/{project}/issues/{number}/resource_{kind}_events?")
        return [row for row in rows if isinstance(row, dict)]

    # ---- milestones ------------------------------------------------------------------------------------------

    def milestones(self, home: str) -> tuple[object, ...]:
        """All milestones of the project or group itself, in one request for a hundred."""
        return tuple(self._rows(f"/{home}/milestones?"))

    def milestones_above(self, home: str) -> bool:
        """Whether a group above the project has milestones."""
        rows = self._rows(f"/{home}/milestones?include_ancestors=true")
        return any(isinstance(row, dict) and row.get("group_id") is not None for row in rows)

    def milestone(self, home: str, number: int) -> object:
        """One milestone of the project or group, by its global id."""
        return self.http.json(self._send("GET", f"/{home}/milestones/{number}"))

    def make_milestone(self, home: str, body: Mapping[str, object]) -> object:
        """Make a milestone. A title that the project or a group above it has already is refused."""
        return self.http.json(self._send("POST", f"/{home}/milestones", body))

    def put_milestone(self, home: str, number: int, body: Mapping[str, object]) -> None:
        """Change a milestone."""
        self._send("PUT", f"/{home}/milestones/{number}", body)

    def delete_milestone(self, home: str, number: int) -> None:
        """Delete a milestone."""
        self._send("DELETE", f"/{home}/milestones/{number}")

    # ---- lists -----------------------------------------------------------------------------------------------

    def _issues(self, home: str, query: str) -> Iterator[Page]:
        base = f"{_issues_of(home)}&per_page={PAGE}&{query}"
        keyset = self._keyset and not _is_group(home)
        path: str | None = f"{base}&pagination=keyset" if keyset else base
        while path:
            page, path = self._page(path, fallback=base if keyset else None)
            yield page

    def _rows(self, path: str) -> Iterator[object]:
        following: str | None = f"{path}&per_page={PAGE}"
        while following:
            page, following = self._page(following)
            yield from page.rows

    def _page(self, path: str, fallback: str | None = None) -> tuple[Page, str | None]:
        """One page, and the path of the next one. ``fallback`` is asked where there is no keyset (405)."""
        answer = self._send("GET", path, accept=(405,) if fallback else ())
        if answer.status_code == 405 and fallback:
            self._keyset = False
            answer = self._send("GET", fallback)
        rows = self._read(answer, TypeAdapter(list[object]))
        said = answer.headers
        total = said.get("x-total", "")
        page = Page(
            tuple(rows), "x-page" not in said, int(total) if total.isdigit() else None, http_date(said.get("Date"))
        )
        following = answer.links.get("next", {}).get("url")
        # The server may know itself by another name than we do, so only the question is taken from its link.
        return page, f"{path.partition('?')[0]}?{urlsplit(following).query}" if following else None

    # ---- sending ---------------------------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
    ) -> Response:
        for tries in range(_TRIES):
            self._allowance.wait()
            answer = self.http.request(
                method, self.root + API + path, json=body, headers=headers, accept=(*_SEEN, *accept)
            )
            self._allowance.learn(answer)
            if answer.status_code != 429:
                break
            pause = _away(answer)
            if method not in SAFE or pause > PATIENCE or tries == _TRIES - 1:
                raise RateLimited(f"{self.http.host} gets too many requests from us.", retry_after=pause)
            self._sleep(pause)
        if answer.status_code in _SEEN:
            raise self._refusal(answer, method)
        return answer

    def _refusal(self, answer: Response, method: str) -> Rejected:
        """A value that GitLab does not take. It looks at values before it makes anything, at spam after (A6)."""
        said = self.http.redact(_said(answer))[:300] or "without a reason"
        return Rejected(f"{self.http.host} refuses this: {said}.", clean=answer.status_code != 422 or method != "POST")

    def _read(self, answer: Response, shape: TypeAdapter[_Shape]) -> _Shape:
        """An answer as a shape, or Transient where it is something else."""
        value = self.http.json(answer)
        try:
            return shape.validate_python(value)
        except ValidationError:
            raise self.http.unreadable(answer, "an answer of GitLab") from None

    def _all(self, rows: Iterable[object], shape: TypeAdapter[_Shape]) -> tuple[_Shape, ...]:
        try:
            return tuple(shape.validate_python(row) for row in rows)
        except ValidationError:
            raise Transient(f"{self.http.host} lists something that we cannot read.") from None


def _is_group(home: str) -> bool:
    return home.startswith("groups/")


def _issues_of(home: str) -> str:
    """The list of all issues of a project or group. Groups leave those of archived projects out unless asked (A1)."""
    return f"/{home}/issues?state=all&scope=all{'&non_archived=false' if _is_group(home) else ''}"


def root_of(url: str) -> str:
    """Where GitLab itself is: people copy the address of the interface or of a page as well as that of the server."""
    parts = urlsplit(url)
    path = re.split(r"/api/v4\b|/-/", parts.path)[0]
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


def _said(answer: Response) -> str:
    """The reason that a refusal gives: a text, or lists of texts by field (A6)."""
    try:
        body = json.loads(answer.content)
    except ValueError:
        return ""
    said = (body.get("message") or body.get("error")) if isinstance(body, dict) else None
    if isinstance(said, dict):
        parts = [f"{name} {_listed(reasons)}" for name, reasons in said.items()]
        return ", ".join(part for part in parts)
    return _listed(said)


def _listed(said: object) -> str:
    words = ", ".join(map(str, said)) if isinstance(said, list) else str(said or "")
    return " ".join(words.split()).rstrip(".")


def _away(answer: Response) -> float:
    """Seconds to stay away after a 429; some limits do not say (A6)."""
    said = retry_after(answer)
    return said if said is not None else _reset(answer) or _UNTOLD


def _reset(answer: Response) -> float | None:
    """Seconds until our allowance is filled up again: an absolute time, by the server's own clock (A6)."""
    at, now = answer.headers.get("RateLimit-Reset", "").strip(), http_date(answer.headers.get("Date"))
    return max(0.0, int(at) - (now if now is not None else time.time())) if at.isdigit() else None
