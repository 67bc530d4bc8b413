"""Reading files from anywhere: bounded, decoded, typed, and refused in one line.

Every reader of a file goes through here. Each function takes the class of error to raise, a
`ToreqError`. Its one line names the file, the place in it, what must hold and what was found.

content   read_bytes, read_text, read_log, unpacked: size, regular files only, UTF-8, gzip
structure read_json, parse_json, read_toml: nesting, duplicate names, numbers
fields    Fields, integer, number, text, shown: types and ranges of what was parsed
arrays    read_tensors, read_npy, read_npz, checked_array, shaped: dtypes and shapes
records   read_record, record_from: whole records, by their dataclasses
"""

from toreq_hw.reading.arrays import (
    Tensors,
    checked_array,
    parse_npy,
    parse_tensors,
    read_npy,
    read_npz,
    read_tensors,
    reshape,
)
from toreq_hw.reading.content import (
    decode,
    read_beginning,
    read_bytes,
    read_log,
    read_text,
    unpack,
)
from toreq_hw.reading.fields import Fields, integer, number, shown, text
from toreq_hw.reading.records import read_record, record_from
from toreq_hw.reading.structure import (
    MAX_DEPTH,
    MAX_RECORD_BYTES,
    parse_json,
    parse_toml,
    read_fields,
    read_json,
    read_toml,
)

__all__ = [
    "MAX_DEPTH",
    "MAX_RECORD_BYTES",
    "Fields",
    "Tensors",
    "checked_array",
    "decode",
    "integer",
    "number",
    "parse_json",
    "parse_npy",
    "parse_tensors",
    "parse_toml",
    "read_beginning",
    "read_bytes",
    "read_fields",
    "read_json",
    "read_log",
    "read_npy",
    "read_npz",
    "read_record",
    "read_tensors",
    "read_text",
    "read_toml",
    "record_from",
    "reshape",
    "shown",
    "text",
    "unpack",
]
