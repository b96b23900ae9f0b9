"""Free ports on the loopback address, the same ones again after a restart where they are still free."""

import socket
from collections.abc import MutableMapping

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port nobody listens on, as the kernel gives it."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def remembered_port(ports: MutableMapping[str, int], name: str, *, wish: int | None = None) -> int:
    """The port `name` had before, else the one wished for, else any; remembered in `ports`."""
    taken = {port for other, port in ports.items() if other != name}
    for port in (ports.get(name), wish):
        if port is not None and port not in taken and is_free(port):
            break
    else:
        port = free_port()
        while port in taken:
            port = free_port()
    ports[name] = port
    return port
