"""The breaker's states, against a plain retelling of its rules over any sequence of events."""

from hypothesis import given
from hypothesis import strategies as st

from workstation.exchanges.circuit_breaker import BreakerLimits, Circuit, CircuitBreaker

STEPS = st.lists(
    st.tuples(st.sampled_from(["failed", "succeeded", "attempt", "reset"]), st.sampled_from([0, 1, 7, 31]))
)


def test_five_failures_within_a_minute_open_it_and_a_trial_closes_it() -> None:
    breaker = CircuitBreaker()
    for second in (0, 10, 20, 30):
        breaker.failed(second)
    assert breaker.state(30) is Circuit.CLOSED
    breaker.failed(60)
    assert (breaker.state(60), breaker.attempt(60), breaker.wait_s(60)) == (Circuit.OPEN, False, 30)
    assert (breaker.state(90), breaker.attempt(90)) == (Circuit.HALF_OPEN, True)
    breaker.succeeded(91)
    assert breaker.state(91) is Circuit.CLOSED


def test_failures_spread_over_more_than_a_minute_do_not_open_it() -> None:
    breaker = CircuitBreaker()
    for second in range(0, 600, 16):
        breaker.failed(second)
    assert breaker.state(600) is Circuit.CLOSED


def test_half_open_it_lets_one_attempt_through_whose_failure_opens_it_again() -> None:
    breaker = CircuitBreaker(BreakerLimits(failures=1))
    breaker.failed(0)
    assert [breaker.attempt(30), breaker.attempt(31)] == [True, False]
    breaker.failed(32)
    assert (breaker.state(61), breaker.state(62)) == (Circuit.OPEN, Circuit.HALF_OPEN)


def test_a_trial_that_never_reports_is_given_up() -> None:
    breaker = CircuitBreaker(BreakerLimits(failures=1))
    breaker.failed(0)
    assert breaker.attempt(30)
    assert [breaker.attempt(59), breaker.attempt(60)] == [False, True]


def test_a_success_does_not_excuse_the_failures_before_it() -> None:
    breaker = CircuitBreaker()
    for second in range(4):
        breaker.failed(second)
        breaker.succeeded(second)
    breaker.failed(5)
    assert breaker.state(5) is Circuit.OPEN


def test_reset_by_hand_closes_it_at_once() -> None:
    breaker = CircuitBreaker(BreakerLimits(failures=1))
    breaker.failed(0)
    breaker.reset()
    assert (breaker.state(0), breaker.wait_s(0)) == (Circuit.CLOSED, 0)


@given(steps=STEPS)
def test_states_follow_the_rules_whatever_happens(steps: list[tuple[str, int]]) -> None:
    limits = BreakerLimits(failures=3, within_s=20, open_s=10)
    breaker, now = CircuitBreaker(limits), 0
    failures: list[int] = []  # while closed
    opened: int | None = None
    tried: int | None = None
    for action, pause in steps:
        now += pause
        is_half = opened is not None and now >= opened + 10
        match action:
            case "reset":
                breaker.reset()
                failures, opened, tried = [], None, None
            case "attempt":
                allowed = opened is None or (is_half and (tried is None or now >= tried + 10))
                assert breaker.attempt(now) is allowed
                tried = now if allowed and opened is not None else tried
            case "succeeded":
                breaker.succeeded(now)
                if is_half:
                    failures, opened, tried = [], None, None
            case "failed":
                breaker.failed(now)
                failures = [*failures, now] if opened is None else failures
                is_full = len(failures) >= 3 and now - failures[-3] <= 20
                if is_half or (opened is None and is_full):
                    failures, opened, tried = [], now, None
        expected = Circuit.CLOSED if opened is None else Circuit.OPEN if now < opened + 10 else Circuit.HALF_OPEN
        assert breaker.state(now) is expected
        assert (breaker.wait_s(now) > 0) >= (expected is Circuit.OPEN)
        assert expected is not Circuit.CLOSED or breaker.wait_s(now) == 0
