"""The site of the documents: it builds without a warning, asks nobody for anything, and its links hold."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

import workstation
from docs.site import command_line, operations, pages, settings, topics
from docs.site.docstrings import in_sphinx_form
from tests.docs.pages import ROOT
from workstation.cli.main import COMMANDS, load_command
from workstation.client.messages import Topic
from workstation.config.settings import SECTIONS

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}
"""Attributes whose address a browser fetches by itself."""
OUTSIDE_IN_STYLE = re.compile(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//")


class Page(HTMLParser):
    """What a page fetches, where it links to, and what can be linked to on it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name == LOADED.get(tag) and value:
                self.loads.append(value)
            elif tag == "a" and name == "href" and value:
                self.links.append(value)


def is_outside(address: str) -> bool:
    return urlsplit(address).scheme in ("http", "https", "ws", "wss") or address.startswith("//")


def broken(site: dict[Path, Page]) -> Iterator[str]:
    """Links within the site, and files that its pages fetch, to what is not there."""
    for path, page in site.items():
        for address in [*page.links, *page.loads]:
            if urlsplit(address).scheme or address.startswith("//"):
                continue
            name, anchor = urldefrag(address)
            file = (path.parent / unquote(urlsplit(name).path)).resolve() if name else path
            target = site.get(file)
            if not file.exists() or (anchor and target is not None and unquote(anchor) not in target.anchors):
                yield f"{path.name}: {address}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """Every page, built with warnings as errors."""
    pytest.importorskip("sphinx", reason="the extra `docs` is not installed")
    folder = tmp_path_factory.mktemp("site").resolve()
    words = ["-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(ROOT / "docs"), str(folder)]
    built = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return {path: Page(path.read_text("utf-8")) for path in folder.rglob("*.html")}


@pytest.mark.slow
def test_every_document_is_a_page(site: dict[Path, Page]) -> None:
    folder = min(site, key=lambda path: len(path.parts)).parent
    documents = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    assert [path for path in documents if folder / path.with_suffix(".html") not in site] == []


@pytest.mark.slow
def test_no_page_asks_for_anything_outside(site: dict[Path, Page]) -> None:
    assert {address for page in site.values() for address in page.loads if is_outside(address)} == set()
    folder = min(site, key=lambda path: len(path.parts)).parent
    styles = {path.name for path in folder.rglob("*.css") if OUTSIDE_IN_STYLE.search(path.read_text("utf-8"))}
    assert styles == set()


@pytest.mark.slow
def test_every_link_of_the_site_holds(site: dict[Path, Page]) -> None:
    assert list(broken(site)) == []


@pytest.mark.slow
def test_every_public_name_is_described(site: dict[Path, Page]) -> None:
    anchors = next(page.anchors for path, page in site.items() if path.match("reference/python.html"))
    described = {anchor.rpartition(".")[2] for anchor in anchors}
    assert set(workstation.PUBLIC) <= described


def test_a_link_to_nothing_is_found(tmp_path: Path) -> None:
    here, there = tmp_path / "a.html", tmp_path / "b.html"
    for path in (here, there):
        path.touch()
    links = "".join(f'<a href="{to}">x</a>' for to in ("b.html#one", "b.html#two", "c.html", "https://example.org"))
    assert list(broken({here: Page(links), there: Page('<p id="one">')})) == ["a.html: b.html#two", "a.html: c.html"]


@pytest.mark.parametrize("address", ["https://cdn.example.org/x.js", "//cdn.example.org/x.js"])
def test_an_address_outside_is_found(address: str) -> None:
    assert [is_outside(one) for one in Page(f'<script src="{address}"></script>').loads] == [True]
    assert OUTSIDE_IN_STYLE.search(f"body {{ background: url('{address}') }}")


def test_every_command_and_option_is_in_the_reference() -> None:
    text = command_line.text()
    for name in COMMANDS:
        command = load_command(name)
        for path, one in [(name, command), *((f"{name} {key}", value) for key, value in commands_of(command))]:
            assert f"`workstation {path}`" in text
            shown = [option for part in one.params if not part.hidden for option in part.opts if option[:1] == "-"]
            assert [option for option in shown if option not in text] == []


def commands_of(command: object) -> list[tuple[str, object]]:
    return [(name, one) for name, one in getattr(command, "commands", {}).items() if not one.hidden]


def test_every_setting_is_in_the_reference() -> None:
    text = settings.text()
    for name, section in SECTIONS.items():
        assert f"## `[{name}]`" in text
        assert [key for key in section.model_fields if f"| `{key}` |" not in text] == []


def test_the_reference_of_the_settings_names_no_place_of_the_machine_that_built_it() -> None:
    assert str(Path.home()) not in settings.text() and str(settings.HOME) not in settings.text()


def test_every_operation_of_the_api_is_in_the_reference() -> None:
    text = operations.text()
    for path, methods in operations.description()["paths"].items():
        assert [method for method in methods if f"`{method.upper()} {path}`" not in text] == []


def test_every_topic_is_in_the_reference() -> None:
    text = topics.text()
    assert [topic for topic in Topic if f"`{topic}`" not in text] == []


def test_a_picture_that_is_not_there_leaves_no_trace(tmp_path: Path) -> None:
    text = "a\n\n<!-- picture: live.png | The live page -->\n\nb\n"
    assert pages.filled(text, tmp_path) == "a\n\n\n\nb\n"
    (tmp_path / "live.png").touch()
    assert pages.filled(text, tmp_path) == "a\n\n![The live page](live.png)\n\nb\n"


def test_a_place_that_nothing_fills_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="nonsense"):
        pages.filled("<!-- generated: nonsense -->", tmp_path)


def test_a_docstring_keeps_its_words_whatever_they_look_like() -> None:
    lines = ["Takes `a`s of *b* and c_;", "1. no list.", "", "    x = 1", "", "- one", "- two"]
    assert list(in_sphinx_form(lines)) == [
        "\\ Takes \\ ``a``\\ s of \\*b\\* and c\\_;",
        "\\ 1. no list.",
        "",
        "",
        ".. code-block:: text",
        "",
        "    x = 1",
        "",
        "",
        "",
        "- \\ one",
        "",
        "- \\ two",
        "",
    ]
