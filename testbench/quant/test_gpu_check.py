"""The check on a GPU refuses to pass without one, and can see a difference."""

import pytest
import torch

from testbench.quant import gpu_check
from testbench.quant.chains import chain_case
from toreq_hw.quant.convolution_form import ConvolutionLink
from toreq_hw.quant.options import Rule

CPU = torch.device("cpu")


def test_without_a_gpu_it_is_no_success(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu_check.main() == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_it_finds_nothing_where_all_is_equal_and_sees_what_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = chain_case(6, batch=8)
    assert list(gpu_check.differences(case, CPU)) == []
    calls = []
    forward = ConvolutionLink.forward

    def lossy(link: ConvolutionLink, states: torch.Tensor) -> torch.Tensor:
        calls.append(link)
        return forward(link, states) + (len(calls) > 1) * 3

    monkeypatch.setattr(ConvolutionLink, "forward", lossy)
    assert list(gpu_check.differences(case, CPU))


def test_it_times_a_step() -> None:
    case = gpu_check.large_case(4, clamped=True)
    assert gpu_check.step_seconds(case, CPU, Rule.EQPROP) > 0
