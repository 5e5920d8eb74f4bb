"""What the process that examines photos gives up before it has seen one: the network, files, other processes.

On Linux, and each where the system lets go of it; where it does not, photos are examined all the same. It comes before
libraries are loaded: Landlock holds for the thread that asks for it and those it starts, and libraries start threads.
"""

import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000  # unshare(2)
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38  # prctl(2)
#: landlock(7); the numbers are the same on every kind of machine.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF, VERSION, BENEATH = 444, 445, 446, 1, 1
READ_FILE, READ_DIR = 1 << 2, 1 << 3
#: seccomp(2), of 64-bit machines: the architecture as the kernel calls it, clone, and what else starts a process.
SYSCALLS = {"x86_64": (0xC000003E, 56, 57, 58), "aarch64": (0xC00000B7, 220)}
CLONE3, CLONE_THREAD, X32 = 435, 0x10000, 0x40000000  # clone3 hides its flags: without it libraries take clone
LOAD, EQUAL, SET, LEAST, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06  # of a classic BPF program, linux/bpf_common.h
ALLOWED, REFUSED, NOT_THERE = 0x7FFF0000, 0x50000 | 1, 0x50000 | 38  # EPERM, ENOSYS
PR_SET_SECCOMP = 22
#: Where libraries of the system are, and what they ask of the machine they run on.
SYSTEM = (
    "/usr", "/lib", "/lib64", "/nix/store", "/etc/ld.so.cache", "/dev/null", "/dev/urandom", "/proc/self",
    "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system", "/sys/fs/cgroup",
)  # fmt: skip


def limit(data: int, space: int) -> None:  # pragma: no cover (it would hold for the tests too)
    """`data`: bytes that can become memory; `space`: bytes of addresses, mapped files and shared memory included."""
    resource.setrlimit(resource.RLIMIT_DATA, (data, data))
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # nothing in clear on a disk,
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # also not when it crashes


def isolate(parent: int, readable: Iterable[str]) -> None:  # pragma: no cover (as above)
    """No network; of the files only these and the system's, to read; and no life without the process of this number."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if libc.unshare(CLONE_NEWNET) != 0:  # for root; others need a user namespace, which some systems refuse
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # the first to go when memory is short
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _read_only(libc, [*SYSTEM, sys.base_prefix, *readable])
    _no_processes(libc)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)


def _no_processes(libc: ctypes.CDLL) -> None:  # pragma: no cover (as above)
    """With seccomp(2): threads can be started, processes cannot. One that leaves the process group would outlive all.

    Each line is a struct sock_filter: what to do, how many lines to skip if so and if not, and with what.
    """
    if os.uname().machine not in SYSCALLS:
        return
    architecture, clone, *forks = SYSCALLS[os.uname().machine]
    checks = [(EQUAL, 1, 0, architecture), (RETURN, 0, 0, REFUSED), (LOAD, 0, 0, 0), (LEAST, 0, 1, X32),
              (RETURN, 0, 0, REFUSED), (EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, NOT_THERE)]  # fmt: skip
    for fork in forks:
        checks += [(EQUAL, 0, 1, fork), (RETURN, 0, 0, REFUSED)]
    checks += [(EQUAL, 0, 3, clone), (LOAD, 0, 0, 16), (SET, 1, 0, CLONE_THREAD), (RETURN, 0, 0, REFUSED),
               (RETURN, 0, 0, ALLOWED)]  # fmt: skip
    lines = b"".join(struct.pack("HBBI", *line) for line in [(LOAD, 0, 0, 4), *checks])
    program = ctypes.create_string_buffer(lines, len(lines))
    told = struct.pack("HxxxxxxQ", len(lines) // 8, ctypes.addressof(program))
    libc.prctl(PR_SET_SECCOMP, 2, told, 0, 0)


def _read_only(libc: ctypes.CDLL, paths: Iterable[str]) -> None:  # pragma: no cover (as above)
    """With Landlock: no other file is opened, none is executed, no process outside is traced or signalled."""
    version = libc.syscall(CREATE_RULESET, None, 0, VERSION)
    if version < 1:
        return
    files = (1 << (13 if version < 2 else 14 if version < 3 else 15)) - 1
    network, scoped = (3 if version >= 4 else 0), (3 if version >= 6 else 0)  # TCP; abstract sockets and signals
    asked = struct.pack("QQQ", files, network, scoped)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = libc.syscall(CREATE_RULESET, asked, len(asked), 0)
    for path in paths:
        with suppress(OSError):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = READ_FILE | READ_DIR if os.path.isdir(path) else READ_FILE
            libc.syscall(ADD_RULE, ruleset, BENEATH, struct.pack("=Qi", allowed, place), 0)
            os.close(place)
    libc.syscall(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
