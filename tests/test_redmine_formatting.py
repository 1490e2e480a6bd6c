"""Rich text on a real Redmine with Textile, in German: what people see there, and what comes back.

The looks are compared character by character: what Redmine's own formatter makes of the translated text against what
CommonMark shows of the original.
"""

from __future__ import annotations

import json

import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, Phase, given, settings

from connectors.redmine import RedmineConnector
from connectors.richtext import TEXTILE
from connectors.richtext.commonmark import parts
from tests.redmine_person import RedminePerson
from tests.redmine_server import Redmine
from tests.redmine_tools import find, ready, shown
from tests.rendered import Seen, seen, seen_as_characters, seen_of_markdown
from tests.rich_texts import DOCUMENT, NASTY

pytestmark = [pytest.mark.redmine, pytest.mark.xdist_group("redmine")]


@pytest.fixture
def person(redmine: Redmine) -> RedminePerson:
    return RedminePerson(redmine)


def page(person: RedminePerson, native_id: str) -> BeautifulSoup:
    """The description on the page that people look at."""
    answer = person.redmine.request(person.who, "GET", f"/{native_id}")
    found = BeautifulSoup(answer.text, "html.parser").select_one(".description .wiki")
    assert found is not None
    return found


def make(connector: RedmineConnector, text: str) -> str:
    record = connector.create({"title": "eins", "description": text}, "m")
    assert shown(record)["description"] == text
    return record.ref.native_id


def test_a_nasty_text_is_kept_whole_and_looks_as_meant(person: RedminePerson) -> None:
    assert len(NASTY) > 20_000
    native_id = make(ready(person), NASTY)
    there = page(person, native_id)
    assert next(one.get_text() for one in there.select("h1")).startswith("Öffnung der Ämter")
    assert [one.get_text() for one in there.select("li > strong")] == ["alle"]
    assert [one.get_text().strip() for one in there.select("li li")] == ["Stühle"]
    assert [one.get_text(strip=True) for one in there.select("th")] == ["Ämter", "Größe"]
    assert [one.get_text(strip=True) for one in there.select("td")] == ["Straßenbau", "12 m²", "Grün|Fläche", "🎉"]
    assert "/close\n@" in there.select("pre code.sh")[0].get_text()
    assert "Geheim" in there.get_text()
    assert not there.select(".macro, .flash")
    assert shown(find(ready(person), native_id))["description"] == NASTY


def test_nobody_is_called_and_no_macro_carried_out(person: RedminePerson) -> None:
    native_id = make(ready(person), "@anna `@anna` {{toc}} ![{{toc}}](https://aachen.de/b.png)\n\n    @anna\n\n# Teil")
    assert not page(person, native_id).select("ul.toc, a.user")
    calls = "p Issue.find({}).send(:scan_for_mentioned_users, Issue.find({}).description)"
    assert person.redmine.script(calls.replace("{}", native_id.partition("/")[2])).split() == ["[]"]


def test_what_people_wrote_in_textile_is_read_and_stays_as_it_was(person: RedminePerson) -> None:
    native = (
        "h2. Stand\r\n\r\n{{toc}}\r\n\r\n%{color:red}Rot% und *fett*, _schräg_ und @code@.\r\n\r\n"
        "table{width:50%}.\r\n|_. Amt |_>. Größe |\r\n| Bau | 12 |\r\n\r\n* eins\r\n** zwei\r\n"
    )
    native_id = person.issue("eins", description=native)
    connector = ready(person)
    record = find(connector, native_id)
    text = str(shown(record)["description"])
    assert "## Stand" in text
    assert "**fett**, _schräg_ und `code`." in text
    assert "| Amt | Größe |\n| --- | ---: |\n| Bau | 12 |" in text
    assert "- eins\n  - zwei" in text
    changed = text.replace("## Stand", "## Neuer Stand")
    after = connector.update(record.ref, {"description": changed.rstrip()}, record.version)
    assert str(shown(after)["description"]).rstrip() == changed.rstrip()
    assert person.look(native_id)["description"].strip() == native.replace("h2. ", "h2. Neuer ").strip()
    assert page(person, native_id).select("span[style*=red]")


def test_a_change_that_means_nothing_here_is_none(person: RedminePerson) -> None:
    native_id = person.issue("eins", description="*fett*")
    connector = ready(person)
    before = find(connector, native_id)
    person.change(native_id, description="*fett*\n\n")
    person.change(native_id, description="p=. *fett*")
    assert shown(find(connector, native_id)) == shown(before)
    assert find(connector, native_id).version == before.version


def test_the_first_issue_of_an_instance_is_formatted_too(
    person: RedminePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.redmine.binding._formatting", lambda wire, project: "")
    connector = ready(person)
    assert connector.text_formats() == {"description": "markdown"}
    native_id = make(connector, "Sehr **wichtig**.")
    assert [one.get_text() for one in page(person, native_id).select("strong")] == ["wichtig"]
    assert connector.text_formats() == {"description": "textile"}
    assert shown(find(connector, native_id))["description"] == "Sehr **wichtig**."


def test_versions_have_one_line_without_formatting(person: RedminePerson) -> None:
    record = ready(person).create({"type": "version", "title": "eins", "description": "**so**"}, "m")
    assert person.look(record.ref.native_id)["description"] == "**so**"


# ---- how it looks ------------------------------------------------------------------------------------------------


def documents(number: int) -> list[str]:
    """The same documents in every run."""
    found: dict[str, None] = {}

    @settings(
        max_examples=number, derandomize=True, database=None, phases=[Phase.generate], deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(DOCUMENT)
    def collect(text: str) -> None:
        found[text] = None

    collect()
    return list(found)


def meant(text: str) -> Seen:
    """What should be seen: what can be said as CommonMark shows it, the rest as characters."""
    found: Seen = []
    blocks = parts(text)[1]
    for number, part in enumerate(blocks, 1):
        lonely = part.source in ("---", "***", "___") and part.gap == "\n" and number < len(blocks)
        said = TEXTILE.says(part.source) and not lonely  # a rule right above another block is no rule in Textile
        found += seen_of_markdown(part.source) if said else seen_as_characters(part.source)
    return found


def test_what_is_written_looks_in_redmine_as_it_was_meant(redmine: Redmine) -> None:
    texts = [NASTY, *documents(400)]
    place = redmine.folder / "texts.json"
    place.write_text(json.dumps([TEXTILE.write(text) for text in texts]), encoding="utf-8")
    to_html = "Redmine::WikiFormatting.to_html('textile', text)"
    ruby = f"puts JSON.dump(JSON.parse(File.read('{place}')).map {{ |text| {to_html} }})"
    pages = json.loads(redmine.script(ruby).strip().splitlines()[-1])
    wrong = [text for text, html in zip(texts, pages, strict=True) if seen(html) != meant(text)]
    assert wrong == []
    assert sum(TEXTILE.says(part.source) for text in texts for part in parts(text)[1]) > 500
