"""The stored version-1 journal: every later version verifies, decodes and folds it to the same state."""

from decimal import Decimal

from tests.ledger.examples import BNB, INSTRUMENT, KEY, USDT, VENUE, every_fact
from tests.ledger.make_journal_v1 import recorded_rows
from workstation.ledger.book import Book
from workstation.ledger.codec import GENESIS, encode_event
from workstation.model.events import KINDS, BalanceSet, OrderFilled


def test_the_recorded_chain_holds():
    previous = GENESIS
    for position, row in enumerate(recorded_rows()):
        assert (row.position, row.previous_hash) == (position, previous)
        assert row.hash == row.expected_hash(), f"{position} {row.name}"
        previous = row.hash


def test_the_recording_holds_every_event():
    assert {row.name for row in recorded_rows()} == {event.__name__ for event in KINDS}


def test_recorded_facts_decode_to_what_was_written():
    assert [row.fact() for row in recorded_rows()] == every_fact()[: len(recorded_rows())]


def test_present_events_still_give_the_recorded_bytes():
    for row in recorded_rows():
        name, version, body = encode_event(row.fact().event)
        if version == row.version:
            assert (name, body) == (row.name, row.body)


def test_the_recording_folds_to_the_same_book():
    book = Book()
    for row in recorded_rows():
        event = row.fact().event
        if isinstance(event, BalanceSet):
            book.apply_balance(event)
        elif isinstance(event, OrderFilled):
            book.apply_fill(event.fill, INSTRUMENT.kind, INSTRUMENT.quote, INSTRUMENT.base, INSTRUMENT.contract_size)
    position = book.position(KEY)
    assert position is not None
    assert (position.signed_quantity, position.average_price) == (Decimal("0.073"), Decimal(60000))
    # 10000 - 3.00 taker's fee + 0.05 * 100.5 profit + 0.0001 rebate
    assert book.available(VENUE, USDT) == Decimal("10002.0251")
    assert book.available(VENUE, BNB) == Decimal("-0.001")
