"""The dashboard's process: how it begins, and what it says where it cannot."""

import socket
from pathlib import Path

import pytest

from tests.cli.services import process_of


@pytest.mark.slow
def test_a_port_in_use_is_a_sentence_and_ends_the_command(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with process_of(tmp_path, ["dashboard", "--port", port]) as process:
            out, err = process.communicate(timeout=60)
    said = f"workstation: port {port} on 127.0.0.1: another program listens there: choose another --port\n"
    assert (process.returncode, out, err) == (1, "", said)
