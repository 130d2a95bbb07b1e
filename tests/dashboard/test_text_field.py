"""What a field holds after what browsers tell of it, several things at once among them."""

import pytest

from workstation.dashboard.text_field import TextField


@pytest.mark.parametrize(
    ("told", "typed", "left_with"),
    [
        ({"value_input": "250"}, "250", "100"),
        ({"value": "250"}, "250", "250"),
        ({"value_input": "250", "value": "250"}, "250", "250"),
        ({"value_input": "2500", "value": "250"}, "2500", "100"),
        ({"value": "250", "value_input": ""}, "", "100"),
    ],
)
def test_what_was_typed_last_stays(told: dict[str, str], typed: str, left_with: str) -> None:
    field = TextField(value="100")
    field._process_events(told)
    assert (field.value_input, field.value) == (typed, left_with)


def test_what_the_page_puts_in_is_shown() -> None:
    field = TextField()
    field._process_events({"value_input": "250"})
    field.value = "100"
    assert field.value_input == "100"
