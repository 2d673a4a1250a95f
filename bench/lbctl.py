# SPDX-License-Identifier: GPL-2.0-only
"""lbctl.py - time lbctl's commands among more and more services and backends.

lbctl.sh runs it, where the chain is attached. A command's time is that of its process,
from the fork to its end; cpu_ms is what of it was not waiting, mostly for the kernel's RCU
grace periods, and mib the most memory that it had, maps of the balancer that it looked at
included. n is how many backends there are.

What a command did is read back with another one: figures of commands that did something
else are no figures.
"""
import json
import os
import statistics
import sys
from pathlib import Path

SIZES = ((1, 16), (10, 16), (100, 16), (1000, 16))
QUICK_SIZES = ((1, 16), (100, 16))


def service(number):
    return f"10.{32 + number // 256}.{number % 256}.1:80/tcp"


def backend(number):
    return f"10.{64 + number // 62500}.{number // 250 % 250}.{number % 250 + 2}:8080"


def commands(services, backends):
    """A configuration, a command a line, in the order of `lbctl save`."""
    for s in range(services):
        yield f"service add {service(s)} forward fullnat"
        for b in range(backends):
            yield f"backend add {service(s)} {backend(s * backends + b)}"


class Run:
    """One lbctl, from its start to its end; clock.c says what it took."""

    def __init__(self, clock, lbctl, words, out):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        command = [*clock, *lbctl, *words]
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, out, flags, 0o600)])
        if os.waitpid(pid, 0)[1]:
            sys.exit(f"lbctl.py: 'lbctl {' '.join(words)}' failed")
        took = Path(clock[1]).read_text(encoding="ascii").split()
        self.ms, self.cpu_ms, self.mib = float(took[0]), float(took[1]), int(took[2]) / 1024


class Bench:
    def __init__(self, build, lbctl, pins, folder):
        self.clock = [f"{build}/bench/clock", f"{folder}/took"]
        self.lbctl = [lbctl, "--quiet", "--pin-dir", pins]
        self.out = f"{folder}/out"
        self.file = f"{folder}/lb.conf"
        self.empty = f"{folder}/empty.conf"
        self.services = self.backends = 0
        self.rounds = 3
        self.attach = self.ask("save").strip()
        Path(self.empty).write_text(f"{self.attach}\n", encoding="ascii")

    def run(self, *words):
        return Run(self.clock, self.lbctl, words, self.out)

    def ask(self, *words):
        """What a command prints."""
        self.run(*words)
        return Path(self.out).read_text(encoding="utf-8")

    def expect(self, what, is_so):
        if not is_so:
            sys.exit(f"lbctl.py: {what}, with {self.services} services: not so")

    def row(self, case, runs, **more):
        ms = [r.ms for r in runs]
        print(json.dumps({
            "case": f"lbctl-{case}", "services": self.services,
            "n": self.services * self.backends, "ms": round(statistics.median(ms), 2),
            "ms_min": round(min(ms), 2),
            "cpu_ms": round(statistics.median(r.cpu_ms for r in runs), 2),
            "mib": round(max(r.mib for r in runs), 1), "rounds": len(runs), **more,
        }), flush=True)

    def fill(self, services, backends):
        """Apply a file, thrice from nothing, and once more with nothing to do."""
        lines = [self.attach, *commands(services, backends)]
        Path(self.file).write_text("\n".join(lines) + "\n", encoding="ascii")
        self.services, self.backends = services, backends
        runs, same, gone = [], [], []
        for _ in range(self.rounds):
            runs.append(self.run("apply", self.file))
            self.expect("what was applied is saved", self.ask("save").split("\n")[:-1] == lines)
            same.append(self.run("apply", self.file))
            gone.append(self.run("apply", self.empty))
        self.row("apply", runs)
        self.row("apply-again", same)
        self.row("apply-nothing", gone)
        self.run("apply", self.file)

    def look(self):
        """What only reads."""
        backends = json.loads(self.ask("-j", "backend", "show"))["backends"]
        self.expect("all backends are listed",
                    len(backends) == self.services * self.backends)
        for case, words in (("save", ["save"]), ("service-show", ["service", "show"]),
                            ("backend-show", ["backend", "show"]), ("status", ["status"])):
            self.row(case, [self.run(*words) for _ in range(self.rounds)])

    def change(self):
        """One of many is added, changed and removed."""
        name, one = service(0), "10.127.0.2:8080"
        steps = [("backend-add", ["backend", "add", name, one]),
                 ("backend-set", ["backend", "set", name, one, "weight", "2"]),
                 ("backend-del", ["backend", "del", name, one]),
                 ("service-add", ["service", "add", "10.63.0.1:80/tcp"]),
                 ("service-del", ["service", "del", "10.63.0.1:80/tcp", "force"])]
        runs = {case: [] for case, _ in steps}
        before = self.ask("save")
        for _ in range(3 * self.rounds):
            for case, words in steps:
                runs[case].append(self.run(*words))
                changed = self.ask("save") != before
                self.expect(f"{case} does it", changed != case.endswith("-del"))
        for case, of_case in runs.items():
            self.row(case, of_case)

    def generations(self, policy):
        """Of all services, which must follow @policy."""
        rows = json.loads(self.ask("-j", "service", "show"))["services"]
        self.expect(f"all follow {policy}", all(r["policy"] == policy for r in rows))
        return [r["generation"] for r in rows]

    def swap(self):
        """Another default policy: each service gets a table of another kind."""
        runs = {"hash": [], "round-robin": []}
        last = self.generations("round-robin")
        for _ in range(self.rounds):
            for policy, of_policy in runs.items():
                of_policy.append(self.run("policy", "set", policy))
                now = self.generations(policy)
                self.expect("all tables are new", all(a != b for a, b in zip(last, now)))
                last = now
        for policy, of_policy in runs.items():
            self.row(f"swap-to-{policy}", of_policy)

    def one_by_one(self, services, backends):
        runs = []
        self.services, self.backends = services, backends
        for line in commands(services, backends):
            runs.append(self.run(*line.split(" ")))
        saved = self.ask("save").split("\n")[1:-1]
        self.expect("what was added is saved", saved == list(commands(services, backends)))
        self.row("one-by-one", runs, s=round(sum(r.ms for r in runs) / 1000, 1))
        for share in range(10):
            part = runs[len(runs) * share // 10:len(runs) * (share + 1) // 10]
            self.row(f"one-by-one-tenth-{share + 1}", part)


def main():
    bench = Bench(*sys.argv[1:5])
    options = sys.argv[5:]
    if options[:1] == ["--one-by-one"]:
        bench.one_by_one(int(options[1]), int(options[2]))
        return
    if options == ["--quick"]:
        bench.rounds = 1
    for services, backends in QUICK_SIZES if options else SIZES:
        bench.fill(services, backends)
        bench.look()
        bench.change()
        bench.swap()
    bench.run("apply", bench.empty)
    if not options:
        bench.one_by_one(10, 16)


if __name__ == "__main__":
    main()
