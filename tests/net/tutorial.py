#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tutorial.py FILE.md... - do what a tutorial says, as it is written, and compare.

A fence "```sh" is typed into one bash, block after block; each of its commands must
succeed.  A fence "```text" right behind one is what the block must print: "..." stands for
any text within a line, and alone on a line for any number of lines; blanks count as one.  A
block without one may print what it likes.

The shell lives in a network, mount and process namespace of its own, with an empty
/run/netns and an empty BPF file system: the interfaces, namespaces and pins that a tutorial
makes are not those of this machine, and end with it, however it ends.

Speaks TAP, one test per block.
"""
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TIMEOUT = 60        # seconds, for one block
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "tutorial-block-ended"

SANDBOX = ["unshare", "--net", "--mount", "--propagation", "unchanged", "--pid", "--fork",
           "--kill-child", "--mount-proc", "bash", "-c", """
# What is no mount of its own cannot be made private, and need not: in a chroot it is /.
for dir in / /run /sys; do
	mount --make-rprivate "$dir" 2>/dev/null
done
mkdir -p /run/netns &&
	mount -t tmpfs tmpfs /run/netns &&
	mount -t sysfs sysfs /sys &&
	mount -t bpf bpf /sys/fs/bpf &&
	ip link set lo up || exit 1
# Commands come by a pipe that what they start does not read.
exec bash --norc --noprofile /dev/fd/3 3<&0 </dev/null 2>&1
"""]

BEFORE = """\
tutorial_failed=0
trap 'echo "status $? of: $BASH_COMMAND"; tutorial_failed=1' ERR
"""


def blocks(text):
    """(line, commands, expected output or None) of each block that is to be typed."""
    fences = list(FENCE.finditer(text))
    for i, fence in enumerate(fences):
        if fence[1] != "sh":
            continue
        expected = None
        if i + 1 < len(fences) and fences[i + 1][1] == "text":
            between = text[fence.end():fences[i + 1].start()]
            # Words may stand between, but no other block.
            expected = fences[i + 1][2] if "\n#" not in between else None
        yield text.count("\n", 0, fence.start()) + 1, fence[2], expected


def squeeze(text):
    """@text with one blank for several, and none at the ends of lines."""
    return "".join(" ".join(line.split()) + "\n" for line in text.splitlines())


def pattern(expected):
    """The regular expression that the expected output is."""
    lines = []
    for line in squeeze(expected).splitlines():
        if line == "...":
            lines.append(r"(?:.*\n)*?")
        else:
            lines.append(".*".join(map(re.escape, line.split("..."))) + "\n")
    return re.compile("".join(lines))


class Shell:
    """One bash in its sandbox."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="swy-tutorial-")
        read, self.commands = os.pipe()
        self.child = subprocess.Popen(SANDBOX, stdin=read, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, cwd=self.folder.name,
                                      start_new_session=True)
        os.close(read)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.child.stdout, selectors.EVENT_READ)
        self.rest = b""
        if self.type(BEFORE)[0] != "0":
            raise SystemExit("tutorial: the sandbox cannot be made: "
                             + self.rest.decode(errors="replace"))

    def type(self, commands):
        """(status or None, output): "0" is that each command succeeded."""
        os.write(self.commands,
                 f"{commands}\necho {MARK} $tutorial_failed; tutorial_failed=0\n".encode())
        end = time.monotonic() + TIMEOUT
        mark = re.compile(rb"%s (\d)\n" % MARK.encode())
        while not (found := mark.search(self.rest)):
            if not self.selector.select(max(0, end - time.monotonic())):
                return None, self.rest.decode(errors="replace") + "(does not end)"
            more = os.read(self.child.stdout.fileno(), 65536)
            if not more:
                return None, self.rest.decode(errors="replace") + "(the shell ended)"
            self.rest += more
        said, self.rest = self.rest[:found.start()], self.rest[found.end():]
        return found[1].decode(), said.decode(errors="replace")

    def close(self):
        os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        os.close(self.commands)
        self.folder.cleanup()


def judge(status, said, expected):
    """What is wrong, or nothing."""
    if status != "0":
        return "a command failed" if status else "it does not go on from here"
    if expected is not None and not pattern(expected).fullmatch(squeeze(said)):
        return "it prints something else than the text says"
    return ""


def do(path, n):
    """Do one tutorial, whose first test is number @n; (how many there were, failed)."""
    text = Path(path).read_text(encoding="utf-8")
    done = failed = 0
    shell = Shell()
    try:
        for line, commands, expected in blocks(text):
            status, said = shell.type(commands)
            wrong = judge(status, said, expected)
            print(f"{'not ' if wrong else ''}ok {n + done} - {Path(path).stem}, "
                  f"line {line}: {commands.splitlines()[0]}", flush=True)
            done += 1
            if wrong:
                failed += 1
                print(f"# {wrong}; typed:\n# " + commands.rstrip().replace("\n", "\n# "))
                print("# printed:\n# " + said.rstrip().replace("\n", "\n# "), flush=True)
            if status is None:
                break
    finally:
        shell.close()
    return done, failed


def main(paths):
    n = failed = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("tutorial: stopped"))
    for path in paths:
        done, bad = do(path, n + 1)
        if not done:
            sys.exit(f"tutorial: {path}: has nothing to do")
        n += done
        failed += bad
    print(f"1..{n}")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
