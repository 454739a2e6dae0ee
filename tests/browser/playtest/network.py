"""A virtual network of machines, for a server and participants whose addresses can change.

Each machine is a network namespace with one network card, connected to one switch. They belong to a user
namespace, so that no privileges are needed, and they end with the process that created them.
"""

import socket
import subprocess
import sys
from pathlib import Path

_FORWARDER = Path(__file__).with_name("forwarder.py")
_NETWORK = "10.77.0"


class NetworkError(RuntimeError):
    """Raised if this system allows no network namespaces; the message is the system's."""


class Machine:
    """One machine of a `Network`.

    Attributes:
        address: The machine's current IP address.
        prefix: The words before a command that make it run on this machine.
    """

    def __init__(self, address: str, prefix: tuple[str, ...]) -> None:
        self.address = address
        self.prefix = prefix
        self._forwarders: list[subprocess.Popen[bytes]] = []

    def move(self, address: str) -> None:
        """Replace the machine's address, as after a change of Wi-Fi. The old one becomes unreachable."""
        _run(*self.prefix, "ip", "address", "flush", "dev", "card")
        _run(*self.prefix, "ip", "address", "add", f"{address}/24", "dev", "card")
        # Browsers find their own address only if there is a default route.
        _run(*self.prefix, "ip", "route", "add", "default", "dev", "card")
        self.address = address

    def wrapper(self, program: str, file: Path) -> Path:
        """Write a script that runs a program on this machine, for callers that need an executable's path.

        Args:
            program: The program's path.
            file: The script to write.
        """
        file.write_text(f'#!/bin/sh\nexec {" ".join(self.prefix)} {program} "$@"\n', "utf-8")
        file.chmod(0o755)
        return file

    def forward(self, port: int) -> None:
        """Forward connections from a port of our loopback to the same port of this machine's loopback."""
        with socket.create_server(("127.0.0.1", port)) as listener:
            # A socket stays in the namespace in which it was created, even in a process of another one.
            number = listener.fileno()
            self._forwarders.append(
                subprocess.Popen(
                    [*self.prefix, sys.executable, str(_FORWARDER), str(number), str(port)],
                    pass_fds=(number,),
                )
            )

    def close(self) -> None:
        """Stop the processes that forward connections to this machine."""
        for forwarder in self._forwarders:
            forwarder.kill()
            forwarder.wait()


class Network:
    """A switch with the machines that are connected to it.

    Raises:
        NetworkError: This system allows no network namespaces.
    """

    def __init__(self) -> None:
        self._machines: list[Machine] = []
        self._keepers: list[subprocess.Popen[bytes]] = []
        self._switch = self._new_namespace(("unshare", "--user", "--map-root-user", "--net"))
        _run(*self._switch, "ip", "link", "add", "switch", "type", "bridge")
        _run(*self._switch, "ip", "link", "set", "switch", "up")

    def machine(self, number: int) -> Machine:
        """Create a machine and connect it to the switch.

        Args:
            number: The last number of the machine's address, 1 to 254.
        """
        prefix = self._new_namespace((*self._switch, "unshare", "--net"))
        outlet, machine = f"outlet{number}", str(self._keepers[-1].pid)
        card = ("type", "veth", "peer", "name", "card", "netns", machine)
        _run(*self._switch, "ip", "link", "add", outlet, *card)
        _run(*self._switch, "ip", "link", "set", outlet, "master", "switch", "up")
        for name in ("lo", "card"):
            _run(*prefix, "ip", "link", "set", name, "up")
        made = Machine("", prefix)
        self._machines.append(made)
        made.move(self.address(number))
        return made

    def address(self, number: int) -> str:
        """Return the address in this network that ends with a number."""
        return f"{_NETWORK}.{number}"

    def close(self) -> None:
        """Remove all machines and the switch."""
        for machine in self._machines:
            machine.close()
        for keeper in reversed(self._keepers):
            keeper.communicate(timeout=10)

    def _new_namespace(self, command: tuple[str, ...]) -> tuple[str, ...]:
        """Start a process that keeps a new namespace alive; return the words that run a command in it."""
        keeper = subprocess.Popen(
            [*command, "sh", "-c", "echo; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert keeper.stdout is not None
        if not keeper.stdout.readline():
            _, said = keeper.communicate(timeout=10)
            raise NetworkError(said.decode().strip())
        self._keepers.append(keeper)
        return ("nsenter", "--target", str(keeper.pid), "--user", "--net", "--preserve-credentials")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    if done.returncode:
        raise NetworkError(f"{' '.join(command)}: {done.stderr.strip()}")
