"""``strategy-bridge init``: connect platforms, one after the other, and show what a sync would do.

0 everything is ready · 1 a platform says no, or `check` does · 2 options or settings, decided before any request is
sent · 130 interrupted before anything was connected; what was connected by then stays.
"""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rich.padding import Padding
from rich.text import Text

from bridge import commands, config, words
from bridge.environment import Environment, read
from bridge.screen import Screen
from bridge.setup import dotenv
from bridge.setup.ask import Asks, Stop, whoever_is_there
from bridge.setup.connect import Connected, Connecting, Given
from bridge.setup.draft import Draft

INTERRUPTED = 130
NAMES = "BRIDGE_CONNECTORS"
FIRST = "# Settings of Strategy Bridge: docs/settings.md has them all. The order of the names decides ties."
"""What stands above the first line that we add."""


def init(screen: Screen, args: Namespace) -> int:
    """Connect at least one platform; with a person there, as many as they like."""
    ask = whoever_is_there(screen)
    made: list[Connected] = []
    try:
        _greet(screen, ask)
        given = Given.by(args)
        while True:
            made.append(_one(screen, ask, given))
            few = len(_names(_environment())) < 2
            question = "init.another_needed" if few else "init.another"
            if not ask.answers or not ask.yes(screen.t(question), few):
                break
            given = Given()
    except Stop as stop:
        screen.problems(list(stop.sentences))
        if stop.code == commands.PARTLY:
            screen.result({"ok": False, "problems": list(stop.sentences)})
        return stop.code
    except KeyboardInterrupt:
        if not made:
            screen.problems([screen.t("init.given_up")])
            return INTERRUPTED
    return _finished(screen, ask, made)


def _greet(screen: Screen, ask: Asks) -> None:
    env = _environment()
    if env.problems:
        raise Stop(commands.USAGE, *(screen.t(one.key, **one.values) for one in env.problems))
    if env.text(NAMES):
        try:
            config.load()
        except config.SettingsError as error:
            raise Stop(commands.USAGE, *error.problems) from None
    ask.tell(Text(screen.t("init.greeting")), Padding(Text(screen.t("init.how"), "dim"), (0, 0, 1, 0)))


def _one(screen: Screen, ask: Asks, given: Given) -> Connected:
    """One platform, connected and written down."""
    path = Path.cwd() / ".env"
    names = _names(_environment())

    def text_with(draft: Draft, title: str = "") -> str:
        listed = names if draft.name in names else [*names, draft.name]
        text = dotenv.changed(_text(path), {NAMES: ",".join(listed)}, FIRST)
        heading = f"# ---- {draft.name}: {' '.join(words.harmless(title).split())} ({draft.type.name})"
        return dotenv.changed(text, draft.settings(), f"{heading} {'-' * (118 - len(heading))}")

    def problems(draft: Draft) -> Sequence[str]:
        stronger = _in_the_way(draft, names)
        if stronger:
            return [screen.t("init.environment", names=", ".join(stronger))]
        try:
            config.load(text=text_with(draft))
        except config.SettingsError as error:
            return error.problems
        except dotenv.Unwritable as error:
            return [screen.t("init.unwritable", names=str(error))]
        return ()

    found = Connecting(screen, ask, given, names, os.environ, problems).connect()
    try:
        saved = dotenv.save(path, text_with(found.draft, found.identity.title))
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Stop(commands.USAGE, screen.t("init.not_saved", path=path, why=why)) from None
    key = "init.saved_new" if saved.created else "init.saved_tighter" if saved.before else "init.saved"
    said = screen.t(key, path=path.name, title=words.harmless(found.identity.title), name=found.draft.name)
    screen.show(Text.assemble(("✓ ", "bold green"), said))
    for secret, kept in found.draft.kept.items():
        where = kept or screen.t("init.in_environment")
        screen.show(
            Text(f"  {screen.t('init.kept', name=f'{found.draft.prefix}{secret.upper()}', where=where)}", "dim")
        )
    return found


def _finished(screen: Screen, ask: Asks, made: list[Connected]) -> int:
    """Check everything that is connected, and show the plan once there are two."""
    try:
        settings = config.load()
    except config.SettingsError as error:
        screen.problems(error.problems)
        return commands.USAGE
    screen.show(Text())
    code, told = commands.checked(settings, screen)
    if code == commands.DONE and len(settings.connectors) > 1 and not screen.for_machines:
        screen.show(Text())
        with closing(commands.ledger_to_read(settings)) as store:
            outcome = commands.planned(settings, screen, store)
        if not outcome.waits:  # else the plan says what to do
            screen.show(Text(screen.t("init.next")))
    elif len(settings.connectors) < 2:
        screen.show(Text(screen.t("init.next_one")))
    screen.result({"ok": code == commands.DONE, "connected": [_json(one) for one in made], "check": told})
    return code


def _json(one: Connected) -> dict[str, object]:
    return {
        "name": one.draft.name,
        "type": one.draft.type.name,
        "host": one.identity.host,
        "collection": one.draft.collection,
        "title": one.identity.title,
        "read_only": one.draft.read_only,
        "found": [{"name": each.name, "title": each.title, "writable": each.writable} for each in one.offers],
    }


# ---- what is set already -----------------------------------------------------------------------------------------


def _environment() -> Environment:
    return read(os.environ, Path.cwd())


def _names(env: Environment) -> list[str]:
    return [name for part in env.text(NAMES).split(",") if (name := part.strip())]


def _text(path: Path) -> str:
    """`.env` to the letter, line ends too; what is wrong with it was said at the beginning."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""


def _in_the_way(draft: Draft, names: Sequence[str]) -> list[str]:
    """Variables of the environment that say otherwise: they go before `.env`."""
    wanted = {name: value for name, value in draft.settings().items() if value is not None}
    if draft.name not in names:
        wanted[NAMES] = ""
    return [name for name, value in wanted.items() if os.environ.get(name, "").strip() not in ("", value)]
