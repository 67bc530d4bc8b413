"""Damaged and invented inputs for every reader of a file: `make fuzz`, `make fuzz-quick`.

- mutations: changes of bytes; trees, containers: changes that keep JSON, safetensors, ONNX whole
- seeds: valid files of every kind
- readers: what is read, and how often
- harness: one input, a block of inputs in a process of its own, all blocks

General fuzzers were looked at first. Hypothesis takes a millisecond an example and does not
change files that exist; atheris, which follows coverage, has no wheels for our Python versions.
"""
