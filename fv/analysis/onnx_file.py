"""Whether an ONNX file is whole. Pure: walks the protocol buffers without building anything from them.

onnxruntime opens other files that a model names, relative to where the process stands; so this is asked before it.
"""

from collections.abc import Iterator

#: Which fields of a message hold which messages (onnx.proto3): all the ways that lead to a tensor.
_INSIDE = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # of a tensor
_DEEPEST = 50  # messages inside each other; a graph inside a graph takes three


class _Garbled(Exception):
    pass


def keeps_data_elsewhere(raw: bytes) -> bool:
    """Whether a tensor says that its numbers are in another file. Garbled bytes: as far as they could be read."""
    try:
        return _any_external(memoryview(raw), "model", 0)
    except _Garbled:
        return False


def _any_external(message: memoryview, kind: str, depth: int) -> bool:
    if depth > _DEEPEST:
        raise _Garbled
    for number, value in _fields(message):
        if kind == "tensor":
            if number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0):
                return True
            continue
        inside = _INSIDE[kind].get(number)
        if inside and isinstance(value, memoryview) and _any_external(value, inside, depth + 1):
            return True
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field: a number, or the bytes of what is inside."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == 2:
            length, at = _varint(message, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise _Garbled
        if at + length > len(message):
            raise _Garbled
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        value, at, shift = value | (byte & 0x7F) << shift, at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise _Garbled
