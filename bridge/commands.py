"""The commands: each opens what it needs, calls the engine and says what came of it. Returns the exit code.

0 done · 1 something is parked or a connector failed · 2 settings or usage · 3 a person has to agree first.
"""

from __future__ import annotations

import hashlib
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import wraps

from bridge import answers, outcomes, render, views, words
from bridge.config import ConnectorSettings, Settings
from bridge.lease import Lease, lease
from bridge.ledger import open_ledger
from bridge.ledger_errors import LeaseHeld, LedgerError, LedgerMissing
from bridge.memory_store import MemoryStore
from bridge.outbox import LostLease
from bridge.scoping import Fence
from bridge.screen import Screen
from bridge.sql_store import SqlStore
from bridge.state import Store
from bridge.station import Peer
from bridge.survey import survival
from bridge.sync import Accept, Outcome, run_pass
from connectors.base import Changes
from connectors.errors import NotACollection, PlatformError
from mappings.translate import Translator, Vocabulary

DONE, PARTLY, USAGE, WAITS = 0, 1, 2, 3

Command = Callable[[Settings, Screen, Namespace], int]

PATIENCE = 30.0
"""Seconds to wait for another pass on the same ledger to end."""


# ---- what the commands need --------------------------------------------------------------------------------------


def peers_of(settings: Settings) -> list[Peer]:
    """The configured connectors, ready for a pass."""
    return [_peer(settings, one, -position) for position, one in enumerate(settings.connectors)]


def _peer(settings: Settings, one: ConnectorSettings, rank: int) -> Peer:
    fence = Fence(one.scope, one.access.confidential)
    said = one.mapping.model_dump_json(exclude_defaults=True) + settings.zone.key + str(one.read_only)
    return Peer(
        one.name,
        rank,
        one.type.connect(one.access),
        Translator(one.mapping, settings.zone),
        one.read_only,
        hashlib.sha256(said.encode()).hexdigest()[:16],
        one.access.writes,
        one.thresholds,
        fence,
        one.release,
    )


def ledger_to_read(settings: Settings) -> SqlStore | MemoryStore:
    """The ledger, for commands that only look; an empty one if there is none yet."""
    try:
        return open_ledger(settings.database_url, read_only=True)
    except LedgerMissing:
        return MemoryStore()


def looking(command: Callable[[Settings, Screen, Namespace, Store], int]) -> Command:
    """A command that only looks: it gets the ledger, and leaves nothing open."""

    @wraps(command)
    def look(settings: Settings, screen: Screen, args: Namespace) -> int:
        with closing(ledger_to_read(settings)) as store:
            return command(settings, screen, args, store)

    return look


@contextmanager
def one_pass(
    settings: Settings,
    peers: list[Peer],
    *,
    accept: Accept,
    by_hand: bool,
    go_on: Callable[[], bool] = lambda: True,
    wait: float = PATIENCE,
) -> Iterator[Outcome]:
    """One pass under the ledger's lease; waits that long for another one to end.

    What it did is told from the ledger, which stays open for that; the lease does not wait for whoever reads.
    """
    with ExitStack() as told:
        with lease(settings.database_url, wait=wait) as mine:
            store = told.enter_context(open_ledger(settings.database_url))
            outcome = run_pass(store, peers, accept=accept, by_hand=by_hand, held=lambda: go_on() and _held(mine))
        yield outcome


def _held(mine: Lease) -> bool:
    return mine.held()


# ---- check -------------------------------------------------------------------------------------------------------


def check(settings: Settings, screen: Screen, _: Namespace) -> int:
    """Every connector reached, signed in, collection found, rights sufficient, mapping fits."""
    code, told = checked(settings, screen)
    screen.result(told)
    return code


def checked(settings: Settings, screen: Screen) -> tuple[int, dict[str, object]]:
    """Show how every connector is; the exit code, and what a machine is told."""
    found = [_check_one(settings, one) for one in settings.connectors]
    screen.show(render.check(screen.t, found))
    broken = any(view.problems for view in found)
    return PARTLY if broken else DONE, {"ok": not broken, "connectors": {v.name: vars(v) for v in found}}


def _check_one(settings: Settings, one: ConnectorSettings) -> views.CheckView:
    found = _check_place(settings, one)
    return replace(found, scope=str(one.scope), release=one.release, confidential=one.access.confidential)


def _check_place(settings: Settings, one: ConnectorSettings) -> views.CheckView:
    host, title = one.access.url, one.access.collection
    try:
        connector = one.type.connect(one.access)
        identity = connector.identify(None)
        changes, translator = connector.pull(None, {}), Translator(one.mapping, settings.zone)
        warnings = [*identity.warnings, *_misfits(translator, changes)]
        survives = survival(translator, connector, changes)
    except NotACollection as error:
        return views.CheckView(one.name, one.type.name, host, title, problems=(str(error),), found=error.found)
    except PlatformError as error:
        return views.CheckView(one.name, one.type.name, host, title, problems=(str(error),))
    problems = []
    if not identity.writable and not one.read_only:
        prefix = one.name.upper()
        problems.append(
            f"{prefix}_USER may only read “{identity.title}”: ask for the right, or set {prefix}_MODE=read-only."
        )
    return views.CheckView(
        one.name,
        one.type.name,
        identity.host,
        identity.title,
        one.read_only,
        tuple(problems),
        tuple(warnings),
        fields=survives.fields,
        formatting=survives.formatting,
    )


def _misfits(translator: Translator, changes: Changes) -> list[str]:
    """What the mapping does not understand of what is there, each thing once."""
    options = changes.options or {}
    vocabulary = Vocabulary(there=options, meant=options, bound={})
    said: dict[str, list[str]] = {}
    for record in changes.records:
        if record.problem:
            said.setdefault(record.problem, []).append("")
        elif record.fields is not None:
            title = words.short(translator.title(record.fields), 60)
            for problem in translator.read(record.fields, vocabulary, _Nobody()).problems.values():
                said.setdefault(problem, []).append(title)
    return [_at(problem, titles) for problem, titles in sorted(said.items())][:20]


def _at(problem: str, titles: list[str]) -> str:
    """The one record that has a problem, or how many have it."""
    if len(titles) > 1:
        return f"{problem} ({len(titles)}×)"
    return f"{titles[0]}: {problem}" if titles[0] else problem


class _Nobody:
    """References of a collection that is only looked at."""

    def item_of(self, native_id: str) -> str | None:
        return native_id

    def native_of(self, item: str) -> str | None:
        return item

    def title_of(self, item: str) -> str:
        return item

    def milestone_titled(self, title: str, limit: int | None = None) -> str | None:
        return None


# ---- plan and sync -----------------------------------------------------------------------------------------------


@looking
def plan(settings: Settings, screen: Screen, _: Namespace, store: Store) -> int:
    """What a sync would do and why; writes nothing anywhere."""
    outcome = planned(settings, screen, store)
    screen.result(outcomes.plan_json(outcome))
    return WAITS if outcome.waits else PARTLY if _failed(outcome) else DONE


def planned(settings: Settings, screen: Screen, store: Store) -> Outcome:
    """Show what a sync would do."""
    outcome = run_pass(store, peers_of(settings), dry=True)
    _show_plan(screen, outcome)
    return outcome


def _show_plan(screen: Screen, outcome: Outcome) -> None:
    names = outcomes.names_of(outcome)
    pairs = [pair for pair in outcomes.pairs(outcome) if pair.verdict != "new"]  # what is new is among the steps
    if pairs:
        screen.show(render.pairing(screen.t, pairs))
    steps = [outcomes.step(names, one) for one in outcomes.operations(outcome, held=False)]
    screen.show(render.plan(screen.t, steps, outcomes.held_views(outcome), whole=not _failed(outcome)))
    screen.warnings(list(outcome.warnings))
    screen.problems([f"{name}: {one.error}" for name, one in outcome.connectors.items() if one.error])


def _failed(outcome: Outcome) -> bool:
    return any(one.error for one in outcome.connectors.values())


def sync(settings: Settings, screen: Screen, args: Namespace, *, wait: float = PATIENCE) -> int:
    """One pass."""
    try:
        with one_pass(settings, peers_of(settings), accept=args.accept, by_hand=True, wait=wait) as outcome:
            show_outcome(screen, outcome)
            screen.result(outcomes.outcome_json(outcome))
            return outcome.exit_code
    except (LeaseHeld, LostLease) as error:
        _refuse_pass(screen, error)
        return PARTLY


def _refuse_pass(screen: Screen, error: Exception) -> None:
    """There was no pass, and why."""
    screen.problems([str(error)])
    screen.result({"run": None, "ok": False, "error": str(error), "connectors": {}, "conflicts": 0, "seconds": 0})


def show_outcome(screen: Screen, outcome: Outcome) -> None:
    """What a pass did, and what waits for a person."""
    screen.warnings(list(outcome.warnings))
    if outcome.waits:
        pairs = outcomes.pairs(outcome)
        if pairs:
            screen.show(render.pairing(screen.t, pairs))
        screen.show(render.holding(screen.t, outcomes.held_views(outcome), look=bool(outcome.contacts)))
    rows = outcomes.summary_rows(outcome)
    picture = render.summary(screen.t, outcome.run, outcome.seconds, outcome.conflicts, rows, waits=outcome.waits)
    screen.show(picture)


# ---- looking -----------------------------------------------------------------------------------------------------


@looking
def status(settings: Settings, screen: Screen, _: Namespace, store: Store) -> int:
    """The last complete pass per connector, clocks, what is parked and why, kept conflicts."""
    names = answers.Names(store)
    configured = {one.name: (one.access.collection, one.access.url) for one in settings.connectors}
    rows = answers.status_rows(store, configured)
    screen.show(render.status(screen.t, settings.zone, rows, answers.parked(store, names), len(store.conflicts())))
    screen.result(answers.status_json(store, rows))
    return DONE


@looking
def items(settings: Settings, screen: Screen, _: Namespace, store: Store) -> int:
    """The canonical model as a list."""
    names = answers.Names(store)
    living = [item for item in store.all_items() if not item.dead]
    screen.show(render.items(screen.t, answers.item_rows(store, names, living)))
    screen.result([answers.item_json(store, names, item, full=False) for item in living])
    return DONE


@looking
def show(settings: Settings, screen: Screen, args: Namespace, store: Store) -> int:
    """One item in full: by id, unique prefix of one, or title."""
    names = answers.Names(store)
    found = store.find_items(args.item)
    if len(found) != 1:
        key = "show.several" if found else "show.none"
        screen.problems([screen.t(key, item=args.item), *(f"{item.id[:12]}  {item.title}" for item in found[:20])])
        return USAGE
    screen.show(render.item(screen.t, settings.zone, answers.item_view(store, names, found[0])))
    screen.result(answers.item_json(store, names, found[0], full=True))
    return DONE


@looking
def conflicts(settings: Settings, screen: Screen, _: Namespace, store: Store) -> int:
    """The conflict ledger, newest first."""
    names = answers.Names(store)
    kept = store.conflicts()
    screen.show(render.conflicts(screen.t, settings.zone, [answers.conflict_view(names, one) for one in kept]))
    screen.result([answers.conflict_json(names, one) for one in kept])
    return DONE


def disconnect(settings: Settings, screen: Screen, args: Namespace) -> int:
    """Forget a connector and leave its records where they are."""
    with lease(settings.database_url), open_ledger(settings.database_url) as store:
        known = [binding for binding in store.bindings() if binding.name == args.name]
        for binding in known:  # more than one, if it pointed elsewhere before
            store.forget(binding.id)
    if not known:
        screen.problems([screen.t("disconnect.none", name=args.name)])
        return USAGE
    screen.show(screen.t("disconnect.done", name=args.name))
    screen.result({"disconnected": args.name})
    return DONE


# ---- the service -------------------------------------------------------------------------------------------------


def run(settings: Settings, screen: Screen, _: Namespace) -> int:
    """The same pass on a schedule, until SIGTERM."""
    from bridge.schedule import keep_time

    peers = peers_of(settings)

    def beat(go_on: Callable[[], bool]) -> None:
        try:
            with one_pass(settings, peers, accept=False, by_hand=False, go_on=go_on) as outcome:
                show_outcome(screen, outcome)
                screen.result(outcomes.outcome_json(outcome))
        except (LeaseHeld, LostLease, LedgerError) as error:
            if go_on():  # else we are being ended, and that is why the lease is gone
                _refuse_pass(screen, error)

    keep_time(settings, beat)
    return DONE


COMMANDS: dict[str, Command] = {
    "check": check,
    "plan": plan,
    "sync": sync,
    "status": status,
    "items": items,
    "show": show,
    "conflicts": conflicts,
    "run": run,
    "disconnect": disconnect,
}
