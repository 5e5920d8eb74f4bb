"""Tiny ONNX models, written byte by byte (onnx.proto3): `model()` answers with the mean brightness of 128 stripes.

protobuf wire format: a field is its number times 8 plus its kind (0: a number, 2: bytes with their length before).
"""

import struct

FLOAT, INT64, DOUBLE = 1, 7, 11


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def value_info(name: str, kind: int, shape) -> bytes:
    dimensions = b"".join(field(1, field(1, one) if isinstance(one, int) else field(2, one)) for one in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, dimensions)))


def tensor(name: str, kind: int, shape, raw: bytes) -> bytes:
    return b"".join(field(1, one) for one in shape) + field(2, kind) + field(8, name) + field(9, raw)


def external(name: str, shape) -> bytes:
    """A tensor that says: my numbers are in weights.bin."""
    where = field(1, "location") + field(2, "weights.bin")
    return b"".join(field(1, one) for one in shape) + field(2, FLOAT) + field(8, name) + field(13, where) + field(14, 1)


def integers(*numbers: int) -> bytes:
    return tensor("", INT64, [len(numbers)], struct.pack(f"<{len(numbers)}q", *numbers))


def node(kind: str, inputs, output: str, *attributes: bytes) -> bytes:
    return (
        b"".join(field(1, one) for one in inputs)
        + field(2, output)
        + field(4, kind)
        + b"".join(field(5, one) for one in attributes)
    )


def list_of(name: str, *numbers: int) -> bytes:
    return field(1, name) + b"".join(field(8, one) for one in numbers) + field(20, 7)


def number(name: str, value: int) -> bytes:
    return field(1, name) + field(3, value) + field(20, 2)


def model(
    shape=(1, 3, 112, 112),
    length=128,
    kind=FLOAT,
    factor=1.0,
    offset=0.0,
    out=None,
    second_output=False,
    apart=False,
    cut=None,
    row=None,
) -> bytes:
    """Cuts 37,632 numbers into `length` stripes and gives factor · mean + offset of each, as `row` or 1 x `length`."""
    stripe = cut or 3 * 112 * 112 // length
    constants = [
        tensor("form", INT64, [2], struct.pack("<2q", length, stripe)),
        tensor("row", INT64, [2], struct.pack("<2q", *(row or (1, length)))),
        external("factor", [1]) if apart else tensor("factor", FLOAT, [1], struct.pack("<f", factor)),
        tensor("offset", FLOAT, [1], struct.pack("<f", offset)),
    ]
    cast = node("Cast", ["picture"], "floats", number("to", FLOAT))
    nodes = [
        cast,
        node("Reshape", ["floats", "form"], "stripes"),
        node("ReduceMean", ["stripes"], "means", list_of("axes", 1), number("keepdims", 0)),
        node("Mul", ["means", "factor"], "scaled"),
        node("Add", ["scaled", "offset"], "moved"),
        node("Reshape", ["moved", "row"], "template"),
    ]
    outputs = [value_info("template", FLOAT, out or (1, length))]
    if second_output:
        outputs.append(value_info("moved", FLOAT, (length,)))
    graph = (
        b"".join(field(1, one) for one in nodes)
        + field(2, "tiny")
        + b"".join(field(5, one) for one in constants)
        + field(11, value_info("picture", kind, shape))
        + b"".join(field(12, one) for one in outputs)
    )
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))
