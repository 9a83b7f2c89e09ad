#!/usr/bin/env python3
"""What the benchmark's responder answers, seen by a client that shares no code with it."""
import os
import socket
import struct
import subprocess
import sys
import zlib

BUILD = os.environ.get("BENCH_BUILD", "tests/bench")
PAGE = b"SELECT name, number, id, at, data FROM bench.rows"
SELECT = PAGE + b" WHERE id = ?"
ERROR, STARTUP, READY, OPTIONS, SUPPORTED = 0, 1, 2, 5, 6
QUERY, RESULT, PREPARE, EXECUTE, BATCH = 7, 8, 9, 10, 13


def crc24(data):
    reg = 0x875060
    for byte in data:
        reg ^= byte << 16
        for _ in range(8):
            reg <<= 1
            if reg & 0x1000000:
                reg ^= 0x1974F0B
    return reg


def crc32(payload):
    return zlib.crc32(payload, zlib.crc32(b"\xfa\x2d\x55\xca"))


def string(text):
    return struct.pack(">H", len(text)) + text


def value(data):
    return struct.pack(">i", len(data)) + data


def envelope(version, stream, opcode, body=b"", flags=0):
    return struct.pack(">BBhBi", version, flags, stream, opcode, len(body)) + body


def segment(payload, self_contained=True):
    head = (len(payload) | self_contained << 17).to_bytes(3, "little")
    return (head + crc24(head).to_bytes(3, "little") + payload +
            crc32(payload).to_bytes(4, "little"))


class Client:
    def __init__(self, target, version):
        host, port = target.rsplit(":", 1)
        self.sock = socket.create_connection((host, int(port)), 60)
        self.sock.settimeout(60)
        self.version = version
        self.framed = False
        self.payload = b""

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def read_segment(self):
        head = self.read(6)
        assert crc24(head[:3]) == int.from_bytes(head[3:], "little"), "CRC24"
        payload = self.read(int.from_bytes(head[:3], "little") & 0x1FFFF)
        assert crc32(payload) == int.from_bytes(self.read(4), "little"), "CRC32"
        return payload

    def take(self, n):
        if not self.framed:
            return self.read(n)
        while len(self.payload) < n:
            self.payload += self.read_segment()
        data, self.payload = self.payload[:n], self.payload[n:]
        return data

    def receive(self):
        _, _, stream, opcode, length = struct.unpack(">BBhBi", self.take(9))
        return stream, opcode, self.take(length)

    def send(self, *envelopes):
        data = b"".join(envelopes)
        self.sock.sendall(segment(data) if self.framed else data)

    def ask(self, opcode, body=b"", stream=1):
        self.send(envelope(self.version, stream, opcode, body))
        got = self.receive()
        assert got[0] == stream, got
        return got[1:]

    def start(self):
        body = struct.pack(">H", 1) + string(b"CQL_VERSION") + string(b"3.0.0")
        assert self.ask(STARTUP, body) == (READY, b"")
        self.framed = self.version >= 5
        return self

    def prepare(self, cql):
        body = value(cql) + (b"\0\0\0\0" if self.version >= 5 else b"")
        opcode, answer = self.ask(PREPARE, body)
        assert opcode == RESULT and answer[:4] == b"\0\0\0\4"
        return answer[6:22], answer[24:40]

    def parameters(self, flags, rest=b""):
        return struct.pack(">HI" if self.version >= 5 else ">HB", 1, flags) + rest

    def execute(self, ids, flags, rest=b""):
        return (string(ids[0]) + (string(ids[1]) if self.version >= 5 else b"") +
                self.parameters(flags, rest))

    def query(self, cql):
        return self.ask(QUERY, value(cql) + self.parameters(0))


def one_value(row_id):
    return struct.pack(">H", 1) + value(struct.pack(">q", row_id))


def error_code(answer):
    assert answer[0] == ERROR, answer
    return struct.unpack(">i", answer[1][:4])[0]


def ids_of(body, skip):
    """The third cell of each row."""
    at = skip + 4
    ids = []
    for _ in range(struct.unpack(">i", body[skip:at])[0]):
        for column in range(5):
            size = struct.unpack(">i", body[at:at + 4])[0]
            if column == 2:
                ids.append(struct.unpack(">q", body[at + 4:at + 12])[0])
            at += 4 + size
    assert at == len(body)
    return ids


def options_lists_versions(target, version):
    opcode, body = Client(target, version).ask(OPTIONS)
    assert opcode == SUPPORTED and b"4/v4" in body and b"5/v5" in body


def compression_is_refused(target, version):
    body = (struct.pack(">H", 2) + string(b"CQL_VERSION") + string(b"3.0.0") +
            string(b"COMPRESSION") + string(b"lz4"))
    c = Client(target, version)
    answer = c.ask(STARTUP, body)
    assert error_code(answer) == 0x0A and b"compress" in answer[1]
    c.start()


def other_versions_are_refused(target, _):
    c = Client(target, 6)
    c.send(envelope(6, 7, OPTIONS))
    stream, opcode, body = c.receive()
    assert (stream, opcode, body[:4]) == (0, ERROR, b"\0\0\0\x0a")
    assert b"unsupported protocol version" in body


def queries_before_startup_are_refused(target, version):
    c = Client(target, version)
    c.send(envelope(version, 3, QUERY, value(PAGE)))
    assert c.receive()[:2] == (0, ERROR)


def local_row_is_answered(target, version):
    c = Client(target, version).start()
    opcode, body = c.query(b"SELECT rack, data_center FROM system.local WHERE key='local'")
    assert opcode == RESULT and body.endswith(b"\0\0\0\1" + value(b"rack1") + value(b"datacenter1"))
    assert c.query(b"SELECT * FROM system.peers_v2")[1].endswith(b"\0\0\0\0")
    assert error_code(c.query(b"SELECT nothing FROM system.local")) == 0x2200


def select_echoes_the_id(target, version):
    c = Client(target, version).start()
    ids = c.prepare(SELECT)
    streams = list(range(5, 25))
    c.send(*(envelope(version, s, EXECUTE, c.execute(ids, 3, one_value(s * 1000)))
             for s in streams))
    for s in streams:
        stream, opcode, body = c.receive()
        assert (stream, opcode) == (s, RESULT) and ids_of(body, 12) == [s * 1000]


def insert_checks_its_values(target, version):
    c = Client(target, version).start()
    ids = c.prepare(b"INSERT INTO bench.rows (name, number, id, at, data) VALUES (?, ?, ?, ?, ?)")
    zeros = b"".join(value(bytes(n)) for n in (4, 4, 8, 8, 100))
    answer = c.ask(EXECUTE, c.execute(ids, 1, struct.pack(">H", 5) + zeros))
    assert error_code(answer) == 0x2200


def page_has_all_rows_and_a_second_page(target, version):
    c = Client(target, version).start()
    ids = c.prepare(PAGE)
    opcode, body = c.ask(EXECUTE, c.execute(ids, 6, struct.pack(">i", 5000)), stream=0x7ffe)
    assert opcode == RESULT and body[4:8] == b"\0\0\0\6"
    size = struct.unpack(">i", body[12:16])[0]
    assert ids_of(body, 16 + size) == list(range(5000))
    rest = struct.pack(">i", 5000) + value(body[16:16 + size])
    opcode, body = c.ask(EXECUTE, c.execute(ids, 14, rest))
    assert body[4:8] == b"\0\0\0\4" and ids_of(body, 12) == list(range(5000, 10000))


def unknown_ids_are_unprepared(target, version):
    c = Client(target, version).start()
    unknown = (b"x" * 16, b"y" * 16)
    answer = c.ask(EXECUTE, c.execute(unknown, 0))
    assert error_code(answer) == 0x2500 and answer[1].endswith(string(unknown[0]))


def changed_metadata_is_told(target, version):
    if version < 5:
        return
    c = Client(target, version).start()
    ids = c.prepare(SELECT)
    opcode, body = c.ask(EXECUTE, c.execute((ids[0], b"old"), 3, one_value(7)))
    assert opcode == RESULT and body[4:8] == b"\0\0\0\x09" and string(ids[1]) in body[:40]


def split_envelopes_are_joined(target, version):
    if version < 5:
        return
    c = Client(target, version).start()
    cql = b"SELECT rack FROM system.local" + b" " * 140000
    data = envelope(version, 9, QUERY, value(cql) + c.parameters(0))
    c.sock.sendall(segment(data[:131071], False) + segment(data[131071:], False))
    stream, opcode, body = c.receive()
    assert (stream, opcode) == (9, RESULT) and body.endswith(value(b"rack1"))


def wrong_checksums_end_the_connection(target, version):
    if version < 5:
        return
    good = segment(envelope(version, 1, OPTIONS))
    for at in (0, 3, 10, len(good) - 1):
        c = Client(target, version).start()
        c.sock.sendall(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        try:
            c.receive()
        except (EOFError, ConnectionResetError):
            continue
        raise AssertionError(f"a wrong byte at {at} was taken")


TESTS = [
    options_lists_versions, compression_is_refused, other_versions_are_refused,
    queries_before_startup_are_refused, local_row_is_answered, select_echoes_the_id,
    insert_checks_its_values, page_has_all_rows_and_a_second_page, unknown_ids_are_unprepared,
    changed_metadata_is_told, split_envelopes_are_joined, wrong_checksums_end_the_connection,
]


def main():
    failed = 0
    proc = subprocess.Popen([f"{BUILD}/responder", "--seconds", "600"], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    target = proc.stdout.readline().strip()
    for test in TESTS:
        for version in (4, 5):
            try:
                test(target, version)
            except Exception as e:  # a test that breaks in any way has failed
                print(f"FAILED {test.__name__} v{version}: {type(e).__name__} {e}")
                failed += 1
    proc.stdin.close()
    code = proc.wait(60)
    print(f"{2 * len(TESTS) - failed} passed, {failed} failed; the responder ended with {code}")
    return 1 if failed or code else 0


if __name__ == "__main__":
    sys.exit(main())
