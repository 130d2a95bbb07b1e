"""One process records, another one reads what is being recorded, to the last second."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.running import Engine, Venues, until, write_configuration
from workstation.model.durations import SECOND_NS

ROOT = Path(__file__).resolve().parents[2]
READER = """
import json, sys
import workstation as ws
from workstation.model.instrument import InstrumentKey
store = ws.open_history(sys.argv[1])
rows = store.rows(InstrumentKey("nova", "BTC/USDT"), "quotes", 0, as_recorded=True)
asked = store.query("SELECT count(*) AS n FROM quotes WHERE venue = 'nova' AND symbol = 'BTC/USDT'")
print(json.dumps({"rows": len(rows), "last_ns": int(rows["ts_received"][-1]), "asked": asked.to_pylist()[0]["n"]}))
"""


@pytest.mark.slow
def test_a_notebook_reads_what_an_engine_records_to_the_last_second(tmp_path: Path) -> None:
    with (
        Venues(tmp_path, "nova,orion", quotes_per_second=200) as venues,
        Engine(write_configuration(tmp_path, venues)) as engine,
        engine.client() as client,
    ):
        until(lambda: client.health().rows > 500, "rows are recorded")
        for _ in range(3):
            before = client.health()
            command = [sys.executable, "-c", READER, str(engine.home / "history")]
            answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            read, after = json.loads(answer.stdout), client.health()
            assert before.now_ns - SECOND_NS < read["last_ns"] <= after.now_ns, "older than a second"
            assert 0 < read["rows"] <= read["asked"] <= after.rows
        assert client.health().problems == ()
        assert engine.end() == 0
