"""What is to be set for one platform, as far as it is known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field

from connectors.base import Access, ConnectorType

OURS = ("TYPE", "URL", "USER", "PASSWORD", "PASSWORD_FILE", "TOKEN", "TOKEN_FILE", "COLLECTION", "ALLOW_HTTP", "MODE")
"""Settings that belong together: when a name is used anew, none of the old ones may stay."""

SECRETS = ("password", "token")


@dataclass
class Draft:
    """One connector to be. ``kept`` are secrets that stay where they are: in a file, or in the environment.

    A secret is the value in ``secrets``; the file's path, or "" for the environment, in ``kept``.
    """

    name: str
    type: ConnectorType
    url: str = ""
    user: str = ""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    kept: dict[str, str] = field(default_factory=dict)
    collection: str = ""
    allow_http: bool = False
    read_only: bool = False

    @property
    def prefix(self) -> str:
        """How its settings begin."""
        return f"{self.name.upper()}_"

    def wants(self, name: str) -> bool:
        """Whether the type needs this field, or asks for it."""
        return name in (*self.type.needs, *self.type.asks)

    def access(self) -> Access:
        """As the connector is made with it."""
        return Access(
            self.name,
            self.url,
            self.user,
            self.secrets.get("password", ""),
            self.secrets.get("token", ""),
            self.collection,
            self.allow_http,
        )

    def settings(self) -> dict[str, str | None]:
        """The lines of `.env`; None for those that must not be there."""
        found: dict[str, str | None] = {f"{self.prefix}{name}": None for name in OURS}
        found[f"{self.prefix}TYPE"] = self.type.name
        given = {"URL": self.url, "USER": self.user, "COLLECTION": self.collection}
        given |= {"ALLOW_HTTP": "true" if self.allow_http else "", "MODE": "read-only" if self.read_only else ""}
        for secret in SECRETS:
            if secret in self.kept:
                given[f"{secret.upper()}_FILE"] = self.kept[secret]
            else:
                given[secret.upper()] = self.secrets.get(secret, "")
        return found | {f"{self.prefix}{name}": value for name, value in given.items() if value}


def complete(url: str) -> str:
    """An address as people type it, with what they leave out."""
    url = url.strip()
    return url if not url or "://" in url else f"https://{url}"


def usable(name: str) -> bool:
    """Whether a connector can be called so."""
    return bool(re.fullmatch(r"[A-Za-z0-9_]+", name)) and not f"{name.upper()}_".startswith("BRIDGE_")


def suggested(wanted: str, taken: Collection[str]) -> str:
    """A name that nobody has: what was wanted in letters that can be used, with a number if need be."""
    plain = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "connector"
    used = {each.upper() for each in taken}
    numbers = (f"{name}{number or ''}" for number in (0, *range(2, len(used) + 3)))
    return next(each for each in numbers if each.upper() not in used and usable(each))
