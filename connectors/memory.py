"""A platform in memory as a connector: for tests, for demos, and as the shortest example of a connector.

The server is `connectors.memory_platform.MemoryPlatform`, where its three faces are described. `MemoryConnector`
is its client and keeps the contract of `connectors.base` with whatever the server can do: where writes are not
conditional it reads first, and reads back after.
"""

from __future__ import annotations

import threading
import time
import urllib.parse
from collections.abc import Callable, Collection, Mapping

from connectors.base import (
    NEW,
    Abilities,
    Access,
    Alive,
    Changes,
    Connector,
    ConnectorType,
    Fields,
    Gone,
    Hidden,
    Identity,
    Moved,
    Native,
    Offer,
    OutOfScope,
    Probe,
    Record,
    Ref,
)
from connectors.errors import Lost, NotACollection, NotFound, PlatformError, VersionMismatch
from connectors.memory_platform import FACES, HIDDEN, OUT, Entry, MemoryPlatform, version_of


class MemoryConnector:
    """The client. ``clock`` is its own clock: the platform's may be off by any amount."""

    def __init__(self, platform: MemoryPlatform, clock: Callable[[], float] = time.time) -> None:
        self.platform = platform
        self.requests = 0
        self._clock = clock
        self._counting = threading.Lock()
        traits = platform.traits
        self.abilities = Abilities(
            conditional=traits.conditional,
            client_ids=traits.client_ids,
            marks=traits.marks,
            create_fields=traits.create_fields,
            defaults=platform.empty,
        )

    @property
    def clock(self) -> tuple[float, float] | None:
        """How far the platform's clock is ahead of ours."""
        ahead = self.platform.clock() - self._clock()
        return ahead, ahead

    def identify(self, remembered: str | None = None) -> Identity:
        """The platform is bound to its name; there is nothing to find or to sign in to."""
        return Identity("memory", self._host, self.platform.name, self.platform.name)

    def collections(self) -> list[Offer]:
        """The URL says which platform is meant, and there is one collection on it."""
        return [Offer("", self.platform.name, True)]

    def memory(self) -> str | None:
        """There is nothing to remember."""
        return None

    def pull(self, cursor: str | None, known: Mapping[str, str]) -> Changes:
        """A delta where the platform has them and a cursor is given, else a complete listing."""
        traits = self.platform.traits
        epoch, seq = self._server.position() if traits.deltas else (0, 0)
        here = f"{epoch}:{seq}" if traits.deltas else None
        options = self._server.titles() if traits.options else None
        delta = cursor is not None and traits.deltas
        if delta:
            since = [int(part) for part in str(cursor).split(":")]
            entries = self._server.since(since[0], since[1])
        else:
            entries = self._server.listing()
        records = tuple(self._record(entry) for entry in entries if known.get(entry.id) != version_of(entry))
        present = frozenset() if delta else frozenset(entry.id for entry in entries)
        return Changes(records, here, not delta, delta, present, options)

    def create(self, fields: Fields, mark: str) -> Record:
        """Make a record; a platform that only answers with the new id is asked once more."""
        entry = self._server.post(fields, mark)
        if not self.platform.traits.conditional:
            entry = self._read_back(entry.id)
        return self._record(entry, fields)

    def update(self, ref: Ref, fields: Fields, if_version: str) -> Record:
        """Write these fields, conditionally where the platform can, else after a read of our own (R24)."""
        if not self.platform.traits.conditional:
            self._compare(ref, if_version)
            self._server.put(ref.native_id, fields, None)
            return self._record(self._read_back(ref.native_id), fields)
        try:
            return self._record(self._server.put(ref.native_id, fields, if_version), fields)
        except VersionMismatch:
            self._compare(ref, if_version)
            raise

    def delete(self, ref: Ref, if_version: str) -> None:
        """Delete the record, conditionally where the platform can, else after a read of our own."""
        if not self.platform.traits.conditional:
            self._compare(ref, if_version)
            self._server.delete(ref.native_id, None)
            return
        try:
            self._server.delete(ref.native_id, if_version)
        except VersionMismatch:
            self._compare(ref, if_version)
            raise

    def probe(self, ref: Ref) -> Probe:
        """The server knows where its records are; an id that was used again is another record."""
        discreet = self.platform.traits.discreet
        try:
            entry = self._server.get(ref.native_id)
        except NotFound:
            return Hidden(unsure=True) if discreet else Gone()
        if self._ref(entry) != ref:
            return Gone()
        if entry.here:
            return Alive(self._record(entry))
        places: Mapping[str, Probe] = {HIDDEN: Hidden(unsure=discreet), OUT: OutOfScope()}
        return places.get(entry.place) or Moved(entry.place, self._record(entry))

    def times(self, ref: Ref, names: Collection[str]) -> Mapping[str, float]:
        """When these fields last changed, on a face that keeps a history."""
        if not self.platform.traits.history:
            return {}
        return {name: at for name, at in self._server.times(ref.native_id).items() if name in names}

    def normalises(self, name: str, sent: Native, shown: Native) -> bool:
        """Whether it is the title, on a face that collapses blanks."""
        return name == "title" and self.platform.traits.squeezes and " ".join(str(sent).split()) == shown

    def id_of(self, mark: str) -> str:
        """The mark itself, where the client may choose."""
        return mark if self.platform.traits.client_ids else ""

    # ---- inside ------------------------------------------------------------------------------------------------

    @property
    def _host(self) -> str:
        return f"memory://{self.platform.name}"

    @property
    def _server(self) -> MemoryPlatform:
        """The platform, for one request: it is counted."""
        with self._counting:
            self.requests += 1
        return self.platform

    def _compare(self, ref: Ref, if_version: str) -> None:
        """Read before a write: whoever was faster is told with the fresh record."""
        entry = self._server.get(ref.native_id)
        if not entry.here or self._ref(entry) != ref:
            raise NotFound(f"{self._host} has no record {ref.native_id} in this collection.")
        if version_of(entry) != if_version:
            raise VersionMismatch(f"Record {ref.native_id} of {self._host} has changed.", record=self._record(entry))

    def _read_back(self, native_id: str) -> Entry:
        """What the platform shows after a write. Without an answer to that, nobody knows what it shows (R17)."""
        try:
            entry = self._server.get(native_id)
        except NotFound:
            raise
        except PlatformError as error:
            raise Lost(f"{self._host} did not say what it made of record {native_id}.") from error
        if not entry.here:
            raise NotFound(f"{self._host} has no record {native_id} in this collection.")
        return entry

    def _ref(self, entry: Entry) -> Ref:
        return Ref(self._host, entry.id, str(entry.born) if self.platform.traits.reuses else "")

    def _record(self, entry: Entry, written: Fields | None = None) -> Record:
        """An entry as a record: a tombstone if it is not in the collection."""
        traits = self.platform.traits
        fields: Fields | None = dict(entry.fields)
        if entry.problem:
            fields = {}
        if not entry.here:
            fields = None
        made = any(NEW in str(value) for value in (written or {}).values()) if traits.options else False
        return Record(
            self._ref(entry),
            self.platform.name,
            version_of(entry),
            entry.modified_at,
            fields,
            mark=entry.mark,
            url=f"{self._host}/{entry.id}",
            own=entry.ours if traits.tells_own else None,
            created_at=entry.created_at,
            locked=entry.locked,
            problem=entry.problem if entry.here else "",
            options=self._server.titles() if made else {},
        )


# ---- how it is made --------------------------------------------------------------------------------------------

_PLATFORMS: dict[str, MemoryPlatform] = {}
_PLATFORMS_LOCK = threading.Lock()


def platform_at(url: str) -> MemoryPlatform:
    """The process's platform at ``memory://name`` or ``memory://name?face=b``; made when it is first asked for."""
    parts = urllib.parse.urlsplit(url)
    face = urllib.parse.parse_qs(parts.query).get("face", ["a"])[0]
    if parts.scheme != "memory" or not parts.netloc or face not in FACES:
        raise NotACollection(f"{url} is no platform in memory: write memory://name, with ?face={'|'.join(FACES)}.")
    with _PLATFORMS_LOCK:
        return _PLATFORMS.setdefault(parts.netloc, MemoryPlatform(parts.netloc, FACES[face]))


def connect(access: Access) -> Connector:
    """A connector to the platform that the settings' URL names."""
    return MemoryConnector(platform_at(access.url))


TYPE = ConnectorType("memory", connect, needs=("url",), mapping="memory.toml")
