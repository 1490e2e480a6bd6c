"""Where a document lies: what a file on this machine and a file on a server have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from connectors.base import Identity, Offer

FORMATS = (".xlsx", ".xlsm", ".csv", ".yaml", ".yml")
"""How the names of files end that may hold a plan."""

LARGEST = 30_000_000
"""Bytes of a file that are read into memory; a plan of ten thousand rows has one or two million."""


class Meanwhile(Exception):
    """Somebody else saved since the content was read: nothing was written."""


@dataclass(frozen=True)
class Stamp:
    """What a file was when it was read; any other is somebody's save.

    ``time`` is that of the save in Unix seconds by the clock of whoever keeps the file. ``token`` differs after every
    save; "" where that could not be relied on so soon (R6).
    """

    time: float
    tag: str
    token: str


class Place(Protocol):
    """A file that people work on as well. ``name`` is what sentences call it, ``url`` where people find it."""

    host: str
    name: str
    suffix: str

    @property
    def url(self) -> str:
        """Where people find it."""
        ...

    def files(self) -> list[Offer] | None:
        """The files there that may hold a plan, if this is a folder; None if it is a file."""
        ...

    def within(self, sheet: str) -> str:
        """What the setting COLLECTION has to say to mean this file and sheet."""
        ...

    def find(self) -> Identity:
        """Look it up, anew: who it is, and whether it may be written. ``collection`` is without a sheet."""
        ...

    def read(self, unless: str = "", *, again: bool = True) -> tuple[bytes, Stamp] | None:
        """The content, or None if its token is still ``unless``.

        Without ``again`` what was read or written last will do, as long as `replace` would notice a later save.
        """
        ...

    def replace(self, content: bytes, read: Stamp) -> None:
        """Put new content in place of what was read. Raises `Meanwhile` if somebody saved since."""
        ...

    def remember(self) -> dict[str, str]:
        """What `find` learned."""
        ...

    def recall(self, remembered: dict[str, str]) -> bool:
        """Take back what `remember` returned in an earlier run; False if it is of another file."""
        ...
