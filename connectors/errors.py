"""What can go wrong on a platform, named by what the caller has to do about it.

    PlatformError
    ├── Transient            try again later; nothing is wrong with the operation itself
    │   ├── RateLimited      the platform says when (``retry_after`` in seconds)
    │   └── Lost             no answer came: whether the platform acted is unknown (R17)
    ├── Terminal             trying again changes nothing: tell a person
    │   ├── Unauthorized     the sign-in failed, or the rights do not suffice: stop this connector
    │   │   └── Forbidden    the rights do not suffice for this one address: that may be one record, or all (R27)
    │   ├── NotACollection   the configured collection cannot be found or cannot hold tasks
    │   └── Rejected         this one record or value was refused: park it (R27)
    ├── PreconditionFailed   somebody was faster: read again (R24)
    │   ├── NotFound         the record is not there (any more); only a probe says what became of it
    │   └── VersionMismatch  the record changed since ``if_version``
    └── CursorExpired        the cursor is of no use any more: pull everything (R6)

Every message is one sentence for the person who has to act on it. It names the host, the setting or the
record, and never carries a secret: `connectors.http` redacts what it puts in.
"""

from __future__ import annotations


class PlatformError(Exception):
    """Anything that a platform, or the way to it, did not let us do."""


class Transient(PlatformError):
    """Try again later. ``answered``: the platform did answer, so nothing of this request is still under way there."""

    def __init__(self, message: str, *, answered: bool = True) -> None:
        super().__init__(message)
        self.answered = answered


class RateLimited(Transient):
    """Too many requests; ``retry_after`` says in how many seconds the platform will listen again."""

    def __init__(self, message: str, *, retry_after: float = 60.0) -> None:
        super().__init__(message, answered=True)
        self.retry_after = retry_after


class Lost(Transient):
    """No answer came. The request may have been carried out, may be carried out later, or never (R17)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, answered=False)


class Terminal(PlatformError):
    """Trying again changes nothing until a person does something."""


class Unauthorized(Terminal):
    """The sign-in failed (401) or the rights do not suffice (403). Holds for this pass only."""


class Forbidden(Unauthorized):
    """The rights do not suffice for this one address (403); the sign-in itself may be fine."""


class NotACollection(Terminal):
    """The configured collection is not there, or cannot hold tasks. ``found`` lists the titles that are there."""

    def __init__(self, message: str, *, found: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.found = found


class Rejected(Terminal):
    """The platform refused this one record or value.

    ``clean`` is true where the connector knows that the refusal left nothing behind (R17).
    """

    def __init__(self, message: str, *, clean: bool = True) -> None:
        super().__init__(message)
        self.clean = clean


class PreconditionFailed(PlatformError):
    """Somebody was faster: read again, merge again, then decide (R24)."""


class NotFound(PreconditionFailed):
    """The record is not where it was. What became of it, only `Connector.probe` says."""


class VersionMismatch(PreconditionFailed):
    """The record changed since the version that the write was conditional on; ``record`` is what it is now.

    ``record`` is a `connectors.base.Record` (this file imports nothing of ours), or None if it could not be read.
    """

    def __init__(self, message: str, *, record: object | None = None) -> None:
        super().__init__(message)
        self.record = record


class CursorExpired(PlatformError):
    """The platform no longer knows the cursor: pull everything."""
