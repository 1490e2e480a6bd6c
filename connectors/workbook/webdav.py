"""A file on a WebDAV server (RFC 4918), as Nextcloud has them: nothing is downloaded that is here already.

A pass over a file that nobody touched is one GET that is answered with 304. A write is one PUT with If-Match, so that
the server itself refuses to overwrite somebody's save (measured on Nextcloud 32.0.1: 412, also where the file is gone;
its answer to a PUT carries the new ETag, so nothing is read back). A file is its ``oc:id``, which it keeps when it is
renamed or moved; under one address it is the same file even with another id, since office programs save by putting a
new file in the old one's place.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, unquote, urljoin, urlsplit
from xml.sax.saxutils import escape

from requests import Response

from connectors.base import Access, Identity, Offer
from connectors.caldav.wire import DAV, ETAG, Dav, Reply, etag
from connectors.errors import Forbidden, NotACollection, PlatformError, RateLimited
from connectors.http import Http, moment
from connectors.workbook.place import FORMATS, LARGEST, Meanwhile, Stamp

OC = "{http://owncloud.org/ns}"
GRAIN = 2.0
"""Seconds for which an ETag is not trusted that may be made of the time and the size of a file (R6)."""

LOCKED = 120.0
"""Seconds until a file is asked for again on which somebody has a lock."""

_FOLDER = DAV + "resourcetype"
_ID, _NUMBER, _RIGHTS = OC + "id", OC + "fileid", OC + "permissions"
_FILES = re.compile(r"(.*/remote\.php/dav)/files/([^/]+)/")
_TYPES = {".csv": "text/csv", ".yaml": "application/yaml", ".yml": "application/yaml"}
_SEARCH = (
    '<?xml version="1.0"?><d:searchrequest xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:basicsearch>'
    "<d:select><d:prop><oc:fileid/></d:prop></d:select><d:from><d:scope><d:href>/files/{user}</d:href>"
    "<d:depth>infinity</d:depth></d:scope></d:from><d:where><d:eq><d:prop><oc:fileid/></d:prop>"
    "<d:literal>{number}</d:literal></d:eq></d:where><d:orderby/></d:basicsearch></d:searchrequest>"
)


class DavFile:
    """One file under one address."""

    def __init__(self, access: Access, sleep: Callable[[float], None] = time.sleep) -> None:
        address, self._in_folder, self.sheet = _address(access)
        self.setting = f"{access.name.upper()}_{'COLLECTION' if self._in_folder else 'URL'}"
        # What a server compresses on the way gets another ETag from some, and no write would match it.
        self._http = Http(replace(access, url=address), headers={"Accept-Encoding": "identity"}, sleep=sleep)
        self._dav, self._sleep = Dav(self._http), sleep
        self._path = unquote(urlsplit(self._http.base).path)
        title = self._path.rpartition("/")[2]
        self.host = self._http.host
        self.name = f"{title or self._path.rstrip('/')} on {self.host}"
        self.suffix = f".{title.rpartition('.')[2].lower()}"
        self._known: dict[str, str] = {}
        self._held: tuple[bytes, Stamp] | None = None

    @property
    def url(self) -> str:
        """Where people find the file: the address that opens it in Nextcloud, else its own."""
        files, number = _FILES.match(urlsplit(self._http.base).path), self._known.get("number")
        if files is None or not number:
            return self._http.base
        return urljoin(self._http.base, f"{files[1].removesuffix('/remote.php/dav')}/index.php/f/{number}")

    @property
    def requests(self) -> int:
        """Requests sent."""
        return self._http.requests

    @property
    def clock(self) -> tuple[float, float] | None:
        """How far the server's clock is ahead."""
        return self._http.clock

    # ---- what there is to choose from ------------------------------------------------------------------------------

    def files(self) -> list[Offer] | None:
        """What a folder holds; the account's own one where the URL names the host alone."""
        if self.suffix in FORMATS:
            return None
        props = (_FOLDER, _RIGHTS)
        there, replies = self._dav.propfind(self._http.base, 1, props, accept={404, 405})
        if not replies:
            raise NotACollection(f"{self.host} has no folder {self._path}: correct {self.setting}.")
        paths = {unquote(urlsplit(one.href).path): "W" in (one.text(_RIGHTS) or "W") for one in replies}
        start = unquote(urlsplit(there).path).rstrip("/") + "/"
        names = {path.removeprefix(start): may for path, may in paths.items() if path.lower().endswith(FORMATS)}
        return [Offer(name, name, may) for name, may in sorted(names.items())]

    def within(self, sheet: str) -> str:
        """The file where the URL names a folder, and the sheet."""
        return f"{self._in_folder}#{sheet}" if self._in_folder and sheet else self._in_folder or sheet

    # ---- who it is ---------------------------------------------------------------------------------------------

    def find(self) -> Identity:
        """Ask for the file's id and our rights."""
        props = (ETAG, _FOLDER, _ID, _NUMBER, _RIGHTS)
        _, replies = self._dav.propfind(self._http.base, 0, props, accept={404, 405, 501})
        if not replies:
            self._fetch("")  # says what is wrong with the address
            raise NotACollection(f"{self.host} speaks no WebDAV under {self._path}: correct {self.setting}.")
        found = replies[0]
        if (kind := found.props.get(_FOLDER)) is not None and len(kind):
            raise NotACollection(f"{self._path} on {self.host} is a folder: name a file in it in {self.setting}.")
        self._learn(found)
        said = []
        if "W" not in (found.text(_RIGHTS) or "W"):
            said.append(f"{self.name} is shared with this account for reading only: nothing is written.")
        if not found.etag:
            said.append(f"{self.host} gives no ETag, so that a write could overwrite somebody's: it is only read.")
        title = self._path.rpartition("/")[2]
        return Identity("workbook", self.host, self._known["collection"], title, not said, tuple(said))

    def _learn(self, found: Reply) -> None:
        file = found.text(_ID) or self._path
        same = bool(self._known) and (self._known["url"] == self._http.base or self._known["file"] == file)
        collection = self._known["collection"] if same else file
        self._known = {
            "url": self._http.base,
            "file": file,
            "number": found.text(_NUMBER),
            "collection": collection,
        }

    def remember(self) -> dict[str, str]:
        """Address and ids."""
        return dict(self._known)

    def recall(self, remembered: dict[str, str]) -> bool:
        """Whether the address is still the one of then; if not, `find` compares the ids."""
        if not {"url", "file", "number", "collection"} <= remembered.keys():
            return False
        self._known = dict(remembered)
        return remembered["url"] == self._http.base

    # ---- content -----------------------------------------------------------------------------------------------

    def read(self, unless: str = "", *, again: bool = True) -> tuple[bytes, Stamp] | None:
        """Download the file, unless it is still what is named or held."""
        held = self._held if self._held is not None and self._held[1].token else None
        if held is not None and not again:
            return held
        answer = self._fetch(unless or (held[1].token if held else ""))
        if answer.status_code == 304:
            return None if unless else held
        self._held = answer.content, self._stamp(answer, moment(answer.headers.get("Last-Modified")))
        return self._held

    def replace(self, content: bytes, read: Stamp) -> None:
        """Upload, on the condition that the file is still what was read."""
        if not read.tag:
            raise Forbidden(f"{self.host} gives no ETag, so that a write could overwrite somebody's: it is only read.")
        self._held = None
        answer = self._put(content, read)
        passing = answer.status_code == 423 or (answer.status_code == 412 and self._is_still(read))
        if passing:
            # Nextcloud locks a file while somebody uploads it (measured: of four PUTs at once, two got 423). Apache
            # calls the tag of a file weak that is younger than a second, and no write matches it.
            self._sleep(1.1)
            answer = self._put(content, read)
        if answer.status_code == 412:
            raise Meanwhile
        if answer.status_code == 423:  # nothing of this file can be written for now, so the whole pass waits
            said = f"{self.name} is locked, most likely because somebody has it open: it is written when it is closed."
            raise RateLimited(said, retry_after=LOCKED)
        if answer.headers.get("ETag"):  # only a server that stored what it was sent may give one (RFC 9110, 9.3.4)
            self._held = content, self._stamp(answer, moment(answer.headers.get("Date")))

    def _put(self, content: bytes, read: Stamp) -> Response:
        kind = _TYPES.get(self.suffix, "application/octet-stream")
        headers = {"If-Match": read.tag, "Content-Type": kind}
        return self._http.request("PUT", self._http.base, body=content, headers=headers, accept={412, 423})

    def _is_still(self, read: Stamp) -> bool:
        answer = self._http.request("HEAD", self._http.base, accept={404})
        return etag(answer.headers.get("ETag")) == read.tag

    def _fetch(self, unless: str) -> Response:
        headers = {"If-None-Match": unless} if unless else {}
        answer = self._http.request("GET", self._http.base, headers=headers, accept={404, 410}, most=LARGEST)
        if answer.status_code in (404, 410):
            raise NotACollection(self._missing())
        if answer.status_code != 304 and "text/html" in answer.headers.get("Content-Type", ""):
            raise self._http.unreadable(answer, f"a {self.suffix} file")
        return answer

    @staticmethod
    def _stamp(answer: Response, changed: float | None) -> Stamp:
        tag, now = etag(answer.headers.get("ETag")), moment(answer.headers.get("Date"))
        old = changed is not None and now is not None and now - changed >= GRAIN
        trusted = old or "OC-ETag" in answer.headers  # Nextcloud's are drawn anew for every save
        return Stamp(changed or now or time.time(), tag, tag if trusted else "")

    def _missing(self) -> str:
        """What became of a file that is not under its address: where it is now, if the server knows (R30)."""
        try:
            where = self._by_number()
        except PlatformError:
            where = ""
        if where:
            return f"{self.name} was renamed or moved: to go on with it there, set {self._new_setting(where)}"
        return f"{self.host} has no file {self._path}: put it back, or correct {self.setting}."

    def _new_setting(self, where: str) -> str:
        path, folder = unquote(urlsplit(where).path), self._path.removesuffix(self._in_folder)
        if self._in_folder and path.startswith(folder):
            return f"{self.setting}={path.removeprefix(folder)}"
        return f"{self.setting.removesuffix('COLLECTION').removesuffix('URL')}URL={where}"

    def _by_number(self) -> str:
        files, number = _FILES.match(urlsplit(self._http.base).path), self._known.get("number")
        if files is None or not number:
            return ""
        body = _SEARCH.format(user=escape(files[2]), number=escape(number))
        answer = self._http.request(
            "SEARCH", urljoin(self._http.base, f"{files[1]}/"), body=body, headers={"Content-Type": "text/xml"}
        )
        found = [reply for reply in self._dav.read(answer).replies if reply.text(_NUMBER) == number]
        return urljoin(self._http.base, quote(unquote(urlsplit(found[0].href).path))) if found else ""


def _address(access: Access) -> tuple[str, str, str]:
    """The file's address, its path in the folder that the URL names ("" where the URL names the file), and the sheet.

    A URL without a path means the account's own files in Nextcloud.
    """
    parts = urlsplit(access.url)
    if parts.path.lower().endswith(FORMATS):
        return access.url, "", access.collection.removeprefix("#")
    file, _, sheet = access.collection.partition("#")
    folder = parts.path.rstrip("/") or f"/remote.php/dav/files/{quote(access.user)}"
    return parts._replace(path=f"{folder}/{quote(file.strip('/'))}").geturl(), file.strip("/"), sheet
