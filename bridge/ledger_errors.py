"""What can go wrong with the ledger itself; every message is one sentence that ends with what to do.

No message carries the database's URL: it may hold a password.
"""

from __future__ import annotations


class LedgerError(Exception):
    """The ledger cannot be opened, read or written; nothing was stored."""


class LedgerMissing(LedgerError):
    """There is no ledger yet, and the command that asked must not make one."""


class LeaseHeld(Exception):
    """Another pass is at work on this ledger (R29).

    ``pid``, ``host`` and ``since`` (Unix seconds) say who, as far as it is known: None and "" if not.
    """

    def __init__(self, message: str, *, pid: int | None = None, host: str = "", since: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid
        self.host = host
        self.since = since
