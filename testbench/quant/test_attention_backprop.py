"""Backpropagation through attention: what it computes, that it learns, what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from toreq_hw import data
from toreq_hw.contract.arithmetic import to_state
from toreq_hw.contract.budget import budget_rows
from toreq_hw.data.sequences import copy
from toreq_hw.errors import InputError
from toreq_hw.network import ClampedReadout, Network, WeightFormat, build
from toreq_hw.network.trilinear import term_shares
from toreq_hw.quant.attention_backprop import Net, sparsemax, train_attention
from toreq_hw.quant.options import Rule, TrainingOptions

OPTIONS = TrainingOptions(hidden=(1,), rule=Rule.BACKPROP, epochs=6, batch_size=8, seed=1)
OPTIONS = replace(OPTIONS, learning_rate=4e-3)


READOUT = ClampedReadout((1, 1), rows=4)


def blank(
    rows: str, more: str = "", readout: ClampedReadout | None = READOUT, last_bits: int = 4
) -> Network:
    return build(
        "4x14",
        (f"attention 8 bits 8 rows {rows}{more}", "conv 10 1"),
        weight_format=WeightFormat.INT8,
        fraction_bits=(5, last_bits),
        feedback_shifts=(0, 0),
        readout=readout,
        input_bits=7,
        beta_shift=1,
    )


@pytest.mark.parametrize("rows", ["sparsemax", "softmax temperature 2/1"])
def test_states_are_those_of_the_contract(rows: str) -> None:
    shape = blank(rows, last_bits=10)
    net = Net(shape, OPTIONS, torch.Generator().manual_seed(3))
    for bias in net.biases.values():
        bias.data = torch.arange(len(bias)) * 7.0 - 20
    trained = net.trained()
    inputs = data.encode(copy(4, 10, train=30, test=10).train.images, 1, shape.input)
    found = net.logits(torch.from_numpy(inputs).float()).detach().numpy()
    states, sums = {"input": inputs.astype(np.int64)}, np.zeros(0)
    for p in trained.relaxing:
        sums = np.repeat(trained.biases[p.name][None].astype(np.int64), len(inputs), axis=0)
        bits = trained.accumulator_fraction_bits(p.name)
        for c in trained.couplings:
            if c.post == p.name:
                matrix = c.matrix_of(c.parameters).astype(np.int64)
                sums += (states[c.pre] @ matrix) << (bits - c.fraction_bits)
        for share in term_shares(trained):
            if share.target.name == p.name and set(share.term.ends) - {p.name} <= set(states):
                sums += share.apply({**states, p.name: np.zeros(sums.shape, np.int64)})
        if p.rows:
            cells = sums.reshape(-1, p.rows.length)
            states[p.name] = budget_rows(cells, p.rows.table(bits), p.rows.budget).reshape(
                sums.shape
            )
        elif p.role.value != "output":
            states[p.name] = to_state(sums, bits, p.state_min, p.state_max).astype(np.int64)
    unit = 127 << trained.accumulator_fraction_bits("output")
    assert np.allclose(found.reshape(len(inputs), -1), sums / unit, atol=1e-5)
    assert np.abs(sums).max() > 0


def test_it_learns_to_copy() -> None:
    task = copy(4, 10, train=1500, test=300)
    found = train_attention(OPTIONS, task, blank("softmax temperature 2/1"))
    assert found.accuracy > 0.9
    assert len(found.seconds) == 6
    again = train_attention(replace(OPTIONS, epochs=1), task, blank("softmax temperature 2/1"))
    assert again.accuracy < found.accuracy
    assert again.network.sha256 != found.network.sha256


def test_sparsemax_by_hand() -> None:
    rows = torch.tensor([[0.0, 0.5, 0.2], [3.0, 1.0, 0.0], [1.0, 1.0, 1.0]], requires_grad=True)
    found = sparsemax(rows)
    wanted = [[0.1, 0.6, 0.3], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]]
    assert torch.allclose(found, torch.tensor(wanted), atol=1e-6)
    found[0, 0].backward()
    assert rows.grad is not None
    assert torch.allclose(rows.grad[0], torch.tensor([2 / 3, -1 / 3, -1 / 3]), atol=1e-6)


def test_what_cannot_be_computed_is_refused() -> None:
    task = copy(4, 10, train=20, test=5)
    with pytest.raises(InputError, match="all cells for backpropagation, found 'scores'"):
        train_attention(OPTIONS, task, blank("sparsemax", " mask causal"))
    with pytest.raises(InputError, match="readout must be clamped"):
        train_attention(OPTIONS, task, blank("sparsemax", readout=None))
