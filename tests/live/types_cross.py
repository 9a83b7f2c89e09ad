"""One half of the comparison of types: the Python driver, and cqlsh's own formatting.

types_cross.py HOST:PORT PROBE PROTOCOL KIND

The probe (types_probe.c) writes every case and this reads it, then the other way round; both know what
each case must be. What the probe prints of the values is compared with what cqlsh prints of them.
Prints one line for each difference and exits 1 when there is one.
"""
import datetime
import decimal
import json
import math
import struct
import subprocess
import sys
import uuid

from cassandra import cqltypes
from cassandra.cluster import Cluster
from cassandra.util import Date, Duration, SortedSet, Time
from cqlshlib.formatting import CqlType, format_by_type

EPOCH = datetime.datetime(1970, 1, 1)
CONTROL = "a\0b\n\t\x1b'\"\\\x7f\x85"


def ms(n):
    return EPOCH + datetime.timedelta(milliseconds=n)


def f32(x):
    return struct.unpack(">f", struct.pack(">f", x))[0]


D = decimal.Decimal
V4 = uuid.UUID("f47ac10b-58cc-4372-a567-0e02b2c3d479")
ADDR = ("s", 5, ["x", "y"])
MAX64 = 2**63 - 1
FLT_MAX_ROUNDED = 3.4028235e38
FLT_MAX = struct.unpack(">f", bytes.fromhex("7f7fffff"))[0]

# Of these the driver tells an empty value from null only when asked, and cannot write one.
EMPTY_TYPES = {
    "boolean": cqltypes.BooleanType,
    "int": cqltypes.Int32Type,
    "bigint": cqltypes.LongType,
    "varint": cqltypes.IntegerType,
    "decimal": cqltypes.DecimalType,
    "float": cqltypes.FloatType,
    "double": cqltypes.DoubleType,
    "timestamp": cqltypes.DateType,
    "uuid": cqltypes.UUIDType,
    "timeuuid": cqltypes.TimeUUIDType,
    "inet": cqltypes.InetAddressType,
}
for kind in EMPTY_TYPES.values():
    kind.support_empty_values = True

EXPECTED = {
    "true": True,
    "false": False,
    "tinyint_min": -128,
    "tinyint_max": 127,
    "smallint_min": -32768,
    "smallint_max": 32767,
    **{f"{t}_{n}": v for t in ("tinyint", "smallint", "int", "bigint")
       for n, v in (("zero", 0), ("one", 1), ("minus_one", -1))},
    **{f"{t}_{n}": v for t in ("float", "double")
       for n, v in (("zero", 0.0), ("one", 1.0), ("minus_one", -1.0))},
    "int_min": -(2**31),
    "int_max": 2**31 - 1,
    "bigint_minus_two": -2,
    "bigint_min": -(2**63),
    "bigint_max": MAX64,
    "counter_five": 5,
    "counter_minus_one": -1,
    "counter_max": MAX64,
    "counter_min": -(2**63),
    "float_1_5": 1.5,
    "float_tenth": f32(0.1),
    "float_minus_zero": -0.0,
    "float_max": FLT_MAX,
    "float_smallest": 2.0**-149,
    "float_nan": math.nan,
    "float_minus_inf": -math.inf,
    "double_1_5": 1.5,
    "double_tenth": 0.1,
    "double_minus_zero": -0.0,
    "double_max": sys.float_info.max,
    "double_smallest": 5e-324,
    "double_nan": math.nan,
    "double_inf": math.inf,
    "varint_0": 0,
    "varint_1": 1,
    "varint_127": 127,
    "varint_128": 128,
    "varint_minus_128": -128,
    "varint_minus_129": -129,
    "varint_minus_1": -1,
    "varint_2_64": 2**64,
    "varint_minus_2_64": -(2**64),
    "varint_2_1000": 2**1000,
    "varint_minus_2_1000": -(2**1000),
    "decimal_1": D("1"),
    "decimal_minus_1": D("-1"),
    "decimal_1_50": D("1.50"),
    "decimal_minus_0_001": D("-0.001"),
    "decimal_0": D("0"),
    "decimal_0_00": D("0.00"),
    "decimal_long": D("12345678901234567890.5"),
    "decimal_1e3": D("1E+3"),
    "decimal_7e_minus_1000": D("7E-1000"),
    "decimal_minus_7e1000": D("-7E+1000"),
    "decimal_minus_128": D("-128"),
    "timestamp_epoch": ms(0),
    "timestamp_2024": ms(1704164645678),
    "timestamp_minus_1": ms(-1),
    "timestamp_year_1": ms(-62135596800000),
    "timestamp_year_9999": ms(253402300799999),
    "date_epoch": Date(0),
    "date_leap_day": Date(19782),
    "date_minus_1": Date(-1),
    "date_min": Date(-(2**31)),
    "date_max": Date(2**31 - 1),
    "time_midnight": Time(0),
    "time_afternoon": Time(48654234567891),
    "time_last": Time(86399999999999),
    "duration_1_2_3": Duration(1, 2, 3),
    "duration_minus_1_2_3": Duration(-1, -2, -3),
    "duration_12h30m": Duration(0, 0, 45000000000000),
    "duration_minus_1us": Duration(0, 0, -1000),
    "duration_max": Duration(2**31 - 1, 2**31 - 1, MAX64),
    "uuid_nil": uuid.UUID(int=0),
    "uuid_v4": V4,
    "timeuuid_2015": uuid.UUID("50554d6e-29bb-11e5-b345-feff819cdc9f"),
    "inet_4": "127.0.0.1",
    "inet_6": "2001:db8::1",
    "inet_any_6": "::",
    "text_empty": "",
    "text_hello": "h\u00e9llo",
    "text_emoji": "\U0001f600 \u20ac",
    "text_control": CONTROL,
    "ascii_hi": "hi",
    "ascii_all": bytes(range(128)).decode("ascii"),
    "blob_empty": b"",
    "blob_all": bytes(range(256)),
    **{f"null_{t}": None for t in (
        "ascii", "text", "blob", "boolean", "tinyint", "smallint", "int", "bigint", "varint",
        "decimal", "float", "double", "date", "time", "timestamp", "duration", "uuid", "timeuuid",
        "inet", "list", "set", "map", "udt", "vector", "tuple")},
    "empty_ascii": "",
    **{f"empty_{t}": cqltypes.EMPTY for t in EMPTY_TYPES},
    "nested_set": [{-1, 1}, {0}],
    "nested_tuple": [{"k": (1, "\u00e9")}],
    "nested_udt": (7, {"home": ADDR}),
    "nested_lists": [[[-(2**63), 1], []]],
    "vector_wide": [i * 0.25 - 192.0 for i in range(1536)],
    "list_int": [3, 1, 3],
    "list_empty": [],
    "set_text": {"a", "b'c"},
    "map_text_int": {"a": 1, "b": 2},
    "list_timestamp": [ms(0), ms(1704164645678)],
    "map_deep": {"k": {7: {"x", "y"}, 8: {"z"}}},
    "tuple_full": (1, "a", True),
    "tuple_nulls": (1, None, None),
    "udt_full": ADDR,
    "udt_nulls": (None, 5, None),
    "list_udt": [ADDR],
    "vector_float": [1.0, 2.0, -3.5],
    "vector_double": [0.1],
    "vector_int": [1, -2],
    "vector_bigint": [-(2**63), 1],
    "vector_boolean": [True, False],
    "vector_timestamp": [ms(1704164645678)],
    "vector_uuid": [V4],
    "vector_text": ["a", "bcd"],
    "vector_smallint": [1, 2],
    "vector_tinyint": [1, 2],
    "vector_date": [Date(0), Date(1)],
    "vector_time": [Time(1000000000)],
    "vector_inet": ["127.0.0.1"],
    "vector_duration": [Duration(1, 2, 3)],
    "vector_varint": [128],
    "vector_vector": [[1.0, 2.0], [3.0, 4.0]],
    "vector_list": [[1], [2, 3]],
    "vector_tuple": [(1, "a")],
}

# cqlsh says these in another way or cannot say them at all.
TEXT = {
    **{f"empty_{t}": "" for t in EMPTY_TYPES},
    "nested_udt": "(7, {'home': {street: 's', num: 5, tags: ['x', 'y']}})",
    "nested_tuple": "[{'k': (1, '\u00e9')}]",
    "tuple_nulls": "(1, null, null)",  # cqlsh: None
    "udt_full": "{street: 's', num: 5, tags: ['x', 'y']}",  # it needs the schema for UDTs
    "udt_nulls": "{street: null, num: 5, tags: null}",
    "list_udt": "[{street: 's', num: 5, tags: ['x', 'y']}]",
    "date_min": "-5877641-06-23",  # beyond the dates of Python: cqlsh prints the days
    "date_max": "+5881580-07-11",
    "timestamp_year_1": "0001-01-01 00:00:00.000000+0000",  # cqlsh: 1-01-01
    "vector_tuple": "[(1, 'a')]",
    "vector_list": "[[1], [2, 3]]",
}


def same(a, b):
    """Equal, NaN equal to NaN, -0.0 not to 0.0, 0.00 not to 0, 1 not to True; any kind of sequence."""
    if isinstance(a, float) and isinstance(b, float):
        return struct.pack(">d", a) == struct.pack(">d", b)
    if isinstance(a, D) and isinstance(b, D):
        return a.as_tuple() == b.as_tuple()
    if isinstance(a, datetime.datetime) and isinstance(b, datetime.datetime):
        return abs(a - b) < datetime.timedelta(microseconds=100)  # the driver computes with floats
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, set):
        return sorted(a) == sorted(b)
    return a == b


class Differences:
    count = 0

    def add(self, name, what, expected, got):
        self.count += 1
        print(f"{name}: {what}: expected {expected!r}, got {got!r}")


REPLICATION = "{'class': 'SimpleStrategy', 'replication_factor': 1}"


def make_table(session, cases):
    session.execute("DROP KEYSPACE IF EXISTS types_cross")
    session.execute(f"CREATE KEYSPACE types_cross WITH replication = {REPLICATION}")
    session.execute("CREATE TYPE types_cross.addr (street text, num int, tags frozen<list<text>>)")
    columns = {column: cql for _, column, cql in cases if cql != "counter"}
    text = ", ".join(f"{column} {cql}" for column, cql in columns.items())
    session.execute(f"CREATE TABLE types_cross.cases (id text PRIMARY KEY, {text})")
    session.execute("CREATE TABLE types_cross.counters (id text PRIMARY KEY, c_counter counter)")


def table_of(cql):
    return "types_cross.counters" if cql == "counter" else "types_cross.cases"


def compare_written(session, cases, found):
    for name, column, cql in cases:
        row = session.execute(f"SELECT {column} FROM {table_of(cql)} WHERE id = %s", [name]).one()
        if row is None:
            found.add(name, "read by the driver", EXPECTED[name], "no row")
        elif not same(EXPECTED[name], row[0]):
            found.add(name, "read by the driver", EXPECTED[name], row[0])


def write_one(session, name, column, cql):
    value = EXPECTED[name]
    if cql == "counter":
        update = f"UPDATE types_cross.counters SET {column} = {column} + ? WHERE id = ?"
        session.execute(session.prepare(update), [value, name])
    elif value is cqltypes.EMPTY:
        insert = f"INSERT INTO types_cross.cases (id, {column}) VALUES (%s, blobAs{cql}(0x))"
        session.execute(insert, [name])
    else:
        insert = f"INSERT INTO types_cross.cases (id, {column}) VALUES (?, ?)"
        session.execute(session.prepare(insert), [name, value])


def write_all(session, cases):
    session.execute("TRUNCATE types_cross.cases")
    session.execute("TRUNCATE types_cross.counters")
    for name, column, cql in cases:
        write_one(session, name, column, cql)


def cqlsh_text(name, cql):
    value = EXPECTED[name]
    if name in TEXT:
        return TEXT[name]
    if isinstance(value, float):
        if cql == "float" and math.isfinite(value):
            return shortest_float(value)
        return shortest(value)
    if value is not None and cql.startswith("vector<") and ("float" in cql or "double" in cql):
        return nested_floats(value)
    shown = format_by_type(in_order(value), cqltype=CqlType(cql), encoding="utf-8", addcolor=False)
    return shown if isinstance(shown, str) else shown.strval


def in_order(value):
    """Sets as the driver delivers them."""
    if isinstance(value, dict):
        return {k: in_order(v) for k, v in value.items()}
    if isinstance(value, list):
        return [in_order(v) for v in value]
    return SortedSet(value) if isinstance(value, set) else value


def shortest(x):
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    text = repr(x)
    return text[:-2] if text.endswith(".0") else text


def shortest_float(x):
    """repr of a float of 32 bits: the fewest digits that read back as the same."""
    for digits in range(1, 10):
        y = float(f"{x:.{digits}g}")
        if abs(y) <= FLT_MAX_ROUNDED and same(f32(y), x):
            return shortest(y)
    raise ValueError(x)


def nested_floats(value):
    if isinstance(value, list):
        return "[" + ", ".join(nested_floats(v) for v in value) + "]"
    return shortest(value)


def json_value(value):
    """What the JSON must be, for those types where JSON has a form of its own; else no answer."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [json_value(v) for v in value]
    if isinstance(value, dict):
        return {str(k): json_value(v) for k, v in value.items()}
    if isinstance(value, set):
        return sorted(json_value(v) for v in value)
    return NotImplemented


def has_answer(value):
    if isinstance(value, list):
        return all(has_answer(v) for v in value)
    if isinstance(value, dict):
        return all(has_answer(v) for v in value.values())
    return value is not NotImplemented


def compare_json(name, cql, text, found):
    got = json.loads(text)
    expected = json_value(EXPECTED[name])
    if "addr" in cql or not has_answer(expected):
        return
    if cql == "float" and isinstance(expected, float):
        got = f32(got)
    if cql in ("float", "double") and isinstance(got, int):
        got = float(got)
    if got != expected:
        found.add(name, "JSON", expected, got)


def wire_type(cql):
    """A column's type as far as the wire tells it: not whether it is frozen, but for tuples."""
    if cql.startswith("frozen<") and not cql.startswith("frozen<tuple"):
        return cql[len("frozen<") : -1]
    return cql


def compare_printed(output, cases, found):
    """Lines of the probe: name, text, JSON, type."""
    lines = {line.split("\t")[0]: line.split("\t")[1:] for line in output.split("\n") if line}
    for name, _, cql in cases:
        if name not in lines:
            found.add(name, "printed", "a line", None)
            continue
        text, as_json, type_text = lines[name]
        if text != cqlsh_text(name, cql):
            found.add(name, "text", cqlsh_text(name, cql), text)
        if type_text != wire_type(cql):
            found.add(name, "type", wire_type(cql), type_text)
        compare_json(name, cql, as_json, found)


def run(probe, *args):
    done = subprocess.run([probe, *args], capture_output=True, text=True, timeout=120, check=False)
    sys.stdout.write(done.stderr)
    return done


def main(host, probe, protocol, kind):
    address, port = host.rsplit(":", 1)
    cases = [line.split("\t") for line in run(probe, "list").stdout.splitlines()]
    cases = [c for c in cases if kind == "all" or not c[2].startswith("vector")]
    names = {c[0] for c in cases}
    assert names <= set(EXPECTED), names - set(EXPECTED)
    url = f"cql://{host}/?loop_threads=0&protocol={protocol}"
    found = Differences()
    with Cluster([address], port=int(port), protocol_version=int(protocol)) as cluster:
        session = cluster.connect()
        make_table(session, cases)
        if run(probe, "write", url, kind).returncode != 0:
            found.count += 1
        compare_written(session, cases, found)
        write_all(session, cases)
        done = run(probe, "read", url, kind)
        if done.returncode != 0:
            found.count += 1
        compare_printed(done.stdout, cases, found)
    print(f"{len(cases)} values, protocol {protocol}: {found.count} differences")
    return 1 if found.count else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
