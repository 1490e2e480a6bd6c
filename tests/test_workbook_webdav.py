"""A workbook on a server: nothing is downloaded in vain, no save overwritten, and what is missing proves nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openpyxl
import pytest
import requests

from connectors.base import Access, Offer, Record
from connectors.errors import (
    Forbidden,
    Lost,
    NotACollection,
    RateLimited,
    Terminal,
    Transient,
    Unauthorized,
    VersionMismatch,
)
from connectors.workbook import SharedWorkbook, connect, place
from tests import webdav_server
from tests.fakes.nextcloud_files import PASSWORD, USER, Cloud
from tests.webdav_server import WebDav
from tests.workbook_person import office_plan

NAME = "Pläne/Plan.xlsx"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud() as running:
        yield running


@pytest.fixture
def plan(tmp_path: Path, cloud: Cloud) -> bytes:
    path = tmp_path / "Plan.xlsx"
    office_plan(path)
    cloud.save(NAME, path.read_bytes(), ago=60)
    return path.read_bytes()


def connector_to(cloud: Cloud, name: str = NAME, password: str = PASSWORD) -> SharedWorkbook:
    made = connect(Access("plan", cloud.url(name), user=USER, password=password))
    assert isinstance(made, SharedWorkbook)
    return made


def ready(cloud: Cloud, name: str = NAME) -> SharedWorkbook:
    connector = connector_to(cloud, name)
    connector.identify()
    cloud.seen.clear()
    return connector


def by_title(connector: SharedWorkbook) -> dict[str, Record]:
    return {str((record.fields or {})["title"]): record for record in connector.pull(None, {}).records}


def edited(content: bytes, tmp_path: Path, cell: str, value: str) -> bytes:
    """What somebody makes of the file in an office program."""
    path = tmp_path / "edited.xlsx"
    path.write_bytes(content)
    book = openpyxl.load_workbook(path)
    book["Plan"][cell] = value
    book.save(path)
    return path.read_bytes()


# ---- who it is -------------------------------------------------------------------------------------------------------


def test_a_file_in_nextcloud_is_who_its_id_says(cloud: Cloud, plan: bytes) -> None:
    identity = connector_to(cloud).identify()
    assert (identity.title, identity.collection, identity.writable) == ("Plan.xlsx", "00000164ocskl91wi3na", True)
    connector = ready(cloud)
    assert by_title(connector)["Serviceportal"].url.endswith("/index.php/f/164")


def test_a_file_that_was_renamed_is_told_by_its_new_address_and_is_the_same_there(cloud: Cloud, plan: bytes) -> None:
    first = connector_to(cloud)
    identity, memory = first.identify(), first.memory()
    cloud.move(NAME, "Archiv/Plan 2026.xlsx")
    lost = connector_to(cloud)
    lost.identify(memory)
    new = cloud.url("Archiv/Plan 2026.xlsx")
    with pytest.raises(NotACollection, match="renamed or moved") as said:
        lost.pull(None, {})
    assert f"PLAN_URL={new}" in str(said.value)
    assert connector_to(cloud, "Archiv/Plan 2026.xlsx").identify(memory) == identity.__class__(
        "workbook", identity.host, identity.collection, "Plan 2026.xlsx"
    )


def test_a_program_that_saves_by_putting_a_new_file_in_place_changes_nothing(cloud: Cloud, plan: bytes) -> None:
    first = connector_to(cloud)
    identity, memory = first.identify(), first.memory()
    cloud.move(NAME, "~WRL1.tmp")
    cloud.save(NAME, plan)
    again = connector_to(cloud)
    assert again.identify(memory) == identity
    again.pull(None, {})


def test_another_file_under_another_address_is_another_one(cloud: Cloud, plan: bytes) -> None:
    first = connector_to(cloud)
    first.identify()
    cloud.save("Anders.xlsx", plan)
    assert connector_to(cloud, "Anders.xlsx").identify(first.memory()).collection != first.identify().collection


def test_a_share_for_reading_only_is_not_written(cloud: Cloud, plan: bytes) -> None:
    cloud.files[NAME].rights = "SRG"
    connector = connector_to(cloud)
    identity = connector.identify()
    assert not identity.writable
    assert "for reading only" in identity.warnings[0]
    with pytest.raises(Forbidden):
        connector.create({"title": "Neu"}, "sb-1")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Plan.ods", "a file that ends in"),
        ("Fehlt.xlsx", "has no file"),
        ("Leer.csv", "is empty"),
        ("Kein.csv", "needs the header"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(cloud: Cloud, name: str, said: str) -> None:
    cloud.save("Leer.csv", b"")
    cloud.save("Kein.csv", b"Datum;Betrag\n")
    with pytest.raises((NotACollection, Transient), match=said):
        connector_to(cloud, name).identify()


def test_a_wrong_password_and_a_server_without_webdav(cloud: Cloud, plan: bytes) -> None:
    with pytest.raises(Unauthorized, match="PLAN_USER and PLAN_PASSWORD"):
        connector_to(cloud, password="falsch").identify()
    cloud.answers = [(405, "text/plain", b"")]
    with pytest.raises(NotACollection, match="speaks no WebDAV"):
        connector_to(cloud).identify()


def test_a_file_may_be_named_within_the_accounts_own_folder(cloud: Cloud, plan: bytes) -> None:
    root = cloud.url("").removesuffix("/remote.php/dav/files/anna/")
    access = Access("plan", root, user=USER, password=PASSWORD, collection=f"{NAME}#Plan")
    connector = connect(access)
    found = connector.identify()
    assert (found.title, found.collection) == ("Plan.xlsx", "00000164ocskl91wi3na#Plan")
    cloud.move(NAME, "Neu.xlsx")
    with pytest.raises(NotACollection, match=r"set PLAN_COLLECTION=Neu\.xlsx"):
        connector.pull(None, {})


def test_what_there_is_to_choose_from(cloud: Cloud, plan: bytes, webdav: WebDav) -> None:
    cloud.save("Brief.txt", b"")
    cloud.save("Liste.csv", b"Titel\n")
    connector = connect(Access("plan", cloud.url(""), user=USER, password=PASSWORD))
    assert isinstance(connector, SharedWorkbook)
    assert connector.collections() == [Offer("Liste.csv", "Liste.csv", True)]
    assert connector_to(cloud).collections() == [Offer("", "Plan.xlsx", True)]
    (webdav.folder / "Angebot").mkdir(exist_ok=True)
    (webdav.folder / "Angebot" / "Plan ä.csv").write_text("Titel\n", encoding="utf-8")
    access = Access("plan", webdav.url("Angebot"), user=webdav_server.USER, password=webdav_server.PASSWORD)
    assert connect(access).collections() == [Offer("Plan ä.csv", "Plan ä.csv", True)]  # type: ignore[attr-defined]


# ---- reading ---------------------------------------------------------------------------------------------------------


def test_a_pass_over_a_file_that_nobody_touched_is_one_request_and_downloads_nothing(cloud: Cloud, plan: bytes) -> None:
    first = ready(cloud)
    cursor = first.pull(None, {}).cursor
    assert cursor
    cloud.seen.clear()
    second = connector_to(cloud)
    second.identify(first.memory())
    changes = second.pull(cursor, {})
    assert (cloud.seen, changes.records, changes.delta, changes.complete) == (["GET"], (), True, False)
    assert changes.cursor == cursor
    assert second.abilities == first.abilities


def test_an_etag_that_may_be_made_of_seconds_is_not_trusted_at_once(cloud: Cloud, plan: bytes) -> None:
    cloud.plain = True
    cloud.save(NAME, plan)
    assert ready(cloud).pull(None, {}).cursor is None
    cloud.save(NAME, plan, ago=10)
    assert ready(cloud).pull(None, {}).cursor is not None


def test_the_time_of_a_row_is_that_of_the_file_and_may_go_back(cloud: Cloud, plan: bytes, tmp_path: Path) -> None:
    connector = ready(cloud)
    before = by_title(connector)["Serviceportal"]
    assert before.modified_at == cloud.files[NAME].saved
    cloud.save(NAME, edited(plan, tmp_path, "C3", "Erledigt"), ago=86_400)  # somebody restored an old version
    after = by_title(connector)["Serviceportal"]
    assert after.modified_at == cloud.files[NAME].saved < before.modified_at
    assert after.version != before.version


def test_the_servers_clock_is_learned(cloud: Cloud, plan: bytes) -> None:
    cloud.ahead = 3_600.0
    connector = ready(cloud)
    assert connector.clock is not None
    assert 3_590 < connector.clock[0] <= connector.clock[1] < 3_610


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half of it", b"  \n"])
def test_a_file_that_is_not_whole_waits_and_proves_nothing(cloud: Cloud, plan: bytes, content: bytes) -> None:
    connector = ready(cloud)
    cloud.save(NAME, content)
    with pytest.raises(Transient):
        connector.pull(None, {})


def test_a_web_page_in_place_of_the_file_waits(cloud: Cloud, plan: bytes) -> None:
    connector = ready(cloud)
    cloud.answers = [(200, "text/html; charset=utf-8", b"<html>Anmelden</html>")]
    with pytest.raises(Transient, match="answered with a web page"):
        connector.pull(None, {})


def test_a_file_that_is_gone_is_no_absence_of_rows(cloud: Cloud, plan: bytes) -> None:
    connector = ready(cloud)
    record = by_title(connector)["Serviceportal"]
    del cloud.files[NAME]
    for ask in (lambda: connector.pull(None, {}), lambda: connector.probe(record.ref)):
        with pytest.raises(NotACollection, match="put it back, or correct PLAN_URL"):
            ask()
    with pytest.raises(NotACollection):
        connector.create({"title": "Neu"}, "sb-1")
    assert NAME not in cloud.files


def test_a_file_that_is_too_large_is_not_read_to_its_end(
    cloud: Cloud, plan: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.workbook.webdav.LARGEST", 1_000)
    with pytest.raises(Terminal, match="larger than 1,000 bytes"):
        connector_to(cloud).identify()
    assert place.LARGEST > 1_000_000


# ---- writing ---------------------------------------------------------------------------------------------------------


def test_a_write_is_one_upload_and_nothing_is_read_back_that_was_answered(cloud: Cloud, plan: bytes) -> None:
    connector = ready(cloud)
    records = by_title(connector)
    cloud.seen.clear()
    made = connector.create({"title": "Neu"}, "sb-1")
    updated = connector.update(records["Serviceportal"].ref, {"status": "Erledigt"}, records["Serviceportal"].version)
    assert cloud.seen == ["PUT", "PUT"]
    assert ((made.fields or {})["title"], (updated.fields or {})["status"]) == ("Neu", "Erledigt")
    assert (by_title(ready(cloud))["Serviceportal"].fields or {})["status"] == "Erledigt"


def test_two_peoples_edits_at_once_lose_nothing(cloud: Cloud, plan: bytes, tmp_path: Path) -> None:
    connector = ready(cloud)
    record = by_title(connector)["Serviceportal"]
    theirs = edited(plan, tmp_path, "C4", "Erledigt")
    cloud.wait_for("PUT", lambda: cloud.save(NAME, theirs))
    after = connector.update(record.ref, {"status": "Wartet"}, record.version)
    assert (after.fields or {})["status"] == "Wartet"
    fresh = by_title(connector)
    assert ((fresh["Serviceportal"].fields or {})["status"], (fresh["Formulare"].fields or {})["status"]) == (
        "Wartet",
        "Erledigt",
    )


def test_an_edit_of_the_same_row_between_reading_and_writing_is_given_back(
    cloud: Cloud, plan: bytes, tmp_path: Path
) -> None:
    connector = ready(cloud)
    record = by_title(connector)["Serviceportal"]
    theirs = edited(plan, tmp_path, "C3", "Erledigt")
    cloud.wait_for("PUT", lambda: cloud.save(NAME, theirs))
    with pytest.raises(VersionMismatch) as found:
        connector.update(record.ref, {"status": "Wartet"}, record.version)
    assert isinstance(found.value.record, Record)
    assert (found.value.record.fields or {})["status"] == "Erledigt"
    assert cloud.files[NAME].content == theirs


def test_a_file_saved_by_others_all_the_time_is_left_alone(cloud: Cloud, plan: bytes) -> None:
    connector = ready(cloud)
    for _ in range(3):
        cloud.wait_for("PUT", lambda: cloud.save(NAME, plan))
    with pytest.raises(Transient, match="saved by others all the time"):
        connector.create({"title": "Neu"}, "sb-1")
    assert cloud.files[NAME].content == plan


def test_a_locked_file_makes_the_pass_wait_and_says_why(cloud: Cloud, plan: bytes) -> None:
    connector = ready(cloud)
    cloud.files[NAME].locked = True
    with pytest.raises(RateLimited, match="locked, most likely because somebody has it open") as said:
        connector.create({"title": "Neu"}, "sb-1")
    assert said.value.retry_after > 0
    assert cloud.files[NAME].content == plan


def test_an_upload_without_an_answer_is_lost_and_not_repeated(cloud: Cloud, plan: bytes) -> None:
    connector = ready(cloud)
    connector.pull(None, {})
    cloud.lose = 1
    with pytest.raises(Lost):
        connector.create({"title": "Neu"}, "sb-1")
    assert connector.create({"title": "Neu"}, "sb-1").mark == "sb-1"
    assert sum(title == "Neu" for title in by_title(connector)) == 1


def test_tags_that_are_weak_for_a_second_are_waited_for(cloud: Cloud, plan: bytes) -> None:
    cloud.weak = cloud.plain = True
    connector = ready(cloud)
    connector.create({"title": "Eins"}, "sb-1")
    cloud.save(NAME, cloud.files[NAME].content)
    connector.create({"title": "Zwei"}, "sb-2")
    assert {"Eins", "Zwei"} <= by_title(connector).keys()


def test_writes_that_wait_for_each_other_are_one_upload(cloud: Cloud, plan: bytes) -> None:
    """Whoever comes while an upload is under way is served by the next one, and hears of its own row only."""
    connector = ready(cloud)
    record = by_title(connector)["Serviceportal"]
    cloud.seen.clear()
    begun = threading.Event()

    def hold() -> None:
        begun.set()
        time.sleep(0.5)

    cloud.wait_for("PUT", hold)
    with ThreadPoolExecutor(12) as pool:
        first = pool.submit(connector.create, {"title": "Nr. 0"}, "sb-0")
        assert begun.wait(10)
        made = [pool.submit(connector.create, {"title": f"Nr. {number}"}, f"sb-{number}") for number in range(1, 9)]
        stale = pool.submit(connector.update, record.ref, {"status": "Wartet"}, "old")
        assert [one.result().mark for one in (first, *made)] == [f"sb-{number}" for number in range(9)]
        assert isinstance(stale.exception(), VersionMismatch)
    assert cloud.seen == ["PUT", "PUT"]


def test_an_upload_of_several_that_is_lost_is_lost_for_all(cloud: Cloud, plan: bytes) -> None:
    connector = ready(cloud)
    connector.pull(None, {})
    begun = threading.Event()

    def hold() -> None:
        begun.set()
        time.sleep(0.3)
        cloud.lose = 2

    cloud.wait_for("PUT", hold)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(connector.create, {"title": "Nr. 0"}, "sb-0")
        assert begun.wait(10)
        others = [pool.submit(connector.create, {"title": f"Nr. {number}"}, f"sb-{number}") for number in (1, 2)]
        assert all(isinstance(one.exception(), Lost) for one in (first, *others))


# ---- a real server ---------------------------------------------------------------------------------------------------


@pytest.fixture
def on_real_server(webdav: WebDav, tmp_path: Path) -> tuple[SharedWorkbook, str]:
    name = f"{tmp_path.name}.xlsx"
    office_plan(webdav.folder / name)
    url = webdav.url(name)
    made = connect(Access("plan", url, user=webdav_server.USER, password=webdav_server.PASSWORD))
    assert isinstance(made, SharedWorkbook)
    return made, url


def test_a_lock_on_a_real_server_is_waited_for(on_real_server: tuple[SharedWorkbook, str]) -> None:
    connector, url = on_real_server
    connector.identify()
    body = (
        '<d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope>'
        "<d:locktype><d:write/></d:locktype><d:owner>Office</d:owner></d:lockinfo>"
    )
    auth = (webdav_server.USER, webdav_server.PASSWORD)
    locked = requests.request("LOCK", url, data=body, headers={"Timeout": "Second-60"}, auth=auth, timeout=30)
    assert locked.ok
    with pytest.raises(RateLimited, match="locked"):
        connector.create({"title": "Neu"}, "sb-1")
    token = {"Lock-Token": locked.headers["Lock-Token"]}
    assert requests.request("UNLOCK", url, headers=token, auth=auth, timeout=30).ok
    assert connector.create({"title": "Neu"}, "sb-1").mark == "sb-1"


def test_a_folder_is_no_file(webdav: WebDav) -> None:
    (webdav.folder / "Ordner.csv").mkdir(exist_ok=True)
    access = Access("plan", webdav.url("Ordner.csv"), user=webdav_server.USER, password=webdav_server.PASSWORD)
    with pytest.raises(NotACollection, match="is a folder"):
        connect(access).identify()
