"""The fault menu: what strikes, how often, and that the same seed strikes the same."""

from pathlib import Path

import pytest

from workstation.errors import BadInput, ConfigError
from workstation.simulator.faults import Fault, FaultKind, FaultMenu, parse_fault, read_faults

ORDER = ("nova", "POST", "/api/v3/order")


def a_menu(*faults: Fault) -> FaultMenu:
    menu = FaultMenu()
    for fault in faults:
        menu.add(fault)
    return menu


def test_a_fault_passes_over_the_first_and_strikes_so_many() -> None:
    menu = a_menu(Fault(kind=FaultKind.BUSY_503, path="/api/v3/order", skip=1, count=2))
    assert [menu.on_request(*ORDER) is not None for _ in range(5)] == [False, True, True, False, False]


@pytest.mark.parametrize(
    "other", [("orion", "POST", "/api/v3/order"), ("nova", "GET", "/api/v3/order"), ("nova", "POST", "/api/v3/account")]
)
def test_what_does_not_match_is_not_struck(other: tuple[str, str, str]) -> None:
    menu = a_menu(Fault(kind=FaultKind.BUSY_503, venue="nova", method="POST", path="*/order"))
    assert menu.on_request(*ORDER) is not None
    assert menu.on_request(*other) is None


def test_requests_and_messages_have_faults_of_their_own() -> None:
    menu = a_menu(Fault(kind=FaultKind.SEQUENCE_GAP, stream="btcusdt@depth*"))
    assert menu.on_request(*ORDER) is None
    assert menu.on_message("nova", "btcusdt@trade") is None
    assert menu.on_message("nova", "btcusdt@depth@100ms") is not None


def test_every_kind_is_of_requests_of_messages_or_of_neither() -> None:
    neither = {FaultKind.SKEW, FaultKind.BURST}
    for kind in FaultKind:
        menu = a_menu(Fault(kind=kind))
        struck = (menu.on_request(*ORDER) is not None, menu.on_message("nova", "user") is not None)
        assert struck.count(True) == (0 if kind in neither else 1), kind


def test_chance_is_the_seeds() -> None:
    def strikes(seed: int) -> list[bool]:
        menu = a_menu(Fault(kind=FaultKind.BUSY_503, probability=0.5, seed=seed))
        return [menu.on_request(*ORDER) is not None for _ in range(64)]

    assert strikes(1) == strikes(1) != strikes(2)
    assert 10 < sum(strikes(1)) < 54


def test_skew_holds_while_it_is_listed() -> None:
    menu = a_menu(Fault(kind=FaultKind.SKEW, venue="nova", seconds=-60))
    assert (menu.skew_ns("nova"), menu.skew_ns("orion")) == (-60_000_000_000, 0)
    menu.clear()
    assert menu.skew_ns("nova") == 0


def test_a_listed_fault_says_how_often_it_struck_and_one_can_be_taken_out() -> None:
    menu = a_menu(Fault(kind=FaultKind.BUSY_503), Fault(kind=FaultKind.SKEW))
    menu.on_request(*ORDER)
    assert menu.listed() == [{"number": 1, "struck": 1, "kind": "busy_503"}, {"number": 2, "struck": 0, "kind": "skew"}]
    menu.clear(1)
    assert [one["number"] for one in menu.listed()] == [2]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "nonsense"}, "kind 'nonsense'"),
        ({"kind": "skew", "count": 0}, "count 0"),
        ({"kind": "skew", "colour": 1}, "colour 1"),
        ([], "entry"),
    ],
)
def test_a_bad_fault_is_refused_with_its_field(fields: object, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        parse_fault(fields)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", '[[faults]]\nkind = "busy_503"\ncount = 3\n'),
        ("a.json", '{"faults": [{"kind": "busy_503", "count": 3}]}'),
    ],
)
def test_a_file_holds_a_list_of_faults(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_faults(tmp_path / name) == [Fault(kind=FaultKind.BUSY_503, count=3)]


@pytest.mark.parametrize("text", ["", "{", '{"faults": [{"kind": "x"}]}', "[]"])
def test_a_bad_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ConfigError, match=r"a\.json"):
        read_faults(tmp_path / "a.json")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_faults(tmp_path / "none.toml")
