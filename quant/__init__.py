"""Offline training under quantisation, and networks carried in and out of ONNX.

Needs the extra `quant`. `training` trains by equilibrium propagation (or backpropagation, the
baseline) on torch tensors that hold the contract's integers; `post_training` quantises a float
model; `onnx_loop`, `qonnx_export` and `onnx_import` are the way to other tools and back.
"""
