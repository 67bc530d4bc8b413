"""The contract of docs/numerics.md as pure functions and frozen types that every part shares."""
