"""What a tab must not do, and who must not reach it: one line each, or a closed socket."""

import socket
import urllib.error
import urllib.request
from typing import Any

import pytest

from testbench.observatory.serving import Page
from testbench.patience import until
from toreq_hw.errors import InputError
from toreq_hw.observatory import messages
from toreq_hw.observatory.serving import listen


def fetch(address: str, **headers: str) -> tuple[int, bytes, Any]:
    """Status, content and headers of a page."""
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "a message must be a known command"),
        ('{"do": "delete"}', "a message must be a known command"),
        ('{"do": "present"}', "a message must be a known command"),
        (
            '{"do": "present", "sample": 3, "path": "/etc/passwd"}',
            "a message must be a known command",
        ),
        ('{"do": "present", "sample": -1}', "a message must be a known command"),
        ('{"do": "present", "sample": 5000}', "the sample must be in 0..358, not 5000"),
        ('{"do": "pixels", "values": [1, 2]}', "an image must have 64 pixels, found 2"),
        ('{"do": "step", "unit": "year"}', "a step must be one tick, sweep, event"),
        ('{"do": "show", "phase": 9, "tick": 0}', "the phase must be one of 1, not 9"),
        (
            '{"do": "nudge", "label": 10, "sign": 1}',
            "a nudge must be 1 or -1 towards a class in 0..9",
        ),
        ('{"do": "learn", "label": 10}', "the class must be in 0..9, not 10"),
        ('{"do": "damage", "kind": "fire", "level": 1}', "damage must be one of dead_neurons"),
        (
            '{"do": "damage", "kind": "dead_neurons", "level": 2}',
            "level of dead_neurons must be in",
        ),
        (
            '{"do": "paint", "population": "input", "neurons": [1], "what": "dead"}',
            "neurons must be of hidden, output, found 'input'",
        ),
        (
            '{"do": "paint", "population": "hidden", "neurons": [24], "what": "dead"}',
            "neurons of hidden must be in 0..23, found 24",
        ),
        ('{"do": "undo"}', "damage must be there to be taken back, found none"),
        ('{"do": "couplings", "gain": 1, "schedule": "lunar"}', "schedule must be"),
        ('{"do": "machine", "name": "abacus"}', "the machine must be one of reference"),
    ],
)
def test_what_cannot_be_done_is_one_line(app: Any, text: str, said: str) -> None:
    with Page(app) as page:
        page.socket.send(text)
        error = page.until(lambda h: "error" in h)["error"]
        assert said in error
        assert "\n" not in error
        assert page.settle()["view"]["settled"]  # the tab lives on


def test_messages_have_bounds(app: Any) -> None:
    from websockets.exceptions import ConnectionClosed

    with pytest.raises(InputError, match="at most"):
        messages.parse(" " * (messages.MOST_CHARACTERS + 1))
    for message in (" " * (messages.MOST_CHARACTERS + 1), b"bytes", " " * (1 << 20)):
        with Page(app) as page:
            page.socket.send(message)
            with pytest.raises(ConnectionClosed):
                page.until(lambda h: h["view"]["name"] == "never")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "evil.example"},
    ],
)
def test_other_origins_and_hosts_are_refused(app: Any, headers: dict[str, str]) -> None:
    from websockets.exceptions import InvalidStatus

    until(lambda: not app.tabs)
    with pytest.raises(InvalidStatus, match=r"40[03]"), Page(app, **headers):
        pass
    assert not app.tabs


def test_only_the_page_is_served(app: Any) -> None:
    status, content, headers = fetch(app.base)
    assert status == 200
    assert b"<title>Observatory</title>" in content
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    for path in ("../app.py", "..%2Fapp.py", "%2Fetc%2Fpasswd", "nothing.js", "page/main.js"):
        assert fetch(app.base + path)[0] == 404, path
    assert fetch(f"http://127.0.0.1:{app.port}/")[0] == 404
    assert fetch(f"http://127.0.0.1:{app.port}/wrong/")[0] == 404
    assert fetch(app.base, Host="evil.example:80")[0] == 403


def test_the_page_asks_nothing_of_other_machines(app: Any) -> None:
    from toreq_hw.observatory.app import page_files

    for name, content in page_files().items():
        text = content.decode().replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text, name
        assert "https://" not in text, name
        assert fetch(app.base + name)[0] == 200


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} must be free, found: Address already"):
            listen(port)
