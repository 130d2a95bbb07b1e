"""Wrong passwords: how many are free, how the wait grows, and that it all stays small."""

from hypothesis import given
from hypothesis import strategies as st

from workstation.dashboard.attempts import FORGOTTEN_AFTER_S, LONGEST_WAIT_S, Attempts, Failures
from workstation.dashboard.one_time_keys import LASTS_S, MOST_KEYS, OneTimeKeys


def test_five_attempts_are_free_then_each_doubles_the_wait() -> None:
    attempts, now_s, waits = Attempts(), 0.0, []
    for _ in range(4):
        assert attempts.begin("ada", "here", now_s) == 0
    for _ in range(5):
        assert attempts.begin("ada", "here", now_s) == 0
        waits.append(attempts.begin("ada", "here", now_s))
        now_s += waits[-1]
    assert waits == [1, 2, 4, 8, 16]


def test_asking_while_one_has_to_wait_makes_the_wait_no_longer() -> None:
    failures = Failures(free=1)
    failures.note("ada", 0.0)
    assert [failures.wait_s("ada", now_s) for now_s in (0.0, 0.25, 0.5, 1.0)] == [1.0, 0.75, 0.5, 0.0]


@given(st.integers(0, 5_000))
def test_no_wait_is_longer_than_the_longest(count: int) -> None:
    failures = Failures(free=5)
    for _ in range(count):
        failures.note("ada", 0.0)
    wait_s = failures.wait_s("ada", 0.0)
    assert wait_s == (0.0 if count < 5 else min(2.0 ** min(count - 5, 20), LONGEST_WAIT_S))


def test_who_was_quiet_for_long_begins_anew() -> None:
    failures = Failures(free=2)
    for _ in range(8):
        failures.note("ada", 0.0)
    failures.note("ada", FORGOTTEN_AFTER_S)
    assert failures.wait_s("ada", FORGOTTEN_AFTER_S) == 0.0


def test_the_right_password_forgives_the_user_but_not_the_address() -> None:
    attempts = Attempts(free_of_user=5, free_of_address=6)
    for _ in range(3):
        assert attempts.begin("eve", "here", 0.0) == 0
    for _ in range(20):  # a login of one's own between two guesses buys no more guesses
        assert attempts.begin("mallory", "here", 0.0) == 0
        attempts.was_right("mallory", "here")
    for name in ("a", "b", "c"):
        assert attempts.begin(name, "here", 0.0) == 0
    assert attempts.begin("d", "here", 0.0) > 0
    assert attempts.begin("mallory", "elsewhere", 0.0) == 0


def test_many_at_once_are_as_many_in_a_row() -> None:
    """None has been looked at yet when the next one comes."""
    attempts = Attempts()
    assert sum(attempts.begin("ada", "here", 0.0) == 0 for _ in range(1_000)) == 5


def test_a_thousand_names_from_one_address_are_bounded_by_the_address() -> None:
    attempts = Attempts()
    assert sum(attempts.begin(f"user{number}", "here", 0.0) == 0 for number in range(1_000)) == 20


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 100)), max_size=300))
def test_memory_is_bounded_whatever_is_tried(tries: list[tuple[int, int, int]]) -> None:
    failures = Failures(free=5, most_remembered=8)
    now_s = 0.0
    for who, again, step_s in tries:
        now_s += step_s
        failures.note(str(who), now_s)
        failures.forgive(str(again))
        assert len(failures) <= 8


def test_the_one_that_was_quiet_longest_is_forgotten_first() -> None:
    failures = Failures(free=1, most_remembered=2)
    for who in ("ada", "eve", "ada", "bob"):
        failures.note(who, 0.0)
    assert [failures.wait_s(who, 0.0) > 0 for who in ("ada", "eve", "bob")] == [True, False, True]


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_key_opens_once() -> None:
    keys = OneTimeKeys(Clock())
    key = keys.new()
    assert len(key) >= 43
    assert [keys.take(key), keys.take(key)] == [True, False]


def test_a_key_is_void_after_ten_minutes() -> None:
    clock = Clock()
    keys = OneTimeKeys(clock)
    early, late = keys.new(), keys.new()
    clock.now_s = LASTS_S - 1
    assert keys.take(early)
    clock.now_s = LASTS_S
    assert not keys.take(late)
    assert LASTS_S == 600


@given(st.text(max_size=60))
def test_what_is_no_key_opens_nothing(text: str) -> None:
    keys = OneTimeKeys(Clock())
    key = keys.new()
    assert text == key or not keys.take(text)
    assert not keys.take(key[:-1]) and not keys.take(key + "=")
    assert keys.take(key)


def test_unused_keys_do_not_pile_up() -> None:
    keys = OneTimeKeys(Clock())
    made = [keys.new() for _ in range(MOST_KEYS + 1)]
    assert len(set(made)) == len(made) and len(keys) == MOST_KEYS
    assert not keys.take(made[0]) and keys.take(made[1])
