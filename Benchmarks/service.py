#!/usr/bin/env python3
"""Measures `onepass serve`: acknowledged examples, predictions against other servers, and training beside clients.

    make bench                                       includes these parts
    Benchmarks/service.py --python PYTHON --rounds 3  with an interpreter that has the packages of Tools/requirements.txt
    Benchmarks/service.py --parts accepting           one part
    Benchmarks/service.py --parts lasting             ten minutes of load with slow clients, which `make bench` does not include

All programs run on this machine, alone and in alternation. The clients are `wrk` (Debian's package), which is left out with a notice
where it is missing, and threads of this program, which keep a rate. A peer whose packages are missing is left out with a notice.
"""

import argparse
import contextlib
import dataclasses
import http.client
import json
import os
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "Benchmarks" / "peers"
# Architecture, side of the images.
MODELS = {"ResNet-18 at 64": ("resnet18", 64), "ResNet-50 at 224": ("resnet50", 224)}
NO_LIBRARY = 69
PORT = 8_600


@dataclasses.dataclass
class Settings:
    """What is measured. Without `python`, OnePass is measured alone."""
    serve: Path
    predictions: Path
    data: Path
    python: str | None
    rounds: int
    seconds: float = 6
    parts: tuple = ("accepting", "predicting", "beside")
    minutes: float = 10


def images(data, count):
    """Encoded images of CIFAR-10 with their labels."""
    unpacked = subprocess.run(["zstd", "-dcq", data], stdout=subprocess.PIPE, check=True).stdout
    from io import BytesIO
    found, label = [], {}
    with tarfile.open(fileobj=BytesIO(unpacked)) as archive:
        for entry in archive:
            key, _, suffix = entry.name.partition(".")
            label.setdefault(key, {})[suffix] = archive.extractfile(entry).read()
            sample = label[key]
            if image := sample.get("jpg") or sample.get("png"):
                if "cls" in sample:
                    found.append((image, sample["cls"].decode().strip()))
                    if len(found) == count:
                        return found
    return found


def request(method, path, body=None, port=PORT, kind="image/jpeg"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body=body, headers={"Content-Type": kind} if body else {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


@contextlib.contextmanager
def program(command, ready, port=PORT, environment=None):
    """Runs a server until it answers, and ends it. Raises `Missing` if it lacks a library."""
    log = tempfile.TemporaryFile()
    process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, cwd=ROOT, env=environment)
    try:
        end = time.monotonic() + 120
        while True:
            if process.poll() is not None:
                if process.returncode == NO_LIBRARY:
                    raise Missing(" ".join(map(str, command[1:2])))
                log.seek(0)
                sys.exit(f"bench: {command[0]}: {log.read().decode(errors='replace')[-2000:]}")
            try:
                if request("GET", ready, port=port)[0] in (200, 503):
                    break
            except OSError:
                pass
            if time.monotonic() > end:
                sys.exit(f"bench: {command} does not answer")
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Missing(Exception):
    pass


@contextlib.contextmanager
def service(settings, options, serve_options=()):
    """`onepass serve` on an empty folder."""
    folder = Path(tempfile.mkdtemp(prefix="onepass-bench-"))
    try:
        lines = [f"{name}: {value}" for name, value in options.items()] + [
            "serve:", f"  folder: {folder}/service", f"  listen: 127.0.0.1:{PORT}", "  insecure-loopback: true",
            *(f"  {line}" for line in serve_options)]
        (folder / "serve.yaml").write_text("\n".join(lines) + "\n")
        with program([settings.serve, "--config", folder / "serve.yaml"], "/v1/status"):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def status():
    return json.loads(request("GET", "/v1/status")[1])


def learn(samples):
    for image, label in samples:
        code, _ = request("POST", f"/v1/examples?label={label}", image)
        assert code == 201, code


def wait_until_trained(count, seconds=120):
    end = time.monotonic() + seconds
    while status()["examples"]["trained"] < count and time.monotonic() < end:
        time.sleep(0.05)


def wrk(path, bodies, connections, seconds, port=PORT, kind="image/jpeg"):
    """Answers a second and the share of refused ones."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for index, body in enumerate(bodies):
            name = Path(folder) / f"{index}"
            name.write_bytes(body)
            names.append(str(name))
        script = Path(folder) / "post.lua"
        script.write_text(f"""
local bodies = {{}}
for name in string.gmatch([[{' '.join(names)}]], "%S+") do
  local file = io.open(name, "rb"); bodies[#bodies + 1] = file:read("*a"); file:close()
end
local next = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "{kind}"
request = function() next = next % #bodies + 1; return wrk.format(nil, nil, nil, bodies[next]) end
""")
        output = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "60s", "-s", script, f"http://127.0.0.1:{port}{path}"],
            stdout=subprocess.PIPE, text=True, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    total = int(re.search(r"(\d+) requests in", output)[1])
    return rate * (1 - (int(refused[1]) / total if refused else 0)), int(refused[1]) if refused else 0


# Examples that are acknowledged

def accepting(settings, samples):
    """64 connections send examples of 2 kB; while the model waits for its first mini-batch, and while it trains."""
    if not shutil.which("wrk"):
        print("bench: acknowledged examples are left out, because wrk is missing (apt install wrk)")
        return
    # Valid images of 2 kB: what follows the end of a JPEG image is ignored.
    bodies = [image + bytes(2_000 - len(image)) for image, _ in samples if len(image) <= 2_000][:200]
    for round_ in range(settings.rounds):
        for name, batch in (("waiting", 1_000_000), ("training", 32)):
            with service(settings, {"model": "resnet8", "classes": 10, "batch-size": batch, "storage": 500},
                         ["queue-limit: 10000000", "queue-bytes: 32GB"]):
                rate, refused = wrk("/v1/examples?label=1", bodies, 64, settings.seconds)
                trained = status()["examples"]["trained"]
            yield {"part": "service", "case": f"accepting 2 kB, {name}", "program": "OnePass", "round": round_,
                   "rate": rate, "refused": refused, "trained_rate": trained / settings.seconds}


# Predictions

def predicting(settings, samples):
    """Predictions over HTTP with 1 and 16 connections, and those of OnePass and onnxruntime without HTTP."""
    if not shutil.which("wrk"):
        print("bench: predictions are left out, because wrk is missing (apt install wrk)")
        return
    bodies = [image for image, _ in samples[:64]]
    for round_ in range(settings.rounds):
        for name, (model, side) in MODELS.items():
            options = {"model": model, "classes": 10, "image-size": side, "stem": "imagenet", "batch-size": 16,
                       "replay-steps": 1, "storage": 100}
            with service(settings, options, ["weights-every: 0.1s"]) as folder:
                learn(samples[:16])
                wait_until_trained(16)
                time.sleep(1.5)
                code, weights = request("GET", "/v1/model")
                assert code == 200
                for connections in (1, 16):
                    rate, _ = wrk("/v1/predict", bodies, connections, settings.seconds)
                    yield row(name, "OnePass", connections, rate, round_)
                kept = Path(tempfile.gettempdir()) / f"onepass-bench-{os.getpid()}.safetensors"
                kept.write_bytes(weights)
            try:
                alone = subprocess.run([settings.predictions, model, str(side), kept, str(settings.seconds)],
                                       stdout=subprocess.PIPE, text=True, check=True)
                for batch, rate in sorted(json.loads(alone.stdout).items()):
                    yield row(name, "OnePass, no HTTP", batch, rate, round_)
                yield from peers(settings, name, model, side, kept, bodies, round_)
            finally:
                kept.unlink()


def row(name, program_, connections, rate, round_):
    return {"part": "service", "case": f"predicting {name}, {connections} at a time", "program": program_, "round": round_,
            "rate": rate}


def peers(settings, name, model, side, weights, bodies, round_):
    if not settings.python:
        return
    arguments = ["--model", model, "--side", side, "--weights", weights, "--port", PORT + 1]
    for peer, path, ready in (("FastAPI", "/predict", "/ready"), ("MLServer", "/v2/models/resnet/infer", "/v2/health/ready")):
        try:
            with program([settings.python, PEERS / f"serving_{peer.lower()}.py", *arguments], ready, PORT + 1):
                while request("GET", ready, port=PORT + 1)[0] != 200:
                    time.sleep(0.1)
                sent, kind = bodies, "image/jpeg"
                if peer == "MLServer":
                    sent, kind = [inference(body) for body in bodies], "application/json"
                for connections in (1, 16):
                    rate, refused = wrk(path, sent, connections, settings.seconds, PORT + 1, kind)
                    assert refused == 0, f"{peer} refused {refused}"
                    yield row(name, peer, connections, rate, round_)
        except Missing:
            print(f"bench: {peer} is left out, because its packages are missing")
    run = subprocess.run([settings.python, PEERS / "serving_onnxruntime.py", *map(str, arguments[:-2]), "--seconds",
                          str(settings.seconds)], stdout=subprocess.PIPE, text=True)
    if run.returncode == NO_LIBRARY:
        print("bench: onnxruntime is left out, because its packages are missing")
        return
    run.check_returncode()
    for batch, rate in json.loads(run.stdout).items():
        yield row(name, "onnxruntime, no HTTP", batch, rate, round_)


def inference(body):
    """An image in the Open Inference Protocol."""
    import base64
    return json.dumps({"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES",
                                   "data": [base64.b64encode(body).decode()]}]}).encode()


# Training beside clients

class Threads:
    """Threads that work while a block runs."""
    threads, isStopped = (), False

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.isStopped = True
        for thread in self.threads:
            thread.join()


class Clients(Threads):
    """Threads that predict at a rate, and note how long each answer took."""

    def __init__(self, bodies, rate, threads=8):
        self.seconds, self.failures = [], 0
        self.bodies, self.interval = bodies, threads / rate
        self.threads = [threading.Thread(target=self.predict, args=(index,)) for index in range(threads)]
        self.lock = threading.Lock()

    def predict(self, index):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        due = time.monotonic() + self.interval * index / len(self.threads)
        while not self.isStopped:
            time.sleep(max(0, due - time.monotonic()))
            start = time.monotonic()
            connection.request("POST", "/v1/predict?top=1", body=self.bodies[index % len(self.bodies)],
                               headers={"Content-Type": "image/jpeg"})
            answer = connection.getresponse()
            answer.read()
            with self.lock:
                self.seconds.append(time.monotonic() - start)
                self.failures += answer.status != 200
            # What is late is not made up for, so that the rate is never exceeded.
            due = max(due + self.interval, time.monotonic())

    @property
    def p99(self):
        return statistics.quantiles(self.seconds, n=100)[-1] if len(self.seconds) > 100 else max(self.seconds)


def beside(settings, samples):
    """Training alone, and beside clients at half of the capacity for predictions; with rare and with frequent checkpoints."""
    if not shutil.which("wrk"):
        print("bench: training beside clients is left out, because wrk is missing (apt install wrk)")
        return
    bodies = [image for image, _ in samples[:64]]
    options = {"model": "resnet8", "classes": 10, "batch-size": 32, "replay-steps": 1, "storage": 500}
    seconds = 2 * settings.seconds
    for round_ in range(settings.rounds):
        with service(settings, options, ["weights-every: 0.1s"]):
            learn(samples[:32])
            wait_until_trained(32)
            time.sleep(1.5)
            capacity, _ = wrk("/v1/predict?top=1", bodies, 16, settings.seconds)
        base = {"part": "service", "program": "OnePass", "round": round_}
        rates = {}
        for name, rate, checkpoints in (("alone", 0, "1h"), ("with clients", capacity / 2, "1h"),
                                        ("with clients and checkpoints", capacity / 2, "0.5s")):
            weights = "0.1s" if checkpoints != "1h" else "1h"
            with service(settings, options, [f"weights-every: {weights}", f"checkpoint-every: {checkpoints}",
                                             "queue-limit: 10000000"]):
                wrk("/v1/examples?label=1", bodies, 64, 8)
                start, first, used = time.monotonic(), status()["examples"], time.process_time()
                with Clients(bodies, rate) if rate else contextlib.nullcontext() as clients:
                    time.sleep(seconds)
                    last = status()["examples"]
                    used = (time.process_time() - used) / seconds / os.cpu_count()
                assert last["lag"] > 0, "the queue was empty"
                rates[name] = (last["trained"] - first["trained"]) / (time.monotonic() - start)
                result = {**base, "case": f"training {name}", "rate": rates[name]}
                if clients:
                    result |= {"prediction_rate": len(clients.seconds) / seconds, "p99_ms": clients.p99 * 1e3,
                               "failures": clients.failures, "capacity": capacity,
                               # Predictions and the clients' own work take their part of the machine, and training has the rest.
                               "clients_share": used,
                               "fair_share": rates[name] / rates["alone"]
                               / (1 - len(clients.seconds) / seconds / capacity - used)}
                yield result


# Load that lasts

class Load(Threads):
    """Threads that post examples at a rate, hold connections on which they send a byte every two seconds, and watch the service."""

    def __init__(self, samples, rate, slow, process):
        self.samples, self.rate, self.process = samples, rate, process
        self.answers, self.weights, self.memory, self.cut, self.failure = {}, set(), [], 0, None
        self.threads = [threading.Thread(target=self.guarded, args=(work,))
                        for work in (self.learn, self.watch, *[self.crawl] * slow)]

    def guarded(self, work):
        try:
            work()
        except Exception as error:  # Reported at the end, since a thread cannot raise it elsewhere.
            self.failure = self.failure or error

    def learn(self):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        due, index = time.monotonic(), 0
        while not self.isStopped:
            time.sleep(max(0, due - time.monotonic()))
            image, label = self.samples[index % len(self.samples)]
            connection.request("POST", f"/v1/examples?label={label}", body=image, headers={"Content-Type": "image/jpeg"})
            answer = connection.getresponse()
            answer.read()
            self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
            due, index = max(due + 1 / self.rate, time.monotonic()), index + 1

    def crawl(self):
        while not self.isStopped:
            with socket.create_connection(("127.0.0.1", PORT)) as connection:
                connection.settimeout(10)
                try:
                    connection.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n")
                    while not self.isStopped:
                        connection.sendall(b"x")
                        time.sleep(2)
                except OSError:
                    self.cut += 1

    def watch(self):
        while not self.isStopped:
            self.weights.add(status()["predictions"]["weightsStep"])
            pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
            self.memory.append((time.monotonic(), pages * os.sysconf("SC_PAGESIZE")))
            time.sleep(0.1)

    def __exit__(self, *reason):
        super().__exit__(*reason)
        if self.failure:
            raise self.failure

    def resident(self, first, last):
        """The mean resident bytes in a part of the time, 0 to 1."""
        start, end = self.memory[0][0], self.memory[-1][0]
        found = [value for time_, value in self.memory if first <= (time_ - start) / (end - start) <= last]
        return statistics.mean(found)


def lasting(settings, samples):
    """16 clients that predict without a pause, one that sends examples, and 40 slow ones, while the model trains and is saved."""
    if not shutil.which("wrk"):
        print("bench: lasting load is left out, because wrk is missing (apt install wrk)")
        return
    options = {"model": "resnet8", "classes": 10, "batch-size": 32, "replay-steps": 1, "storage": 500}
    with service(settings, options, ["weights-every: 0.2s", "checkpoint-every: 1s"]) as folder:
        learn(samples[:32])
        wait_until_trained(32)
        process = int(subprocess.run(["pgrep", "-nf", f"{settings.serve.name}.*{folder}"], stdout=subprocess.PIPE, text=True,
                                     check=True).stdout)
        with Load(samples, 100, 40, process) as load:
            rates, refused = zip(*(wrk("/v1/predict?top=1", [image for image, _ in samples[:64]], 16, 60)
                                   for _ in range(round(settings.minutes))))
        last = status()
        saved = int(re.search(rb"^onepass_checkpoints_total (\d+)", request("GET", "/metrics")[1], re.M)[1])
    yield {"part": "service", "case": f"lasting load, {settings.minutes:g} min", "program": "OnePass", "round": 0,
           "rate": statistics.mean(rates), "failures": sum(refused) + last["predictions"]["failed"], "answers": load.answers,
           "swaps": len(load.weights), "checkpoints": saved, "slow_clients_cut": load.cut,
           "p99_ms": last["predictions"]["p99Milliseconds"], "trained": last["examples"]["trained"],
           "first_mb": load.resident(0.1, 0.3) / 1e6, "middle_mb": load.resident(0.4, 0.6) / 1e6,
           "last_mb": load.resident(0.8, 1) / 1e6}


def measured(settings):
    samples = images(settings.data, 400)
    for part in settings.parts:
        yield from globals()[part](settings, samples)


def report(rows):
    """Prints medians and ranges."""
    for key in dict.fromkeys((row["case"], row["program"]) for row in rows):
        own = [row for row in rows if (row["case"], row["program"]) == key]
        values = [row["rate"] for row in own]
        text = f"  {key[0]}: {key[1]}: {statistics.median(values):.0f}/s ({min(values):.0f} to {max(values):.0f}, n = {len(values)})"
        for name in ("trained_rate", "prediction_rate", "p99_ms", "clients_share", "fair_share", "failures", "swaps", "checkpoints",
                     "slow_clients_cut", "first_mb", "middle_mb", "last_mb"):
            if found := [row[name] for row in own if row.get(name) is not None]:
                text += f", {name} {statistics.median(found):.3g} ({min(found):.3g} to {max(found):.3g})"
        print(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", type=Path, default=ROOT / ".build" / "release" / "onepass-serve")
    parser.add_argument("--predictions", type=Path, default=ROOT / ".build" / "release" / "PredictionBenchmark")
    parser.add_argument("--data", type=Path,
                        default=Path(os.environ.get("CIFAR10", ROOT.parent / "shared" / "data")) / "cifar10-train.tar.zst")
    parser.add_argument("--python", help="the interpreter of the peers; without it, OnePass is measured alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--parts", nargs="+", choices=(*Settings.parts, "lasting"), default=Settings.parts)
    parser.add_argument("--minutes", type=float, default=10, help="the length of the part lasting")
    arguments = parser.parse_args()
    rows = []
    for found in measured(Settings(arguments.serve, arguments.predictions, arguments.data, arguments.python, arguments.rounds, arguments.seconds,
                                   tuple(arguments.parts), arguments.minutes)):
        print("  " + json.dumps(found), flush=True)
        rows.append(found)
    print(f"{platform.machine()}, {os.cpu_count()} cores")
    report(rows)


if __name__ == "__main__":
    main()
