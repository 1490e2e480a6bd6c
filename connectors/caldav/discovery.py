"""From whatever address people have to the one calendar that is meant (RFC 6764, RFC 5397, RFC 4791 section 6.2.1).

The URL may be the calendar itself, the folder of somebody's calendars, a principal, or the server's root. What is
found is a `Place`, small enough to be remembered, so that later passes look for nothing.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from urllib.parse import urljoin, urlsplit

from connectors.caldav.wire import CAL, DAV, Dav, NotXml, Reply, path_of
from connectors.errors import Forbidden, NotACollection, NotFound, Rejected, Terminal, Unauthorized

_TYPE = DAV + "resourcetype"
_TITLE = DAV + "displayname"
_TOKEN = DAV + "sync-token"
_REPORTS = DAV + "supported-report-set"
_RIGHTS = DAV + "current-user-privilege-set"
_PRINCIPAL = DAV + "current-user-principal"
_HOME = CAL + "calendar-home-set"
_KINDS = CAL + "supported-calendar-component-set"
_WANTED = (_TYPE, _TITLE, _TOKEN, _REPORTS, _RIGHTS, _KINDS)

_ELSEWHERE = frozenset({400, 404, 405, 409, 410, 415, 501})  # answers of an address that speaks no WebDAV
_WRITING = frozenset({DAV + "all", DAV + "write", DAV + "write-content"})
_SHARED = "_shared_by_"  # in the path of a calendar that somebody else shares with us on Nextcloud
_GENERATED = "app-generated--"  # Nextcloud's read-only calendars of Deck boards (facts: nextcloud, section 9)


@dataclass(frozen=True)
class Place:
    """A calendar that holds tasks.

    ``url`` ends with a slash. ``mixed`` is true where other things than tasks may lie in it, ``syncs`` where it
    can tell what changed since a token.
    """

    url: str
    title: str
    writable: bool
    mixed: bool
    syncs: bool

    @property
    def path(self) -> str:
        """The id of the collection: its path, decoded."""
        return path_of(self.url)


def remember(place: Place, settings: list[str]) -> str:
    """The place as text, good for these settings only."""
    return json.dumps({"settings": settings, "place": asdict(place)}, ensure_ascii=False)


def recall(text: str | None, settings: list[str]) -> Place | None:
    """The place that was remembered, or None where there is none or the settings are others by now."""
    try:
        found = json.loads(text or "null")
        return Place(**found["place"]) if found["settings"] == settings else None
    except (ValueError, TypeError, KeyError):
        return None


def discover(dav: Dav, wanted: str) -> Place:
    """Find the calendar ``wanted`` (a title, path or id; "" if the URL is the calendar itself)."""
    http = dav.http
    there, reply, refused = _first_look(dav)
    if reply is not None and _is_calendar(reply) and (not wanted or _called(reply, wanted) or _shared(reply, wanted)):
        return _checked(dav, reply)
    calendars = _calendars(dav, there, reply)
    if refused and not calendars:
        raise refused
    found = [each for each in calendars if _called(each, wanted)] if wanted else []
    found = found or [each for each in calendars if _shared(each, wanted)]
    if len(found) > 1:
        exact = [each for each in found if path_of(each.href) == _as_path(wanted)]
        found = exact or [each for each in found if each.text(_TITLE) == wanted] or found
    if len(found) == 1:
        return _checked(dav, found[0])
    titles = tuple(sorted(_title(each) for each in calendars if _holds_tasks(each)))
    name = f"{http.name}_COLLECTION"
    if len(found) > 1:
        paths = ", ".join(sorted(path_of(each.href) for each in found))
        raise NotACollection(
            f"{http.host} has several calendars “{wanted}”: set {name} to one of {paths}.", found=titles
        )
    if not calendars:
        raise _none(dav)
    there_are = f"there are: {', '.join(titles)}" if titles else "there is none that holds tasks"
    if wanted:
        raise NotACollection(f"{http.host} has no calendar “{wanted}”; {there_are}. Check {name}.", found=titles)
    raise NotACollection(f"{http.name}_URL is no calendar, so {name} has to name one; {there_are}.", found=titles)


def offers(dav: Dav) -> list[Place]:
    """Every calendar that could be meant: the one that the URL names, else all that it leads to and that take tasks."""
    there, reply, refused = _first_look(dav)
    if reply is not None and _is_calendar(reply):
        return [_checked(dav, reply)]
    calendars = _calendars(dav, there, reply)
    if refused and not calendars:
        raise refused
    if not calendars:
        raise _none(dav)
    return [_place(each) for each in calendars if _holds_tasks(each)]


def _none(dav: Dav) -> NotACollection:
    where = urlsplit(dav.http.base).path or "/"
    return NotACollection(f"There is no calendar at {where} on {dav.http.host}: check {dav.http.name}_URL.")


def check(dav: Dav, url: str) -> None:
    """Make sure that the calendar still answers us."""
    dav.propfind(url, 0, (_TYPE,))


def siblings(dav: Dav, place: Place) -> list[Place]:
    """The other calendars with tasks beside this one, as far as they can be seen."""
    try:
        replies = dav.propfind(urljoin(place.url, ".."), 1, _WANTED)[1]
    except (Terminal, NotFound):
        return []
    places = [_place(each) for each in replies if _is_calendar(each) and _holds_tasks(each) and _ours(each)]
    return [each for each in places if each.path != place.path]


# ---- the way there ---------------------------------------------------------------------------------------------


def _first_look(dav: Dav) -> tuple[str, Reply | None, Forbidden | None]:
    """The address that people gave, what it says of itself, and why it does not where that is forbidden.

    A host whose root may not be asked is like one that speaks no WebDAV there: the well-known address leads on
    (RFC 6764, section 6). Any other address was meant, and nothing else is to be taken in its place.
    """
    try:
        return *_look(dav, dav.http.base), None
    except Forbidden as error:
        if urlsplit(dav.http.base).path.strip("/"):
            raise
        return dav.http.base, None, error


def _well_known(dav: Dav) -> tuple[str, Reply | None]:
    """Where a host says that its calendars are. Many forbid whatever begins with a dot: that says nothing."""
    asked = urljoin(dav.http.base, "/.well-known/caldav")
    there, reply = _look(dav, asked, _ELSEWHERE | {403})
    return (there, reply) if reply is not None or path_of(there) == path_of(asked) else _look(dav, there)


def _look(dav: Dav, url: str, accept: frozenset[int] = _ELSEWHERE) -> tuple[str, Reply | None]:
    """One address and what it says of itself; None where it speaks no WebDAV."""
    try:
        there, replies = dav.propfind(url, 0, (*_WANTED, _PRINCIPAL, _HOME), accept=accept)
    except Unauthorized:
        raise
    except (NotXml, Terminal):
        return url, None  # a website, or a redirect to another one: the calendars may be elsewhere on this host
    return there, replies[0] if replies else None


def _calendars(dav: Dav, url: str, reply: Reply | None) -> list[Reply]:
    """All calendars that can be reached from an address, those without tasks too."""
    homes = list(_homes(dav, url, reply))
    if not homes:
        homes = list(_homes(dav, *_well_known(dav)))
    found = {path_of(each.href): each for home in homes for each in home}
    return [each for each in found.values() if _ours(each)]


def _homes(dav: Dav, url: str, reply: Reply | None) -> Iterator[list[Reply]]:
    """The calendars of every home that this address leads to."""
    if reply is None:
        return
    if _is_calendar(reply):
        yield _children(dav, urljoin(_folder(url), ".."))
        return
    homes = _hrefs(reply, _HOME)
    if not homes and urlsplit(url).path.strip("/"):
        here = _children(dav, url)
        if here:
            yield here
            return
    if not homes:
        for principal in _hrefs(reply, _PRINCIPAL):
            if path_of(principal) != path_of(url):
                homes += _hrefs(_look(dav, principal)[1], _HOME)
    for home in homes:
        yield _children(dav, home)


def _children(dav: Dav, url: str) -> list[Reply]:
    try:
        replies = dav.propfind(url, 1, _WANTED)[1]
    except (NotFound, Rejected):
        return []
    return [each for each in replies if _is_calendar(each)]


def _hrefs(reply: Reply | None, name: str) -> list[str]:
    found = reply.props.get(name) if reply else None
    if reply is None or found is None:
        return []
    return [urljoin(reply.href, (each.text or "").strip()) for each in found.iter(DAV + "href")]


# ---- what a calendar says of itself ----------------------------------------------------------------------------


def _is_calendar(reply: Reply) -> bool:
    found = reply.props.get(_TYPE)
    return found is not None and found.find(CAL + "calendar") is not None


def _ours(reply: Reply) -> bool:
    return not _id(reply).startswith(_GENERATED)


def _kinds(reply: Reply) -> set[str]:
    """The components that a calendar says it takes; empty where it does not say."""
    found = reply.props.get(_KINDS)
    return {each.get("name", "").upper() for each in found.iter(CAL + "comp")} if found is not None else set()


def _holds_tasks(reply: Reply) -> bool:
    kinds = _kinds(reply)
    return not kinds or "VTODO" in kinds


def _title(reply: Reply) -> str:
    return reply.text(_TITLE) or _id(reply)


def _id(reply: Reply) -> str:
    """The last part of the path."""
    return path_of(reply.href).rstrip("/").rpartition("/")[2]


def _called(reply: Reply, wanted: str) -> bool:
    """Whether this is what people mean by ``wanted``: title, last part of the path, path or URL."""
    by_path = "/" in wanted and path_of(reply.href) == _as_path(wanted)
    return by_path or _plain(wanted) in (_plain(_title(reply)), _plain(_id(reply)))


def _shared(reply: Reply, wanted: str) -> bool:
    """Whether ``wanted`` is what its owner calls this: Nextcloud adds their name, as in "Aufgaben (Anna Meier)"."""
    title, start = _plain(_title(reply)), _plain(wanted) + " ("
    if not wanted or _SHARED not in _id(reply) or not (title.startswith(start) and title.endswith(")")):
        return False
    depth = 1
    for char in title[len(start) : -1]:  # the name may have brackets of its own
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return False
    return depth == 1


def _as_path(wanted: str) -> str:
    return "/" + path_of(wanted).lstrip("/")


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _folder(url: str) -> str:
    return url if url.endswith("/") else url + "/"


def _checked(dav: Dav, reply: Reply) -> Place:
    """The calendar, once it is sure that it can hold tasks."""
    http = dav.http
    if not _ours(reply):
        raise NotACollection(
            f"The calendar “{_title(reply)}” on {http.host} is a copy made by Nextcloud: it cannot be mirrored."
        )
    if not _holds_tasks(reply):
        raise NotACollection(
            f"The calendar “{_title(reply)}” on {http.host} holds no tasks (VTODO): "
            f"set {http.name}_COLLECTION or {http.name}_URL to a task list."
        )
    return _place(reply)


def _place(reply: Reply) -> Place:
    rights = reply.props.get(_RIGHTS)
    reports = reply.props.get(_REPORTS)
    names = {each.tag for each in reports.iter()} if reports is not None else set()
    return Place(
        _folder(reply.href),
        _title(reply),
        rights is None or any(each.tag in _WRITING for each in rights.iter()),
        _kinds(reply) != {"VTODO"},
        bool(reply.text(_TOKEN)) or not names or DAV + "sync-collection" in names,
    )
