"""Links to other sites: there, gone, or not reached."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from testbench import external_links


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response({"/page": 200, "/busy": 503}.get(self.path, 404))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Site) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_states(site: str) -> None:
    assert external_links.state_of(f"{site}/page") == "there"
    assert external_links.state_of(f"{site}/other") == "gone"
    assert external_links.state_of(f"{site}/busy") == "not reached: status 503"
    assert external_links.state_of("http://127.0.0.1:1/").startswith("not reached")


def test_a_page_that_is_gone_fails(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, status in (("page", 0), ("busy", 0), ("other", 1)):
        monkeypatch.setattr(external_links, "addresses", lambda _, path=path: [f"{site}/{path}"])
        assert external_links.main([]) == status


def test_addresses_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    text = "[a](https://a.org/x). See https://b.org/z, `http://localhost:1`, https://b.org/z."
    page.write_text(text, encoding="utf-8")
    assert external_links.addresses([page]) == ["https://a.org/x", "https://b.org/z"]
