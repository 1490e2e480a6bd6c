"""The platform in memory keeps the contract of all connectors, in each of its faces; and its own small promises."""

from __future__ import annotations

import pytest

from connectors.base import Access, Alive, Connector, Fields, Gone, Hidden, Moved, Native, OutOfScope
from connectors.errors import CursorExpired, NotACollection, NotFound, Rejected, VersionMismatch
from connectors.memory import MemoryConnector, connect, platform_at
from connectors.memory_platform import FACES, HIDDEN, MemoryPlatform, Traits
from connectors.testing import ConnectorContract


class Adapter:
    """A platform in memory, as the contract wants to see it."""

    title_field = "title"
    text_field = "description"

    def __init__(self, traits: Traits) -> None:
        self.server = MemoryPlatform("platform", traits, clock=lambda: 1_800_000_000.0)
        self.sample_fields: Fields = {
            "description": "eins\nzwei",
            "status": self.server.option("status", traits.statuses[1]) if traits.options else traits.statuses[1],
            "priority": 1,
            "start": "2026-03-29",
            "due": "2026-10-25",
            "labels": ("presse", "straße"),
            "visibility": "public",
        }
        if traits.options:
            self.sample_fields = {**self.sample_fields, "labels": ("+presse", "+straße")}
        if traits.deltas:
            self.expired_cursor = "7:0"

    def connect(self) -> Connector:
        return MemoryConnector(self.server)

    def add(self, title: str) -> str:
        return self.server.add(title)

    def edit(self, native_id: str, field: str, value: Native) -> None:
        self.server.edit(native_id, **{field: value})

    def remove(self, native_id: str) -> None:
        self.server.remove(native_id)

    def comment(self, native_id: str) -> None:
        self.server.comment(native_id)


class TestFaceA(ConnectorContract):
    @pytest.fixture
    def platform(self) -> Adapter:
        return Adapter(FACES["a"])


class TestFaceB(ConnectorContract):
    @pytest.fixture
    def platform(self) -> Adapter:
        return Adapter(FACES["b"])


class TestFaceC(ConnectorContract):
    @pytest.fixture
    def platform(self) -> Adapter:
        return Adapter(FACES["c"])


class TestBoard(ConnectorContract):
    """A face with columns and labels as options, whose ids are used again."""

    @pytest.fixture
    def platform(self) -> Adapter:
        return Adapter(Traits(conditional=False, marks=False, reuses=True, options=frozenset({"status", "labels"})))


def client(traits: Traits | None = None) -> tuple[MemoryPlatform, MemoryConnector]:
    server = MemoryPlatform("platform", traits or Traits())
    return server, MemoryConnector(server)


def test_c_collapses_the_blanks_of_a_title_and_says_so() -> None:
    _server, connector = client(FACES["c"])
    made = connector.create({"title": "a  b "}, "m")
    assert made.fields is not None
    assert made.fields["title"] == "a b"
    assert connector.normalises("title", "a  b ", "a b")
    assert not connector.normalises("title", "a  b", "a c")
    assert not connector.normalises("description", "a  b", "a b")


def test_c_refuses_a_change_of_status_to_clients_and_not_to_people() -> None:
    server, connector = client(FACES["c"])
    made = connector.create({"title": "t"}, "m")
    after = connector.update(made.ref, {"status": "done", "due": "2026-01-01"}, made.version)
    assert after.fields is not None
    assert (after.fields["status"], after.fields["due"]) == ("todo", "2026-01-01")
    server.edit("m", status="done")
    assert server.get("m").fields["status"] == "done"


@pytest.mark.parametrize("fields", [{"title": "x" * 256}, {"title": "t", "status": "nein"}, {"title": "t", "nein": 1}])
def test_a_bad_value_is_rejected_and_leaves_nothing(fields: dict[str, Native]) -> None:
    server, connector = client()
    with pytest.raises(Rejected):
        connector.create(fields, "m")
    assert server.listing() == []


def test_a_probe_tells_the_five_fates_apart() -> None:
    server, connector = client()
    ids = [server.add(f"t{n}") for n in range(5)]
    refs = {r.ref.native_id: r.ref for r in connector.pull(None, {}).records}
    server.move(ids[1])
    server.move(ids[2], "other")
    server.place(ids[3], HIDDEN)
    server.remove(ids[4])
    answers = [connector.probe(refs[native_id]) for native_id in ids]
    assert [type(answer) for answer in answers] == [Alive, OutOfScope, Moved, Hidden, Gone]
    server.move_back(ids[1])
    server.restore(ids[4])
    assert isinstance(connector.probe(refs[ids[1]]), Alive)
    assert isinstance(connector.probe(refs[ids[4]]), Alive)


def test_a_delta_claims_that_a_moved_record_is_gone() -> None:
    server, connector = client()
    native_id = server.add("t")
    cursor = connector.pull(None, {}).cursor
    server.move(native_id)
    (record,) = connector.pull(cursor, {}).records
    assert record.fields is None


def test_an_id_that_is_used_again_is_another_record() -> None:
    server, connector = client(Traits(reuses=True, deltas=False))
    server.add("alt")
    (old,) = connector.pull(None, {}).records
    server.remove(old.ref.native_id)
    server.add("neu")
    (new,) = connector.pull(None, {}).records
    assert new.ref.native_id == old.ref.native_id
    assert new.ref != old.ref
    assert connector.probe(old.ref) == Gone()


def test_a_server_from_yesterday_does_not_know_todays_cursor() -> None:
    server, connector = client()
    native_id = server.add("t")
    backup = server.backup()
    version = connector.pull(None, {}).records[0].version
    server.edit(native_id, title="u")
    cursor = connector.pull(None, {}).cursor
    server.roll_back(backup)
    with pytest.raises(CursorExpired):
        connector.pull(cursor, {})
    (record,) = connector.pull(None, {}).records
    assert record.version == version


def test_a_locked_field_keeps_its_value() -> None:
    server, connector = client()
    native_id = server.add("t", due="2026-01-01")
    server.lock(native_id, "due")
    (record,) = connector.pull(None, {}).records
    assert record.locked == {"due"}
    after = connector.update(record.ref, {"due": None, "title": "u"}, record.version)
    assert after.fields is not None
    assert (after.fields["due"], after.fields["title"]) == ("2026-01-01", "u")


def test_a_spoilt_record_has_a_problem_and_no_fields() -> None:
    server, connector = client()
    server.spoil(server.add("t"), "cannot be read")
    (record,) = connector.pull(None, {}).records
    assert (record.problem, record.fields) == ("cannot be read", {})


def test_a_renamed_column_keeps_its_id() -> None:
    server, connector = client(Traits(options=frozenset({"status"})))
    column = server.option("status", "done")
    native_id = server.add("t", status=column)
    server.retitle("status", column, "fertig")
    changes = connector.pull(None, {})
    assert changes.options is not None
    assert changes.options["status"][column] == "fertig"
    assert server.get(native_id).fields["status"] == column


def test_a_record_outside_the_collection_is_not_written() -> None:
    for face in FACES.values():
        server, connector = client(face)
        native_id = server.add("t")
        (record,) = connector.pull(None, {}).records
        server.move(native_id)
        with pytest.raises(NotFound):
            connector.update(record.ref, {"title": "u"}, record.version)
        assert server.get(native_id).fields["title"] == "t"


def test_without_conditional_writes_an_edit_between_read_and_write_is_overwritten() -> None:
    server, connector = client(FACES["b"])
    native_id = server.add("t")
    (record,) = connector.pull(None, {}).records
    read, server.get = server.get, lambda native_id: slow(native_id)  # type: ignore[method-assign]

    def slow(native_id: str):  # type: ignore[no-untyped-def]
        answer = read(native_id)
        server.get = read  # type: ignore[method-assign]
        server.edit(native_id, title="von Hand")
        return answer

    connector.update(record.ref, {"title": "von uns"}, record.version)
    assert server.get(native_id).fields["title"] == "von uns"


def test_with_conditional_writes_it_is_not() -> None:
    server, connector = client(FACES["a"])
    native_id = server.add("t")
    (record,) = connector.pull(None, {}).records
    server.edit(native_id, title="von Hand")
    with pytest.raises(VersionMismatch):
        connector.update(record.ref, {"title": "von uns"}, record.version)
    assert server.get(native_id).fields["title"] == "von Hand"


def test_a_url_names_one_platform_for_the_whole_process() -> None:
    one, other = connect(Access("x", "memory://rathaus?face=b")), connect(Access("y", "memory://rathaus"))
    platform_at("memory://rathaus").add("t")
    assert one.pull(None, {}).present == other.pull(None, {}).present != frozenset()
    assert not one.abilities.conditional


@pytest.mark.parametrize("url", ["memory://", "https://rathaus", "memory://rathaus?face=z"])
def test_a_wrong_url_is_said_in_one_sentence(url: str) -> None:
    with pytest.raises(NotACollection, match="memory://name"):
        connect(Access("x", url))
