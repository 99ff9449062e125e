"""A real RabbitMQ on loopback, of Debian's packages, started and stopped with this process."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pika  # type: ignore[import-untyped]  # marks no annotations as such

from sandbox.programs import free_port
from sandbox.runtime import clean_environment, runtime_directory
from sandbox.server import Server
from sandbox.supervised import Supervised
from tests.cli.forking import ROOT
from tests.rabbitmq.certificate import write_certificate

UNPACKED = ROOT / ".rabbitmq"
PORTS = (20_000, 30_000)
_PROBE_SECONDS = 2.0


def installation() -> Path | None:
    """The root of the file system that RabbitMQ is in: one of our own, or the machine's."""
    found = [root for root in (UNPACKED, Path("/")) if (root / "usr/lib/rabbitmq/bin").is_dir()]
    return found[0] if found else None


class RabbitServer(Server):
    """One node. It has ports, a name and a port mapper of its own, and disturbs no other on the machine."""

    name = "RabbitMQ"
    stop_signal = "TERM"

    def __init__(self, root: Path, data: Path, runtime: Path) -> None:
        """Describe the server; nothing is started yet."""
        self.port, self.tls_port, self._mapper_port, self._node_port = (_port() for _ in range(4))
        self.certificate = runtime / "certificate.pem"
        super().__init__(f"amqp://guest:guest@127.0.0.1:{self.port}/", data, runtime)
        self._erlang = root.resolve() / "usr/lib/erlang"
        (self._machine,) = self._erlang.glob("erts-*/bin")
        (self._programs,) = (root.resolve() / "usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin")
        self._libraries = sorted(map(str, (root.resolve() / "usr/lib").glob("*-linux-gnu")))
        self._mapper: Supervised | None = None

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` says."""
        command = [str(self._programs / "rabbitmqctl"), *arguments]
        return subprocess.run(
            command, env=self._environment(), check=True, capture_output=True, text=True, timeout=60
        ).stdout

    @contextlib.contextmanager
    def memory_alarm(self) -> Iterator[None]:
        """It has less memory than it needs while the block runs, and takes no messages."""
        self.control("set_vm_memory_high_watermark", "0.000001")
        try:
            yield
        finally:
            self.control("set_vm_memory_high_watermark", "0.4")

    def queues(self) -> dict[str, int]:
        """All that there are, each with its messages: those that workers have in hand included."""
        lines = self.control("list_queues", "--quiet", "--no-table-headers", "name", "messages").splitlines()
        return {name: int(messages) for name, messages in (line.split("\t") for line in lines)}

    def declare(self, queue: str) -> None:
        """As somebody else would."""
        with pika.BlockingConnection(pika.URLParameters(self.url)) as connection:
            connection.channel().queue_declare(queue, durable=True)

    def close(self) -> None:
        """Stop all that was started."""
        self.stop()
        if self._mapper is not None:
            self._mapper.stop()

    def _prepare(self, lock: int) -> None:
        (self._runtime / "home").mkdir(exist_ok=True)
        # Debian's own `erl` looks in /usr/lib/erlang alone.
        starter = self._runtime / "erl"
        starter.write_text(
            f"#!/bin/sh\nexport ROOTDIR={self._erlang} BINDIR={self._machine} EMU=beam PROGNAME=erl\n"
            f'exec {self._machine}/erlexec "$@"\n'
        )
        starter.chmod(0o755)
        write_certificate(self.certificate)
        (self.data / "rabbitmq.conf").write_text(
            f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}\n"
            f"ssl_options.certfile = {self.certificate}\nssl_options.keyfile = {self.certificate}\n"
        )
        if self._mapper is None:
            self._mapper = Supervised(
                [str(self._machine / "epmd"), "-address", "127.0.0.1", "-port", str(self._mapper_port)],
                output=subprocess.DEVNULL,
                env=self._environment(),
            )

    def _environment(self) -> dict[str, str]:
        return clean_environment() | {
            "PATH": f"{self._runtime}:{self._machine}:{os.defpath}",
            "HOME": str(self._runtime / "home"),
            "LD_LIBRARY_PATH": ":".join(self._libraries),
            "ESCRIPT_EMULATOR": str(self._runtime / "erl"),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"dunning{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._node_port),
            "RABBITMQ_MNESIA_BASE": str(self.data / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.data / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(self.data / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.data / "plugins"),
            "RABBITMQ_PID_FILE": str(self.data / "pid"),
            # The script becomes the server, instead of waiting for it.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput -kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _command(self) -> list[str]:
        settings = [f"{name}={value}" for name, value in self._environment().items()]
        return ["/usr/bin/env", "-i", *settings, str(self._programs / "rabbitmq-server")]

    def _answers(self) -> bool:
        place = pika.URLParameters(self.url)
        place.socket_timeout = place.stack_timeout = _PROBE_SECONDS
        with contextlib.suppress(pika.exceptions.AMQPError, OSError):  # not listening yet
            pika.BlockingConnection(place).close()
            return True
        return False


def _port() -> int:
    """Below those that the kernel gives to whoever connects.

    While the server is away, one of these might connect to itself, and the server find its port taken.
    """
    while (port := free_port(random.randint(*PORTS))) > PORTS[1]:  # noqa: S311  # no secret
        pass
    return port


@contextlib.contextmanager
def rabbitmq(root: Path) -> Iterator[RabbitServer]:
    """Run RabbitMQ while the block runs. Raises SandboxError."""
    with runtime_directory("dunning-mq") as runtime:
        server = RabbitServer(root, runtime / "data", runtime)
        server.start()
        try:
            yield server
        finally:
            server.close()
