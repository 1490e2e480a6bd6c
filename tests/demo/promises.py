"""What the demo promises, checked on what lies on the server and on what the bridge answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.demo.pictures import Stages
from tests.demo.stories import DISPUTED, LOST, STORIES, WON, Seen, missed
from tests.demo.strategy import NEXT_STEPS, Strategy

Verdict = tuple[str, dict[str, Any], list[str]]
"""The promise's key, the values of its sentence, and what was found that breaks it."""


@dataclass(frozen=True)
class Evidence:
    """What there is to judge by: the lists as typed in, at each stage and in the end, and the bridge's answers."""

    strategy: Strategy
    typed: Seen
    stages: Stages
    end: Seen
    conflicts: list[dict[str, Any]]
    quiet: dict[str, Any]


def mirror(seen: Evidence) -> Verdict:
    """After the first sync both lists hold all items, titles word for word."""
    wanted = sorted(entry.title for entry in seen.strategy.entries)
    wrong = [
        f"{len(titles)}: {sorted(set(titles) ^ set(wanted))}"
        for titles in (seen.stages.before.titles(side) for side in (0, 1))
        if titles != wanted
    ]
    return "mirror", {"number": len(wanted)}, wrong


def public(seen: Evidence) -> Verdict:
    """What is public in the data is so on both sides, each in its own word, and nothing else is."""
    wanted = {entry.title for entry in seen.strategy.entries if entry.public}
    wrong = []
    for side, word in enumerate(("öffentlich", "public")):
        tasks = seen.stages.before.sides[side]
        marked = {task.title for task in tasks if word in _words(task.values.get("CATEGORIES"))}
        wrong += sorted(f"{word}: {title}" for title in marked ^ wanted)
    return "public", {"public": len(wanted), "internal": len(seen.strategy.entries) - len(wanted)}, wrong


def _words(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def stories(seen: Evidence) -> Verdict:
    """Every story ended as it must."""
    return "stories", {}, [line for story in STORIES for line in missed(story, seen.stages.after)]


def steps(seen: Evidence) -> Verdict:
    """Nobody touched the six next steps: not one character differs, from the typing in to the end."""
    titles = [seen.strategy.entry(id).title for id in NEXT_STEPS]
    return "steps", {}, _touched(seen, titles)


def rest(seen: Evidence) -> Verdict:
    """An edit changes nothing else: whatever is in no story stayed as it was."""
    told = {story.title for story in STORIES} | {seen.strategy.entry(id).title for id in NEXT_STEPS}
    titles = [entry.title for entry in seen.strategy.entries if entry.title not in told]
    return "rest", {"number": len(titles)}, _touched(seen, titles)


def _touched(seen: Evidence, titles: list[str]) -> list[str]:
    typed, end = seen.typed.texts(0), (seen.end.texts(0), seen.end.texts(1))
    mirrored = seen.stages.before.texts(1)
    return [
        title
        for title in titles
        if typed[title] != end[0].get(title) or mirrored.get(title) is None or mirrored[title] != end[1].get(title)
    ]


def duplicates(seen: Evidence) -> Verdict:
    """No title is twice in a list."""
    many = [Counter(seen.end.titles(side)) for side in (0, 1)]
    return "duplicates", {}, [f"{n}× {title}" for count in many for title, n in count.items() if n > 1]


def conflict(seen: Evidence) -> Verdict:
    """The one conflict is in the ledger, the loser with it."""
    found = [(one["title"], one["field"], one["winner"], one["loser"]) for one in seen.conflicts]
    return "conflict", {}, [] if found == [(DISPUTED, "due", str(WON), str(LOST))] else [repr(found)]


def quiet(seen: Evidence) -> Verdict:
    """The last sync wrote nothing and asked each list once."""
    wrong = [
        f"{name}: {said}"
        for name, said in seen.quiet["connectors"].items()
        if said["requests"] != 1 or said["created"] or said["updated"] or said["deleted"] or said["parked"]
    ]
    wrong += [
        task.title
        for side in (0, 1)
        for task in seen.end.sides[side]
        if seen.stages.after.texts(side).get(task.title) != task.ics
    ]
    return "quiet", {}, wrong


ALL = (mirror, public, stories, steps, rest, duplicates, conflict, quiet)
