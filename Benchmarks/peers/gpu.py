#!/usr/bin/env python3
"""Training on a GPU in plain PyTorch: bfloat16 autocast, channels last, fused SGD. The peer of `onepass train` on a GPU.

    python gpu.py --model resnet50 --size 224 --batch-size 256                     batches that are already on the GPU
    python gpu.py --model resnet18 --size 64 --batch-size 512 --data photos.tar    JPEGs, decoded by workers

Prints one JSON record: images per second after a warm-up, and the share of the time spent waiting for images.
Without a GPU it runs on the CPU in float32, as a smoke test.
"""

import argparse
import io
import json
import tarfile
import time

import torch
import torch.nn.functional as F
import torchvision
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Photos(Dataset):
    """The images of a shard, repeated, as uint8; they are normalised on the device, which is fastest."""

    def __init__(self, path, size, length):
        with tarfile.open(path) as archive:
            members = {member.name: archive.extractfile(member).read() for member in archive}
        self.images = [(data, int(members[name[:-4] + ".cls"])) for name, data in members.items() if name.endswith(".jpg")]
        self.length = length
        plane = round(size * 250 / 224)
        fit = [transforms.Resize((plane, plane)), transforms.RandomCrop(size)]
        if size <= 64:
            fit = [transforms.RandomCrop(size, padding=4)]
        self.transform = transforms.Compose([*fit, transforms.RandomHorizontalFlip(), transforms.PILToTensor()])

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        from PIL import Image
        data, label = self.images[index % len(self.images)]
        return self.transform(Image.open(io.BytesIO(data)).convert("RGB")), label


def synthetic(arguments, device):
    shape = (arguments.batch_size, 3, arguments.size, arguments.size)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, device=device).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, arguments.classes, (arguments.batch_size,), device=device)
    while True:
        yield images, labels


def photos(arguments, device):
    steps = arguments.warm_up + arguments.steps
    loader = DataLoader(Photos(arguments.data, arguments.size, steps * arguments.batch_size), arguments.batch_size,
                        num_workers=arguments.workers, pin_memory=device.type == "cuda", drop_last=True,
                        persistent_workers=False, prefetch_factor=4 if arguments.workers else None)
    for images, labels in loader:
        images = images.to(device, non_blocking=True).contiguous(memory_format=torch.channels_last)
        yield images, labels.to(device, non_blocking=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet50")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--warm-up", type=int, default=20)
    parser.add_argument("--data", help="a WebDataset shard (default: one constant batch)")
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--compile", help="a mode of torch.compile, such as default or reduce-overhead")
    arguments = parser.parse_args()

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.benchmark = True
    model = getattr(torchvision.models, arguments.model)(num_classes=arguments.classes)
    model = model.to(device, memory_format=torch.channels_last)
    forward = torch.compile(model, mode=arguments.compile) if arguments.compile else model
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, nesterov=True, fused=True)
    scale = 1 / (255 * torch.tensor(STD, device=device).view(1, 3, 1, 1))
    shift = -torch.tensor(MEAN, device=device).view(1, 3, 1, 1) / torch.tensor(STD, device=device).view(1, 3, 1, 1)

    def synchronise():
        if device.type == "cuda":
            torch.cuda.synchronize()

    def step(images, labels):
        images = images.float().mul_(scale).add_(shift)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            losses = F.cross_entropy(forward(images), labels, reduction="none")
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()
        return losses.detach()

    batches = (photos if arguments.data else synthetic)(arguments, device)
    for _ in range(arguments.warm_up):
        step(*next(batches))
    synchronise()
    start, waited, losses = time.perf_counter(), 0.0, None
    for _ in range(arguments.steps):
        before = time.perf_counter()
        batch = next(batches)
        if device.type == "cpu" or torch.cuda.current_stream().query():
            waited += time.perf_counter() - before
        if losses is not None:
            losses.tolist()  # as for a replay memory, one step late
        losses = step(*batch)
    synchronise()
    seconds = time.perf_counter() - start
    print(json.dumps({
        "program": f"pytorch{', ' + arguments.compile if arguments.compile else ' eager'}", "device": str(device),
        "name": torch.cuda.get_device_name() if device.type == "cuda" else "CPU", "torch": torch.__version__,
        "images_per_second": arguments.steps * arguments.batch_size / seconds, "image_wait_share": waited / seconds}))


if __name__ == "__main__":
    main()
