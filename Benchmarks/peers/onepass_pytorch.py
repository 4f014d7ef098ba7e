#!/usr/bin/env python3
"""One Pass ImageNet (Hu, Li, Calandriello, Görür, 2021) in plain PyTorch: the reference for OnePass.

Written only from the paper, for the CIFAR-10 stream and ResNet-20. The speed benchmarks also use torchvision's ResNets and
images of other sizes. Three methods:

  naive        one pass, no augmentation, nothing stored
  replay       one pass, a small memory of JPEG bytes, k replayed batches per incoming batch
  multi-epoch  every example stored, E reshuffled passes: the upper bound

Prints one JSON record on standard output (and appends it to --output); progress goes to standard error.

    python onepass_pytorch.py --data cifar10-train.tar.zst --eval-data cifar10-test.tar.zst --method replay --seed 1
"""

import argparse
import io
import json
import math
import os
import platform
import resource
import sys
import tarfile
import time
from itertools import islice

import numpy as np
import simplejpeg
import torch
import torch.nn.functional as F
import zstandard
from torch import nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
CLASSES, PADDING = 10, 4
SMALL = 64  # up to this size images are padded and cropped; larger ones are resized and cropped

# ---------------------------------------------------------------------------------------------- stream

def read_shard(path, limit=None):
    """Yields (JPEG bytes, label) from a WebDataset shard (.tar or .tar.zst), in arrival order.

    The shard is decompressed and read sequentially, so memory does not grow with the stream.
    """

    def examples():
        with open(path, "rb") as file:
            stream = zstandard.ZstdDecompressor().stream_reader(file) if str(path).endswith(".zst") else file
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                key, parts = None, {}
                for member in archive:
                    stem, suffix = os.path.splitext(member.name)
                    if stem != key:
                        key, parts = stem, {}
                    parts[suffix] = archive.extractfile(member).read()
                    # tarfile keeps a list of all members; clear it, so that memory does not grow with the stream.
                    archive.members.clear()
                    if ".jpg" in parts and ".cls" in parts:
                        yield parts.pop(".jpg"), int(parts.pop(".cls"))

    return islice(examples(), limit)


def batches(examples, size):
    """Groups an iterable into lists of `size`; the last list may be shorter."""
    examples = iter(examples)
    while batch := list(islice(examples, size)):
        yield batch

# ---------------------------------------------------------------------------------------------- images

class PlainLoader:
    """Pillow and torchvision.transforms, image by image: the usual implementation."""

    def __init__(self, seed, size=32):
        # Imported here, so that the tuned loader does not include torchvision's 130 MB.
        from PIL import Image
        from torchvision import transforms
        self.open = Image.open
        to_tensor = [transforms.ToTensor(), transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD)]
        plane = resized(size)
        fit = [] if size <= SMALL else [transforms.Resize((plane, plane))]
        augment = [transforms.RandomCrop(size, padding=PADDING if size <= SMALL else 0), transforms.RandomHorizontalFlip()]
        self.evaluation = transforms.Compose(fit + [transforms.CenterCrop(size)] + to_tensor)
        self.training = transforms.Compose(fit + augment + to_tensor)

    def __call__(self, jpegs, augment):
        """JPEG bytes -> float32 [B, 3, size, size], normalised, channels last."""
        transform = self.training if augment else self.evaluation
        images = [transform(self.open(io.BytesIO(jpeg)).convert("RGB")) for jpeg in jpegs]
        return torch.stack(images).contiguous(memory_format=torch.channels_last)


class TunedLoader:
    """libjpeg-turbo straight into a uint8 batch, then crop, flip and normalise the batch at once."""

    def __init__(self, seed, size=32):
        self.rng = np.random.default_rng([seed, 1])
        self.size, self.plane = size, resized(size)
        if size > SMALL:
            import cv2
            cv2.setNumThreads(0)
            self.resize = lambda image: cv2.resize(image, (self.plane, self.plane), interpolation=cv2.INTER_AREA)
        std = torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)
        self.scale = 1 / (255 * std)
        self.shift = -torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1) / std

    def __call__(self, jpegs, augment):
        """JPEG bytes -> float32 [B, 3, size, size], normalised, channels last."""
        images = np.empty((len(jpegs), self.plane, self.plane, 3), dtype=np.uint8)
        for image, jpeg in zip(images, jpegs):
            pixels = simplejpeg.decode_jpeg(jpeg)
            image[:] = pixels if self.size <= SMALL else self.resize(pixels)
        padding = PADDING if self.size <= SMALL else 0
        room = self.plane + 2 * padding - self.size
        if augment:
            top, left = self.rng.integers(0, room + 1, size=(2, len(jpegs)))
            images = pad_crop_flip(images, top, left, self.rng.random(len(jpegs)) < 0.5, padding, self.size)
        elif self.size > SMALL:
            images = images[:, room // 2:, room // 2:][:, :self.size, :self.size]
        # A [B, H, W, C] array viewed as [B, C, H, W] has the channels-last layout.
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
        return pixels.float().mul_(self.scale).add_(self.shift)


def resized(size):
    """The side of the square from which crops of `size` are taken, without the padding: 250 for 224, as in the paper."""
    return size if size <= SMALL else round(size * 250 / 224)


def pad_crop_flip(images, top, left, flip, padding=PADDING, size=None):
    """Pads uint8 [B, H, W, C] with black pixels, crops a square (or H x W) at (top, left), mirrors where `flip`."""
    count = len(images)
    height, width = (size, size) if size else images.shape[1:3]
    padded = np.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0))) if padding else images
    rows = top[:, None] + np.arange(height)
    columns = left[:, None] + np.where(flip[:, None], np.arange(width)[::-1], np.arange(width))
    return padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]


LOADERS = {"plain": PlainLoader, "tuned": TunedLoader}

# ----------------------------------------------------------------------------------------------- model

class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a parameter-free shortcut (option A of He et al. 2016, section 4.2)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.new_channels = stride, outputs - inputs

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        if self.stride != 1:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))
        return F.relu(out + x, inplace=True)


class CIFARResNet(nn.Module):
    """The CIFAR ResNet of 6 n + 2 layers: 3x3 stem, three stages of n = 3 blocks with 16, 32, 64 channels."""

    def __init__(self, blocks=3):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        widths = [16] * blocks + [32] * blocks + [64] * blocks
        pairs = zip([16] + widths, widths)
        self.blocks = nn.Sequential(*(BasicBlock(i, o, 1 if i == o else 2) for i, o in pairs))
        self.fc = nn.Linear(64, CLASSES)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        """[B, 3, 32, 32] -> logits [B, 10]."""
        x = self.blocks(F.relu(self.bn1(self.conv1(x)), inplace=True))
        return self.fc(x.mean(dim=(2, 3)))

def torchvision_model(name, size):
    """ResNet-18 or ResNet-50 with CLASSES classes; up to 32 pixels with one 3x3 convolution for a stem."""
    import torchvision
    model = getattr(torchvision.models, name)(num_classes=CLASSES)
    if size <= 32:
        model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        model.maxpool = nn.Identity()
    return model


MODELS = {"resnet8": lambda size: CIFARResNet(1), "resnet20": lambda size: CIFARResNet(), "resnet18": lambda size: torchvision_model("resnet18", size),
          "resnet50": lambda size: torchvision_model("resnet50", size)}

# ---------------------------------------------------------------------------------------------- memory

class ReplayMemory:
    """At most `capacity` encoded examples: biased reservoir sampling (section 3.1), prioritised draws (3.2)."""

    def __init__(self, capacity, beta, rng):
        self.capacity, self.beta, self.rng = capacity, beta, rng
        self.items = []
        self.priorities = np.zeros(capacity)
        self.seen = 0
        self.bytes = self.peak_bytes = 0

    def offer(self, item, priority):
        """Inserts (jpeg, label) until full, then with probability min(1, beta m / n); evicts uniformly."""
        self.seen += 1
        if len(self.items) < self.capacity:
            slot = len(self.items)
            self.items.append(item)
        elif self.rng.random() < self.beta * self.capacity / self.seen:
            slot = self.rng.integers(self.capacity)
            self.bytes -= len(self.items[slot][0])
            self.items[slot] = item
        else:
            return
        self.priorities[slot] = priority
        self.bytes += len(item[0])
        self.peak_bytes = max(self.peak_bytes, self.bytes)

    def draw(self, count):
        """Draws `count` items with replacement, item i with probability P_i / sum P; returns (items, P)."""
        cumulative = np.cumsum(self.priorities[: len(self.items)])
        # side="right" and a draw in [0, 1) never pick an item of priority 0, nor one past the end.
        slots = np.searchsorted(cumulative, self.rng.random(count) * cumulative[-1], side="right")
        slots = np.minimum(slots, len(self.items) - 1)
        return [self.items[slot] for slot in slots], self.priorities[slots]


def priorities(losses, alpha):
    """P = 1 - alpha exp(-loss) (equation 1)."""
    return 1 - alpha * np.exp(-losses)


def alpha(step, steps):
    """1 - cos(pi/2 T / T_max): from 0 to (almost) 1. The paper's literal formula would end at 0.46."""
    return 1 - math.cos(math.pi / 2 * step / steps)


def importance_weights(drawn_priorities):
    """w proportional to 1 / P, with mean 1 in the mini-batch (section 3.3)."""
    inverse = 1 / drawn_priorities
    return inverse / inverse.mean()

# -------------------------------------------------------------------------------------------- training

def cosine(initial, update, updates):
    """Learning rate of update t = 0 ... U-1: initial (1 + cos(pi t / U)) / 2."""
    return initial * (1 + math.cos(math.pi * update / updates)) / 2


def count_updates(method, steps, replay_steps, epochs):
    """The number of updates; the first step of a replay run has an empty memory and no replays."""
    return {"naive": steps, "replay": steps + replay_steps * (steps - 1), "multi-epoch": epochs * steps}[method]


class Learner:
    """Model and optimiser, one update at a time, with the learning rate set before each."""

    def __init__(self, args, updates):
        self.initial, self.planned = args.learning_rate, updates
        self.model = MODELS[args.model](args.image_size).to(memory_format=torch.channels_last)
        self.compiled = torch.compile(self.model) if args.compile else self.model
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), args.learning_rate, momentum=0.9, nesterov=True, weight_decay=args.weight_decay)
        self.updates = self.examples = 0

    def update(self, images, labels, weights=None):
        """One SGD step on mean(w * loss); returns each example's loss, unweighted, as float64 [B]."""
        self.optimizer.param_groups[0]["lr"] = cosine(self.initial, self.updates, self.planned)
        self.model.train()
        losses = F.cross_entropy(self.compiled(images), torch.tensor(labels), reduction="none")
        loss = losses.mean() if weights is None else (losses * torch.from_numpy(weights).float()).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.updates += 1
        self.examples += len(labels)
        return losses.detach().double().numpy()


def train_naive(args, learner, load, memory, progress):
    """One pass, each example once, without augmentation."""
    for batch in batches(read_shard(args.data, args.limit), args.batch_size):
        jpegs, labels = zip(*batch)
        progress(learner.update(load(jpegs, augment=False), labels))


def train_replay(args, learner, load, memory, progress):
    """One pass; each incoming batch is accompanied by k batches, drawn from the memory before the step."""
    steps = math.ceil(args.limit / args.batch_size)
    for step, batch in enumerate(batches(read_shard(args.data, args.limit), args.batch_size)):
        replays = [memory.draw(args.batch_size) for _ in range(args.replay_steps)] if memory.items else []

        jpegs, labels = zip(*batch)
        losses = learner.update(load(jpegs, augment=True), labels)
        for drawn, drawn_priorities in replays:
            replayed_jpegs, replayed_labels = zip(*drawn)
            weights = importance_weights(drawn_priorities)
            learner.update(load(replayed_jpegs, augment=True), replayed_labels, weights)

        # The priority comes from the forward pass before the update, in training mode, with this step's alpha.
        by_loss = args.priority == "loss"
        for item, priority in zip(batch, priorities(losses, alpha(step, steps)) if by_loss else np.ones(len(batch))):
            memory.offer(item, priority)
        progress(losses)


def train_multi_epoch(args, learner, load, memory, progress):
    """Stores all examples; E augmented passes, reshuffled for each pass."""
    examples = list(read_shard(args.data, args.limit))
    rng = np.random.default_rng([args.seed, 2])
    for _ in range(args.epochs):
        for batch in batches(rng.permutation(len(examples)), args.batch_size):
            jpegs, labels = zip(*(examples[i] for i in batch))
            progress(learner.update(load(jpegs, augment=True), labels))


METHODS = {"naive": train_naive, "replay": train_replay, "multi-epoch": train_multi_epoch}


@torch.inference_mode()
def evaluate(model, path, load, batch_size, limit=None):
    """Counts (correct, seen) over the examples of the shard; 32 x 32 images are their own centre crop."""
    model.eval()
    correct = seen = 0
    for batch in batches(read_shard(path, limit), batch_size):
        jpegs, labels = zip(*batch)
        predictions = model(load(jpegs, augment=False)).argmax(dim=1)
        correct += (predictions == torch.tensor(labels)).sum().item()
        seen += len(labels)
    return correct, seen

# -------------------------------------------------------------------------------------- command line

def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(description="One Pass ImageNet in plain PyTorch, on the CIFAR-10 stream.")
    parser.add_argument("--data", required=True, help="training shard, .tar or .tar.zst of NAME.jpg, NAME.cls")
    parser.add_argument("--eval-data", required=True, help="test shard")
    parser.add_argument("--eval-limit", type=int, help="maximum number of test examples")
    parser.add_argument("--model", choices=MODELS, default="resnet20")
    parser.add_argument("--image-size", type=int, default=32, help="side of the model's input in pixels")
    parser.add_argument("--compile", action="store_true", help="compile the model with torch.compile (not included in the time)")
    parser.add_argument("--method", required=True, choices=METHODS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=10_000, help="examples taken from the stream")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--weight-decay", type=float, default=0.0)
    parser.add_argument("--replay-steps", type=int, default=3, help="number of replay steps per incoming batch (k)")
    parser.add_argument("--storage", type=float, default=0.1, help="memory capacity as a fraction of the examples")
    parser.add_argument("--beta", type=float, default=1.5, help="preference for recent examples")
    parser.add_argument("--priority", choices=["loss", "uniform"], default="loss")
    parser.add_argument("--epochs", type=int, default=4, help="passes of multi-epoch")
    parser.add_argument("--loader", choices=LOADERS, default="tuned")
    parser.add_argument("--threads", type=int, default=2, help="torch's intra-operator threads")
    parser.add_argument("--output", help="append the record to this JSON-lines file")
    parser.add_argument("--skip-recorded", action="store_true", help="exit if --output contains this run")
    parser.add_argument("--note", default="", help="stored in the record, for example the load of the machine")
    args = parser.parse_args(arguments)
    if min(args.limit, args.batch_size, args.epochs, args.threads) < 1 or args.replay_steps < 0:
        parser.error("--limit, --batch-size, --epochs and --threads must be at least 1, --replay-steps at least 0")
    if not 0 < args.storage <= 1 or round(args.storage * args.limit) < 1:
        parser.error("--storage must be a fraction in (0, 1] that holds at least one example")
    return args


def configuration(args):
    """The options that determine the result; they identify the cell of an experiment."""
    names = ["method", "seed", "limit", "batch_size", "learning_rate", "weight_decay", "loader", "model", "image_size"]
    of_method = {"replay": ["replay_steps", "storage", "beta", "priority"], "multi-epoch": ["epochs"]}
    names += of_method.get(args.method, [])
    return {name: getattr(args, name) for name in names}


def warm_up(learner, args):
    """Compiles the model for the shape of a mini-batch; weights and statistics are unchanged."""
    before = {name: value.clone() for name, value in learner.model.state_dict().items()}
    images = torch.zeros(args.batch_size, 3, args.image_size, args.image_size).contiguous(memory_format=torch.channels_last)
    learner.model.train()
    learner.compiled(images).sum().backward()
    learner.optimizer.zero_grad()
    learner.model.load_state_dict(before)


def recorded(path, wanted):
    if not path or not os.path.exists(path):
        return False
    with open(path) as lines:
        return any(wanted.items() <= json.loads(line).items() for line in lines if line.strip())


def peak_rss_bytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def main(arguments=None):
    args = parse_arguments(arguments)
    if args.skip_recorded and recorded(args.output, configuration(args)):
        print(f"{args.method} seed {args.seed}: already recorded", file=sys.stderr)
        return None
    start = time.perf_counter()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)

    steps = math.ceil(args.limit / args.batch_size)
    planned = count_updates(args.method, steps, args.replay_steps, args.epochs)
    learner = Learner(args, planned)
    load = LOADERS[args.loader](args.seed, args.image_size)
    if args.compile:
        warm_up(learner, args)
    memory = ReplayMemory(round(args.storage * args.limit), args.beta, np.random.default_rng([args.seed, 3]))

    def progress(losses):
        speed = learner.examples / (time.perf_counter() - start)
        print(f"{args.method} seed {args.seed}: update {learner.updates}/{planned}, loss {losses.mean():.3f}, "
              f"{speed:.0f} images/s", file=sys.stderr)

    training_start = time.perf_counter()
    METHODS[args.method](args, learner, load, memory, progress)
    training_seconds = time.perf_counter() - training_start
    if learner.updates != planned:
        # Also detects a stream shorter than --limit, for which cosine decay would be incomplete.
        sys.exit(f"{args.data} ended after {learner.updates} of {planned} updates; lower --limit {args.limit}")
    correct, seen = evaluate(learner.model, args.eval_data, load, args.batch_size, args.eval_limit)

    record = configuration(args) | {
        "top1": correct / seen, "correct": correct, "test_examples": seen,
        "images_per_second": learner.examples / training_seconds, "training_seconds": training_seconds,
        "wall_seconds": time.perf_counter() - start,
        "peak_rss_bytes": peak_rss_bytes(),
        "updates": learner.updates, "examples_backpropagated": learner.examples,
        "memory_examples": len(memory.items), "memory_peak_bytes": memory.peak_bytes,
        "threads": args.threads, "torch": torch.__version__, "python": platform.python_version(), "note": args.note,
    }
    print(json.dumps(record))
    if args.output:
        with open(args.output, "a") as file:
            file.write(json.dumps(record) + "\n")
    return record


if __name__ == "__main__":
    main()
