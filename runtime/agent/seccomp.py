"""System calls that nothing in a sandbox needs, as the BPF program bwrap loads (seccomp(2), linux/filter.h).

Namespaces leave one thing shared that this closes: kernel keyrings belong to a user of the machine, and the user
inside is the runtime's. The rest are the usual ways into a kernel. A call on the list fails with EPERM; so does every
call made in another machine's convention (32 bit).
"""

import errno
import struct
from typing import NamedTuple


class _Machine(NamedTuple):
    audit: int
    denied: tuple[int, ...]


# add_key request_key keyctl ptrace process_vm_readv process_vm_writev bpf perf_event_open userfaultfd
# kexec_load kexec_file_load init_module finit_module delete_module mount umount2 pivot_root setns unshare
# open_by_handle_at swapon swapoff reboot acct syslog quotactl settimeofday clock_settime, io_uring (425-427)
# open_tree move_mount fsopen fsconfig fsmount fspick (428-433) mount_setattr (442)
_NEW = (425, 426, 427, 428, 429, 430, 431, 432, 433, 442)
_MACHINES = {
    "x86_64": _Machine(
        0xC000003E,
        (
            *(248, 249, 250, 101, 310, 311, 321, 298, 323),
            *(246, 320, 175, 313, 176, 165, 166, 155, 308, 272),
            *(304, 167, 168, 169, 163, 103, 179, 164, 227),
            *_NEW,
        ),
    ),
    "aarch64": _Machine(
        0xC00000B7,
        (
            *(217, 218, 219, 117, 270, 271, 280, 241, 282),
            *(104, 294, 105, 273, 106, 40, 39, 41, 268, 97),
            *(265, 224, 225, 142, 89, 116, 60, 170, 112),
            *_NEW,
        ),
    ),
}

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_NUMBER_AT, _AUDIT_AT = 0, 4
_X32 = 0x40000000


def program(machine: str) -> bytes:
    """The filter for ``platform.machine()``; empty for one whose numbers are not known here."""
    if machine not in _MACHINES:
        return b""
    audit, denied = _MACHINES[machine]
    steps = len(denied)
    lines = [
        (_LOAD, 0, 0, _AUDIT_AT),
        (_EQUAL, 0, steps + 3, audit),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, steps + 1, 0, _X32),
        *((_EQUAL, steps - place, 0, number) for place, number in enumerate(denied)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)
