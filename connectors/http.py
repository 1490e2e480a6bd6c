"""HTTP for all connectors: one pooled session per platform, honest about what an answer, or none, proves.

What it promises: connect and read time-outs always; TLS checked always; plain http only to loopback or where
the setting allows it; credentials only to the host they were given for; retries of safe methods only, a write
is sent once; every failure comes as one of `connectors.errors`, in one sentence that names the host and, where a
setting can cure it, the setting; no secret in any message. Besides it counts requests and narrows down how far
the server's clock is ahead of ours (R4). ``trust_env`` is off: looking up proxies and netrc for every request
costs a third of the CPU time (facts: performance, section 4), so proxy and CA file are looked up once.
"""

from __future__ import annotations

import base64
import json
import os
import re
import threading
import time
from collections.abc import Callable, Container, Mapping
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import requests
from requests import RequestException, Response
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from connectors.base import Access
from connectors.errors import (
    Forbidden,
    Lost,
    NotFound,
    PlatformError,
    RateLimited,
    Rejected,
    Terminal,
    Transient,
    Unauthorized,
    VersionMismatch,
)
from connectors.silence import is_certificate, is_passing, is_unsent

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"})
"""Methods that change nothing, so that sending them again does no harm."""

PATIENCE = 30.0
"""Seconds of Retry-After that are waited out within a pass; more is told to the caller."""

_PAUSES = (0.2, 1.0)  # before the second and the third try of a safe method
_REDIRECTS = 5
_GATEWAY = frozenset({502, 503, 504})
_POOL = 16  # connections kept open: more than any connector's own limit of writes in flight


def problem_with(access: Access) -> str | None:
    """Why no request can be sent with this URL, as a sentence for a person, or None. Sends nothing itself."""
    name = access.name.upper()
    try:
        parts = urlsplit(access.url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return f"{name}_URL is no web address."
    if parts.scheme not in ("http", "https") or not host or port == 0:
        return f"{name}_URL is no web address: it has to start with https:// and name a host."
    if parts.scheme == "http" and not access.allow_http and not _loopback(host):
        return (
            f"{name}_URL is plain http, so that everybody on the way to {host} could read the password: "
            f"use https://, or set {name}_ALLOW_HTTP=true if you know this network."
        )
    return None


class Http:
    """The way to one platform. Safe to use from several threads."""

    def __init__(
        self,
        access: Access,
        *,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        problem = problem_with(access)
        if problem:
            raise Terminal(problem)
        parts = urlsplit(access.url)
        self.name = access.name.upper()
        self.host = _host(parts)
        self.base = parts._replace(netloc=self.host, fragment="").geturl()
        user, password = access.user, access.password
        if not user and parts.username:
            user, password = unquote(parts.username), unquote(parts.password or "")
        self._secrets = _secrets(user, password or unquote(parts.password or ""), access.token)
        self._timeouts, self._sleep = access.timeouts, sleep
        self._lock = threading.Lock()
        self._requests = 0
        self._clock: tuple[float, float] | None = None
        self._session = self._open(headers or {})
        if user or password:
            pair = base64.b64encode(f"{user}:{password}".encode()).decode()
            self._session.headers["Authorization"] = f"Basic {pair}"
        elif access.token:
            self._session.headers["Authorization"] = f"Bearer {access.token}".encode().decode("latin-1")

    def __repr__(self) -> str:
        return f"Http({self.host})"

    def _open(self, headers: Mapping[str, str]) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        adapter = HTTPAdapter(pool_connections=2, pool_maxsize=_POOL, max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True
        if not _loopback(urlsplit(self.base).hostname or ""):
            session.proxies.update(get_environ_proxies(self.base))
        # A stale session cookie may win over the password that is sent with it (facts: nextcloud, section 6).
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers["User-Agent"] = "strategy-bridge"
        session.headers.update(headers)
        return session

    # ---- what was counted and measured --------------------------------------------------------------------

    @property
    def requests(self) -> int:
        """Requests sent, repeated and redirected ones included."""
        return self._requests

    @property
    def clock(self) -> tuple[float, float] | None:
        """Interval in seconds that the server's clock is ahead of ours; None as long as no answer had a Date."""
        return self._clock

    def _learn(self, answer: Response, sent: float, received: float) -> None:
        """Narrow the clock: when the server wrote a Date of D its time was in [D, D + 1), whole seconds."""
        date = moment(answer.headers.get("Date"))
        if date is None or "Age" in answer.headers:  # an Age says that a cache answered with an older Date
            return
        low, high = date - received, date + 1 - sent
        with self._lock:
            if self._clock is not None:
                old_low, old_high = self._clock
                narrowed = (max(low, old_low), min(high, old_high))
                if narrowed[0] <= narrowed[1]:
                    low, high = narrowed  # else one of the clocks was set anew: only the newest answer counts
            self._clock = (low, high)

    # ---- sending ------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        url: str = "",
        *,
        body: str | bytes | None = None,
        json: object = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Container[int] = (),
        most: int | None = None,
    ) -> Response:
        """Send one request and return the answer, or raise what `failure` makes of it.

        ``url`` is relative to the platform's own. ``accept`` names error statuses that the caller wants to see. An
        answer of more than ``most`` bytes is not read to its end, and raises Terminal.
        """
        target = urljoin(self.base, url)
        self._same_host(target)
        data = body.encode() if isinstance(body, str) else body
        for _ in range(_REDIRECTS):
            answer = self._try(method, target, data, json, params, headers, accept, most)
            location = answer.headers.get("Location")
            if answer.status_code not in (301, 302, 303, 307, 308) or not location:
                break
            target, params = urljoin(answer.url, location), None
            self._same_host(target)
            if method not in SAFE and answer.status_code not in (307, 308):
                raise Terminal(f"{self.host} sends us elsewhere when we write: put the new address into {self._url}.")
        else:
            raise Terminal(f"{self.host} sends us in a circle: check {self._url}.")
        if answer.status_code >= 400 and answer.status_code not in accept:
            raise self.failure(answer)
        return answer

    def json(self, answer: Response) -> object:
        """The JSON that an answer carries; Transient when it is none."""
        try:
            value: object = json.loads(answer.content)
        except ValueError:
            raise self.unreadable(answer, "JSON") from None
        return value

    def unreadable(self, answer: Response, expected: str) -> Transient:
        """The failure for an answer that is not what was asked for, most often a web page."""
        html = "html" in answer.headers.get("Content-Type", "") or b"<html" in answer.content[:2000].lower()
        found = "a web page" if html else "something else"
        return Transient(
            f"{self.host} answered with {found} where {expected} was expected: "
            f"is {self._url} right, and is the server in maintenance?"
        )

    def _try(
        self,
        method: str,
        url: str,
        data: bytes | None,
        json: object,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        accept: Container[int],
        most: int | None,
    ) -> Response:
        """One request; a safe one up to three times while it fails in a way that passes."""
        pauses = (*_PAUSES, None) if method in SAFE else (None,)
        for pause in pauses:
            with self._lock:
                self._requests += 1
            sent = time.time()
            try:
                answer = self._session.request(
                    method,
                    url,
                    data=data,
                    json=json,
                    params=params,
                    headers=headers,
                    timeout=self._timeouts,
                    allow_redirects=False,
                    stream=True,
                )
                received = time.time()  # the head is here; the body may take its time
                self._read_body(answer, most)
            except RequestException as error:
                if pause is None or not is_passing(error):
                    raise self._no_answer(method, error) from None
                self._sleep(pause)
                continue
            self._learn(answer, sent, received)
            wait = _wait(answer, pause)
            if wait is None or answer.status_code in accept:
                return answer
            self._sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _read_body(self, answer: Response, most: int | None) -> None:
        """Read the body into memory; ``most`` counts what comes out of a compressed one."""
        parts, size = [], 0
        for part in answer.iter_content(65_536) if most is not None else ():
            parts.append(part)
            size += len(part)
            if size > (most or 0):
                answer.close()
                path = self.redact(unquote(urlsplit(answer.url).path))
                raise Terminal(f"{path} on {self.host} is larger than {most:,} bytes: it is not read.")
        if most is not None:
            answer._content, answer._content_consumed = b"".join(parts), True  # type: ignore[attr-defined]
        _ = answer.content

    def _same_host(self, url: str) -> None:
        """Refuse to take the credentials to another host, or off TLS."""
        ours, theirs = urlsplit(self.base), urlsplit(url)
        same = (ours.scheme, _host(ours)) == (theirs.scheme, _host(theirs))
        upgraded = (ours.scheme, theirs.scheme) == ("http", "https") and ours.hostname == theirs.hostname
        if not same and not upgraded:
            raise Terminal(
                f"{self.host} sends us to {theirs.scheme}://{_host(theirs)}, and the password is not for there: "
                f"if that is right, put the new address into {self._url}."
            )

    # ---- what a failure means -----------------------------------------------------------------------------

    @property
    def _url(self) -> str:
        return f"{self.name}_URL"

    def failure(self, answer: Response) -> PlatformError:
        """The error for an answer with an error status."""
        status, method = answer.status_code, answer.request.method or ""
        path = unquote(urlsplit(answer.url).path)
        said = self.redact(_said(answer))
        if status == 401:
            return Unauthorized(f"{self.host} does not accept our sign-in: check {self._credentials}.")
        if status == 403:
            return Forbidden(
                f"{self.host} forbids {method} on {self.redact(path)}{said}: "
                f"check the rights of the account, {self._url}, {self._credentials}."
            )
        if status in (404, 410):
            return NotFound(f"{self.host} has nothing at {self.redact(path)}.")
        if status == 412:
            return VersionMismatch(f"{self.host} has another version of {self.redact(path)} by now.")
        if status == 429:
            after = retry_after(answer)
            return RateLimited(f"{self.host} gets too many requests from us{said}.", retry_after=after or 60.0)
        if status in _GATEWAY and method not in SAFE and status != 503:
            return Lost(f"{self.host} answered {status} to {method}{said}: whether it was carried out is unknown.")
        if status == 423 or status >= 500:
            return Transient(f"{self.host} answered {status} to {method}{said}.")
        return Rejected(f"{self.host} refuses {method} on {self.redact(path)} with {status}{said}.")

    @property
    def _credentials(self) -> str:
        auth = str(self._session.headers.get("Authorization", ""))
        return f"{self.name}_TOKEN" if auth.startswith("Bearer") else f"{self.name}_USER and {self.name}_PASSWORD"

    def _no_answer(self, method: str, error: RequestException) -> PlatformError:
        """The error for no answer: Lost where a write may have reached the server."""
        if is_certificate(error):
            return Transient(f"The certificate of {self.host} cannot be verified: is it valid, and for this name?")
        if isinstance(error, requests.exceptions.ProxyError):
            return Transient(
                f"The proxy of this machine does not let us through to {self.host}: check HTTPS_PROXY and NO_PROXY."
            )
        if is_unsent(error):
            return Transient(f"{self.host} cannot be reached: is {self._url} right, and is the server running?")
        slow = isinstance(error, requests.Timeout)
        what = f"did not answer within {self._timeouts[1]:g} seconds" if slow else "broke off the connection"
        if method in SAFE:
            return Transient(f"{self.host} {what}.")
        return Lost(f"{self.host} {what}: whether {method} was carried out is unknown.")

    def redact(self, text: str) -> str:
        """The text without our secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return _USERINFO.sub("//***@", text)


_USERINFO = re.compile(r"//[^/@\s]+@")
_TAGS = re.compile(r"<[^>]*>|\s+")


def _secrets(user: str, password: str, token: str) -> tuple[str, ...]:
    """What must not be told, in every form in which it travels; the longest first."""
    found = {base64.b64encode(f"{user}:{password}".encode()).decode()} if password else set()
    for secret in filter(None, (password, token)):
        found |= {secret, quote(secret), quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}
        found.add(json.dumps(secret)[1:-1])
    return tuple(sorted(found, key=len, reverse=True))


def _said(answer: Response) -> str:
    """What the server gave as its reason, shortened to one line; nothing where it is a whole web page."""
    text = answer.text[:4000] if answer.content else ""
    if not text or "<html" in text.lower():
        return ""
    words = " ".join(_TAGS.sub(" ", text).split())
    return f" ({words[:200]})" if words else ""


def moment(text: str | None) -> float | None:
    """Unix seconds of an HTTP date (RFC 9110 5.6.7), or None."""
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None


def retry_after(answer: Response) -> float | None:
    """Seconds that the server asks us to stay away, or None where it does not say."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    until = moment(text)
    if until is None:
        return None
    now = moment(answer.headers.get("Date"))
    return max(0.0, until - (time.time() if now is None else now))


def _wait(answer: Response, pause: float | None) -> float | None:
    """How long to wait before the same request is sent again, or None when it should not be."""
    if pause is None or (answer.status_code != 429 and answer.status_code not in _GATEWAY):
        return None
    after = retry_after(answer)
    if after is None:  # Nextcloud's 429 after failed sign-ins has none, and every further try prolongs it
        return None if answer.status_code == 429 else pause
    return after if after <= PATIENCE else None


def _host(parts: SplitResult) -> str:
    """Host and port of a URL as people write it: without credentials and without the scheme's own port."""
    host = parts.netloc.rpartition("@")[2].lower()
    return host.removesuffix(":443" if parts.scheme == "https" else ":80")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
