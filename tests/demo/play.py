"""The demo's server in the foreground, with the data that the demo left, or with the strategy freshly typed in."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.texts import Texts
from tests.demo.people import type_in
from tests.demo.pictures import heading, sentence
from tests.demo.place import Place, Server
from tests.demo.strategy import load


def play(place: Place, out: Console, t: Texts) -> int:
    """Run the server until Ctrl-C. 1 if it ended by itself."""
    left = place.left
    try:
        if not left:
            place.wipe()
        with place.server() as server:
            known = _prepare(place, server, out, t, left=left)
            _say_what_to_try(place, server, out, t, "sync" if known else "sync --accept")
            server.wait()
            out.print(Text(t("play.died", log=server.folder / "log"), style="bold red"))
            return 1
    except KeyboardInterrupt:
        out.print()
        out.print(t("play.over"))
        return 0


def _prepare(place: Place, server: Server, out: Console, t: Texts, *, left: bool) -> bool:
    """Take the data that are there; type them in where there are none. Whether the bridge knows this server."""
    old = place.port
    if not left:
        _fill(place, server)
        place.write_settings(server, t.language)
    elif server.port != old:
        place.move_settings(server.port)
    out.print(heading(1, t("section.play")))
    out.print(sentence(t("play.left" if left else "play.fresh")))
    if left and server.port != old:
        out.print(sentence(t("play.moved", old=old, new=server.port)))
    return server.port == old and (place.folder / "bridge.db").exists()


def _fill(place: Place, server: Server) -> None:
    departments = place.departments(server)
    for department in departments:
        department.open_list()
    type_in(departments[0], load())


def _say_what_to_try(place: Place, server: Server, out: Console, t: Texts, command: str) -> None:
    out.print(t("play.caldav"))
    table = Table.grid(padding=(0, 2, 0, 0))
    for department in place.departments(server):
        table.add_row(Text(f"  {t('play.list')}", style="dim"), Text(department.url, style="bold"), department.title)
    table.add_row(Text(f"  {t('play.user')}", style="dim"), Text(server.user, style="bold"))
    table.add_row(Text(f"  {t('play.password')}", style="dim"), Text(server.password, style="bold"))
    out.print(table)
    out.print()
    out.print(t("play.terminal"))
    lines = [f"cd {place.shown()}", f"{place.command()} {command}"]
    out.print(Text("\n".join(f"  {line}" for line in lines), style="bold"), soft_wrap=True)
    out.print()
    out.print(t("play.without"))
    task = f"{place.departments(server)[0].url}ac-g-03.ics"
    lines = [
        f"TASK={task}",
        f"ME='{server.user}:{server.password}'",
        """curl -s -u "$ME" $TASK | sed 's/^SUMMARY:.*/SUMMARY:Standort/' |""",
        """curl -s -u "$ME" -X PUT --data-binary @- $TASK""",
    ]
    out.print(Text("\n".join(f"  {line}" for line in lines), style="bold"), soft_wrap=True)
    out.print()
    out.print(Text(t("play.end"), style="dim"))
