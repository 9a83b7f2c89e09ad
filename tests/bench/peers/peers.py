#!/usr/bin/env python3
"""The benchmark's workloads through other drivers, from their package registries, and through this
library: see README.md in the folder above.

Builds one small program for each driver in the build folder, runs all of them against the responder in
the same way, and prints JSON lines and a table. Exit code 2 when a toolchain is missing, a driver does
not build, or time is over.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from run import WORKLOADS, BenchError, Program, Responder, rounded  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
INFLIGHT = {"insert": 256, "select": 256, "page": 32}
PROTOCOL = 4  # what all of them speak

# Name, folder, the tool it needs, how it is built, how it is run (in its folder of the build).
PEERS = (
    ("scylla (Rust)", "rust", "cargo", ["cargo", "build", "--release", "--quiet"],
     ["target/release/peer"]),
    ("gocql (Go)", "go", "go", ["go", "build", "-mod=mod", "-o", "peer", "."], ["./peer"]),
    ("java-driver-core (Java)", "java", "mvn",
     ["mvn", "-q", "-B", "package", "dependency:copy-dependencies"],
     ["java", "-Xmx1g", "-cp", "target/classes:target/dependency/*", "Peer"]),
)


def say(text):
    print(f"bench-peers: {text}", file=sys.stderr, flush=True)


def build(peer, folder, deadline):
    name, source, tool, command, _ = peer
    if not shutil.which(tool):
        raise BenchError(f"{tool} is not installed: it builds the program for {name}")
    shutil.copytree(HERE / source, folder, dirs_exist_ok=True)
    say(f"building the program for {name}")
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                              timeout=max(1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise BenchError(f"the program for {name} was not built in time") from None
    if done.returncode != 0:
        raise BenchError(f"the program for {name} does not build:\n{done.stdout}{done.stderr}")


def cpu_s(pid):
    """User and system time of all threads, those that have ended too: the clock that
    clock_getcpuclockid(3) names, since /proc counts in hundredths of a second."""
    return time.clock_gettime((~pid << 3) | 2)


def measure(program, options, deadline):
    """Rounds that grow until they are as long as asked for, which also warms a compiler at run time up;
    then the cheapest of three."""
    requests = 1
    warm_until = time.monotonic() + options.warm
    while True:
        started = time.monotonic()
        program.run(requests)
        took = time.monotonic() - started
        if time.monotonic() > deadline:
            raise BenchError("time is over (--seconds)")
        if took >= options.slice / 2 and time.monotonic() >= warm_until:
            break
        if took < options.slice / 2:
            requests *= 2
    best = None
    for _ in range(3):
        before = cpu_s(program.proc.pid)
        result = program.run(requests)
        used = cpu_s(program.proc.pid) - before
        if best is None or used < best[0]:
            best = (used, result["wall_ns"] / 1e9)
    return requests, best[0], best[1]


def cell(name, command, workload, responder, options, deadline, cwd=None):
    arguments = ["--target", responder.target, "--workload", workload,
                 "--inflight", str(INFLIGHT[workload])]
    before = os.getcwd()
    os.chdir(cwd or before)
    try:
        program = Program(command + arguments, options.client_cpu)
    finally:
        os.chdir(before)
    with program:
        requests, cpu, wall = measure(program, options, deadline)
    return {"program": name, "workload": workload, "protocol": PROTOCOL,
            "inflight": INFLIGHT[workload], "requests": requests,
            "cpu_us_per_req": cpu * 1e6 / requests, "req_per_s": requests / wall}


def programs(options):
    """Name, command and folder of all that is measured, the floor first."""
    bench = pathlib.Path(options.build).resolve() / "tests/bench"
    ours = ["--protocol", str(PROTOCOL)]
    yield "floor", [str(bench / "floor")] + ours, None
    yield "libcqlnative, loop", [str(bench / "client"), "--mode", "loop"] + ours, None
    yield "libcqlnative, thread", [str(bench / "client"), "--mode", "thread"] + ours, None
    for peer in PEERS:
        yield peer[0], peer[4] + ["--threads", "1"], bench / "peers-build" / peer[1]


def table(results):
    floors = {r["workload"]: r["cpu_us_per_req"] for r in results if r["program"] == "floor"}
    lines = [f"{'program':<26}{'workload':<10}{'in flight':>10}{'cpu us':>12}{'x floor':>10}{'req/s':>12}"]
    for r in sorted(results, key=lambda r: WORKLOADS.index(r["workload"])):
        ratio = r["cpu_us_per_req"] / max(floors[r["workload"]], 1e-9)
        lines.append(f"{r['program']:<26}{r['workload']:<10}{r['inflight']:>10}"
                     f"{r['cpu_us_per_req']:>12.3f}{ratio:>10.1f}{r['req_per_s']:>12.0f}")
    return "\n".join(lines)


def parse():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", default=".", help="the build folder (default: here)")
    p.add_argument("--results", default="bench-peers.jsonl", help="where the JSON lines go")
    p.add_argument("--seconds", type=float, default=180, help="for all measuring together")
    p.add_argument("--build-seconds", type=float, default=600, help="for building all of them")
    p.add_argument("--slice", type=float, default=0.5, help="seconds of a round")
    p.add_argument("--warm", type=float, default=3, help="seconds before what counts")
    options = p.parse_args()
    cpus = sorted(os.sched_getaffinity(0))
    options.server_cpu, options.client_cpu = cpus[0], cpus[-1]
    return options


def run(options):
    deadline = time.monotonic() + options.build_seconds
    for peer in PEERS:
        build(peer, pathlib.Path(options.build) / "tests/bench/peers-build" / peer[1], deadline)
    deadline = time.monotonic() + options.seconds
    responder = Responder(pathlib.Path(options.build).resolve() / "tests/bench/responder",
                          options.server_cpu)
    results = []
    try:
        with open(options.results, "w", encoding="utf-8") as out:
            for name, command, folder in programs(options):
                say(f"measuring {name}")
                for workload in WORKLOADS:
                    results.append(cell(name, command, workload, responder, options, deadline, folder))
                    line = json.dumps(rounded(results[-1]))
                    print(line, flush=True)
                    print(line, file=out, flush=True)
    finally:
        responder.close()
    print("\n" + table(results))
    return 0


def main():
    try:
        return run(parse())
    except BenchError as e:
        say(str(e))
        return 2


if __name__ == "__main__":
    sys.exit(main())
