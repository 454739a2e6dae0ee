"""A local network with machines of its own: a server and participants whose addresses can change.

Each machine is a network namespace with one card, in one switch. They belong to a user namespace, so that no
rights are needed, and they end with the process that made them.
"""

import socket
import subprocess
import sys
from pathlib import Path

_FORWARDER = Path(__file__).with_name("forwarder.py")
_NETWORK = "10.77.0"


class NetworkError(RuntimeError):
    """This system grants no network namespaces; carries what it said."""


class Machine:
    """One machine of a `Network`.

    Attributes:
        address: What it has now.
        prefix: A command behind these words runs on it.
    """

    def __init__(self, address: str, prefix: tuple[str, ...]) -> None:
        self.address = address
        self.prefix = prefix
        self._forwarders: list[subprocess.Popen[bytes]] = []

    def move(self, address: str) -> None:
        """Lose the address, as in leaving a Wi-Fi, and have another: nothing comes to the old one now."""
        _run(*self.prefix, "ip", "address", "flush", "dev", "card")
        _run(*self.prefix, "ip", "address", "add", f"{address}/24", "dev", "card")
        # Without one, browsers know no address of their own.
        _run(*self.prefix, "ip", "route", "add", "default", "dev", "card")
        self.address = address

    def wrapper(self, program: str, file: Path) -> Path:
        """Write a program that runs another one here, for those who take the path of an executable.

        Args:
            program: Its path.
            file: Where to write.
        """
        file.write_text(f'#!/bin/sh\nexec {" ".join(self.prefix)} {program} "$@"\n', "utf-8")
        file.chmod(0o755)
        return file

    def forward(self, port: int) -> None:
        """Have connections to a port of our own loopback go to the same one of that machine's."""
        with socket.create_server(("127.0.0.1", port)) as listener:
            # A socket stays in the namespace that it was made in, whoever holds it.
            number = listener.fileno()
            self._forwarders.append(
                subprocess.Popen(
                    [*self.prefix, sys.executable, str(_FORWARDER), str(number), str(port)],
                    pass_fds=(number,),
                )
            )

    def close(self) -> None:
        """End what was started to reach it."""
        for forwarder in self._forwarders:
            forwarder.kill()
            forwarder.wait()


class Network:
    """The switch, and all that is plugged into it.

    Raises:
        NetworkError: There can be none here.
    """

    def __init__(self) -> None:
        self._machines: list[Machine] = []
        self._keepers: list[subprocess.Popen[bytes]] = []
        self._switch = self._new_namespace(("unshare", "--user", "--map-root-user", "--net"))
        _run(*self._switch, "ip", "link", "add", "switch", "type", "bridge")
        _run(*self._switch, "ip", "link", "set", "switch", "up")

    def machine(self, number: int) -> Machine:
        """Plug in a machine.

        Args:
            number: The last number of its address: 1 to 254.
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
        """An address in this network."""
        return f"{_NETWORK}.{number}"

    def close(self) -> None:
        """Pull all plugs."""
        for machine in self._machines:
            machine.close()
        for keeper in reversed(self._keepers):
            keeper.communicate(timeout=10)

    def _new_namespace(self, command: tuple[str, ...]) -> tuple[str, ...]:
        """Start a process that keeps it until its input ends; answers the words that lead in."""
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
