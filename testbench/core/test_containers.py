"""Dockerfile and devcontainer wrap `make sim` and `make test`, and do nothing else."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PACKAGES = "apt-get update && apt-get install --yes --no-install-recommends git make g++ "


def instructions(text: str) -> list[tuple[str, str]]:
    """Name and words of each instruction; comments are left out, continued lines joined."""
    plain = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", plain).splitlines()
    return [(name, rest) for name, _, rest in (one.partition(" ") for one in lines if one)]


def strays(text: str) -> list[str]:
    """What an image of this text would do beside the two commands."""
    found = []
    for name, rest in instructions(text):
        allowed = {
            "FROM": re.fullmatch(r"(python:3\.1[123]-slim-bookworm|tools) AS (tools|sim)", rest),
            "RUN": rest == "make sim" or rest.startswith(PACKAGES),
            "WORKDIR": rest == "/toreq-hw",
            "COPY": rest == ". .",
            "CMD": rest == '["make", "test"]',
        }
        found += [] if allowed.get(name) else [f"{name} {rest}"]
    return found


def test_the_image_runs_the_two_commands() -> None:
    assert strays(DOCKERFILE) == []
    words = [f"{name} {rest}" for name, rest in instructions(DOCKERFILE)]
    assert words.index("RUN make sim") < words.index('CMD ["make", "test"]')


@pytest.mark.parametrize(
    "more", ["RUN pip install toreq-hw", 'CMD ["sh"]', "ADD x y", "FROM ubuntu AS sim"]
)
def test_what_does_more_is_found(more: str) -> None:
    assert strays(f"{DOCKERFILE}{more}\n") == [more]


def test_the_devcontainer_builds_a_stage_that_is_there() -> None:
    place = ROOT / ".devcontainer/devcontainer.json"
    content = json.loads(place.read_text(encoding="utf-8"))
    assert (place.parent / content["build"]["dockerfile"]).resolve() == ROOT / "Dockerfile"
    assert f"AS {content['build']['target']}\n" in DOCKERFILE
    assert content["postCreateCommand"] == "make sim"


def test_an_image_takes_no_environment_along() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".venv", "build"} <= set(ignored)
    assert ".git" not in ignored  # tests ask git which files there are
