"""Who a connector is bound to, and whether a person has agreed to it (R16, R30, R31).

The ledger knows a connector by type, host and collection, not by its name. A setting that points elsewhere, or a
mapping that changed, is nothing that a pass may act on unseen: it is shown, and waits for `--accept`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bridge.book import Book, new_id
from bridge.state import Binding
from bridge.station import Peer
from connectors.base import Identity

EVERYTHING = "everything"
"""What is said where no scope is set."""


@dataclass(frozen=True)
class Contact:
    """What a peer is bound to. ``reason`` says why a person has to agree first, "" if nobody has to."""

    peer: Peer
    binding: Binding
    reason: str
    warnings: tuple[str, ...] = ()


def current(bindings: Iterable[Binding]) -> dict[str, Binding]:
    """What every connector pointed to when it was last read; what it left before that rests."""
    return {one.name: one for one in sorted(bindings, key=lambda one: (one.complete_run, one.complete_at))}


def recognise(book: Book, peer: Peer, identity: Identity) -> Contact:
    """The binding of a peer: the one the ledger knows, or a new one that waits to be accepted."""
    for binding in book.bindings.values():
        if (binding.type, binding.host, binding.collection) == (identity.type, identity.host, identity.collection):
            return Contact(peer, binding, _reason(binding, peer), _warnings(book, peer, binding))
    binding = Binding(new_id()[:12], peer.name, identity.type, identity.host, identity.collection)
    others = [other for other in book.bindings.values() if other.name == peer.name]
    if others:
        old = max(others, key=lambda other: other.complete_run)
        title, place, before = identity.title, identity.host, old.host
        if title != old.title:
            return Contact(peer, binding, f"now points to “{title}”, before it was “{old.title}”")
        if place == before:
            place, before = identity.collection, old.collection
        return Contact(peer, binding, f"now points to “{title}” at {place}, before it was the one at {before}")
    return Contact(peer, binding, f"first contact with “{identity.title}”")


def _reason(binding: Binding, peer: Peer) -> str:
    if not binding.accepted:
        return f"first contact with “{binding.title}”"
    reasons = []
    if binding.mapping and peer.digest and binding.mapping != peer.digest:
        reasons.append("its mapping, mode or the time zone changed")
    before, now = binding.scope, str(peer.fence.scope)
    if before != now:
        reasons.append(f"its scope changed: before “{before or EVERYTHING}”, now “{now or EVERYTHING}”")
    if binding.confidential != peer.fence.confidential:
        fit = "it is marked as fit for confidential items now"
        reasons.append(fit if peer.fence.confidential else "it is not marked as fit for confidential items any more")
    return "; and ".join(reasons)


def remember_scope(binding: Binding, peer: Peer) -> None:
    """The links of a connector have been looked at under this scope (R31)."""
    binding.scope, binding.confidential = str(peer.fence.scope), peer.fence.confidential


def _warnings(book: Book, peer: Peer, binding: Binding) -> tuple[str, ...]:
    if binding.name != peer.name:
        return (f"{binding.name} is now called {peer.name}",)
    return ()


def doubles(contacts: Sequence[Contact], identities: Mapping[str, Identity]) -> dict[str, str]:
    """Connectors to a collection, or a part of one, that a connector named before them has, with a sentence (R30)."""
    seen: list[tuple[str, Identity]] = []
    found = {}
    for contact in contacts:
        name, mine = contact.peer.name, identities[contact.peer.name]
        for other, theirs in seen:
            if (theirs.type, theirs.host) != (mine.type, mine.host):
                continue
            if theirs.collection == mine.collection:
                found[name] = f"{name} is the same collection as {other}: remove one"
            elif theirs.collection in mine.contains or mine.collection in theirs.contains:
                found[name] = f"{name} and {other} overlap, one lies within the other: remove one"
        seen.append((name, mine))
    return found


def agree(book: Book, contact: Contact, identity: Identity) -> bool:
    """Bring the binding up to date. Returns whether it was accepted just now.

    That a changed mapping was agreed to is remembered only when everything was read with it (R31).
    """
    binding = contact.binding
    fresh = not binding.accepted
    changed = (binding.name, binding.title) != (contact.peer.name, identity.title)
    binding.name = contact.peer.name
    binding.title = identity.title
    if fresh or not binding.mapping:
        changed |= binding.mapping != contact.peer.digest
        binding.mapping = contact.peer.digest
    if fresh:
        remember_scope(binding, contact.peer)
    binding.accepted = True
    if fresh or changed:
        book.keep_binding(binding)
    return fresh
