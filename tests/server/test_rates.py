"""The token bucket."""

from hypothesis import given
from hypothesis import strategies as st

from workstation.server.rates import RateLimit
from workstation.server.settings import Rate


def test_a_burst_passes_then_the_wait_is_told() -> None:
    limit = RateLimit(Rate(per_second=2, burst=3))
    assert [limit.wait_s("a", 10.0) for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    assert limit.wait_s("a", 10.5) == 0


def test_a_long_rest_saves_up_no_more_than_a_burst() -> None:
    limit = RateLimit(Rate(per_second=2, burst=3))
    limit.wait_s("a", 0.0)
    assert [limit.wait_s("a", 1e6) for _ in range(4)] == [0, 0, 0, 0.5]


def test_clients_do_not_share_a_bucket() -> None:
    limit = RateLimit(Rate(per_second=1, burst=1))
    assert [limit.wait_s(client, 0.0) for client in "aab"] == [0, 1, 0]


def test_it_remembers_a_bounded_number_of_clients() -> None:
    limit = RateLimit(Rate(per_second=1, burst=1), most_clients=10)
    for client in range(1_000):
        limit.wait_s(str(client), 0.0)
    assert len(limit) == 10


@given(
    gaps_s=st.lists(st.floats(-1, 3), max_size=100),
    per_second=st.floats(0.1, 50),
    burst=st.floats(1, 20),
)
def test_never_more_pass_than_the_burst_and_the_rate_allow(
    gaps_s: list[float], per_second: float, burst: float
) -> None:
    limit, now_s, forward_s, passed = RateLimit(Rate(per_second=per_second, burst=burst)), 0.0, 0.0, 0
    for gap_s in gaps_s:
        now_s += gap_s
        forward_s += max(gap_s, 0.0)
        passed += limit.wait_s("a", now_s) == 0
    assert passed <= burst + forward_s * per_second + 1e-6
