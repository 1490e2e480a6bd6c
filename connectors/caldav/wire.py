"""WebDAV on the wire: requests with XML bodies, and multi-status answers as plain values (RFC 4918, 4791, 6578)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

import defusedxml.ElementTree
from requests import Response

from connectors.errors import Transient
from connectors.http import Http, moment

DAV = "{DAV:}"
CAL = "{urn:ietf:params:xml:ns:caldav}"

ETAG = DAV + "getetag"
MODIFIED = DAV + "getlastmodified"
DATA = CAL + "calendar-data"

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_SPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_NOTHING: Mapping[str, Element] = {}


@dataclass(frozen=True)
class Reply:
    """What a multi-status says of one address. ``props`` are those that were found there."""

    href: str
    status: int
    props: Mapping[str, Element]

    def text(self, name: str) -> str:
        """The text of one property, "" if it was not found."""
        found = self.props.get(name)
        return "".join(found.itertext()).strip() if found is not None else ""

    @property
    def etag(self) -> str:
        """The version of this address."""
        return etag(self.text(ETAG))

    @property
    def modified(self) -> float | None:
        """When this address was last changed, in Unix seconds by the server's clock."""
        return moment(self.text(MODIFIED))

    @property
    def name(self) -> str:
        """The last part of the address, decoded; "" for a collection."""
        return unquote(urlsplit(self.href).path.rpartition("/")[2])


@dataclass(frozen=True)
class Multistatus:
    """A whole answer. ``token`` is the sync-token, "" where there is none."""

    replies: tuple[Reply, ...]
    token: str


def etag(text: str | None) -> str:
    """A version as it can be compared and sent back.

    Web servers that compress answers mark the tag as weak or append a suffix, and the application behind them
    then does not know it any more.
    """
    tag = (text or "").strip().removeprefix("W/").replace('-gzip"', '"').replace('--gzip"', '"')
    return tag if not tag or tag.startswith('"') else f'"{tag}"'


def path_of(url: str) -> str:
    """The path of a URL, as it is compared: decoded, with one slash at the end."""
    return unquote(urlsplit(url).path).rstrip("/") + "/"


class Dav:
    """WebDAV requests over one `Http`."""

    def __init__(self, http: Http) -> None:
        self.http = http

    def propfind(
        self, url: str, depth: int, props: Iterable[str], accept: Container[int] = ()
    ) -> tuple[str, tuple[Reply, ...]]:
        """Ask for properties. Returns the address that answered (after redirects) and its replies.

        There are no replies where the answer has a status in ``accept``.
        """
        body = f"{_HEAD}<D:propfind {_SPACES}>{_prop(props)}</D:propfind>"
        answer = self.http.request("PROPFIND", url, body=body, headers=_headers(depth), accept=accept)
        if answer.status_code >= 400:
            return answer.url, ()
        return answer.url, self.read(answer).replies

    def report(self, url: str, body: str, depth: int = 1, accept: Container[int] = ()) -> Response:
        """Send a REPORT; read the answer with `read`."""
        return self.http.request("REPORT", url, body=_HEAD + body, headers=_headers(depth), accept=accept)

    def read(self, answer: Response) -> Multistatus:
        """A multi-status answer; Transient where it is something else, such as a web page."""
        try:
            if answer.status_code != 207:
                raise ValueError
            root: Element = defusedxml.ElementTree.fromstring(answer.content, forbid_dtd=True)
            if root.tag != DAV + "multistatus":
                raise ValueError
        except (ParseError, ValueError):
            raise NotXml(str(self.http.unreadable(answer, "XML"))) from None
        replies = tuple(_reply(answer.url, each) for each in root.iter(DAV + "response"))
        return Multistatus(replies, (root.findtext(DAV + "sync-token") or "").strip())


class NotXml(Transient):
    """The answer is no multi-status: a web page, or XML spoilt by a record with a character that XML cannot carry."""


def _headers(depth: int) -> dict[str, str]:
    return {"Content-Type": "application/xml; charset=utf-8", "Depth": str(depth)}


def _reply(base: str, response: Element) -> Reply:
    href = urljoin(base, (response.findtext(DAV + "href") or "").strip())
    props: dict[str, Element] = {}
    for propstat in response.findall(DAV + "propstat"):
        prop = propstat.find(DAV + "prop")
        if prop is not None and _status(propstat) == 200:
            props.update({each.tag: each for each in prop})
    return Reply(href, _status(response), props or _NOTHING)


def _status(element: Element) -> int:
    """The status that an element carries; 200 where it has none of its own."""
    parts = (element.findtext(DAV + "status") or "").split()
    return int(parts[1]) if len(parts) > 1 and parts[1].isdecimal() else 200


# ---- the bodies ------------------------------------------------------------------------------------------------


def _prop(names: Iterable[str]) -> str:
    return f"<D:prop>{''.join(map(_asked, names))}</D:prop>"


def _asked(name: str) -> str:
    space, _, local = name.removeprefix("{").rpartition("}")
    known = {DAV: "D", CAL: "C"}.get(f"{{{space}}}")
    return f"<{known}:{local}/>" if known else f'<x:{local} xmlns:x="{space}"/>'


def sync_collection(token: str) -> str:
    """What changed since ``token``. A limit is never sent: Nextcloud then loses the rest (facts, section 8)."""
    return (
        f"<D:sync-collection {_SPACES}><D:sync-token>{escape(token)}</D:sync-token>"
        f"<D:sync-level>1</D:sync-level>{_prop((ETAG, MODIFIED))}</D:sync-collection>"
    )


def multiget(paths: Iterable[str]) -> str:
    """These objects with their text."""
    hrefs = "".join(f"<D:href>{escape(path)}</D:href>" for path in paths)
    return f"<C:calendar-multiget {_SPACES}>{_prop((ETAG, MODIFIED, DATA))}{hrefs}</C:calendar-multiget>"


def query(props: Iterable[str], uid: str | None = None) -> str:
    """The tasks of a collection; with ``uid``, those whose UID contains it (RFC 4791, 9.7.5: no exact match)."""
    match = f'<C:text-match collation="i;octet">{escape(uid)}</C:text-match>' if uid is not None else ""
    prop_filter = f'<C:prop-filter name="UID">{match}</C:prop-filter>' if match else ""
    return (
        f'<C:calendar-query {_SPACES}>{_prop(props)}<C:filter><C:comp-filter name="VCALENDAR">'
        f'<C:comp-filter name="VTODO">{prop_filter}</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>'
    )
