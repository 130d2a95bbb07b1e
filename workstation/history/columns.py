"""Which column of a foreign file is which of ours: by name, never by place or by the look of its values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from workstation.errors import ImportRefused
from workstation.history.layout import PAIR_KINDS, HistoryKind
from workstation.model.instrument import InstrumentKey, split_symbol


class Role(StrEnum):
    """How the values of a column are read."""

    TIME = "time"
    NUMBER = "number"
    SIDE = "side"
    BUYER_IS_MAKER = "buyer_is_maker"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column of ours with its names elsewhere: lower case, letters and digits alone. A tier is looked at only when no
    name of the tiers before is there."""

    name: str
    role: Role
    tiers: tuple[tuple[str, ...], ...]
    is_required: bool = True


_RECEIVED = Field(
    name="ts_received",
    role=Role.TIME,
    tiers=(("tsreceived", "tsrecv", "tsrecvns", "tsreceivedns", "received", "receivedat", "localtimestamp"),),
    is_required=False,
)
_TIME_NAMES = ("ts", "timestamp", "time", "date", "datetime", "unix", "unixtime", "epoch")
_EVENT = Field(
    name="ts_event",
    role=Role.TIME,
    tiers=(("tsevent", "eventms", "eventtime", *_TIME_NAMES, "tradetime"), ("transactms", "transacttime")),
    is_required=False,
)
_PAID = replace(_EVENT, tiers=(("fundingtime", "calctime", "fundingratetimestamp", "tsevent", *_TIME_NAMES),))
_DUE = Field(name="ts_due", role=Role.TIME, tiers=(("tsdue", "nextfundingtime"),), is_required=False)
_OPENED = Field(name="ts_open", role=Role.TIME, tiers=(("tsopen", "opentime", *_TIME_NAMES),))
_SIZE_WORDS = ("size", "qty", "quantity", "amount", "volume")


def _number(name: str, *names: str, is_required: bool = True) -> Field:
    return Field(name=name, role=Role.NUMBER, tiers=(names,), is_required=is_required)


def _book_side(side: str) -> tuple[Field, Field]:
    quantity = [f"{prefix}{side}{word}" for prefix in ("", "best") for word in _SIZE_WORDS]
    price = _number(side, side, f"{side}price", f"{side}px", f"best{side}", f"best{side}price")
    return price, _number(f"{side}_quantity", *quantity)


def fields_of(kind: HistoryKind, key: InstrumentKey) -> tuple[Field, ...]:
    """Our columns of a kind and their names elsewhere; a volume may be named after its currency ("Volume USD").

    Raises ImportRefused for books, of whose form in a file there is no custom, and for what is found between venues.
    """
    if kind in PAIR_KINDS:
        raise ImportRefused(f"{kind}: found between two venues' quotes, not imported; import these, then data {kind}")
    if kind is HistoryKind.BOOKS:
        raise ImportRefused("books: a file of order books cannot be imported; they are recorded live, or import quotes")
    if kind is HistoryKind.QUOTES:
        (bid, bid_quantity), (ask, ask_quantity) = _book_side("bid"), _book_side("ask")
        return _RECEIVED, _EVENT, bid, ask, bid_quantity, ask_quantity
    if kind is HistoryKind.MARKS:
        index = _number("index_price", "indexprice", "index", "indexpx", is_required=False)
        return _RECEIVED, _EVENT, _number("price", "price", "markprice", "mark", "markpx"), index
    if kind is HistoryKind.FUNDING:
        return _RECEIVED, _PAID, _number("rate", "rate", "fundingrate", "lastfundingrate", "realizedrate"), _DUE
    if kind is HistoryKind.TRADES:
        return (
            _RECEIVED,
            _EVENT,
            _number("price", "price", "px"),
            _number("quantity", "quantity", "qty", "amount", "size", "volume", "vol"),
            Field(name="side", role=Role.SIDE, tiers=(("side", "takerside"),), is_required=False),
            Field(
                name="buyer_is_maker",
                role=Role.BUYER_IS_MAKER,
                tiers=(("isbuyermaker", "buyermaker", "buyerismaker", "wasthebuyerthemaker"),),
                is_required=False,
            ),
            Field(name="trade_id", role=Role.TEXT, tiers=(("tradeid", "id", "aggtradeid", "tid"),), is_required=False),
        )
    base, quote, _kind = split_symbol(key.symbol)
    prices = [_number(name, name, name[0], f"{name}price") for name in ("open", "high", "low", "close")]
    volume = _number("volume", "volume", "vol", "v", "basevolume", "volumebase", f"volume{base}".lower())
    quoted = ("quotevolume", "volumequote", "quoteassetvolume", f"volume{quote}".lower())
    return _OPENED, *prices, volume, _number("volume_quote", *quoted, is_required=False), _RECEIVED


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """Our column to the file's columns that claim to be it: one as a rule; several must agree on every row."""

    sources: dict[str, tuple[str, ...]]
    roles: dict[str, Role]
    """The file's column to how it is read."""
    ignored: tuple[str, ...]


def map_columns(
    names: Sequence[str], kind: HistoryKind, key: InstrumentKey, chosen: Mapping[str, str], file: str
) -> ColumnMap:
    """Finds each of our columns in the file. `chosen` (ours to theirs) goes before any name. Raises ImportRefused."""
    fields = fields_of(kind, key)
    _refuse_repeated(names, file)
    _refuse_unknown_choice(chosen, fields, names, file)
    sources: dict[str, tuple[str, ...]] = {}
    roles: dict[str, Role] = {}
    for field in fields:
        found = (chosen[field.name],) if field.name in chosen else _candidates(field, names, chosen)
        if not found and field.is_required:
            known = ", ".join(name for tier in field.tiers for name in tier)
            raise ImportRefused(
                f"{file}: no column for {field.name} (known names: {known}; the file has: {', '.join(names)}). "
                f"Name it: --column {field.name}=NAME"
            )
        if found:
            sources[field.name] = found
            roles |= dict.fromkeys(found, field.role)
    if not {"ts_open", "ts_received", "ts_event"} & set(sources):
        known = ", ".join(_EVENT.tiers[0] + _RECEIVED.tiers[0])
        raise ImportRefused(f"{file}: no column with a time (known names: {known}; the file has: {', '.join(names)})")
    return ColumnMap(sources=sources, roles=roles, ignored=tuple(name for name in names if name not in roles))


def _candidates(field: Field, names: Sequence[str], chosen: Mapping[str, str]) -> tuple[str, ...]:
    free = [name for name in names if name not in chosen.values()]
    for tier in field.tiers:
        found = tuple(name for name in free if re.sub(r"[^a-z0-9]", "", name.lower()) in tier)
        if found:
            return found
    return ()


def _refuse_repeated(names: Sequence[str], file: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ImportRefused(f"{file}: the header has {', '.join(map(repr, repeated))} more than once")


def _refuse_unknown_choice(chosen: Mapping[str, str], fields: Sequence[Field], names: Sequence[str], file: str) -> None:
    ours = [field.name for field in fields]
    for name, theirs in chosen.items():
        if name not in ours:
            raise ImportRefused(f"--column {name}={theirs}: {name!r} is not one of {', '.join(ours)}")
        if theirs not in names:
            raise ImportRefused(f"--column {name}={theirs}: {file} has no column {theirs!r}, but {', '.join(names)}")
