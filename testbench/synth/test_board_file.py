"""A board of one's own: found, checked, built for; and what is wrong with it in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from testbench.command_line import toreq_hw as run
from toreq_hw.boards import icebreaker, registry
from toreq_hw.boards.board_file import DEVICES, load_board
from toreq_hw.commands.boards import command as boards_command
from toreq_hw.errors import InputError
from toreq_hw.network import DenseCoupling, Network, Population, Role, WeightFormat, save

TABLE = """\
name = "my_board"
title = "My board (iCE40UP5K)"
family = "ice40"
platform = "amaranth_boards.icebreaker:ICEBreakerPlatform"
device = "ICE40UP5K"
oscillator = "clk12"
oscillator_hz = 12_000_000
clock_hz = 24_000_000
pll = "SB_PLL40_PAD"
led = ["led", 0]
lanes = 4
update_lanes = 4
"""


def write(folder: Path, text: str = TABLE, name: str = "my_board.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_table_is_the_board_that_a_module_would_be(tmp_path: Path) -> None:
    board = load_board(write(tmp_path))
    ours = icebreaker.BOARD
    for field in ("family", "capacity", "oscillator", "clock_hz", "pll", "led", "weights_in_spram"):
        assert getattr(board, field) == getattr(ours, field), field
    assert (board.name, board.lanes) == ("my_board", 4)


def test_python_may_bring_its_own_platform(tmp_path: Path) -> None:
    write(tmp_path, "FREQUENCY = 12_000_000\n", "my_constants.py")
    text = """
from dataclasses import replace
from amaranth_boards.icebreaker import ICEBreakerPlatform
from my_constants import FREQUENCY
from toreq_hw.boards.icebreaker import BOARD as OURS

class MyPlatform(ICEBreakerPlatform):
    pass

BOARD = replace(
    OURS, name="mine", platform=f"{__name__}:MyPlatform", oscillator_hz=FREQUENCY
)
"""
    board = load_board(write(tmp_path, text, "my_board.py"))
    assert type(board.make_platform()).__name__ == "MyPlatform"


def test_figures_of_ones_own_stand_for_a_device(tmp_path: Path) -> None:
    figures = "".join(
        f"{name} = 7\n"
        for name in ("lut4", "ff", "block_ram", "block_ram_bits", "spram", "spram_bits", "dsp")
    )
    text = TABLE.replace('device = "ICE40UP5K"\n', "") + f'[capacity]\n{figures}source = "mine"\n'
    assert load_board(write(tmp_path, text)).capacity.lut4 == 7
    assert "LFE5U_85F" in DEVICES


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "my_board"', 'name = "icebreaker"', "name must be none of icebreaker, "),
        ('name = "my_board"', 'name = "a b"', "name must be letters, digits and _, found 'a b'"),
        (
            "lanes = 4\nup",
            "lanes = 5\nup",
            "lanes must be one of 2, 4, 8, 16, 32, 64, 128, 256, found 5",
        ),
        ('"ice40"', '"ice50"', "field family must be one of 'ice40', 'ecp5', 'gowin'"),
        ('"ICE40UP5K"', '"ICE41"', "field device must be one of ICE40UP5K, "),
        ("SB_PLL40_PAD", "EHXPLLL", "pll must be SB_PLL40_PAD or SB_PLL40_CORE for ice40"),
        ("clk12", "clk13", "oscillator must be a resource of ICEBreakerPlatform, found no clk13"),
        ('["led", 0]', '["led", 9]', "led must be a resource of ICEBreakerPlatform, found no led"),
        ('["led", 0]', '"led"', "field led must be a list, found 'led'"),
        ("12_000_000", "12_500_000", "oscillator_hz must be the platform's, 12000000, found"),
        (":ICEBreakerPlatform", ":Icebreaker", "must have a class Icebreaker, found none"),
        (
            "amaranth_boards.icebreaker:",
            "nowhere:",
            "module nowhere of the platform must be",
        ),
        ("amaranth_boards.icebreaker:", "", "platform must be module:Class, found"),
        ("lanes = 4\nup", 'led = "x"\nup', "must be TOML, found: Cannot overwrite a value"),
        ('title = "My board (iCE40UP5K)"\n', "", "field title must be there"),
        ("lanes = 4\nup", "lane = 4\nup", "fields must be name, title, "),
        ('device = "ICE40UP5K"\n', "", "either device or a table capacity must be there"),
        (
            "24_000_000",
            "900_000_000",
            "its SB_PLL40_PAD must be able to make the clock from 12 MHz",
        ),
        ("24_000_000", "1_000_000", "its SB_PLL40_PAD must be able to make the clock from 12 MHz"),
        ("update_lanes = 4", "baud = 7_000_000", "baud must be at most 6000000 at 24000000 Hz"),
        ("update_lanes = 4", "baud = 12_000_000", "baud must be at most 6000000 at 24000000 Hz"),
        ("update_lanes = 4", "baud = 5_300_000", "by a whole number, to 2 %; nearest 4800000"),
        ("ICE40UP5K", "LFE5U_25F", "device must be of the family ice40, found one of ecp5"),
        ('"ICE40UP5K"', '"ICE40HX8K"', "device must be the platform's, ICE40UP5K, found another"),
        (
            "amaranth_boards.icebreaker:ICEBreakerPlatform",
            "amaranth_boards.ulx3s:ULX3S_85F_Platform",
            "platform must be of the family ice40",
        ),
        (
            "update_lanes = 4",
            '[uart]\nrx = "3"\ntx = "4"',
            "platform and uart must go together, found NameError",
        ),
        ('["led", 0]', '["uart", 0]', "pins must be free, found: "),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert TABLE.count(old) == 1, old
    with pytest.raises(InputError) as found:
        load_board(write(tmp_path, TABLE.replace(old, new)))
    assert message in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "BOARD must be a toreq_hw.boards.board.Board, found NoneType"),
        ("1 / 0\n", "must run, found ZeroDivisionError: division by zero"),
        ("def\n", "must run, found SyntaxError: "),
        ("raise SystemExit(3)\n", "must run, found SystemExit: 3"),
    ],
)
def test_a_python_file_that_holds_no_board(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as found:
        load_board(write(tmp_path, text, "my_board.py"))
    assert message in str(found.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("clock_hz=0", "clock_hz must be a whole number in 1..1000000000, found 0"),
        ("clock_hz=24e6", "clock_hz must be a whole number in 1..1000000000, found 24000000.0"),
        ("oscillator_hz=-1", "oscillator_hz must be a whole number in 1..1000000000, found -1"),
        ("baud=0", "baud must be a whole number in 300..12000000, found 0"),
        ("lanes=4", "update_lanes must be at most lanes, 4, found 8"),
        ("title=None", "title must be text, found None"),
        ("family='ice50'", "family must be a Family, found 'ice50'"),
        ("capacity=3", "capacity must be a Capacity, found 3"),
        ("led='led'", "led must be a resource's name and number, found 'led'"),
    ],
)
def test_a_board_in_python_is_held_to_the_same(tmp_path: Path, change: str, message: str) -> None:
    text = f"""
from dataclasses import replace
from toreq_hw.boards.icebreaker import BOARD as OURS
BOARD = replace(OURS, **{{"name": "mine", "lanes": 8, "update_lanes": 8}} | dict({change}))
"""
    with pytest.raises(InputError) as found:
        load_board(write(tmp_path, text, "my_board.py"))
    assert message in str(found.value)


def test_checking_a_wrong_board_ends_with_status_2(tmp_path: Path) -> None:
    wrong = write(tmp_path, TABLE.replace("24_000_000", "900_000_000"))
    done = run("boards", "--board-file", str(wrong))
    assert done.status == 2
    assert len(done.error.strip().splitlines()) == 1


def test_our_boards_pass_the_checks_of_a_file(tmp_path: Path) -> None:
    for name in registry.names():
        text = f"""
from dataclasses import replace
from toreq_hw.boards import registry
BOARD = replace(registry.get({name!r}), name="mine")
"""
        load_board(write(tmp_path, text, "my_board.py"))


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must be a \.toml or a \.py file, found \.json"):
        load_board(write(tmp_path, "{}", "my_board.json"))


def test_boards_are_listed(tmp_path: Path) -> None:
    record = tmp_path / "boards.json"
    arguments = ["--board-file", str(write(tmp_path)), "--json", str(record)]
    done = CliRunner().invoke(boards_command, arguments)
    assert done.exit_code == 0, done.output
    listed = json.loads(record.read_text())["boards"]
    assert [board["name"] for board in listed] == [*registry.names(), "my_board"]
    assert all(board["name"] in done.output for board in listed)


def small_network(folder: Path) -> Path:
    """Takes digits."""
    rng = np.random.default_rng(1)
    populations = (Population("input", 64, Role.INPUT), Population("output", 10, Role.OUTPUT, 4))
    weight = rng.integers(-1, 2, (64, 10)).astype(np.int8)
    coupling = DenseCoupling("input", "output", weight, 3, WeightFormat.TERNARY)
    path = folder / "network.safetensors"
    save(Network(populations, (coupling,), {}), path)
    return path


def test_a_wrong_board_file_ends_synth_and_deploy_before_any_file(tmp_path: Path) -> None:
    network = small_network(tmp_path)
    wrong = write(tmp_path, TABLE.replace("clk12", "clk13"))
    out = tmp_path / "out"
    for arguments in (
        ["synth", str(network), "--board-file", str(wrong), "--out", str(out)],
        ["synth", str(network), "--out", str(out)],
        ["synth", str(network), "--board", "icebreaker", "--board-file", str(wrong)],
        ["deploy", str(network), "--board-file", str(wrong), "--port", "sim", "--out", str(out)],
        ["deploy", str(network), "--target", "sim", "--board-file", str(wrong)],
    ):
        done = run(*arguments)
        assert done.status == 2, arguments
        assert len(done.error.strip().splitlines()) == 1, done.error
        assert not out.exists()


def test_a_network_runs_on_the_simulated_board_of_a_file(tmp_path: Path) -> None:
    network, board = small_network(tmp_path), write(tmp_path)
    arguments = ["--board-file", str(board), "--port", "sim", "--samples", "2"]
    done = run("deploy", str(network), *arguments)
    assert done.status == 0, done.error
    assert "my_board" in done.output
    assert "all checks held" in done.output


def test_the_page_shows_a_board_that_works(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "boards.md").read_text(encoding="utf-8")
    table = page.split("```toml\n", 1)[1].split("```", 1)[0]
    assert load_board(write(tmp_path, table)).loader == "ice40_generic"
