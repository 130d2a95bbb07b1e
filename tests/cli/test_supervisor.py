"""The supervisor: what it started ends with it, however it ends, and a death is never hidden."""

import signal
from pathlib import Path

import pytest

from tests.cli.services import all_gone, environment, is_gone, lines_until, process_of
from workstation.cli.supervisor import Service, ServiceDied, Supervisor

LASTING = ("exchange", "simulate", "--port", "0")


def a_service(home: Path, *arguments: str, name: str = "one", is_ready: bool = True, within_s: float = 60) -> Service:
    return Service(name, arguments, lambda: is_ready, environment(home), within_s)


def test_leaving_stops_every_service(home: Path) -> None:
    with Supervisor(home / "logs") as supervisor:
        pids = [supervisor.start(a_service(home, *LASTING, name=name)) for name in ("one", "two")]
        supervisor.check()
        assert not any(is_gone(pid) for pid in pids)
    assert all(is_gone(pid) for pid in pids)
    assert [path.name for path in sorted((home / "logs").iterdir())] == ["one.log", "two.log"]


def test_a_service_that_ends_is_told_with_its_last_words(home: Path) -> None:
    with Supervisor(home / "logs") as supervisor:
        lasting = supervisor.start(a_service(home, *LASTING))
        with pytest.raises(
            ServiceDied, match=r"two: ended by itself \(exit code 1\); it said: workstation: .*two\.log"
        ):
            supervisor.start(a_service(home, "config", "check", "--config", "absent", name="two", is_ready=False))
    assert is_gone(lasting)


def test_a_service_that_does_not_answer_in_time_is_stopped(home: Path) -> None:
    with (
        pytest.raises(ServiceDied, match=r"one: no answer within 0\.1 s; it said nothing"),
        Supervisor(home / "logs") as supervisor,
    ):
        supervisor.start(a_service(home, *LASTING, is_ready=False, within_s=0.1))


SUPERVISING = """
import sys, time
from pathlib import Path
from tests.cli.services import environment
from workstation.cli.supervisor import Service, Supervisor
home = Path(sys.argv[1])
with Supervisor(home / "logs") as supervisor:
    for name in ("one", "two"):
        print(supervisor.start(Service(name, ["exchange", "simulate", "--port", "0"], lambda: True, environment(home))))
    print("started", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_services_end_however_their_supervisor_ends(home: Path, how: signal.Signals) -> None:
    with process_of(home, [home], SUPERVISING) as process:
        pids = [int(line) for line in lines_until(process, "started").splitlines()[:-1]]
        assert len(pids) == 2
        process.send_signal(how)
        assert all_gone([process.pid, *pids])
