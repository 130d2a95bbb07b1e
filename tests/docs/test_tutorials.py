"""Tutorials and how-to pages do what they say: every block of shell and Python is run, or says why it is not."""

from pathlib import Path

import pytest

from tests.docs.pages import REASONS, ROOT, Block, Reader, blocks, reader

FOLDERS = ("tutorials", "how-to")
ALONE = ("backtest_vs_live.md",)
PAGES = sorted(path for folder in FOLDERS for path in (ROOT / "docs" / folder).glob("*.md"))
PAGES += [ROOT / "docs" / name for name in ALONE]
IDS = [path.relative_to(ROOT / "docs").as_posix() for path in PAGES]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with reader(tmp_path / "checkout", monkeypatch) as one:
        for block in blocks(page.read_text("utf-8")):
            one.read(block)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_a_block_that_is_not_run_says_why(page: Path) -> None:
    marks = [block.mark for block in blocks(page.read_text("utf-8")) if block.mark.startswith("not run")]
    assert [mark for mark in marks if mark.removeprefix("not run: ") not in REASONS] == []


def test_a_comment_above_a_block_is_its_mark() -> None:
    text = "a\n\n<!-- goes on -->\n```sh\nx\n```\n\n```python\ny\n```\n<!-- not run: lasts -->\n```sh\nz\n```\n"
    assert [(one.language, one.mark, one.is_run) for one in blocks(text)] == [
        ("sh", "goes on", True),
        ("python", "", True),
        ("sh", "not run: lasts", False),
    ]


def test_what_a_page_shows_is_compared_with_what_is_printed(tmp_path: Path) -> None:
    one = Reader(tmp_path, printed="run a-1: 7 inputs,  9 decisions\n")
    one.read(Block(language="output", body="run a-1: ... inputs, 9 decisions\n", mark=""))
    with pytest.raises(AssertionError, match="9 decisions"):
        one.read(Block(language="output", body="run a-1: 7 inputs, 8 decisions\n", mark=""))


def test_a_command_that_fails_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with reader(tmp_path / "checkout", monkeypatch) as one:
        one.read(Block(language="sh", body="exit 3\n", mark="exit code: 3"))
        with pytest.raises(AssertionError):
            one.read(Block(language="sh", body="false\ntrue\n", mark=""))
