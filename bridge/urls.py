"""Addresses in the settings: whether one can be used, and whether two are the same. Nothing here sends a request."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from bridge.environment import Environment, shown
from connectors.base import Access, ConnectorType


def check_url(env: Environment, setting: str, access: Access, kind: ConnectorType | None) -> None:
    """The URL must say how to reach a host, without a secret in it, encrypted unless the host is this machine.

    A type that does not speak HTTP has its own name for a scheme: ``memory://`` for memory.
    """
    url = access.url
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        env.wrong("url", name=setting, value=_without_secrets(url))
        return
    schemes = ("http", "https", kind.name if kind else "")
    if "@" in (parts.netloc or url):
        env.wrong("url_secret", name=setting, prefix=setting.removesuffix("_URL"))
    elif parts.scheme not in schemes or not host or re.search(r"\s", url):
        env.wrong("url", name=setting, value=_without_secrets(url))
    elif parts.scheme == "http" and not access.allow_http and not _is_loopback(host):
        allow = f"{setting.removesuffix('URL')}ALLOW_HTTP"
        env.wrong("url_plain", name=setting, value=_without_secrets(url), allow=allow)


def _without_secrets(url: str) -> str:
    """A URL fit to be shown: nothing before an @, no query, no fragment."""
    text = re.split(r"[?#]", url, maxsplit=1)[0]
    return shown(re.sub(r"^([a-z]+://)?.*@", r"\1…@", text, flags=re.IGNORECASE))


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def same(url: str) -> str:
    """A URL as it is compared: the host in lower case, no default port, no slash at the end."""
    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    usual = port is None or (parts.scheme, port) in (("http", 80), ("https", 443))
    return f"{parts.scheme}://{parts.hostname}{'' if usual else f':{port}'}{parts.path.rstrip('/')}?{parts.query}"
