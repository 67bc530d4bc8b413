"""A torch state_dict by other names, of other floats, and with BatchNorm1d computes the same."""

from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file, save_model
from torch import nn

from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.float_file import load_float
from toreq_hw.quant.mlp import Mlp, from_state_dict

WIDTHS = (8, 12, 6, 3)


def read(model: nn.Module, folder: Path) -> Mlp:
    file = folder / "model.safetensors"
    save_file(model.state_dict(), file)
    mlp = load_float(file)
    assert isinstance(mlp, Mlp)
    return mlp


def assert_same(mlp: Mlp, model: nn.Module, tolerance: float = 1e-5) -> None:
    inputs = np.random.default_rng(1).random((40, mlp.weights[0].shape[0]))
    with torch.no_grad():
        expected = model.double().eval()(torch.from_numpy(inputs)).numpy()
    np.testing.assert_allclose(mlp.activations(inputs)[-1], expected, rtol=1e-5, atol=tolerance)


def trained_norm(size: int, low: float = -1.0) -> nn.BatchNorm1d:
    """With statistics and parameters that are not those of a fresh one."""
    norm = nn.BatchNorm1d(size)
    for tensor, least in (
        (norm.running_mean, low),
        (norm.running_var, 0.5),
        (norm.weight, 0.5),
        (norm.bias, -1.0),
    ):
        assert tensor is not None
        nn.init.uniform_(tensor, least, 2.0)
    return norm


def narrow_norm(size: int) -> nn.BatchNorm1d:
    """With variances at which what `BatchNorm1d` adds to them counts."""
    norm = trained_norm(size)
    assert norm.running_var is not None
    nn.init.uniform_(norm.running_var, 1e-6, 1e-5)
    return norm


class Named(nn.Module):
    """Calls what it holds in the order given, whatever the names, a ReLU after each layer."""

    def __init__(self, **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        modules = list(self.children())
        linear = [k for k, m in enumerate(modules) if isinstance(m, nn.Linear)]
        for k, module in enumerate(modules):
            if k in linear[1:]:
                x = torch.relu(x)
            x = module(x)
        return x


def linears(*widths: int) -> list[nn.Linear]:
    return [nn.Linear(a, b) for a, b in pairwise(widths)]


def sequential(*modules: nn.Module) -> nn.Sequential:
    return nn.Sequential(*modules)


def named(*names: str, widths: tuple[int, ...] = WIDTHS) -> Named:
    return Named(**dict(zip(names, linears(*widths), strict=True)))


def deep() -> nn.Sequential:
    """Thirteen layers of equal widths: only numbers order them, and 10 stands behind 9."""
    layers: list[nn.Module] = []
    for layer in linears(*[8] * 13, 3):
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def normed(*, behind: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for layer in linears(*WIDTHS)[:-1]:
        between = [trained_norm(layer.out_features), nn.ReLU()]
        if behind:
            between = [nn.ReLU(), trained_norm(layer.out_features, low=0.0)]
        layers += [layer, *between]
    return nn.Sequential(*layers, nn.Linear(6, 3))


def norms_by_name(*widths: int) -> Named:
    a, b, c = linears(*widths)
    return Named(fc1=a, bn1=trained_norm(widths[1]), fc2=b, bn2=trained_norm(widths[2]), out=c)


MODELS: dict[str, Callable[[], nn.Module]] = {
    "fc1, fc2, fc3": lambda: named("fc1", "fc2", "fc3"),
    "fc, fc2, fc3": lambda: named("fc", "fc2", "fc3", widths=(8, 8, 8, 3)),
    "linear, linear_1, linear_2": lambda: named("linear", "linear_1", "linear_2"),
    "fc1, fc2, out": lambda: named("fc1", "fc2", "out", widths=(8, 8, 8, 3)),
    "words whose shapes leave one order": lambda: named("stem", "body", "head"),
    "words against the alphabet": lambda: named("z", "y", "a"),
    "ten behind nine": deep,
    "layers without biases": lambda: sequential(
        nn.Linear(8, 6, bias=False), nn.ReLU(), nn.Linear(6, 3, bias=False)
    ),
    "dropout between": lambda: sequential(
        nn.Flatten(), nn.Linear(8, 6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 3)
    ),
    "one layer": lambda: nn.Linear(8, 3),
    "a module in a module": lambda: sequential(
        OrderedDict(body=sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU()),
                    head=nn.Linear(8, 3))  # type: ignore[call-overload]
    ),
    "norm before each ReLU": lambda: normed(behind=False),
    "norm behind each ReLU": lambda: normed(behind=True),
    "norm of the inputs": lambda: sequential(
        trained_norm(8), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3)
    ),
    "norm of the outputs": lambda: sequential(
        nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3), trained_norm(3)
    ),
    "norm without parameters": lambda: sequential(
        nn.Linear(8, 6), nn.BatchNorm1d(6, affine=False), nn.ReLU(), nn.Linear(6, 3)
    ),
    "a fresh norm": lambda: sequential(
        nn.Linear(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)
    ),
    "dropout, then a norm": lambda: sequential(
        nn.Linear(8, 6), nn.Dropout(), trained_norm(6), nn.ReLU(), nn.Linear(6, 3)
    ),
    "norms by name": lambda: norms_by_name(*WIDTHS),
    "norms by numbers in names alone": lambda: norms_by_name(8, 8, 8, 3),
    "norm by its width, beside a layer without a number as well": lambda: Named(
        stem=nn.Linear(8, 6), fc2=nn.Linear(6, 3), norm=trained_norm(3)
    ),
    "norm by its width, beside two layers of its number": lambda: Named(
        a1=nn.Linear(8, 6), b1=nn.Linear(6, 3), bn1=trained_norm(3)
    ),
    "norm of the inputs by its width": lambda: Named(
        norm=trained_norm(8), stem=nn.Linear(8, 6), head=nn.Linear(6, 3)
    ),
    "norm of small variances": lambda: sequential(
        nn.Linear(8, 6), narrow_norm(6), nn.ReLU(), nn.Linear(6, 3)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.net."])
def test_what_is_read_computes_what_torch_computes(name: str, prefix: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = MODELS[name]()
    file = tmp_path / "model.safetensors"
    save_file({prefix + n: t for n, t in model.state_dict().items()}, file)
    mlp = load_float(file)
    assert isinstance(mlp, Mlp)
    assert_same(mlp, model)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_every_float_is_read_exactly(dtype: torch.dtype, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = normed(behind=False).to(dtype)
    assert_same(read(model, tmp_path), model)


def test_layers_that_share_their_weights_are_all_read(tmp_path: Path) -> None:
    """`save_model` writes the shared tensor once; without the other name a layer would be lost."""
    torch.manual_seed(0)
    first, second = nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False)
    second.weight = first.weight
    model = sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Linear(8, 3))
    file = tmp_path / "model.safetensors"
    save_model(model, str(file))
    mlp = load_float(file)
    assert isinstance(mlp, Mlp)
    assert_same(mlp, model)


def test_a_long_name_is_a_name(tmp_path: Path) -> None:
    layer = nn.Linear(8, 3)
    file = tmp_path / "model.safetensors"
    save_file({f"{'x' * 200}.{n}": t for n, t in layer.state_dict().items()}, file)
    mlp = load_float(file)
    assert isinstance(mlp, Mlp)
    assert_same(mlp, layer)


def test_the_order_of_a_mapping_does_not_matter() -> None:
    tensors = {n: t.numpy() for n, t in deep().state_dict().items()}
    expected = from_state_dict(tensors)
    for names in (sorted(tensors), sorted(tensors, reverse=True)):
        found = from_state_dict({name: tensors[name] for name in names})
        for mine, theirs in zip(found.weights, expected.weights, strict=True):
            assert np.array_equal(mine, theirs)


def tensors(**shapes: tuple[int, ...]) -> dict[str, torch.Tensor]:
    return {name.replace("__", "."): torch.ones(shape) for name, shape in shapes.items()}


NORM = {"1.running_mean": torch.ones(4), "1.running_var": torch.ones(4)}
LAYERS = tensors(**{"0.weight": (4, 8), "0.bias": (4,), "2.weight": (3, 4)})


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (tensors(hidden__weight=(8, 8), input__weight=(8, 8), output__weight=(3, 8)),
         "must have one order, by numbers in their names or by their shapes, found more than one"),
        (tensors(fc1__weight=(3, 4), fc2__weight=(4, 8)),
         r"'fc2.weight': must have shape \(m, 3\), to follow 'fc1.weight' by their numbers"),
        (tensors(stem__weight=(4, 8), head__weight=(3, 5)), "must form one chain"),
        ({**LAYERS, "other.0.weight": torch.ones(4, 8)}, "must form one chain"),
        ({**LAYERS, "1.weight": torch.ones(4)}, r"'1.weight': must have shape \(m, n\)"),
        ({**LAYERS, "1.weight": torch.ones(4, 4, 3, 3)}, r"'1.weight': must have shape \(m, n\)"),
        ({**LAYERS, "scale": torch.ones(4)}, "'scale': must be a weight or bias"),
        ({**LAYERS, "0.weight_g": torch.ones(4)}, "'0.weight_g': must be a weight or bias"),
        ({**LAYERS, "4.bias": torch.ones(4)}, "'4.bias': must have a weight beside it"),
        ({**LAYERS, "0.bias": torch.ones(5)}, r"'0.bias': must have shape \(4,\), not \(5,\)"),
        ({**LAYERS, "1.running_mean": torch.ones(4)}, "'1.running_mean': must have the running_me"),
        ({**LAYERS, "0.num_batches_tracked": torch.tensor(3)}, "'0.num_batches_tracked': must"),
        ({**LAYERS, **NORM, "1.weight": torch.ones(5)}, r"'1.weight': must have shape \(4,\)"),
        ({**LAYERS, **NORM, "1.running_var": -torch.ones(4)}, "'1.running_var': must not be neg"),
        ({**LAYERS, "1.running_mean": torch.ones(5), "1.running_var": torch.ones(5)},
         r"'1.running_mean': must have shape \(4,\), to go with '0.weight'"),
        ({**NORM}, "must be of Linear layers"),
        (tensors(**{"0.weight": (4, 8), "6.weight": (3, 4), "3.running_mean": (4,),
                    "3.running_var": (4,)}), "'3.running_mean': must tell whether the ReLU"),
        ({**tensors(**{"0.weight": (4, 8), "3.weight": (3, 4)}), "2.running_mean": -torch.ones(4),
          "2.running_var": torch.ones(4)}, "'2.running_mean': must not be negative"),
        ({**tensors(a__weight=(8, 8), b__weight=(8, 8), norm__running_mean=(8,),
                    norm__running_var=(8,))}, "must have one order"),
        (tensors(fc1__weight=(4, 8), fc2__weight=(3, 4), bn1__running_mean=(4,),
                 bn1__running_var=(4,)), "'bn1.running_mean': must have negative means"),
        (tensors(stem__weight=(4, 8), head__weight=(3, 4), norm__running_mean=(4,),
                 norm__running_var=(4,)), "'norm.running_mean': must have negative means"),
        (tensors(fc1__weight=(8, 8), fc2__weight=(8, 8), norm__running_mean=(8,),
                 norm__running_var=(8,)), "'norm.running_mean': must tell by a number"),
        (tensors(fc1__weight=(8, 4), fc2__weight=(8, 8), fc3__weight=(3, 8),
                 norm__running_mean=(8,), norm__running_var=(8,)),
         "'norm.running_mean': must tell by a number"),
        (tensors(stem__weight=(4, 8), body__weight=(8, 4), head__weight=(3, 8),
                 norm__running_mean=(8,), norm__running_var=(8,)),
         "'norm.running_mean': must tell by a number"),
        (tensors(stem__weight=(4, 8), head__weight=(3, 4), norm__running_mean=(5,),
                 norm__running_var=(5,)), "'norm.running_mean': must tell by a number"),
        ({**tensors(fc1__weight=(4, 8), fc2__weight=(3, 4)), "a1.running_mean": -torch.ones(4),
          "a1.running_var": torch.ones(4), "b1.running_mean": -torch.ones(4),
          "b1.running_var": torch.ones(4)},
         "'.1.running_mean': must have a place of its own, found that of '.1'"),
        ({**LAYERS, f"{'x' * 201}.weight": torch.ones(4, 8)}, "xx.*: must be a weight or bias of"),
        ({"0.weight": torch.ones(0, 8), "2.weight": torch.ones(3, 0)},
         r"must have shape \(m, n\) of a Linear layer, not \((0, 8|3, 0)\)"),
        ({**LAYERS, "0.weight": torch.ones(4, 8, dtype=torch.int8)}, "must be floats, not int8"),
        ({**LAYERS, "0.weight": torch.ones(4, 8).to(torch.float8_e4m3fn)}, "0.weight|F8_E4M3"),
        ({**LAYERS, "0.bias": torch.full((4,), torch.nan)}, "'0.bias': must be finite"),
        ({**LAYERS, "0.bias": torch.full((4,), -torch.inf, dtype=torch.bfloat16)}, "be finite"),
        ({**LAYERS, "2.weight": torch.full((3, 4), 1e200, dtype=torch.float64)},
         r"'2.weight': must be within the range of float32, \+-3.4e38, found 1e\+200"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_by_tensor(
    state: dict[str, torch.Tensor], said: str, tmp_path: Path
) -> None:
    file = tmp_path / "model.safetensors"
    save_file(state, file)
    with pytest.raises(NetworkFileError, match=said) as caught:
        load_float(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)
