#!/usr/bin/env python3
"""Runs the benchmark: see README.md in this folder.

Starts the responder on one core, and for each cell (workload, mode, protocol, requests in flight) a
floor and a client on another; runs them in turn; counts calls in a run of its own; and says at the end
which limits hold. Exit code 0: all hold; 1: one is broken; 2: the benchmark itself failed.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

WORKLOADS = ("insert", "select", "page")
MODES = ("loop", "thread")
PROTOCOLS = (4, 5)
INFLIGHT = (1, 32, 256, 1024)
PAGE_ROWS = 5000

# Cells under callgrind: (workload, mode, protocol, inflight, the two run lengths).
CALLGRIND = [
    ("insert", "loop", 4, 256, (2048, 6144)),
    ("select", "loop", 4, 256, (2048, 6144)),
    ("page", "loop", 4, 32, (32, 96)),
]
CALLGRIND_FULL = [
    ("select", "loop", 5, 256, (2048, 6144)),
    ("select", "thread", 4, 256, (2048, 6144)),
    ("select", "thread", 5, 256, (2048, 6144)),
    ("insert", "loop", 5, 256, (2048, 6144)),
    ("insert", "thread", 4, 256, (2048, 6144)),
    ("page", "loop", 5, 32, (32, 96)),
]

# Times the floor's CPU, by mode and requests in flight; pages at 256 only.
RATIO_LIMIT = {("loop", 256): 3.0, ("thread", 256): 5.0, ("loop", 1): 1.3, ("thread", 1): 2.0}
FLOOR_INSTRUCTIONS = 600
DECODE_LIMIT = 1.3
# A token-aware request through the session beside the same on bare connections: (workload, protocol, nodes), at
# 256 in flight; three nodes have each row, so that with four the token decides. In instructions, which are the
# same everywhere.
SESSION_CELLS = [("select", 4, 3), ("insert", 4, 3), ("select", 4, 4), ("insert", 4, 4)]
SESSION_CELLS_FULL = [("select", 5, 3), ("insert", 5, 3), ("select", 5, 4), ("insert", 5, 4)]
SESSION_LENGTHS = (2048, 6144)
SESSION_LIMIT = 1.25
# A session of one loop and of several, each answer followed by the next request on its own thread: what it costs
# beside one, and that the loops share nothing that they would wait for. (workload, protocol) and how many loops.
LOOPS_CELLS_FULL = [("select", 4), ("insert", 4), ("select", 5), ("insert", 5)]
LOOPS = (1, 2)
LOOPS_INFLIGHT = 256
LOOPS_LIMIT = 1.1  # times the instructions of one loop: each has half of what is in flight, so smaller batches
TOKENMAP_MS, TOKENMAP_BYTES, TOKENMAP_NS = 100, 64 << 20, 200
STRAY = 4  # calls in a whole round that may have another cause than the requests: a timer, a log line


class BenchError(Exception):
    """The benchmark cannot go on; the text says why."""


def pin(cpu):
    def run():
        os.sched_setaffinity(0, {cpu})

    return run


class Program:
    """A floor or a client: a number of requests in, a JSON object out."""

    def __init__(self, command, cpu, env=None, wait=120):
        self.command = [str(part) for part in command]
        self.wait = wait
        self.proc = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=pin(cpu), env=dict(os.environ, **(env or {})))

    def run(self, requests):
        try:
            self.proc.stdin.write(f"{requests}\n")
            self.proc.stdin.flush()
            line = self.proc.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            code = self.proc.wait(self.wait)
            raise BenchError(f"{' '.join(self.command)} ended with code {code}")
        return json.loads(line)

    def close(self):
        self.proc.stdin.close()
        code = self.proc.wait(self.wait)
        if code != 0:
            raise BenchError(f"{' '.join(self.command)} ended with code {code}")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.close()
            return
        self.proc.kill()
        self.proc.wait()


class Responder:
    def __init__(self, path, cpu, nodes=1):
        self.proc = subprocess.Popen(
            [str(path), "--seconds", "7200", "--nodes", str(nodes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=pin(cpu))
        self.target = self.proc.stdout.readline().strip()
        if not self.target:
            raise BenchError("the responder did not start")

    def cpu_ns(self):
        with open(f"/proc/{self.proc.pid}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0])

    def close(self):
        self.proc.stdin.close()
        self.proc.wait(10)


class Bench:
    def __init__(self, options):
        cpus = sorted(os.sched_getaffinity(0))
        self.options = options
        self.build = pathlib.Path(options.build)
        self.server_cpu = cpus[0]
        self.client_cpu = cpus[-1]
        self.slice_s = 1.0 if options.full else options.slice
        self.pairs = 15 if options.full else options.pairs
        self.floor_counts = {}
        if len(cpus) < 2:
            say("only one core may be used: responder and clients share it, times mean little")
        self.responder = Responder(self.build / "tests/bench/responder", self.server_cpu)

    def command(self, program, cell):
        command = [self.build / "tests/bench" / program, "--target", self.responder.target,
                   "--protocol", cell["protocol"], "--workload", cell["workload"],
                   "--inflight", cell["inflight"]]
        return command + (["--mode", cell["mode"]] if program == "client" else [])

    def start(self, program, cell, env=None, more=()):
        return Program(self.command(program, cell) + list(more), self.client_cpu, env)

    def round_size(self, client, cell):
        """Warms up, and finds how many requests take the time of a slice."""
        least = max(cell["inflight"], 32 if cell["workload"] == "page" else 1000)
        client.run(least)
        requests = least
        while True:
            took = client.run(requests)["wall_ns"] / 1e9
            if took >= self.slice_s / 4:
                return max(least, int(requests * self.slice_s / took))
            requests = max(requests * 2, int(requests * self.slice_s / max(took, 1e-6) / 2))

    def time(self, cell):
        pairs = []
        with self.start("client", cell) as client, self.start("floor", cell) as floor:
            requests = self.round_size(client, cell)
            floor.run(requests)
            for _ in range(self.pairs):
                floor_round = floor.run(requests)
                before = self.responder.cpu_ns()
                client_round = client.run(requests)
                client_round["responder_us"] = (self.responder.cpu_ns() - before) / 1000
                pairs.append((floor_round, client_round))

        def middle(of):
            return statistics.median(of(f, c) for f, c in pairs)

        floor_us = min(f["cpu_us"] for f, c in pairs) / requests
        client_us = min(c["cpu_us"] for f, c in pairs) / requests
        return {
            "requests": requests,
            "cpu_us_per_req": client_us,
            "floor_cpu_us_per_req": floor_us,
            "floor_ratio": client_us / max(floor_us, 1e-6),
            "median_ratio": middle(lambda f, c: c["cpu_us"] / max(f["cpu_us"], 1)),
            "floor_ratios": [round(c["cpu_us"] / max(f["cpu_us"], 1), 2) for f, c in pairs],
            "req_per_s": middle(lambda f, c: requests * 1e9 / c["wall_ns"]),
            "p50_us": middle(lambda f, c: c["p50_us"]),
            "p99_us": middle(lambda f, c: c["p99_us"]),
            "floor_p50_us": middle(lambda f, c: f["p50_us"]),
            "responder_cpu_us_per_req": middle(lambda f, c: c["responder_us"] / requests),
        }

    def interpose(self):
        return str((self.build / "tests/bench/.libs/interpose.so").resolve())

    def count_one(self, program, cell, requests, more=()):
        env = {"LD_PRELOAD": self.interpose()}
        with self.start(program, cell, env, more) as counted:
            for _ in range(3):  # the first two bring every pool to its largest size
                result = counted.run(requests)
        if "allocs" not in result:
            raise BenchError(f"{env['LD_PRELOAD']} counts nothing")
        return result

    def count(self, cell, requests):
        requests = max(cell["inflight"], min(requests, 20000))
        key = (cell["workload"], cell["protocol"], cell["inflight"])
        if key not in self.floor_counts:
            self.floor_counts[key] = self.count_one("floor", cell, requests)
        floor = self.floor_counts[key]
        client = self.count_one("client", cell, requests)
        calls = ("socket_reads", "socket_writes", "other_reads", "other_writes", "turns", "polls",
                 "sleeps", "wakes", "other_calls")
        floor_allocs = floor["allocs"] * requests / floor["requests"]
        return {
            "allocs_per_req": (client["allocs"] - floor_allocs) / requests,
            "syscalls_per_req": sum(client[c] for c in calls) / requests,
            "floor_syscalls_per_req": sum(floor[c] for c in calls) / floor["requests"],
            "counted": {c: client[c] for c in ("requests", "allocs") + calls},
        }

    def instructions(self, program, cell, lengths, more=()):
        totals = []
        for n in lengths:
            command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
            command += [str(part) for part in self.command(program, cell) + list(more)]
            done = subprocess.run(command, input=f"{n}\n", capture_output=True, text=True,
                                  preexec_fn=pin(self.client_cpu), timeout=600, check=False)
            found = [l for l in done.stderr.splitlines() if "Collected :" in l]
            if done.returncode != 0 or not found:
                raise BenchError(f"callgrind of {program} failed:\n{done.stderr}")
            totals.append(int(found[0].split()[-1]))
        return (totals[1] - totals[0]) / (lengths[1] - lengths[0])

    def session(self, workload, protocol, nodes):
        """Instructions of the session and of bare connections, each over the same nodes."""
        cell = {"workload": workload, "mode": "loop", "protocol": protocol, "inflight": 256}
        one, self.responder = self.responder, Responder(self.build / "tests/bench/responder",
                                                        self.server_cpu, nodes)
        try:
            counts = {p: self.instructions(p, cell, SESSION_LENGTHS, ["--nodes", nodes])
                      for p in ("bare", "client")}
        finally:
            self.responder.close()
            self.responder = one
        return {"session": workload, "protocol": protocol, "nodes": nodes,
                "instructions_per_req": counts["client"],
                "bare_instructions_per_req": counts["bare"],
                "session_ratio": counts["client"] / counts["bare"]}

    def loops(self, workload, protocol):
        """What a request costs a session of one loop and of two, counted."""
        cell = {"workload": workload, "mode": "thread-callback", "protocol": protocol,
                "inflight": LOOPS_INFLIGHT}
        result = {"loops": workload, "protocol": protocol, "requests": 20000}
        for n in LOOPS:
            more = ("--loops", n)
            counted = self.count_one("client", cell, result["requests"], more)
            result[f"instructions_{n}"] = self.instructions("client", cell, SESSION_LENGTHS, more)
            for what in ("allocs", "locks", "other_writes", "turns", "socket_writes"):
                result[f"{what}_{n}"] = counted[what]
        result["loops_ratio"] = result[f"instructions_{LOOPS[-1]}"] / result[f"instructions_{LOOPS[0]}"]
        return result

    def tokenmap(self):
        done = subprocess.run([str(self.build / "tests/bench/tokenmap")], capture_output=True, text=True,
                              timeout=300, check=False, preexec_fn=pin(self.client_cpu))
        if done.returncode != 0:
            raise BenchError(f"tokenmap failed: {done.stderr}")
        return json.loads(done.stdout)

    def decode(self, protocol):
        """Reading the cells of a page beside a bare loop; counted in a run of its own."""
        command = [str(self.build / "tests/bench/decode"), "--target", self.responder.target,
                   "--protocol", str(protocol), "--workload", "page"]
        results = []
        for env in ({}, {"LD_PRELOAD": self.interpose()}):
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                                  preexec_fn=pin(self.client_cpu), env=dict(os.environ, **env))
            if done.returncode != 0:
                raise BenchError(f"decode failed: {done.stderr}")
            results.append(json.loads(done.stdout))
        return dict(results[0], allocs=results[1].get("allocs"))

    def cell(self, workload, mode, protocol, inflight):
        cell = {"workload": workload, "mode": mode, "protocol": protocol, "inflight": inflight}
        result = dict(cell)
        result.update(self.time(cell))
        result.update(self.count(cell, result["requests"]))
        rows = {"insert": 0, "select": 1, "page": PAGE_ROWS}[workload]
        result["rows_per_s"] = result["req_per_s"] * rows
        result["instructions_per_req"] = None
        for w, m, p, k, lengths in self.options.callgrind:
            if (w, m, p, k) == (workload, mode, protocol, inflight):
                result["instructions_per_req"] = self.instructions("client", cell, lengths)
                result["floor_instructions_per_req"] = self.instructions("floor", cell, lengths)
        return result


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def rounded(result):
    def short(v):
        if not isinstance(v, float):
            return v
        return round(v) if abs(v) >= 10000 else float(f"{v:.4g}")

    return {k: short(v) for k, v in result.items()}


def table(results):
    head = ("workload", "mode", "v", "in flight", "cpu us", "floor us", "ratio", "req/s", "rows/s",
            "p50 us", "p99 us", "allocs", "syscalls", "instr")
    lines = [head]
    for r in results:
        instr = r["instructions_per_req"]
        lines.append((
            r["workload"], r["mode"], str(r["protocol"]), str(r["inflight"]),
            f"{r['cpu_us_per_req']:.3f}", f"{r['floor_cpu_us_per_req']:.3f}",
            f"{r['floor_ratio']:.2f}", f"{r['req_per_s']:.0f}",
            f"{r['rows_per_s']:.0f}" if r["rows_per_s"] else "-",
            f"{r['p50_us']:.1f}", f"{r['p99_us']:.1f}", f"{r['allocs_per_req']:.4f}",
            f"{r['syscalls_per_req']:.4f}", f"{instr:.0f}" if instr else "-"))
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths)))
        for line in lines)


def name(r):
    return f"{r['workload']} {r['mode']} v{r['protocol']} at {r['inflight']}"


def counted_limits(r):
    """What must hold on every machine: (holds, text)."""
    c = r["counted"]
    extra = round(r["allocs_per_req"] * c["requests"])
    yield extra <= STRAY, f"{name(r)}: {extra} allocations beyond the floor's in {c['requests']} requests"
    yield (c["socket_writes"] <= c["turns"] + STRAY,
           f"{name(r)}: {c['socket_writes']} writes in {c['turns']} loop turns on one connection")
    if r["workload"] != "page":
        yield (c["socket_reads"] <= c["turns"] + STRAY,
               f"{name(r)}: {c['socket_reads']} reads in {c['turns']} loop turns")
    floor = r.get("floor_instructions_per_req")
    if floor and (r["workload"], r["protocol"], r["inflight"]) == ("select", 4, 256):
        yield (floor <= FLOOR_INSTRUCTIONS,
               f"the floor takes {floor:.0f} instructions a select (limit {FLOOR_INSTRUCTIONS})")


def time_limits(r):
    limit = RATIO_LIMIT.get((r["mode"], r["inflight"]))
    if limit and (r["workload"] != "page" or r["inflight"] == 256):
        yield r["floor_ratio"] <= limit, (f"{name(r)}: {r['floor_ratio']:.2f} times the floor's CPU "
                                          f"(limit {limit:g}; rounds {r['floor_ratios']})")


def decode_counts(d):
    yield d["allocs"] == 0, f"decode v{d['protocol']}: {d['allocs']} allocations in {d['passes']} pages"


def decode_times(d):
    yield (d["decode_ratio"] <= DECODE_LIMIT,
           f"decode v{d['protocol']}: every cell of a page for {d['decode_ratio']:.2f} times a bare loop "
           f"(limit {DECODE_LIMIT:g}; {d['library_us']} and {d['bare_us']} us)")


def session_counts(s):
    yield (s["session_ratio"] <= SESSION_LIMIT,
           f"session {s['session']} v{s['protocol']} over {s['nodes']} nodes: {s['session_ratio']:.2f} "
           f"times the instructions of bare connections (limit {SESSION_LIMIT:g}; "
           f"{s['instructions_per_req']:.0f} and "
           f"{s['bare_instructions_per_req']:.0f})")


def loops_counts(s):
    n = LOOPS[-1]
    yield (s["loops_ratio"] <= LOOPS_LIMIT,
           f"{n} loops, {s['loops']} v{s['protocol']}: {s['loops_ratio']:.2f} times the instructions of one loop "
           f"(limit {LOOPS_LIMIT:g}; {s[f'instructions_{n}']:.0f} and {s['instructions_1']:.0f})")
    # The first window comes from the main thread and may wake the loops for each of its requests.
    for what, words, limit in (("allocs", "allocations", STRAY), ("locks", "locks taken", STRAY),
                               ("other_writes", "wake-ups between threads", LOOPS_INFLIGHT)):
        yield (s[f"{what}_{n}"] <= limit,
               f"{n} loops, {s['loops']} v{s['protocol']}: {s[f'{what}_{n}']} {words} in {s['requests']} requests")


def tokenmap_counts(t):
    yield (t["most_bytes"] <= TOKENMAP_BYTES,
           f"the map of {t['nodes']} nodes holds {t['most_bytes']} bytes (limit {TOKENMAP_BYTES})")


def tokenmap_times(t):
    yield (t["build_ms"] <= TOKENMAP_MS,
           f"the map of {t['nodes']} nodes is built in {t['build_ms']} ms (limit {TOKENMAP_MS})")
    yield t["look_up_ns"] <= TOKENMAP_NS, (f"a look-up in it takes {t['look_up_ns']} ns "
                                           f"(limit {TOKENMAP_NS})")


def verdict(results, decoded, sessions, loops, maps):
    broken = 0
    for title, limits, of_decode in (("counted", counted_limits, decode_counts),
                                     ("times", time_limits, decode_times)):
        checks = [check for r in results for check in limits(r)]
        checks += [check for d in decoded for check in of_decode(d)]
        of_map = tokenmap_counts if title == "counted" else tokenmap_times
        checks += [check for m in maps for check in of_map(m)]
        if title == "counted":
            checks += [check for s in sessions for check in session_counts(s)]
            checks += [check for s in loops for check in loops_counts(s)]
        bad = [text for holds, text in checks if not holds]
        print(f"\n{title}: {len(checks) - len(bad)} of {len(checks)} limits hold")
        for text in bad:
            print(f"  BROKEN  {text}")
        for holds, text in checks:
            if holds and (title == "times" or "instructions" in text or "map" in text):
                print(f"  holds   {text}")
        broken += len(bad)
    return broken


def parse():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", default=".", help="the build folder (default: here)")
    p.add_argument("--results", default="bench-results.jsonl", help="where the JSON lines go")
    p.add_argument("--full", action="store_true", help="longer rounds, 15 pairs, more callgrind")
    p.add_argument("--slice", type=float, default=0.12, help="seconds of a round")
    p.add_argument("--pairs", type=int, default=9, help="rounds of floor and client")
    p.add_argument("--workload", nargs="*", choices=WORKLOADS, default=WORKLOADS)
    p.add_argument("--mode", nargs="*", choices=MODES + ("thread-callback",))
    p.add_argument("--protocol", nargs="*", type=int, choices=PROTOCOLS, default=PROTOCOLS)
    p.add_argument("--inflight", nargs="*", type=int, default=INFLIGHT)
    options = p.parse_args()
    if not options.mode:
        options.mode = MODES + (("thread-callback",) if options.full else ())
    options.callgrind = CALLGRIND + (CALLGRIND_FULL if options.full else [])
    options.session = SESSION_CELLS + (SESSION_CELLS_FULL if options.full else [])
    options.loops = LOOPS_CELLS_FULL if options.full else []
    if not shutil.which("valgrind"):
        say("valgrind is not installed: no instructions are counted")
        options.callgrind = options.session = options.loops = []
    return options


def run(options):
    bench = Bench(options)
    results = []
    cells = [(w, m, p, k) for w in options.workload for p in options.protocol
             for k in options.inflight for m in options.mode]
    started = time.monotonic()
    try:
        with open(options.results, "w", encoding="utf-8") as out:
            for cell in cells:
                results.append(bench.cell(*cell))
                line = json.dumps(rounded(results[-1]))
                print(line, flush=True)
                print(line, file=out, flush=True)
            decoded = [bench.decode(p) for p in options.protocol if "page" in options.workload]
            for d in decoded:
                print(json.dumps(d), flush=True)
                print(json.dumps(d), file=out, flush=True)
            sessions = [bench.session(w, p, n) for w, p, n in options.session if w in options.workload]
            loops = [bench.loops(w, p) for w, p in options.loops if w in options.workload]
            maps = [bench.tokenmap()]
            for d in sessions + loops + maps:
                print(json.dumps(rounded(d)), flush=True)
                print(json.dumps(rounded(d)), file=out, flush=True)
    finally:
        bench.responder.close()
    print("\n" + table(results))
    say(f"{len(cells)} cells in {time.monotonic() - started:.0f} s; JSON lines in {options.results}")
    return 1 if verdict(results, decoded, sessions, loops, maps) else 0


def main():
    try:
        return run(parse())
    except BenchError as e:
        say(str(e))
        return 2


if __name__ == "__main__":
    sys.exit(main())
