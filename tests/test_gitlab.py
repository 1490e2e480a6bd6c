"""The connector to GitLab: the contract on a fake, for issues and for milestones.

The traps have a test each in test_gitlab_identity.py, test_gitlab_lists.py, test_gitlab_reads.py,
test_gitlab_creates.py, test_gitlab_writes.py, test_gitlab_text.py and test_gitlab_mirroring.py; test_gitlab_fake.py
holds the fake itself to the facts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from connectors.base import Connector
from connectors.errors import Rejected
from connectors.testing import TEXTS, ConnectorContract, Platform, find, ready, shown
from tests.fakes.gitlab import GitLab
from tests.fakes.gitlab_model import PLANNER
from tests.gitlab_person import GitLabPerson, MilestonePerson

LIVE = tuple(os.environ.get(f"LIVE_GITLAB_{name}", "") for name in ("URL", "TOKEN", "PROJECT"))


class TestIssuesOnTheFake(ConnectorContract):
    """Every promise of the protocol, on releases that page by keyset, silently do not, and refuse to."""

    @pytest.fixture(
        params=[((19, 1), "private"), ((17, 0), "private"), ((16, 0), "private"), ((19, 1), "public")],
        ids=["19.1", "17.0", "16.0", "19.1, open to all"],
    )
    def platform(self, request: pytest.FixtureRequest) -> Iterator[GitLabPerson]:
        with GitLab() as gitlab:
            gitlab.world.release, visibility = request.param
            project = gitlab.project(visibility=visibility)
            person = GitLabPerson(gitlab.url, "glpat-anna", project.path, "glpat-bridge")
            yield person
            person.close()


class TestIssuesOfAGroupOnTheFake(ConnectorContract):
    """The same promises in a group with a subgroup; people work in a project that lies in it."""

    @pytest.fixture
    def platform(self) -> Iterator[GitLabPerson]:
        with GitLab() as gitlab:
            stadt = gitlab.world.add_group("stadt")
            stadt.members = {gitlab.bridge.id: PLANNER}
            amt = gitlab.world.add_group("stadt/it", stadt.id)
            gitlab.project("stadt/empty", group=stadt.id)
            project = gitlab.project("stadt/it/portal", group=amt.id)
            person = GitLabPerson(gitlab.url, "glpat-anna", project.path, "glpat-bridge", "stadt:it/portal")
            yield person
            person.close()


class TestMilestonesOnTheFake(ConnectorContract):
    """The same promises, kept for the other kind of record in the same project."""

    @pytest.fixture
    def platform(self) -> Iterator[MilestonePerson]:
        with GitLab() as gitlab:
            person = MilestonePerson(gitlab.url, "glpat-anna", gitlab.project().path, "glpat-bridge")
            yield person
            person.close()

    def test_equal_titles_are_different_records(self, platform: Platform, connector: Connector) -> None:
        """Not here: a title names one milestone of a project and its groups, and the second one is refused."""
        connector.create({"title": "eins"}, "mark-1")
        with pytest.raises(Rejected, match="title already being used") as refusal:
            connector.create({"title": "eins"}, "mark-2")
        assert refusal.value.clean
        assert len(connector.pull(None, {}).records) == 1

    @pytest.mark.parametrize("text", TEXTS)
    def test_text_is_kept_byte_for_byte(self, platform: Platform, connector: Connector, text: str) -> None:
        made = connector.create({"title": text}, "mark-1")
        changed = connector.update(made.ref, {"title": "etwas anderes"}, made.version)
        again = connector.update(made.ref, {"title": text}, changed.version)
        for record in (made, again, find(ready(platform), made.ref.native_id)):
            assert shown(record)["title"] == text


if all(LIVE):

    @pytest.mark.live
    class TestOnALiveGitLab(ConnectorContract):
        """The same promises, in an empty project of yours that nothing else uses: what is in it is deleted."""

        @pytest.fixture
        def platform(self) -> Iterator[GitLabPerson]:
            person = GitLabPerson(*LIVE)
            for issue in person.call("GET", "/issues?per_page=100"):
                person.call("DELETE", f"/issues/{issue['iid']}")
            yield person
            person.close()

else:

    @pytest.mark.live
    def test_on_a_live_gitlab() -> None:
        pytest.skip("LIVE_GITLAB_URL, LIVE_GITLAB_TOKEN and LIVE_GITLAB_PROJECT are not set")
