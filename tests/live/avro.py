#!/usr/bin/env python3
"""Writes Avro by its specification, with nothing but Python, for the tests of the event sink.

avro.py schema                  the schema of the task events
avro.py container COUNT CODEC   an object container of so many events ("null" or "deflate"); event 3 has
                                no event_id, and the one after it an empty one
avro.py message ID              one event as a schema registry frames it
avro.py micros                  a container whose field timestamp counts microseconds
"""
import json
import struct
import sys
import zlib

OPTIONAL_TEXT = ["null", "string"]
SCHEMA = {
    "type": "record", "name": "TaskEvent", "namespace": "habit", "fields": [
        {"name": "event_id", "type": OPTIONAL_TEXT},
        {"name": "action", "type": {"type": "enum", "name": "Action", "symbols": ["TASK_CREATED", "TASK_DELETED"]}},
        {"name": "title", "type": OPTIONAL_TEXT, "default": None},
        {"name": "completed", "type": ["null", "boolean"]},
        {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "metadata", "type": {"type": "map", "values": "string"}},
        {"name": "schema_version", "type": "int"},
        {"name": "raw", "type": "bytes"},  # a field that the table does not have
        {"name": "marks", "type": {"type": "array", "items": "double"}},
    ]}
SYNC = b"0123456789abcdef"
BLOCK = 100


def number(n):
    n = n << 1 ^ n >> 63
    out = b""
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def text(t):
    return number(len(t.encode())) + t.encode()


def optional(t):
    return number(0) if t is None else number(1) + text(t)


def event(i, event_id):
    out = optional(event_id) + number(i % 2) + optional(None if i % 2 else "t\u00eftel %d" % i)
    out += number(0) if i % 3 else number(1) + bytes([1])
    out += number(1700000000000 + i) + number(1) + text("k") + text("v%d" % i) + number(0) + number(2)
    return out + number(3) + b"\0\1\2" + number(2) + struct.pack("<dd", 1.5, -1.0) + number(0)


def identity(i):
    return None if i == 3 else "" if i == 4 else "e%d" % i


def container(schema, count, codec):
    head = {"avro.codec": codec.encode(), "avro.schema": json.dumps(schema).encode()}
    out = b"Obj\1" + number(len(head))
    for name in head:
        out += text(name) + number(len(head[name])) + head[name]
    out += number(0) + SYNC
    for first in range(0, count, BLOCK):
        n = min(BLOCK, count - first)
        block = b"".join(event(i, identity(i)) for i in range(first, first + n))
        if codec == "deflate":
            squeezed = zlib.compressobj(wbits=-15)
            block = squeezed.compress(block) + squeezed.flush()
        out += number(n) + number(len(block)) + block + SYNC
    return out


def main():
    what = sys.argv[1]
    if what == "schema":
        out = json.dumps(SCHEMA).encode()
    elif what == "container":
        out = container(SCHEMA, int(sys.argv[2]), sys.argv[3])
    elif what == "message":
        out = b"\0" + struct.pack(">I", 7) + event(int(sys.argv[2]), "m" + sys.argv[2])
    else:
        micros = json.loads(json.dumps(SCHEMA).replace("timestamp-millis", "timestamp-micros"))
        out = container(micros, 1, "null")
    sys.stdout.buffer.write(out)


main()
