"""A page's table as a file: for spreadsheets, which must not run what a venue said."""

import csv

import pytest

from workstation.dashboard.tables import Column, LiveTable

COLUMNS = (Column(name="reason", title="Reason"), Column(name="result", title="Result", kind="signed"))


@pytest.mark.filterwarnings("ignore:button_type:PendingDeprecationWarning")
@pytest.mark.parametrize("said", ['=HYPERLINK("http://evil.example")', "+1", "-1", "@SUM(1)", "\tx", "\rx"])
def test_what_a_spreadsheet_would_run_is_text(said: str) -> None:
    table = LiveTable("Signals", COLUMNS, empty="none")
    table.show([{"reason": said, "result": -1.5}, {"reason": "z below -2", "result": 2.0}])
    rows = list(csv.DictReader(table._written()))
    assert rows == [{"reason": f"'{said}", "result": "-1.5"}, {"reason": "z below -2", "result": "2.0"}]
