"""Progress: a bar with the time left on a terminal, plain lines elsewhere, nothing for what is quick."""

import io

import pytest

from workstation.cli.progress import LINES, Progress


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_quick_prints_nothing() -> None:
    stream, clock = io.StringIO(), Clock()
    with Progress("quick", stream=stream, clock=clock) as progress:
        clock.now_s = 1.9
        progress.show(100, 100)
    assert stream.getvalue() == ""


def test_a_plain_line_tells_the_time_left() -> None:
    stream, clock = io.StringIO(), Clock()
    with Progress("slow", stream=stream, clock=clock) as progress:
        clock.now_s = 10.0
        progress.show(1_000, 4_000)
    assert stream.getvalue() == "slow: 1,000 of 4,000 rows, 30 s left\n"


def test_there_are_at_most_so_many_plain_lines() -> None:
    stream, clock = io.StringIO(), Clock()
    with Progress("slow", stream=stream, clock=clock) as progress:
        for done in range(1, 1001):
            clock.now_s = 10.0 + done
            progress.show(done, 1000)
    lines = stream.getvalue().splitlines()
    assert len(lines) == LINES
    assert lines[-1] == "slow: 1,000 of 1,000 rows, 0 s left"


@pytest.mark.parametrize("total", [0, 1])
def test_nothing_to_do_is_no_error(total: int) -> None:
    with Progress("empty", patience_s=0, stream=io.StringIO()) as progress:
        progress.show(0, total)


def test_a_terminal_gets_a_bar() -> None:
    stream = Terminal()
    with Progress("run", patience_s=0, stream=stream) as progress:
        progress.show(50, 100)
        progress.show(100, 100)
    assert "run: 100%" in stream.getvalue()
    assert "100/100" in stream.getvalue()
