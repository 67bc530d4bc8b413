"""Changes of JSON that leave it JSON: values, types, names and depth of one node at a time."""

import json
import math
from copy import deepcopy
from random import Random
from typing import Any

_MARKS = {
    "@deep@": "[" * 5000 + "]" * 5000,
    "@objects@": '{"a":' * 5000 + "1" + "}" * 5000,
    "@shallow@": "[" * 20 + "]" * 20,
    "@long@": "9" * 5000,
    "@large@": "1e999",
}
"""Texts that stand for what `json` does not write."""

_STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 8, 255, 256, 1 << 15, 1 << 31, 1 << 63, -(1 << 63)),
    *(10**30, 10**400, 0.5, -0.0, 1e308, 1e-320, math.nan, math.inf),
    *("", "0", "x" * 300, "\ud800", "\0", "a\nb", "größer", "[/b]", "__class__"),
    *([], {}, [[]], [{}], {"": None}, {"a": {}}, [1, [2]], [None] * 40),
    *_MARKS,
)


def _strange(rng: Random) -> Any:
    """A copy: what is put into a tree may be changed there."""
    return deepcopy(rng.choice(_STRANGE))


def mutated_tree(rng: Random, tree: Any) -> Any:
    """`tree` with one to three nodes changed, in place where that is possible."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        nodes = _nodes(tree)
        if not nodes:
            return _strange(rng)
        container, key = rng.choice(nodes)
        _change(rng, container, key, nodes)
    return tree


def mutated_json(rng: Random, text: str | bytes) -> str:
    """Valid JSON `text`, changed; now and then it only begins with an order mark."""
    return dumped(mutated_tree(rng, json.loads(text)))


def dumped(tree: Any) -> str:
    """`tree` as JSON, with what the marks stand for."""
    text = json.dumps(tree)
    for mark, meaning in _MARKS.items():
        text = text.replace(f'"{mark}"', meaning)
    return text


def invented_tree(rng: Random, depth: int = 3) -> Any:
    """Any small tree."""
    kind = rng.random()
    if depth == 0 or kind < 0.4:
        return _strange(rng)
    if kind < 0.7:
        return [invented_tree(rng, depth - 1) for _ in range(rng.randrange(5))]
    names = ("name", "format", "version", "value", "weights", "samples", "network", "", "a")
    return {rng.choice(names): invented_tree(rng, depth - 1) for _ in range(rng.randrange(5))}


def _nodes(tree: Any) -> list[tuple[Any, Any]]:
    """Every (container, key or index)."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        keys = (
            part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
        )
        for key in keys:
            found.append((part, key))
            waiting.append(part[key])
    return found


def _change(rng: Random, container: Any, key: Any, nodes: list[tuple[Any, Any]]) -> None:
    value = container[key]
    kind = rng.random()
    if kind < 0.35:
        container[key] = _near(rng, value)
    elif kind < 0.65:
        container[key] = _strange(rng)
    elif kind < 0.75:
        del container[key]
    elif kind < 0.85:
        other, name = rng.choice(nodes)
        container[key] = json.loads(json.dumps(other[name])) if name in _keys(other) else None
    elif kind < 0.9:
        container[key] = rng.choice(([value], {"a": value}, [value, deepcopy(value)]))
    elif isinstance(container, list):
        container.insert(key, deepcopy(value))
    else:
        container[rng.choice((f"{key}x", "surprise", key.upper(), ""))] = deepcopy(value)


def _keys(container: Any) -> Any:
    return container if isinstance(container, dict) else range(len(container))


def _near(rng: Random, value: Any) -> Any:
    """A value of the same type next to this one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        near = (value + 1, value - 1, -value, 2 * value, value << 32 & (1 << 200) - 1)
        return rng.choice((*near, value / 1 if abs(value) < 1 << 60 else 0.0))
    if isinstance(value, float):
        return rng.choice((-value, value * 1e30, value + 1, round(value) if abs(value) < 9 else 0))
    if isinstance(value, str):
        return rng.choice((value + "x", value[:-1], value.upper(), value * 30, value[::-1]))
    return _strange(rng)
