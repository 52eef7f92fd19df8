"""Encoders: shapes, order of flattening, initialisation, and what is said when they do not fit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.errors import UserError
from harness.nn.layers import (
    ConvEncoder,
    Convolution,
    Encoder,
    MLPEncoder,
    activation_module,
    layer_shapes,
    mlp,
    orthogonal,
    uniform_fan_in,
)

LAYERS = (Convolution(5, 4, 2, activation="elu"), Convolution(6, 3, 1, 1, activation="leaky_relu", leaky_slope=0.2))


def test_shapes_are_those_that_torch_computes() -> None:
    encoder, x = ConvEncoder((2, 11, 9), LAYERS, 7), torch.randn(3, 2, 11, 9)
    shapes = layer_shapes((2, 11, 9), LAYERS)
    assert shapes[0] == (2, 11, 9)
    for k in (1, 2):
        assert encoder.blocks[:k](x).shape[1:] == shapes[k]
    assert encoder(x).shape == (3, 7)
    assert encoder.double()(x.double()).dtype == torch.float64


def test_flattening_goes_channel_row_column() -> None:
    encoder = ConvEncoder((1, 4, 4), [Convolution(2, 1)], 1)
    with torch.no_grad():
        encoder.linear.weight.copy_(torch.arange(32.0)[None])
        encoder.linear.bias.zero_()
        image = torch.rand(1, 1, 4, 4)
        local = encoder.blocks(image)[0]
        expected = sum(
            (channel * 16 + row * 4 + column) * local[channel, row, column]
            for channel in range(2)
            for row in range(4)
            for column in range(4)
        )
        torch.testing.assert_close(encoder(image)[0, 0], expected)


def test_activations_and_slopes() -> None:
    x = torch.tensor([-1.0, 2.0])
    assert activation_module("relu")(x).tolist() == [0.0, 2.0]
    assert activation_module("leaky_relu", 0.25)(x).tolist() == [-0.25, 2.0]
    torch.testing.assert_close(activation_module("elu")(x), torch.tensor([torch.e**-1 - 1, 2.0]))
    torch.testing.assert_close(activation_module("tanh")(x), x.tanh())


def test_mlp_ends_without_activation() -> None:
    net = mlp([3, 4, 5, 2], "elu")
    assert [type(layer) for layer in net] == [nn.Linear, nn.ELU, nn.Linear, nn.ELU, nn.Linear]
    assert net(torch.zeros(6, 3)).shape == (6, 2)


def test_orthogonal_weights_have_the_gain_and_biases_are_zero() -> None:
    net = orthogonal(nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(30, 8)), gain=0.5)
    for layer in (net[0], net[2]):
        weight = layer.weight.detach().flatten(1)
        torch.testing.assert_close(weight @ weight.T, 0.25 * torch.eye(len(weight)), atol=1e-5, rtol=0)
        assert not layer.bias.any()


def test_weights_depend_on_the_generator_alone() -> None:
    built = []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        net = orthogonal(mlp([3, 4, 2]), generator=torch.Generator().manual_seed(7))
        built.append(torch.cat([p.flatten() for p in net.parameters()]))
    assert torch.equal(*built)


@pytest.mark.parametrize("size", [(1, 3, 30), (1, 30, 3), (1, 1, 1)])
def test_images_too_small_are_named_with_their_size(size: tuple[int, int, int]) -> None:
    with pytest.raises(UserError, match=rf"{size[1]}x{size[2]} pixels are too small for convolutions of 4x4 stride 2"):
        ConvEncoder(size, LAYERS, 2)


def test_a_vanished_image_does_not_come_back_through_padding() -> None:
    with pytest.raises(UserError, match="too small"):
        layer_shapes((1, 3, 3), [Convolution(1, 4), Convolution(1, 1, padding=1)])


def test_vectors_are_refused() -> None:
    with pytest.raises(UserError, match=r"not observations of shape \(12,\)"):
        ConvEncoder((12,), LAYERS, 2)


@pytest.mark.parametrize(
    ("encoder", "shape"),
    [(ConvEncoder((2, 11, 9), LAYERS, 7), (2, 11, 9)), (MLPEncoder(12, (8, 5), 7, "elu"), (3, 4))],
    ids=["conv", "mlp"],
)
def test_a_trace_ends_in_the_features(encoder: Encoder, shape: tuple[int, ...]) -> None:
    x = torch.randn(3, *shape)
    layers, features = encoder.trace(x)
    assert torch.equal(features, encoder(x))
    assert len(layers) == 2
    for k in (1, 2):
        assert torch.equal(layers[k - 1], encoder.blocks[:k](x))


def test_an_mlp_encoder_is_an_mlp() -> None:
    encoder, plain, x = MLPEncoder(12, (8, 5), 7, "elu"), mlp([12, 8, 5, 7], "elu"), torch.randn(3, 3, 4)
    for ours, theirs in zip(encoder.parameters(), plain.parameters(), strict=True):
        theirs.data.copy_(ours)
    torch.testing.assert_close(encoder(x), plain(x.flatten(1)))
    assert encoder.trace(x)[0][0].shape == (3, 8)


@pytest.mark.parametrize("layer", [nn.Linear(16, 2000), nn.Conv2d(4, 2000, 2)], ids=["linear", "conv"])
def test_torchs_own_initialisation_from_a_stream_of_its_own(layer: nn.Linear | nn.Conv2d) -> None:
    default = layer.weight.detach().clone()
    uniform_fan_in(layer, torch.Generator().manual_seed(0))
    assert layer.bias is not None
    for parameter in (layer.weight, layer.bias):
        assert parameter.detach().abs().max() <= 0.25  # 1 / sqrt(16)
        assert float(parameter.detach().std()) == pytest.approx(0.25 / 3**0.5, rel=0.1)
    assert float(layer.weight.detach().std()) == pytest.approx(float(default.std()), rel=0.05)
    drawn = layer.weight.detach().clone()
    assert torch.equal(uniform_fan_in(layer, torch.Generator().manual_seed(0)).weight, drawn)
