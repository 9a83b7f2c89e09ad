"""The golden requests of tests/data against the Python driver: requests_cross.py FILE

The driver's own encoder makes each request from its meaning; the bytes must be those of the file, which
are also those of the library (tests/unit/golden_requests). What the driver has no words for (the clock of
v5, names for values, skipped metadata) is taken apart here field by field, from the specification. Prints one line for each difference and exits 1 when there is one.
"""
import io
import re
import struct
import sys

from cassandra import ConsistencyLevel
from cassandra.protocol import (
    AuthResponseMessage,
    BatchMessage,
    ExecuteMessage,
    OptionsMessage,
    PrepareMessage,
    ProtocolHandler,
    QueryMessage,
    RegisterMessage,
    StartupMessage,
)
from cassandra.query import BatchType, UNSET_VALUE

ID = b"\xab" * 16
RESULT_ID = b"\xcd" * 16
Q = ConsistencyLevel.QUORUM
ONE = ConsistencyLevel.ONE


def frames(path):
    name, text = None, ""
    for line in open(path, encoding="utf-8"):
        if line.startswith("== "):
            if name:
                yield name, bytes.fromhex(text)
            name, text = line[3:].split()[0], ""
        elif name:
            text += line.split("#")[0].strip().replace(" ", "")
    yield name, bytes.fromhex(text)


def query(**more):
    more.setdefault("consistency_level", ONE)
    cql = more.pop("query", "Q")
    values = more.pop("values", None)
    message = QueryMessage(cql, **more)
    message.query_params = values
    return message


def execute():
    return ExecuteMessage(ID, [b"a"], ONE, result_metadata_id=RESULT_ID)


def batch(kind, entries=True, **more):
    items = [
        (False, "INSERT", [b"a"]),
        (True, ID, [None, UNSET_VALUE]),
    ]
    more.setdefault("consistency_level", ONE)
    return BatchMessage(kind, items if entries else [], **more)


MESSAGES = {
    "options": lambda v: OptionsMessage(),
    "startup": lambda v: StartupMessage(cqlversion="3.0.0", options={}),
    "auth_response": lambda v: AuthResponseMessage(b"\0user\0secret"),
    "register": lambda v: RegisterMessage(["TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE"]),
    "prepare": lambda v: PrepareMessage("SELECT a FROM ks.t WHERE k = ?"),
    "prepare_keyspace": lambda v: PrepareMessage("SELECT a FROM t WHERE k = ?", keyspace="ks"),
    "query": lambda v: query(query="SELECT key FROM system.local"),
    "query_traced": lambda v: query(),
    "query_payload": lambda v: query(),
    "query_values": lambda v: query(
        values=[b"a", None, UNSET_VALUE], consistency_level=ConsistencyLevel.LOCAL_QUORUM
    ),
    "query_page": lambda v: query(fetch_size=5000),
    "query_paging_state": lambda v: query(fetch_size=10, paging_state=b"PS"),
    "query_serial": lambda v: query(
        consistency_level=Q, serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL
    ),
    "query_timestamp": lambda v: query(timestamp=1700000000000000),
    "query_keyspace": lambda v: query(keyspace="ks"),
    "execute": lambda v: execute(),
    "batch_logged": lambda v: batch(BatchType.LOGGED),
    "batch_unlogged": lambda v: batch(BatchType.UNLOGGED),
    "batch_counter": lambda v: batch(BatchType.COUNTER),
    "batch_empty": lambda v: batch(BatchType.LOGGED, entries=False),
}


class Reader:
    """The second decoder for what the driver cannot say."""

    def __init__(self, data):
        self.f = io.BytesIO(data)

    def take(self, form):
        data = self.f.read(struct.calcsize(form))
        return struct.unpack(form, data)[0]

    def string(self, form=">H"):
        return self.f.read(self.take(form)).decode()

    def raw(self, form=">i"):
        n = self.take(form)
        return {-1: None, -2: "unset"}[n] if n < 0 else self.f.read(n)

    def options(self, version, in_batch):
        o = {"consistency": self.take(">H")}
        flags = self.take(">I" if version == 5 else ">B")
        if flags & 0x01:
            assert not in_batch
            named = flags & 0x40
            n = self.take(">H")
            o["values"] = [((self.string() if named else None), self.raw()) for _ in range(n)]
        o["skip"] = bool(flags & 0x02)
        if flags & 0x04:
            o["page"] = self.take(">i")
        if flags & 0x08:
            o["state"] = self.raw()
        if flags & 0x10:
            o["serial"] = self.take(">H")
        if flags & 0x20:
            o["timestamp"] = self.take(">q")
        if flags & 0x80:
            o["keyspace"] = self.string()
        if flags & 0x100:
            o["now"] = self.take(">i")
        return o

    def payload(self):
        return {self.string(): self.raw() for _ in range(self.take(">H"))}


def everything(version, values, skip):
    o = {"consistency": 4, "skip": skip, "serial": 8, "timestamp": -2}
    if values:
        o.update(values=[(None, b"a")], page=10, state=b"PS")
    if version == 5:
        o.update(keyspace="ks", now=5)
    return o


def by_hand(name, version, frame):
    """What the frame means as our own reading of the specification, or None when nobody knows it."""
    head = frame[:9]
    length = struct.unpack(">I", head[5:])[0]
    assert head[0] == version and length == len(frame) - 9, "header"
    r = Reader(frame[9:])
    if head[1] & 4:
        assert r.payload() == {"k": b"vw"}, "payload"
    if name == "startup_lz4":
        pairs = {r.string(): r.string() for _ in range(r.take(">H"))}
        assert pairs == {
            "CQL_VERSION": "3.0.0",
            "COMPRESSION": "lz4",
            "DRIVER_NAME": "name",
            "DRIVER_VERSION": "1.0",
        }, pairs
    elif name == "auth_response_null":
        assert r.raw() is None
    elif name in ("query_names", "query_now", "query_unpaged", "query_everything"):
        assert r.string(">I") == "Q"
        o = r.options(version, False)
        expected = {
            "query_names": {"consistency": 1, "skip": False, "values": [("x", b"a"), ("y", b"b")]},
            "query_now": {"consistency": 1, "skip": False, "now": 1700000000},
            "query_unpaged": {"consistency": 1, "skip": False, "page": -1},
            "query_everything": everything(version, True, False),
        }[name]
        assert o == expected, o
    elif name in ("execute_everything", "execute_skip_metadata"):
        assert r.raw(">H") == ID
        assert version == 4 or r.raw(">H") == RESULT_ID
        o = r.options(version, False)
        few = {"consistency": 1, "skip": True, "values": [(None, b"a")]}
        assert o == (few if "skip" in name else everything(version, True, True)), o
    elif name == "batch_everything":
        assert (r.take(">B"), r.take(">H")) == (0, 2)
        assert (r.take(">B"), r.string(">I")) == (0, "INSERT")
        assert [r.raw() for _ in range(r.take(">H"))] == [b"a"]
        assert (r.take(">B"), r.raw(">H")) == (1, ID)
        assert [r.raw() for _ in range(r.take(">H"))] == [None, "unset"]
        o = r.options(version, True)
        assert o == everything(version, False, False), o
    else:
        return False
    assert r.f.read() == b"", "bytes are left"
    return True


def encoded(name, version):
    message = MESSAGES[name](version)
    if name.endswith("_payload"):
        message.update_custom_payload({"k": b"vw"})
    if name.endswith("_traced"):
        message.tracing = True
    return ProtocolHandler.encode_message(
        message, 0, version, compressor=None, allow_beta_protocol_version=False
    )


def main():
    driver = hand = differences = 0
    for full, frame in frames(sys.argv[1]):
        name, version = re.fullmatch(r"(.*)_v([45])", full).groups()
        version = int(version)
        why = None
        if name in MESSAGES:
            driver += 1
            theirs = bytes(encoded(name, version))
            if theirs != frame:
                why = "the driver sends %s" % theirs.hex()
        else:
            hand += 1
            try:
                if not by_hand(name, version, frame):
                    why = "nobody knows what it means"
            except Exception as e:  # noqa: BLE001 - any failure to read it is a difference
                why = "read as %s" % e
        if why:
            differences += 1
            print("%s: %s\n  the file has %s" % (full, why, frame.hex()))
    print("%d requests as the driver sends them, %d taken apart: %d differences" % (driver, hand, differences))
    return 1 if differences or driver < 30 else 0


if __name__ == "__main__":
    sys.exit(main())
