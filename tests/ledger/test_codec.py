"""Facts survive as bytes, and nothing is written that could not be read."""

import dataclasses
import math
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from tests.ledger.examples import INSTRUMENT, USDT, VENUE, a_fact, a_fill, a_request, every_event, every_fact
from workstation.errors import BadInput, JournalCorrupt, OperatorError
from workstation.ledger import codec
from workstation.ledger.codec import GENESIS, chain_hash, decode_event, encode_event, prepare_fact
from workstation.model.events import KINDS, BalanceSet, InstrumentListed, OrderFilled, OrderSubmitted, SessionHalted
from workstation.model.ids import Currency


@pytest.mark.parametrize("event", every_event(), ids=lambda event: type(event).__name__)
def test_every_event_reads_back_equal(event):
    assert decode_event(*encode_event(event)) == event


def test_the_examples_hold_every_event():
    assert {type(event) for event in every_event()} == set(KINDS)


def test_the_body_has_sorted_keys_and_decimals_as_text():
    _name, _version, body = encode_event(BalanceSet(venue=VENUE, currency=USDT, amount=Decimal("10.50")))
    assert body == b'{"amount":"10.50","currency":"USDT","venue":"binance"}'


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_is_refused(number):
    with pytest.raises(BadInput, match="decision_price"):
        encode_event(OrderSubmitted(request=a_request(decision_price=number)))


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_decimal_that_is_no_number_is_refused(text):
    with pytest.raises(BadInput, match="OrderFilled"):
        encode_event(OrderFilled(fill=a_fill(fee=Decimal(text))))


def test_the_word_infinity_in_a_reason_is_kept():
    event = SessionHalted(reason="Infinity")
    assert decode_event(*encode_event(event)) == event


@pytest.mark.parametrize("fee", [0.1, np.float64(0.1), "0.1", None])
def test_a_value_of_another_type_is_refused(fee):
    with pytest.raises(BadInput, match="OrderFilled"):
        encode_event(OrderFilled(fill=a_fill(fee=fee)))


def test_the_field_of_a_wrong_type_is_named_with_its_path():
    with pytest.raises(BadInput, match=r"OrderFilled\.fill\.fee 0\.1 \(float\)"):
        encode_event(OrderFilled(fill=a_fill(fee=0.1)))


def test_the_word_infinity_beside_an_instrument_is_kept():
    event = InstrumentListed(instrument=dataclasses.replace(INSTRUMENT, base=Currency("Infinity")))
    assert decode_event(*encode_event(event)) == event


def test_what_is_no_event_is_refused():
    with pytest.raises(BadInput, match="Fill: not an event"):
        encode_event(a_fill())


@pytest.mark.parametrize("sequence", [2**63, -(2**63) - 1, 1.5, None])
def test_a_sequence_beyond_64_bits_is_refused(sequence):
    with pytest.raises(BadInput, match="64 bits"):
        prepare_fact(replace(a_fact(1), sequence=sequence))


def test_numpy_integers_are_stored_as_integers():
    prepared = prepare_fact(replace(a_fact(1), sequence=np.int64(7)))
    assert type(prepared.values[4]) is int


def test_only_an_intent_has_an_order_id_of_its_own():
    ids = [prepare_fact(fact).client_order_id for fact in every_fact()]
    assert [order_id for order_id in ids if order_id] == ["order-1", "order-2", "order-3"]


def test_an_older_body_is_brought_up_to_date(monkeypatch):
    monkeypatch.setitem(codec.VERSIONS, "BalanceSet", 3)
    monkeypatch.setitem(codec.UPCASTERS, ("BalanceSet", 1), lambda body: {**body, "currency": body["coin"]})
    monkeypatch.setitem(codec.UPCASTERS, ("BalanceSet", 2), lambda body: {**body, "amount": body["amount"] + "0"})
    event = decode_event("BalanceSet", 1, b'{"amount":"1.5","coin":"USDT","venue":"binance"}')
    assert event == BalanceSet(venue=VENUE, currency=Currency("USDT"), amount=Decimal("1.50"))


@pytest.mark.parametrize(("name", "version"), [("BalanceSet", 2), ("MoonPhase", 1)])
def test_an_event_of_a_newer_version_is_refused_with_a_sentence(name, version):
    with pytest.raises(OperatorError, match=f"{name} version {version}.*newer"):
        decode_event(name, version, b"{}")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1", b'{"amount":"x","currency":"USDT","venue":"v"}', b'{"venue":"\xff"}']
)
def test_an_unreadable_body_is_corruption(body):
    with pytest.raises(JournalCorrupt, match="BalanceSet"):
        decode_event("BalanceSet", 1, body)


def test_every_column_is_in_the_hash():
    row = (GENESIS, "session", 0, "input", "Name", 1, b"body", 1, 2, 3, 4, 5, b"row")
    changed = (b"1" * 32, "sessio", 1, "inpu", "Nam", 2, b"bod", 9, 9, None, None, None, None)
    hashes = {chain_hash(*row[:n], value, *row[n + 1 :]) for n, value in enumerate(changed)}
    assert len(hashes | {chain_hash(*row)}) == 14


def test_text_that_moves_to_the_next_column_changes_the_hash():
    rest = (1, b"", 1, 2, None, None, None, None)
    assert chain_hash(GENESIS, "s", 0, "ab", "c", *rest) != chain_hash(GENESIS, "s", 0, "a", "bc", *rest)


def test_no_time_is_not_the_time_zero():
    row = (GENESIS, "s", 0, "input", "Name", 1, b"", 1, 2)
    assert chain_hash(*row, None, None, None, None) != chain_hash(*row, 0, None, None, None)
    assert chain_hash(*row, None, None, None, None) != chain_hash(*row, None, None, None, b"")


def test_bodies_are_plain_json():
    assert all(msgspec.json.decode(encode_event(event)[2]) for event in every_event())
