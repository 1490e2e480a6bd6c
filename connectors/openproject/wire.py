"""The requests to OpenProject, and what its refusals mean (facts: platform-apis, B).

Three traps rule this file. A listing without a filter shows open work packages only, so every listing says its
filters. Pages are counted by number, so whoever leaves while they are turned hides somebody else: a listing counts for
whole only when the total stayed the same and everything came. And what is not shown to us answers 404 like what is
gone.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel
from requests import Response

from connectors.base import Access
from connectors.errors import (
    Forbidden,
    NotACollection,
    NotFound,
    PlatformError,
    Rejected,
    Transient,
    Unauthorized,
    VersionMismatch,
)
from connectors.http import Http
from connectors.openproject.shapes import (
    Form,
    Page,
    Priority,
    Project,
    Status,
    Type,
    User,
    Version,
    WorkPackage,
    form_of,
    page_of,
    read,
)
from connectors.openproject.words import Words, task_type

PAGE = 200
IDS = 1000
"""Rows of a page; the server gives fewer where its administrator set a smaller limit, and says so."""

_READINGS = 3  # of a listing that changed while its pages were turned
_SEEN = (400, 403, 406, 409, 415, 422)

_OURS = {"includeSubprojects": "false"}  # and what comes all the same is left out by its project
_BY_ID = {"sortBy": '[["id","asc"]]'}

Filters = tuple[tuple[str, str, tuple[str, ...]], ...]

_Shape = TypeVar("_Shape", bound=BaseModel)


class KeyHttp(Http):
    """HTTP with an API key, which OpenProject takes as the password of an account called ``apikey``."""

    def __init__(self, access: Access, *, sleep: Callable[[float], None] = time.sleep) -> None:
        account = replace(access, user="apikey", password=access.token, token="")
        super().__init__(account, headers={"Accept": "application/hal+json, application/json"}, sleep=sleep)

    @property
    def _credentials(self) -> str:
        return f"{self.name}_TOKEN"


def root_of(url: str) -> str:
    """Where OpenProject itself is: people copy the address of a project as well as that of the server."""
    parts = urlsplit(url)
    path = re.split(r"/(?:api/v3|projects|work_packages|my|login)(?:/|$)", parts.path)[0]
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


@dataclass(frozen=True)
class Row:
    """One row of a listing, of which no more than its id has to be readable."""

    id: int
    raw: Mapping[str, object]

    @property
    def stamp(self) -> str:
        """When it changed last, as the answer says it; "" if it does not."""
        return str(self.raw.get("updatedAt") or "")


class Wire:
    """API v3 of one OpenProject."""

    def __init__(self, http: Http) -> None:
        self.http = http
        self.root = root_of(http.base)
        self.instance = http.host + urlsplit(self.root).path
        self.api = urlsplit(self.root).path + "/api/v3"
        self._working: dict[str, bool] = {}

    # ---- who and where ---------------------------------------------------------------------------------------

    def me(self) -> User:
        """Our account: the proof that the key holds, whatever an instance shows to strangers."""
        answer = self._send("GET", "/users/me", accept=(401, 404))
        if answer.status_code == 401:
            raise Unauthorized(
                f"{self.http.host} does not accept the key in {self.http.name}_TOKEN: is it right, and are API keys "
                "allowed there?"
            )
        if answer.status_code == 404:
            raise NotACollection(f"There is no OpenProject at {self.root}: is {self.http.name}_URL right?")
        return self._one(answer, User)

    def project(self, name: str) -> Project:
        """A project by its id or identifier. NotFound where it is not there for us."""
        return self._one(self._send("GET", f"/projects/{quote(name, safe='')}"), Project)

    def still(self, project: int, title: str) -> Project:
        """Our project, read now. One that is gone is lost access, and never an absence of records (R21)."""
        try:
            found = self.project(str(project))
        except NotFound:
            raise NotACollection(
                f"The project “{title}” on {self.http.host} is not there any more for our account: it was deleted or "
                "archived, or we are no member of it any longer."
            ) from None
        if not found.active:  # an archived project shows an administrator no work packages, as an empty one does
            raise NotACollection(f"The project “{title}” on {self.http.host} is archived: nothing is read there.")
        return found

    def projects(self) -> list[Project]:
        """The projects that our account sees."""
        rows = self._pages("/projects", (("active", "=", ("t",)),), {}, PAGE)
        return self._all(rows, Project)

    # ---- what the project calls things -----------------------------------------------------------------------

    def words(self, project: int) -> Words:
        """What types, statuses, priorities and versions there are, and what a new task would be."""
        types = self._collection(f"/projects/{project}/types", Type)
        types.sort(key=lambda one: one.position)
        task = task_type(types) or (types[0] if types else None)
        return Words(
            types,
            self._collection("/statuses", Status),
            self._collection("/priorities", Priority),
            self._collection(f"/projects/{project}/versions", Version),
            self.form(project, task.id) if task else None,
        )

    def form(self, project: int, type: int) -> Form | None:
        """What a new work package of a type would be; None where we may make none. Nothing is made by asking."""
        body = {"_links": {"type": {"href": f"{self.api}/types/{type}"}}}
        answer = self._send("POST", f"/projects/{project}/work_packages/form", body, accept=(403,))
        if answer.status_code == 403:
            return None
        found = form_of(self.http.json(answer))
        if found is None:
            raise self.http.unreadable(answer, "an answer of OpenProject")
        return found

    def may_make_versions(self, project: int) -> bool:
        """Whether our role manages the versions of a project."""
        answer = self._send("GET", "/versions/available_projects", accept=(403,))
        found = None if answer.status_code == 403 else page_of(self.http.json(answer))
        return found is not None and any(row.get("id") == project for row in found.rows)

    def make_version(self, project: int, name: str) -> Version:
        """Make a version. Its name has to be new in the project."""
        body = {"name": name, "_links": {"definingProject": {"href": f"{self.api}/projects/{project}"}}}
        return self._one(self._send("POST", "/versions", body), Version)

    def rename_version(self, id: int, name: str) -> None:
        """Give a version another name. No work package is touched."""
        self._send("PATCH", f"/versions/{id}", {"name": name})

    def is_working(self, day: str) -> bool:
        """Whether people work on a day; a work package is moved away from one on which they do not."""
        if day not in self._working:
            answer = self._send("GET", f"/days/{day}", accept=(403, 404))
            said = self.http.json(answer) if answer.status_code == 200 else None
            told = said.get("working") if isinstance(said, dict) else None
            self._working[day] = told if isinstance(told, bool) else date.fromisoformat(day).weekday() < 5
        return self._working[day]

    def forget(self) -> None:
        """The calendar that was read is of an earlier pass."""
        self._working = {}

    # ---- reading ---------------------------------------------------------------------------------------------

    def newest(self, project: int) -> Row | None:
        """The work package that changed last, unread; None if there is none."""
        where = {**_OURS, "pageSize": "1", "sortBy": '[["updatedAt","desc"]]'}
        page = self._page(f"/projects/{project}/work_packages", (), where, 1)
        return next(self._rows(page), None)

    def work_packages(self, project: int, filters: Filters = ()) -> list[Row]:
        """The work packages of a project itself, unread."""
        rows = self._pages(f"/projects/{project}/work_packages", filters, {**_OURS, **_BY_ID}, PAGE)
        return [row for row in rows if _home(row.raw) == project]

    def ids(self, project: int) -> frozenset[int]:
        """The ids of all of them, for a few bytes each."""
        where = {**_OURS, **_BY_ID, "select": "total,pageSize,elements/id,elements/project"}
        try:
            rows = self._pages(f"/projects/{project}/work_packages", (), where, IDS)
        except Rejected:  # a release that does not know how to select
            return frozenset(row.id for row in self.work_packages(project))
        return frozenset(row.id for row in rows if _home(row.raw) == project)

    def work_package(self, id: int) -> WorkPackage:
        """One work package."""
        return self._one(self._send("GET", f"/work_packages/{id}"), WorkPackage)

    def lists(self, project: int, id: int) -> bool:
        """Whether a work package is among those of the project: one in the trash can be read and is not listed."""
        try:
            return any(row.id == id for row in self.work_packages(project, (("id", "=", (str(id),)),)))
        except Rejected:  # an id that is not there for us is no value of this filter
            return False

    # ---- writing ---------------------------------------------------------------------------------------------

    def make(self, body: Mapping[str, object]) -> WorkPackage:
        """Make a work package, and tell nobody. A refusal leaves nothing behind: it is looked at before it is kept."""
        return self._one(self._send("POST", "/work_packages?notify=false", body), WorkPackage)

    def change(self, id: int, body: Mapping[str, object]) -> WorkPackage:
        """Change a work package if its lock version is still the one in the body, and tell nobody."""
        answer = self._send("PATCH", f"/work_packages/{id}?notify=false", body)
        return self._one(answer, WorkPackage)

    def delete(self, id: int) -> None:
        """Delete a work package, and all its children with it."""
        self._send("DELETE", f"/work_packages/{id}")

    # ---- lists -----------------------------------------------------------------------------------------------

    def _pages(self, path: str, filters: Filters, where: Mapping[str, str], size: int) -> list[Row]:
        """All rows of a listing. It is read again where somebody came or left while its pages were turned."""
        for _ in range(_READINGS):
            rows: dict[int, Row] = {}
            totals = set()
            for page in self._turned(path, filters, where, size):
                totals.add(page.total)
                rows |= {row.id: row for row in self._rows(page)}
            if totals == {len(rows)}:
                return list(rows.values())
        raise Transient(f"{self.http.host} did not list the same twice: too much changed while we were reading.")

    def _turned(self, path: str, filters: Filters, where: Mapping[str, str], size: int) -> Iterator[Page]:
        number, seen = 1, 0
        while True:
            page = self._page(path, filters, {**where, "pageSize": str(size), "offset": str(number)}, size)
            yield page
            seen += len(page.rows)
            if not page.rows or seen >= page.total:
                return
            number += 1

    def _page(self, path: str, filters: Filters, where: Mapping[str, str], size: int) -> Page:
        said = json.dumps([{name: {"operator": operator, "values": values}} for name, operator, values in filters])
        answer = self._send("GET", path, params={"filters": said, **where})
        page = page_of(self.http.json(answer))
        if page is None or len(page.rows) > size:
            raise self.http.unreadable(answer, "an answer of OpenProject")
        return page

    def _rows(self, page: Page) -> Iterator[Row]:
        for raw in page.rows:
            id = raw.get("id")
            if not isinstance(id, int):
                raise Transient(f"{self.http.host} lists something that we cannot read.")
            yield Row(id, raw)

    def _collection(self, path: str, shape: type[_Shape]) -> list[_Shape]:
        """A collection that comes in one piece."""
        answer = self._send("GET", path)
        page = page_of(self.http.json(answer))
        if page is None:
            raise self.http.unreadable(answer, "an answer of OpenProject")
        return self._all(self._rows(page), shape)

    def _all(self, rows: Iterable[Row], shape: type[_Shape]) -> list[_Shape]:
        found = [read(shape, row.raw) for row in rows]
        if any(one is None for one in found):
            raise Transient(f"{self.http.host} lists something that we cannot read.")
        return [one for one in found if one is not None]

    # ---- answers ---------------------------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
    ) -> Response:
        # Without this type a request is refused with 406, a DELETE as well (B).
        headers = {"Content-Type": "application/json"} if method != "GET" else None
        answer = self.http.request(
            method, f"{self.root}/api/v3{path}", json=body, params=params, headers=headers, accept=(*_SEEN, *accept)
        )
        if answer.status_code in _SEEN and answer.status_code not in accept:
            raise self._refusal(answer, path)
        return answer

    def _refusal(self, answer: Response, path: str) -> PlatformError:
        said = self._said(answer)
        if answer.status_code == 403:
            return Forbidden(f"{self.http.host} does not let our account do this ({said}): check its role there.")
        if answer.status_code == 409:
            return VersionMismatch(f"{self.http.host} has another version of {path.partition('?')[0]} by now.")
        return Rejected(f"{self.http.host} refuses this: {said}.")

    def _one(self, answer: Response, shape: type[_Shape]) -> _Shape:
        found = read(shape, self.http.json(answer))
        if found is None:
            raise self.http.unreadable(answer, "an answer of OpenProject")
        return found

    def _said(self, answer: Response) -> str:
        """The sentences of a refusal, in the language of our account: one error, or several within one (B)."""
        try:
            value = json.loads(answer.content)
        except ValueError:
            value = None
        said = "; ".join(dict.fromkeys(_messages(value)))
        return self.http.redact(" ".join(said.split()))[:300].rstrip(".") or "without a reason"


def _messages(value: object) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    embedded = value.get("_embedded")
    errors = embedded.get("errors") if isinstance(embedded, dict) else None
    if isinstance(errors, list) and errors:
        for one in errors:
            yield from _messages(one)
    elif isinstance(value.get("message"), str):
        yield value["message"].rstrip(".")


def _home(row: Mapping[str, object]) -> int | None:
    """The project that a row belongs to: a listing may have those of subprojects too."""
    links = row.get("_links")
    project = links.get("project") if isinstance(links, dict) else None
    href = str(project.get("href")) if isinstance(project, dict) else ""
    number = href.rpartition("/")[2]
    return int(number) if number.isdecimal() else None
