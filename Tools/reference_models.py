"""Writes reference values of models and of the optimiser, from PyTorch 2.11 and torchvision 0.26.

    python Tools/reference_models.py

Writes Tests/OnePassModelsTests/Fixtures/{references,names}.json and
Tests/OnePassTorchTests/Fixtures/{sgd,autocast}.json.
Weights and images come from a formula (`numbers`) that the tests recompute, so the files are small. The reference values are
computed in float64, where the order of summation has no effect. The script prints the difference of PyTorch's float32
results, which shows the margin of a tolerance of 1e-4.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
PERIOD = 65537
U64 = np.uint64


def make_table() -> np.ndarray:
    """65537 numbers in [-1, 1), multiples of 2^-23, from SplitMix64; exact in float32 in every language."""
    with np.errstate(over="ignore"):
        z = (np.arange(PERIOD, dtype=np.uint64) + U64(1)) * U64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> U64(30))) * U64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> U64(27))) * U64(0x94D049BB133111EB)
        z = z ^ (z >> U64(31))
    return (z >> U64(40)).astype(np.float64) * 2.0**-23 - 1.0


TABLE = make_table()


def numbers(index: int, shape, scale: float = 1.0, offset: float = 0.0) -> torch.Tensor:
    """Element j of tensor `index` is offset + scale * TABLE[(7919 * index + j) mod 65537], rounded to float32."""
    count = math.prod(shape)
    positions = (7919 * index + np.arange(count, dtype=np.int64)) % PERIOD
    values = (offset + scale * TABLE[positions]).astype(np.float32)
    return torch.from_numpy(values.reshape(tuple(shape)))


def fill(model: nn.Module, residual_scale: float) -> None:
    """Fills in weights for which float32 results agree to 1e-4.

    A ReLU whose input is within rounding error of 0 may be active or not, and one such flip changes a gradient by about
    1e-3. The biases therefore keep most channels clearly above or clearly below 0. The last batch normalisation of a
    block is scaled by `residual_scale`, so that a deep network does not amplify rounding errors.
    """
    state = model.state_dict()
    last_of_block = "bn3" if "layer1.0.bn3.weight" in state else "bn2"
    for index, (name, tensor) in enumerate(state.items()):
        shape = tensor.shape
        is_last = name.split(".")[-2] == last_of_block
        if tensor.dim() == 4:
            values = numbers(index, shape, math.sqrt(6 / (shape[0] * shape[2] * shape[3])))
        elif tensor.dim() == 2:
            values = numbers(index, shape, 1 / math.sqrt(shape[1]))
        elif name.endswith("running_var"):
            values = numbers(index, shape, 0.25, 1)
        elif name.endswith("num_batches_tracked"):
            values = torch.zeros((), dtype=torch.int64)
        elif name.endswith("weight"):
            values = numbers(index, shape, 0.1, residual_scale if is_last else 1)
        elif name.endswith("bias") and is_last:
            values = numbers(index, shape, 0.25, 0.5)
        elif name.endswith("bias") and name != "fc.bias":
            values = numbers(index, shape, 0.5)
            values = values + torch.where(values < 0, -3.0, 3.0)
        else:
            values = numbers(index, shape, 0.1)
        tensor.copy_(values)


# The ResNets of He et al. 2016, section 4.2, written from the paper only for this comparison.
class CifarBlock(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.stride, self.extra, self.blurs = stride, filters - inputs, False

    def forward(self, x):
        shortcut = x
        if self.extra:
            picked = binomial(x) if self.blurs else x
            zeros = x.new_zeros(x.shape[0], self.extra // 2, x.shape[2] // 2, x.shape[3] // 2)
            shortcut = torch.cat([zeros, picked[:, :, :: self.stride, :: self.stride], zeros], dim=1)
        return torch.relu(self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))) + shortcut)


class CifarResNet(nn.Module):
    def __init__(self, depth, classes, channels):
        super().__init__()
        n = (depth - 2) // 6
        assert 6 * n + 2 == depth
        self.conv1 = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        stage = lambda i, f, s: nn.Sequential(CifarBlock(i, f, s), *(CifarBlock(f, f, 1) for _ in range(n - 1)))
        self.layer1, self.layer2, self.layer3 = stage(16, 16, 1), stage(16, 32, 2), stage(32, 64, 2)
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean(dim=(2, 3)))


def binomial(x):
    """The filter of FFCV's BlurPoolConv2d (rn50.py): depth-wise, 3 x 3, with a border of one zero."""
    row = torch.tensor([1, 2, 1], dtype=x.dtype)
    weight = (row[:, None] * row / 16).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(x, weight, padding=1, groups=x.shape[1])


def blur(model: nn.Module) -> nn.Module:
    """FFCV's apply_blurpool: before every convolution with a stride and 16 input channels or more. Hooks do not change names."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and max(module.stride) > 1 and module.in_channels >= 16:
            module.register_forward_pre_hook(lambda _, inputs: (binomial(inputs[0]),))
        if isinstance(module, CifarBlock):
            module.blurs = True  # its shortcut replaces a strided convolution
    return model


def make(name: str, classes: int, channels: int, stem: str) -> nn.Module:
    depth = int(name.removeprefix("resnet"))
    if depth in (8, 20, 32, 44, 56, 110):
        return CifarResNet(depth, classes, channels)
    model = getattr(torchvision.models, name)(num_classes=classes)
    if stem == "small":
        model.conv1 = nn.Conv2d(channels, 64, 3, 1, 1, bias=False)
        model.maxpool = nn.Identity()
    elif channels != 3:
        model.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    return model


def run(case, dtype, memory_format):
    """The values that the tests compare, computed in one number format."""
    model = make(case["model"], case["classes"], case["channels"], case["stem"])
    fill(model, case["residualScale"])
    if case.get("blurPool"):
        blur(model)
    model = model.to(dtype).to(memory_format=memory_format)
    shape = (case["batch"], case["channels"], case["size"], case["size"])
    labels = torch.tensor([(7 * i + 3) % case["classes"] for i in range(case["batch"])])

    def images(step):
        return numbers(1000 + step, shape, 1.7).to(dtype).contiguous(memory_format=memory_format)

    model.eval()
    with torch.no_grad():
        evaluation = model(images(0))
    model.train()
    optimiser = torch.optim.SGD(
        model.parameters(), lr=case["learningRate"], momentum=0.9, nesterov=True, weight_decay=case["weightDecay"])
    losses, gradients = [], []
    for step in range(10):
        optimiser.zero_grad()
        logits = model(images(step))
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        if step == 0:
            training = logits.detach()
            for name, parameter in model.named_parameters():
                flat = parameter.grad.double().contiguous().flatten().numpy()
                probes = [numbers(probe, flat.shape).double().numpy() for probe in (2000, 2001)]
                gradients.append({
                    "name": name,
                    "norm": float(np.linalg.norm(flat)),
                    "dots": [float(flat @ probe) for probe in probes],
                })
        losses.append(loss.item())
        optimiser.step()
    statistics = [b.double().norm().item() for n, b in model.named_buffers() if "running" in n]
    return {
        **case,
        "evaluationLogits": evaluation.double().flatten().tolist(),
        "trainingLogits": training.double().flatten().tolist(),
        "gradients": gradients,
        "losses": losses,
        "runningNorms": statistics,
    }


def distance(a, b):
    """The largest relative differences between two runs, computed as in the tests."""
    norm = lambda values: math.sqrt(sum(v * v for v in values))
    away = lambda key: norm([x - y for x, y in zip(a[key], b[key])]) / norm(b[key])
    gradient, scale = 0, 0
    for x, y in zip(a["gradients"], b["gradients"]):
        # The next batch normalisation removes the constant of such a bias, so its gradient cancels to 0. It is compared
        # relative to the gradient of its layer's weight.
        scale = max(scale, y["norm"]) if y["name"].endswith("bias") else y["norm"]
        errors = [x["norm"] - y["norm"], *(p - q for p, q in zip(x["dots"], y["dots"]))]
        gradient = max(gradient, max(map(abs, errors)) / scale)
    losses = max(abs(x - y) / y for x, y in zip(a["losses"], b["losses"]))
    return {
        "evaluation": away("evaluationLogits"), "training": away("trainingLogits"), "gradient": gradient,
        "losses": losses, "running": away("runningNorms"),
    }


# The learning rates change the loss visibly within ten steps without making it chaotic.
CASES = [
    dict(model="resnet20", classes=10, channels=3, stem="small", batch=8, size=32,
         residualScale=1.0, learningRate=1e-3, weightDecay=0.1),
    dict(model="resnet18", classes=10, channels=1, stem="small", batch=8, size=16,
         residualScale=0.2, learningRate=1e-3, weightDecay=0.0),
    dict(model="resnet50", classes=7, channels=3, stem="imageNet", batch=8, size=64,
         residualScale=0.2, learningRate=3e-6, weightDecay=0.1),
    dict(model="resnet20", classes=10, channels=3, stem="small", batch=8, size=32, blurPool=True,
         residualScale=1.0, learningRate=1e-3, weightDecay=0.1),
    dict(model="resnet18", classes=10, channels=3, stem="imageNet", batch=8, size=64, blurPool=True,
         residualScale=0.2, learningRate=1e-3, weightDecay=0.0),
    dict(model="resnet50", classes=7, channels=3, stem="small", batch=8, size=16, blurPool=True,
         residualScale=0.2, learningRate=3e-6, weightDecay=0.1),
]


def references():
    results = []
    for case in CASES:
        truth = run(case, torch.float64, torch.contiguous_format)
        for label, layout in (("channels-last", torch.channels_last), ("contiguous", torch.contiguous_format)):
            away = distance(run(case, torch.float32, layout), truth)
            print(case["model"], "float32", label, {k: f"{v:.1e}" for k, v in away.items()})
        print(case["model"], "losses", [round(l, 4) for l in truth["losses"]], flush=True)
        results.append(truth)
    return results


def names():
    """For each registry name: the number of tensors, and a digest of their names and shapes in order."""
    results = []
    for name in [f"resnet{d}" for d in (8, 20, 32, 44, 56, 110, 18, 34, 50, 101, 152)]:
        for channels, stem in ((3, "imageNet"), (1, "small")):
            state = make(name, 11, channels, stem).state_dict()
            text = "".join(f"{n} {','.join(map(str, t.shape))}\n" for n, t in state.items())
            results.append(dict(model=name, channels=channels, stem=stem, tensors=len(state),
                                digest=fnv1a(text)))
    return results


def fnv1a(text: str) -> str:
    """FNV-1a, 64 bits: a digest that a test can compute without a library."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def sgd():
    """Trajectories of torch.optim.SGD on two parameters, one of which has no gradient in some steps."""
    results = []
    for momentum, nesterov, decay in ((0.9, True, 0.0), (0.9, True, 0.05), (0.9, False, 0.05), (0.0, False, 0.05)):
        a = numbers(0, (4, 3, 3, 3)).double().requires_grad_()
        b = numbers(1, (5,)).double().requires_grad_()
        optimiser = torch.optim.SGD([a, b], lr=0.1, momentum=momentum, nesterov=nesterov, weight_decay=decay)
        for step in range(6):
            optimiser.zero_grad()
            loss = (a * numbers(10 + step, a.shape).double()).sum() + (a * a).sum()
            if step not in (0, 3):
                loss = loss + (b * numbers(20 + step, b.shape).double()).sum()
            loss.backward()
            optimiser.param_groups[0]["lr"] = 0.1 / (step + 1)
            optimiser.step()
        results.append(dict(momentum=momentum, nesterov=nesterov, weightDecay=decay,
                            a=a.detach().flatten().tolist(), b=b.detach().tolist()))
    return results


def autocast():
    """A small network's losses and gradients under torch.autocast in bfloat16, and without it."""
    results = {}
    for precision in ("float32", "bfloat16"):
        images = numbers(0, (8, 16, 8, 8)).contiguous(memory_format=torch.channels_last)
        filters = numbers(1, (16, 16, 3, 3), 0.2).contiguous(memory_format=torch.channels_last).requires_grad_()
        scale, shift = numbers(2, (16,), 0.5, 1.0).requires_grad_(), numbers(3, (16,)).requires_grad_()
        weight, bias = numbers(4, (5, 16)).requires_grad_(), numbers(5, (5,)).requires_grad_()
        mean, variance = torch.zeros(16), torch.ones(16)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            x = F.conv2d(images, filters, padding=1)
            x = F.batch_norm(x, mean, variance, scale, shift, training=True)
            x = F.adaptive_avg_pool2d(F.relu(x), 1).flatten(1)
            losses = F.cross_entropy(F.linear(x, weight, bias), torch.arange(8) % 5, reduction="none")
        losses.mean().backward()
        results[precision] = dict(losses=losses.tolist(), filters=filters.grad.flatten()[::37].tolist(),
                                  scale=scale.grad.tolist(), weight=weight.grad.flatten().tolist(),
                                  mean=mean.tolist())
    return results


def write(path: str, value) -> None:
    (ROOT / path).write_text(json.dumps(value, indent=1) + "\n")


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    write("Tests/OnePassTorchTests/Fixtures/sgd.json", sgd())
    write("Tests/OnePassTorchTests/Fixtures/autocast.json", autocast())
    write("Tests/OnePassModelsTests/Fixtures/names.json", names())
    write("Tests/OnePassModelsTests/Fixtures/references.json", references())
