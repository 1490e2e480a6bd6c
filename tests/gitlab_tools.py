"""Small words for the tests of the GitLab connector."""

from __future__ import annotations

from typing import Any

from connectors.base import Access, Changes, Fields, Record
from connectors.gitlab import GitLabConnector
from connectors.gitlab.wire import Wire
from connectors.http import Http
from tests.fakes.gitlab import PATH, GitLab


def connect(
    gitlab: GitLab, collection: str = PATH, naps: list[float] | None = None, **settings: Any
) -> GitLabConnector:
    """A connector of the bridge's account, not identified. It does not really sleep: ``naps`` gets the seconds."""
    access = Access("amt", **{"url": gitlab.url, "token": "glpat-bridge", **settings}, collection=collection)

    def sleep(seconds: float) -> None:
        if naps is not None:
            naps.append(seconds)

    return GitLabConnector(access, Wire(Http(access, sleep=lambda _: None), sleep))


def ready(gitlab: GitLab, collection: str = PATH, **settings: Any) -> GitLabConnector:
    """The same, identified; what it asked for that is forgotten."""
    connector = connect(gitlab, collection, **settings)
    connector.identify()
    gitlab.requests.clear()
    gitlab.bodies.clear()
    return connector


def known(changes: Changes) -> dict[str, str]:
    """The versions that a ledger would know after this pull."""
    return {record.ref.native_id: record.version for record in changes.records}


def find(connector: GitLabConnector, title: str) -> Record:
    """The one record with this title in a complete listing."""
    [found] = [one for one in connector.pull(None, {}).records if (one.fields or {}).get("title") == title]
    return found


def shown(record: Record) -> Fields:
    """The fields of a record that can be read."""
    assert record.fields is not None
    assert not record.problem
    return record.fields


def asked(gitlab: GitLab) -> list[str]:
    """The requests since the last time, without the project's id and what they ask besides."""
    found = []
    for request in gitlab.requests:
        path = request.partition("?")[0]
        for project in gitlab.world.projects:
            path = path.replace(f"/projects/{project}/", "/").replace(f"/projects/{project}", "/project")
        found.append(path)
    gitlab.requests.clear()
    return found
