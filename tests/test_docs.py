"""The documents keep their word: commands parse, and paths, links, names and snippets are what they say."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import workstation
from workstation.cli.main import command_line, load_command

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
IDS = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]
TEXTS = [path.read_text("utf-8") for path in DOCUMENTS]
SOURCES = ("workstation", "tests", "Makefile", "pyproject.toml")

FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PATH = re.compile(r"[\w.-]+(/[\w.%=-]+)*(/|\.(py|md|toml|json|yml|csv|parquet))")
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
WRITTEN = {
    *("bars.csv", "workstation.toml", "manifest.json", "ledger.db", "ledger.db.mark"),
    *("kill/all.json", "kill/session-NAME.json"),
}
"""What the program or its user writes, and no checkout has."""


def fenced(text: str, language: str) -> list[str]:
    """The code blocks of one language."""
    return [body for name, body in FENCE.findall(text) if name == language]


def inline(text: str) -> list[str]:
    """What stands in backticks within a line, blocks aside."""
    return INLINE.findall(FENCE.sub("", text))


def shown_commands(text: str) -> list[list[str]]:
    """The words of every `workstation …` line in a block of shell, lines that go on joined."""
    lines = "\n".join(fenced(text, "sh")).replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [line[1:] for line in words if line[:1] == ["workstation"]]


def parse(words: list[str]) -> None:
    """What the command line does with the words before it runs anything. Raises where it would refuse them."""
    command: Any = command_line()
    rest = words
    while hasattr(command, "commands"):
        assert rest and rest[0] in command.commands, f"{command.name} has {', '.join(command.commands)}: {words}"
        command, rest = subcommand(command, rest[0]), rest[1:]
    command.make_context(command.name, list(rest)).close()


def subcommand(command: Any, name: str) -> Any:
    """The command of that name; one of the first level is loaded, since its place there is empty."""
    return load_command(name) if command.name == command_line().name else command.commands[name]


def mentioned(words: list[str]) -> None:
    """A command that is spoken of: its name is known, and so are the options beside it."""
    command: Any = command_line()
    for word in words:
        if word.startswith("-"):
            options = [option for parameter in command.params for option in parameter.opts]
            assert word.partition("=")[0] in options, f"{command.name} has no {word}"
        elif hasattr(command, "commands"):
            assert word in command.commands, f"{command.name} has no {word}"
            command = subcommand(command, word)


def missing_path(word: str) -> bool:
    """Whether `word` looks like a path of the checkout, from its root or from the package, and is none."""
    if word in WRITTEN or "/" not in word or not PATH.fullmatch(word):
        return False
    return not any((folder / word).exists() for folder in (ROOT, ROOT / "workstation"))


def broken_links(document: Path, text: str) -> Iterator[str]:
    """Relative links to nothing, or to a heading that is not there."""
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = document.parent / name if name else document
        if not file.exists() or (anchor and anchor not in map(slug, HEADING.findall(file.read_text("utf-8")))):
            yield target


def slug(heading: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@cache
def known_words() -> frozenset[str]:
    """Every word of the sources, and the names of their files; this test apart, which names what does not exist."""
    files = [path for name in SOURCES for path in [ROOT / name, *(ROOT / name).rglob("*.py")] if path.is_file()]
    words = {word for path in files if path != Path(__file__) for word in re.findall(r"\w+", path.read_text("utf-8"))}
    return frozenset(words | {path.stem for path in files})


def unknown_name(word: str) -> bool:
    """Whether `word` looks like a name of Python's, and a part of it stands nowhere in the sources."""
    bare = re.sub(r"\(.*\)$", "", word)
    if bare in WRITTEN or not NAME.fullmatch(bare) or PATH.fullmatch(bare):
        return False
    return not known_words().issuperset(bare.split("."))


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_every_command_in_a_block_parses(text: str) -> None:
    for words in shown_commands(text):
        parse(words)


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_every_command_in_a_sentence_is_known(text: str) -> None:
    for words in inline(text):
        if words.startswith("workstation "):
            mentioned(words.split()[1:])


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_every_target_of_make_is_in_the_makefile(text: str) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shown = [line for block in fenced(text, "sh") for line in block.splitlines()] + inline(text)
    assert {line.split()[1] for line in shown if re.match(r"make \w", line)} <= targets


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_every_path_exists(text: str) -> None:
    assert [word for word in inline(text) if missing_path(word)] == []


@pytest.mark.parametrize(("document", "text"), list(zip(DOCUMENTS, TEXTS, strict=True)), ids=IDS)
def test_every_relative_link_leads_somewhere(document: Path, text: str) -> None:
    assert list(broken_links(document, text)) == []


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_every_name_stands_in_the_sources(text: str) -> None:
    assert [word for word in inline(text) if unknown_name(word)] == []


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_every_python_snippet_compiles_and_uses_public_names(text: str) -> None:
    for snippet in fenced(text, "python"):
        compile(snippet, "snippet", "exec")
        assert set(re.findall(r"\bws\.(\w+)", snippet)) <= set(workstation.PUBLIC)


def test_the_readme_shows_the_first_ten_minutes() -> None:
    shown = shown_commands((ROOT / "README.md").read_text("utf-8"))
    assert [words[0] for words in shown] == [
        "new-strategy", "backtest", "replay", "verify",
        "doctor", "engine", "dashboard", "session", "kill", "data", "data",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "data nonsense",
        "data list --nonsense",
        "data import bars.csv --kind candles --venue a --symbol A/B",
        "replay ma-cross --symbol A/B",
        "backtest ma-cross --venue a --symbol A/B --interval 1h --balance much",
    ],
)
def test_a_command_that_would_be_refused_is_found(line: str) -> None:
    with pytest.raises(Exception, match=r"No such|has (demo|import), |not one of|Missing parameter|expected a number"):
        parse(line.split())


@pytest.mark.parametrize("line", ["nonsense", "data nonsense", "replay --nonsense", "data list --nonsense"])
def test_an_unknown_word_of_a_mentioned_command_is_found(line: str) -> None:
    with pytest.raises(AssertionError, match="nonsense"):
        mentioned(line.split())


def test_lies_are_found() -> None:
    assert missing_path("session/nonsense.py") and missing_path("nonsense/")
    assert unknown_name("NoSuchThing") and unknown_name("Market.nonsense_at_all()")
    assert not unknown_name("Market.advance") and not missing_path("session/market.py")
    text = "[a](nowhere.md) [b](README.md#no-such-heading) [c](README.md#licence) [d](https://example.org)"
    assert list(broken_links(ROOT / "x.md", text)) == ["nowhere.md", "README.md#no-such-heading"]
