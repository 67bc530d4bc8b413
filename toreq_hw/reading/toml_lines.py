"""On which line of a TOML file a value stands, for errors about what was parsed."""

import re

_STRING = r'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\''
_TOKEN = re.compile(rf"{_STRING}|#[^\n]*|[\[\]{{}},]", re.DOTALL)


def line_of(text: str, name: str) -> int | None:
    """The line of the top-level value `name`, from 1 on; of `name[k]` that of its item k.

    None where there is no such value, as in a file that writes it another way.
    """
    key, _, rest = name.partition("[")
    item = int(rest.partition("]")[0]) if rest else None
    tables = [m.start() for m in re.finditer(rf"^[ \t]*\[\[[ \t]*{key}[ \t]*\]\]", text, re.M)]
    if tables:
        place = tables[item] if item is not None and item < len(tables) else tables[0]
        return _line(text, place)
    found = re.search(rf"^[ \t]*(?:{key}|\"{key}\")[ \t]*(?:\.[\w.]+[ \t]*)?=", text, re.M)
    table = re.search(rf"^[ \t]*\[[ \t]*{key}[ \t]*\]", text, re.M)
    if found is None:
        return None if table is None else _line(text, table.start())
    if item is None:
        return _line(text, found.start())
    return _line(text, _item(text, found.end(), item))


def _item(text: str, start: int, number: int) -> int:
    """Where item `number` of the list behind `start` begins; `start` where there is none."""
    depth, seen, begun = 0, 0, None
    for token in _TOKEN.finditer(text, start):
        word = token[0]
        if word.startswith("#"):
            continue
        if word in "]}":
            depth -= 1
            if depth <= 0:
                break
        elif word == "," and depth == 1:
            seen, begun = seen + 1, None
        elif depth == 0 and word != "[":
            break
        else:
            if depth == 1 and begun is None:
                begun = token.start()
                if seen == number:
                    return begun
            depth += word in "[{"
    return start


def _line(text: str, place: int) -> int:
    return 1 + text.count("\n", 0, place + len(text[place:]) - len(text[place:].lstrip()))
