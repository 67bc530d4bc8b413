"""What the pages name is there: commands, their options, make targets, files and links."""

import re
from pathlib import Path

import click
import pytest

from toreq_hw.cli import deploy_train
from toreq_hw.commands import group

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
COMMANDS = group.list_commands(click.Context(group))
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def options(command: str) -> set[str]:
    """Every option of a command; of deploy also those that it has with --train."""
    found = group.get_command(click.Context(group), command)
    assert found is not None
    params = [*found.params, *(deploy_train.command.params if command == "deploy" else ())]
    return {"--help", *(o for p in params for o in (*p.opts, *p.secondary_opts))}


def missing(text: str, folder: Path) -> list[str]:
    """What a page in `folder` names and the project lacks."""
    wrong = []
    for command, rest in re.findall(r"toreq-hw ([a-z]+)((?: (?:[^`\n\\]|\\\n)*)?)[`\n]", text):
        if command not in COMMANDS:
            continue  # `toreq-hw network` begins files
        named = set(re.findall(r"(?<!\S)--[a-z-]+", rest))
        wrong += [f"toreq-hw {command} {option}" for option in named - options(command)]
    wrong += [f"make {t}" for t in re.findall(r"`make ([a-z-]+)", text) if not known(t)]
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        wrong += [] if (folder / link).exists() else [link]
    parts = "boards|rtl|sim|quant|lava_backend|reports|testbench|toreq_hw|docs"
    for file in re.findall(rf"`((?:{parts})/[\w/.]+\.\w+)", text):
        wrong += [] if "NAME" in file or (ROOT / file).exists() else [file]
    return wrong


def known(target: str) -> bool:
    """Whether make has it; a study's target follows from its file."""
    return target in TARGETS or target.startswith("study-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    assert not missing(page.read_text(encoding="utf-8"), page.parent)


OTHERS = ("FINN", "hls4ml", "da4ml", "nengo-loihi", "lava-dl", "aihwkit", "Spiker+")


def test_the_comparison_says_what_each_other_tool_has_over_us() -> None:
    text = (ROOT / "docs/comparison.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| [")]
    assert [re.findall(r"\[(.+)\]", row[0])[0] for row in rows] == list(OTHERS)
    assert all(len(theirs.split()) >= 5 and len(ours.split()) >= 4 for _, theirs, ours in rows)


def test_what_is_not_there_is_found() -> None:
    text = "`toreq-hw train --epochz 2` `make tets` [a](nowhere.md) `sim/plam.py` `toreq-hw info X`"
    expected = ["toreq-hw train --epochz", "make tets", "nowhere.md", "sim/plam.py"]
    assert missing(text, ROOT) == expected
