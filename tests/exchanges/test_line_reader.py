"""Lines are the same whatever pieces they come in, and none takes more memory than it may."""

from hypothesis import given
from hypothesis import strategies as st

from workstation.exchanges.line_reader import LineReader

MOST = 12
TEXTS = st.lists(st.binary(max_size=20).map(lambda text: text.replace(b"\n", b".")), max_size=8)


@given(TEXTS, st.lists(st.integers(0, 30), max_size=30))
def test_however_they_are_cut_lines_come_whole_and_in_order_without_those_that_are_too_long(
    texts: list[bytes], lengths: list[int]
) -> None:
    sent = b"".join(text + b"\n" for text in texts)
    reader, told = LineReader(MOST), list[bytes]()
    for length in [*lengths, len(sent)]:
        piece, sent = sent[:length], sent[length:]
        told += reader.take(piece)
        assert len(reader._held) <= MOST
    assert told == [text for text in texts if len(text) <= MOST]
    assert reader.too_long == sum(len(text) > MOST for text in texts)


def test_a_line_without_an_end_is_told_when_it_ends() -> None:
    reader = LineReader(MOST)
    assert reader.take(b"one\ntw") == [b"one"]
    assert reader.take(b"o") == []
    assert reader.take(b"\n") == [b"two"]


def test_a_line_that_never_ends_is_counted_once_and_what_follows_it_is_told() -> None:
    reader = LineReader(MOST)
    for _ in range(1_000):
        assert reader.take(b"x" * 100) == []
    assert reader.take(b"\nnext\n") == [b"next"]
    assert reader.too_long == 1
