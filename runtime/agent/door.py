"""The door of a sandbox: one listening socket, made inside, served from outside.

Runs for a moment INSIDE the sandbox, as ``python -I -S door.py SOCKET PORT PROGRAM ARG…``: it listens on
127.0.0.1:PORT in the sandbox's own network namespace, hands that socket to the runtime over the unix socket
bound at SOCKET (SCM_RIGHTS, unix(7)), and becomes PROGRAM. A socket belongs to the namespace it was made in,
whoever accepts on it: no process forwards anything, and nothing else of the machine's network is in reach.

Owns nothing after the exec. Does not own who serves the socket (doors.py). Standard library only.
"""

import os
import socket
import sys

BACKLOG = 64


def hand_over(path: str, port: int) -> None:
    """Listen on loopback and give the listening socket away; the runtime's copy keeps it open."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(BACKLOG)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as runtime:
            runtime.connect(path)
            socket.send_fds(runtime, [b"door"], [listening.fileno()])
            # Until the runtime says it serves, a program started now could find nobody at home.
            if runtime.recv(4) != b"open":
                sys.exit("the runtime did not open the door")


if __name__ == "__main__":
    hand_over(sys.argv[1], int(sys.argv[2]))
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606 - to become the program is the point
