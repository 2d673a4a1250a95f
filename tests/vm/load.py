#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""load.py - load BPF objects as lbctl would, and say what the verifier thought of them.

One line per program: how many instructions it has and how many steps the verifier took
(its limit is a million); where it refuses, the last lines of its log. Nothing is pinned
or attached. With --tap each line is a test's result. A program that needs more than
CEILING steps fails too: the next compiler or kernel may double them.

The maps' sizes and the constants are those of `lbctl chain attach` without options,
because what the verifier knows of a constant decides what it has to walk through.
"""
import ctypes
import re
import struct
import sys
from pathlib import Path

CEILING = 100000
LAST_LINES = 40
LOG_STATS, LOG_ALL, LOG_SIZE = 4, 1, 16 << 20

FLOWS = 262144      # of `lbctl chain attach` without options
SIZES = {"lb_flows4": FLOWS // 8, "lb_flows6": FLOWS // 8,
         "lb_nat4": 2 * FLOWS // 8, "lb_nat6": 2 * FLOWS // 8}
# struct lb_params: seed[3], flow_buckets, nat_slots, hz, pad
PARAMS = struct.pack("=3Q4I", 0x9e3779b97f4a7c15, 0x8ebc6af09c88c6e3, 0x589965cc75374cc3,
                     FLOWS // 8, 2 * FLOWS, 250, 0)

bpf = ctypes.CDLL("libbpf.so.1", use_errno=True)
libc = ctypes.CDLL(None)
PRINT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
for name, result, arguments in (
        ("bpf_object__open", "p", "s"), ("bpf_object__close", None, "p"),
        ("bpf_object__load", "i", "p"), ("bpf_object__find_map_by_name", "p", "ps"),
        ("bpf_object__next_program", "p", "pp"), ("bpf_object__next_map", "p", "pp"),
        ("bpf_program__name", "s", "p"), ("bpf_program__insn_cnt", "z", "p"),
        ("bpf_program__fd", "i", "p"), ("bpf_program__set_log_level", "i", "pu"),
        ("bpf_program__set_log_buf", "i", "psz"), ("bpf_map__name", "s", "p"),
        ("bpf_program__set_expected_attach_type", "i", "pi"),
        ("bpf_map__set_initial_value", "i", "psz"), ("bpf_map__value_size", "u", "p"),
        ("bpf_map__set_max_entries", "i", "pu"), ("bpf_map__set_pin_path", "i", "ps")):
    kinds = {"p": ctypes.c_void_p, "s": ctypes.c_char_p, "i": ctypes.c_int,
             "u": ctypes.c_uint, "z": ctypes.c_size_t, None: None}
    function = getattr(bpf, name)
    function.restype = kinds[result]
    function.argtypes = [kinds[a] for a in arguments]

messages = []


@PRINT
def listen(level, form, arguments):
    if level < 2:   # warnings only
        text = ctypes.create_string_buffer(4096)
        libc.vsnprintf(text, ctypes.c_size_t(4096), form, ctypes.c_void_p(arguments))
        messages.append(text.value.decode(errors="replace").rstrip())
    return 0


def each(first, owner):
    item = first(owner, None)
    while item:
        yield item
        item = first(owner, item)


def prepare(path, level):
    """Open @path with a log for each program. Return (object, [(program, log)])."""
    opened = bpf.bpf_object__open(str(path).encode())
    if not opened:
        return None, []
    for entry in each(bpf.bpf_object__next_map, opened):
        size = SIZES.get(bpf.bpf_map__name(entry).decode())
        if size:
            bpf.bpf_map__set_max_entries(entry, size)
        bpf.bpf_map__set_pin_path(entry, None)
    params = bpf.bpf_object__find_map_by_name(opened, b".rodata.params")
    if params and bpf.bpf_map__set_initial_value(params, PARAMS, len(PARAMS)):
        messages.append(f"struct lb_params has {bpf.bpf_map__value_size(params)} bytes "
                        f"and no longer {len(PARAMS)}: tell {Path(__file__).name}")
    programs = []
    for program in each(bpf.bpf_object__next_program, opened):
        log = ctypes.create_string_buffer(LOG_SIZE if level == LOG_ALL else 4096)
        bpf.bpf_program__set_log_level(program, level)
        bpf.bpf_program__set_log_buf(program, log, len(log))
        bpf.bpf_program__set_expected_attach_type(program, 0)
        programs.append((program, log))
    return opened, programs


def load(path, level=LOG_STATS):
    """Yield (program, instructions, steps or None, [line of explanation])."""
    messages.clear()
    opened, programs = prepare(path, level)
    status = bpf.bpf_object__load(opened) if opened else -ctypes.get_errno()
    if status and programs and level == LOG_STATS:
        bpf.bpf_object__close(opened)
        yield from load(path, LOG_ALL)
        return
    if not programs:
        yield "it", 0, None, list(messages)
    for program, log in programs:
        name = bpf.bpf_program__name(program).decode()
        text = log.value.decode(errors="replace")
        steps = re.search(r"processed (\d+) insns", text)
        loaded = not status and bpf.bpf_program__fd(program) >= 0
        lines = text.splitlines()[-LAST_LINES:] + messages
        yield (name, bpf.bpf_program__insn_cnt(program),
               int(steps[1]) if loaded and steps else None, lines)
    if opened:
        bpf.bpf_object__close(opened)


def judge(path, tap):
    good = True
    for name, instructions, steps, lines in load(path):
        what = f"{path.name}: {name}"
        fine = steps is not None and steps <= CEILING
        verdict = ("refused" if steps is None else
                   f"{instructions} instructions, {steps} steps")
        if tap:
            print(f"{'ok' if fine else 'not ok'} - {what} loads: {verdict}")
        else:
            print(f"{'' if fine else 'NOT OK: '}{what}: {verdict}")
        if steps is None:
            print("\n".join(("# " if tap else "    ") + line for line in lines))
        elif not fine:
            print(f"# more than {CEILING} steps")
        sys.stdout.flush()
        good = good and fine
    return good


def main():
    tap = sys.argv[1:2] == ["--tap"]
    paths = [Path(a) for a in sys.argv[1 + tap:]]
    if not paths:
        sys.exit("load.py: no object given")
    bpf.libbpf_set_print(listen)
    return 0 if all([judge(path, tap) for path in paths]) else 1


if __name__ == "__main__":
    sys.exit(main())
