"""Brokers on loopback ports, each in a folder of its own, for `live.py`."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from ranks import free_port


class Missing(Exception):
    """Why a broker cannot be started."""


def program(name):
    path = shutil.which(name)
    if not path:
        raise Missing(f"{name} is not installed")
    return path


class Broker:
    """A server. A subclass starts it in `start` and adds what it starts to `processes`."""
    # The kind in `peers/streams.py` and `peers/streams.c`, the usual Python clients, and the scheme of URLs.
    kind = scheme = ""
    clients = ()
    # The largest stream that is read.
    megabytes = 1_000

    def __init__(self, folder, python):
        self.folder, self.python, self.port, self.processes = Path(folder), python, free_port(), []

    def __enter__(self):
        try:
            self.start()
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def launch(self, *command, **environment):
        with open(self.folder / "log", "ab") as log:
            self.processes.append(subprocess.Popen([str(word) for word in command], cwd=self.folder, stdout=log, stderr=log,
                                                   stdin=subprocess.DEVNULL, env={**os.environ, **environment}))

    def wait(self, seconds=60):
        end = time.monotonic() + seconds
        while not self.is_ready():
            if time.monotonic() > end or self.processes[-1].poll() is not None:
                raise Missing("the server does not start: " + (self.folder / "log").read_text(errors="replace")[-300:])
            time.sleep(0.05)

    def is_ready(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()

    def url(self, stream):
        return f"{self.scheme}://127.0.0.1:{self.port}/{stream}"


class Redis(Broker):
    kind, scheme, clients = "Redis", "redis", ("redis-py", "redis-py with hiredis")

    def start(self):
        self.launch(program("redis-server"), "--port", self.port, "--bind", "127.0.0.1", "--dir", self.folder, "--save", "")


class NATS(Broker):
    kind, scheme, clients = "NATS", "nats", ("nats-py",)

    def start(self):
        configuration = self.folder / "nats.conf"
        configuration.write_text(f'listen: "127.0.0.1:{self.port}"\njetstream {{ store_dir: "{self.folder}/store" }}\n')
        self.launch(program("nats-server"), "-c", configuration)


class RabbitMQ(Broker):
    kind, scheme, clients = "RabbitMQ", "amqp", ("pika",)

    def start(self):
        # The script itself: Debian's in PATH changes the user.
        script = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
        script = script if script.exists() else program("rabbitmq-server")
        names = free_port()
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.file = false\nlog.console = true\n")
        (self.folder / "plugins").write_text("[].")
        self.launch(program("epmd"), "-port", names, "-address", "127.0.0.1")
        places = {"MNESIA_BASE": "data", "LOG_BASE": "logs", "CONFIG_FILE": "rabbitmq.conf", "ENABLED_PLUGINS_FILE": "plugins",
                  "PID_FILE": "pid", "GENERATED_CONFIG_DIR": "generated"}
        self.launch(script, HOME=str(self.folder), RABBITMQ_NODENAME=f"onepass-{self.port}@localhost",
                    RUNNING_UNDER_SYSTEMD="1", RABBITMQ_CONF_ENV_FILE="/dev/null", RABBITMQ_DIST_PORT=str(free_port()),
                    ERL_EPMD_PORT=str(names), ERL_EPMD_ADDRESS="127.0.0.1",
                    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none",
                    **{f"RABBITMQ_{name}": str(self.folder / place) for name, place in places.items()})

    def is_ready(self):
        return "Server startup complete" in (self.folder / "log").read_text(errors="replace")


class Kafka(Broker):
    """noida-db of PyPI, a broker that speaks Kafka's protocol.

    It answers a request with the whole rest of a stream, whatever size was requested. librdkafka accepts 100 MB by default.
    """
    megabytes = 60
    kind, scheme, clients = "Kafka", "kafka", ("confluent-kafka", "kafka-python")

    def start(self):
        self.launch(self.server(), "start", "--data-dir", self.folder / "data", "--only", "kafka", "--kafka-port", self.port)

    def server(self):
        if path := os.environ.get("ONEPASS_NOIDA"):
            return path
        # The executable in the package: its launcher would not end with the server.
        found = subprocess.run([self.python, "-c", "import noida_db; print(noida_db.__path__[0])"], capture_output=True, text=True)
        path = Path(found.stdout.strip()) / "noida-db"
        if found.returncode or not path.exists():
            raise Missing("noida-db is not installed")
        return path


ALL = (Kafka, Redis, NATS, RabbitMQ)
