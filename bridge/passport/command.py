"""``strategy-bridge passport NAME``: measure a live platform in a collection that is there for tests.

0 measured, nothing left behind · 1 a step failed, or something of ours could not be taken away · 2 no such connector,
or not a collection to try things in · 130 interrupted, after everything of ours was taken away.
"""

from __future__ import annotations

import signal
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from bridge.config import ConnectorSettings, Settings
from bridge.passport import paper
from bridge.passport.bench import Bench
from bridge.passport.manners import behave, traffic
from bridge.passport.measure import measure
from bridge.passport.report import Passport
from bridge.screen import Screen
from connectors.base import Identity
from connectors.errors import PlatformError

DONE, PARTLY, USAGE, INTERRUPTED = 0, 1, 2, 130


def passport(settings: Settings, screen: Screen, args: Namespace) -> int:
    """Measure, take away what was made, and say what came of it."""
    one = next((each for each in settings.connectors if each.name == args.name), None)
    if one is None:
        names = ", ".join(each.name for each in settings.connectors)
        screen.problems([screen.t("passport.no_such", name=args.name, names=names)])
        return USAGE
    if one.read_only:
        screen.problems([screen.t("passport.read_only", name=one.name)])
        return USAGE
    try:
        bench = Bench(one, settings.zone)
        found = bench.identify()
    except PlatformError as error:
        screen.problems([str(error)])
        return PARTLY
    refused = _refusal(screen, one, found)
    if refused:
        screen.problems([refused])
        return USAGE
    with ending_by_signal():
        return _measured(screen, bench, Passport(one.name, found.type, found.host, found.title), args)


def _refusal(screen: Screen, one: ConnectorSettings, found: Identity) -> str:
    """Why nothing is tried in this collection, or ""."""
    if "test" not in found.title.casefold():
        return screen.t("passport.no_test", title=found.title, setting=f"{one.name.upper()}_COLLECTION")
    return "" if found.writable else screen.t("passport.not_writable", title=found.title)


def _measured(screen: Screen, bench: Bench, result: Passport, args: Namespace) -> int:
    interrupted = False
    start = time.monotonic()
    try:
        with screen.progress() as bar:
            task = bar.add_task(screen.t("passport.area.kinds"), total=10)

            def tell(area: str) -> None:
                bar.update(task, description=screen.t(f"passport.area.{area}"), advance=1)

            take(bench, result, args.records, tell)
    except KeyboardInterrupt:
        interrupted = True
        screen.warnings([screen.t("passport.interrupted")])
    result.left = bench.clean()
    result.facts["requests"] = traffic(bench)
    seconds = time.monotonic() - start
    screen.show(paper.picture(screen.t, result))
    screen.result({**result.json(), "seconds": round(seconds, 1), "interrupted": interrupted})
    if args.out and not interrupted:
        try:
            Path(args.out).write_text(paper.markdown(screen.t, result), encoding="utf-8")
        except OSError as error:
            screen.problems([screen.t("passport.no_file", path=args.out, why=error.strerror or type(error).__name__)])
            return PARTLY
    return INTERRUPTED if interrupted and result.ok else DONE if result.ok else PARTLY


def take(bench: Bench, result: Passport, records: int, tell: Callable[[str], None] = lambda _: None) -> None:
    """Everything that is measured, into the passport. Lost access ends it early, and that is said."""
    try:
        result.others = bench.look()
        measure(bench, result, tell)
        tell("manners")
        behave(bench, result, records)
    except PlatformError as error:
        result.failure = str(error)


@contextmanager
def ending_by_signal() -> Iterator[None]:
    """SIGTERM is an interruption like Ctrl-C: what was made is taken away."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
