"""The v4 paths against simulacron, a server for tests that others wrote: many nodes on loopback addresses, each
with a log of what reached it. Every case has a cluster and a session of its own.

    simulacron.py http://HOST:PORT V4_PROBE CASE
"""
import json
import subprocess
import sys
import time
import urllib.request

BASE, PROBE, CASE = sys.argv[1:4]

SLOW = "heartbeat=1s&heartbeat_timeout=1s&reconnect_base=100ms&reconnect_max=500ms&request_timeout=10s"


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def holds(what, text):
    if not what:
        raise SystemExit("not so: " + text)


class Cluster:
    def __init__(self, centres):
        made = call("POST", "/cluster?data_centers=%s&cassandra_version=3.11.4" % centres)
        self.id = made["id"]
        self.nodes = [(dc["id"], node["id"], node["address"])
                      for dc in made["data_centers"] for node in dc["nodes"]]

    def addresses(self):
        return [node[2] for node in self.nodes]

    def path(self, address):
        return next("%d/%d/%d" % (self.id, dc, node) for dc, node, a in self.nodes if a == address)

    def prime(self, query, then, address=None):
        then = dict({"delay_in_ms": 0}, **then)
        call("POST", "/prime/" + (self.path(address) if address else str(self.id)),
             {"when": {"query": query}, "then": then})

    def clear(self):
        call("DELETE", "/prime/%d" % self.id)
        call("DELETE", "/log/%d" % self.id)

    def log(self):
        """(address, type, query) of everything that came."""
        told = call("GET", "/log/%d" % self.id)
        names = {(dc, node): address for dc, node, address in self.nodes}
        return [(names[dc["id"], node["id"]], entry["type"], entry["query"])
                for dc in told["data_centers"] for node in dc["nodes"] for entry in node["queries"]]

    def count(self, query):
        """How often each node got that query."""
        counts = {}
        for address, kind, text in self.log():
            if text == query and kind in ("QUERY", "EXECUTE"):
                counts[address] = counts.get(address, 0) + 1
        return counts

    def drop(self):
        call("DELETE", "/cluster/%d" % self.id)


class Session:
    def __init__(self, cluster, options=SLOW):
        first = cluster.addresses()[0]
        self.program = subprocess.Popen([PROBE, "cql://%s/?%s" % (first, options)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        holds(self.program.stdout.readline() == "version 4\n", "protocol version 4")

    def tell(self, line):
        self.program.stdin.write(line + "\n")
        return self.program.stdout.readline().rstrip("\n")

    def want(self, line, answer):
        got = self.tell(line)
        holds(got == answer, "%r was answered with %r instead of %r" % (line, got, answer))

    def end(self):
        self.program.stdin.close()
        holds(self.program.wait(timeout=30) == 0, "the program ended well")


def errors(cluster, session):
    """What is sent again, and what is not: counted by the server."""
    read_timeout = {"result": "read_timeout", "consistency_level": "LOCAL_ONE", "received": 2, "block_for": 2,
                    "data_present": False}
    write_timeout = {"result": "write_timeout", "consistency_level": "LOCAL_ONE", "received": 0, "block_for": 1,
                     "write_type": "SIMPLE"}
    batch_log = dict(write_timeout, write_type="BATCH_LOG")
    unavailable = {"result": "unavailable", "consistency_level": "LOCAL_ONE", "required": 2, "alive": 1}
    #        what, answer, idempotent, times on the wire, nodes, may have been applied
    table = [("write timeout", write_timeout, "no", 1, 1, "maybe"),
             ("write timeout, idempotent", write_timeout, "yes", 1, 1, "maybe"),
             ("batch log, not idempotent", batch_log, "no", 1, 1, "maybe"),
             ("batch log, idempotent", batch_log, "yes", 2, 1, "maybe"),
             ("read timeout with the replicas", read_timeout, "no", 2, 1, None),
             ("unavailable", unavailable, "no", 2, 2, "not"),
             ("overloaded, not idempotent", {"result": "overloaded", "message": "busy"}, "no", 1, 1, None),
             ("overloaded, idempotent", {"result": "overloaded", "message": "busy"}, "yes", 3, 3, None),
             ("server error, not idempotent", {"result": "server_error", "message": "x"}, "no", 1, 1, "maybe"),
             ("server error, idempotent", {"result": "server_error", "message": "x"}, "yes", 3, 3, "maybe"),
             ("bootstrapping", {"result": "is_bootstrapping"}, "no", 3, 3, "not"),
             ("syntax", {"result": "syntax_error", "message": "x"}, "yes", 1, 1, "not"),
             ("shutting down", {"result": "overloaded", "message": "Server is shutting down"}, "no", 3, 3, "not")]
    session.want("up 3", "up 3")
    for number, (what, then, idempotent, times, nodes, applied) in enumerate(table):
        query = "INSERT INTO t (k) VALUES (%d)" % number
        cluster.prime(query, then)
        got = session.tell("ask %s %s" % (idempotent, query))
        counts = cluster.count(query)
        holds(got.startswith("error "), "%s: %s" % (what, got))
        holds(sum(counts.values()) == times and len(counts) == nodes, "%s: sent %r" % (what, counts))
        holds(applied is None or got.split(" ")[2] == applied, "%s: %s" % (what, got))


def closed(cluster, session):
    """A node that hangs up in answer: the other way again, idempotence decides."""
    session.want("up 3", "up 3")
    for idempotent, least in (("no", 1), ("yes", 2)):
        query = "INSERT INTO closed (k) VALUES ('%s')" % idempotent
        cluster.prime(query, {"result": "close_connection", "scope": "connection"})
        got = session.tell("ask %s %s" % (idempotent, query))
        sent = sum(cluster.count(query).values())
        holds(got.startswith("error ") and got.split(" ")[2] == "maybe", got)
        holds(sent == 1 if idempotent == "no" else sent >= least, "sent %d times" % sent)
        session.want("up 3", "up 3")


def rows(cluster, session):
    query = "SELECT k FROM t"
    cluster.prime(query, {"result": "success", "rows": [{"k": n} for n in range(500)], "column_types": {"k": "int"}})
    got = session.tell("ask yes " + query)
    holds(got.startswith("ok ") and got.endswith(" 500"), got)
    cluster.prime("SELECT slow", {"result": "success", "delay_in_ms": 20000, "rows": [], "column_types": {}})
    begin = time.monotonic()
    got = session.tell("cancel SELECT slow")
    holds("cancel" in got and time.monotonic() - begin < 15, "cancelled: " + got)


def spread(cluster, session):
    """Prepared once, known on every node; requests go to all."""
    count = len(cluster.nodes)
    query = "SELECT v FROM spread"
    cluster.prime(query, {"result": "success", "rows": [{"v": 1}], "column_types": {"v": "int"}})
    session.want("up %d" % count, "up %d" % count)
    session.want("prepare " + query, "prepared 0")
    session.want("run yes %d" % (40 * count), "ran %d 0" % (40 * count))
    counts = cluster.count(query)
    holds(len(counts) == count and sum(counts.values()) == 40 * count, "executed %r" % counts)
    holds(min(counts.values()) >= 20, "some node has too little: %r" % counts)


def faults(cluster, session):
    """Refused, silent, reset, accepted without an answer: out of use, and in use again after it."""
    victim = cluster.addresses()[-1]
    path = cluster.path(victim)
    query = "SELECT v FROM faults"
    cluster.prime(query, {"result": "success", "rows": [{"v": 1}], "column_types": {"v": "int"}})
    session.want("up 3", "up 3")
    session.want("prepare " + query, "prepared 0")

    for how in ("unbind", "reject_startup"):
        call("DELETE", "/listener/%s?type=%s" % (path, how))
        call("DELETE", "/connections/%s?type=disconnect" % path)
        session.want("is %s down" % victim, "is %s down" % victim)
        session.want("run yes 300", "ran 300 0")
        call("PUT", "/listener/%s" % path)
        session.want("is %s up" % victim, "is %s up" % victim)
    call("PUT", "/pause-reads/%s" % path)
    session.want("is %s down" % victim, "is %s down" % victim)
    session.want("run yes 300", "ran 300 0")
    call("DELETE", "/pause-reads/%s" % path)
    session.want("is %s up" % victim, "is %s up" % victim)
    for how in ("shutdown_read", "shutdown_write", "disconnect"):
        call("DELETE", "/connections/%s?type=%s" % (path, how))
        session.want("run yes 300", "ran 300 0")
        session.want("up 3", "up 3")

    call("DELETE", "/listener/%d?type=unbind" % cluster.id)
    call("DELETE", "/connections/%d?type=disconnect" % cluster.id)
    session.want("up 0", "up 0")
    begin = time.monotonic()
    got = session.tell("ask yes " + query)
    holds(got.startswith("error ") and " not " in got and time.monotonic() - begin < 10, got)
    call("PUT", "/listener/%d" % cluster.id)
    session.want("up 3", "up 3")
    session.want("run yes 300", "ran 300 0")


def main():
    case, centres = {"errors": (errors, "3"), "closed": (closed, "3"), "rows": (rows, "3"), "faults": (faults, "3"),
                     "spread3": (spread, "3"), "spread50": (spread, "50")}[CASE]
    cluster = Cluster(centres)
    try:
        session = Session(cluster)
        case(cluster, session)
        session.end()
    finally:
        cluster.drop()


main()
