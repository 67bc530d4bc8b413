"""The page sets another tool's energy beside ours, part by part, and says what lies outside."""

from testbench.lava.test_mapper import filled
from toreq_hw.lava_backend.mapper import Activity, estimate, load_chip, map_network
from toreq_hw.records.chip import ThirdPartyEstimate
from toreq_hw.records.deployment import Deployment
from toreq_hw.reports.chip_sections import _third_party
from toreq_hw.reports.deployment import deployment_page


def section(seconds_us: float):
    net, chip = filled((3, 4, 2)), load_chip("loihi1")
    ours = estimate(net, map_network(net, chip), Activity(1000.0, 9.0, 50.0))
    parts = {"synapse": 0.0355, "dendrite": 0.0, "soma": 0.004, "network": 0.006}
    other = ThirdPartyEstimate(
        tool="a tool",
        samples=1,
        energy_per_sample_uj=sum(parts.values()),
        energy_parts_uj=parts,
        time_per_sample_us=seconds_us,
        messages_per_sample=50.0,
        synops_per_sample=1000.0,
        steps_per_sample=10.0,
        differences="",
    )
    return _third_party(other, ours, chip)


def test_every_part_stands_beside_ours_with_its_price() -> None:
    rows = {row[0]: row[1:] for row in section(8.0).table.rows}
    there, here, difference = rows["of this, synapses"]
    assert there == "0.0355 uJ (35.5 pJ a synop)"
    assert here == "0.0236 uJ (23.6 pJ a synop)"
    assert difference == "+0.0119 uJ"
    parts = [row for name, row in rows.items() if name.startswith("of this")]
    assert all(" pJ a" in row[1] and row[2] for row in parts)
    total = sum(float(row[2].split()[0]) for row in parts)
    assert abs(total - float(rows["energy per image"][2].split()[0])) < 1e-4


def test_what_lies_outside_the_spread_is_said() -> None:
    assert "time lies outside the spread" in section(1000.0).text
    assert "time lies outside" not in section(8.0).text


def test_a_failed_page_names_the_check_first() -> None:
    record = Deployment(
        split="s",
        passed=False,
        notes=("violation: population 'hidden': message_bits must be at most 1",),
        versions={},
        chip=None,
        targets=(),
    )
    page = deployment_page("t", record, [("bit exact", "true")], "0" * 64)
    assert page.lead == (
        "A check failed: violation: population 'hidden': message_bits must be at most 1."
    )
    page = deployment_page("t", record, [("bit exact", "false")], "0" * 64)
    assert "states, ticks or events differ" in page.lead
