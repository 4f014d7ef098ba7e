"""The torchvision side of the weight exchange tests (pip install torch torchvision safetensors pillow). WeightTests runs it.

    images FOLDER                     writes 12 images of 250 x 250 pixels, in 3 class folders
    logits MODEL WEIGHTS IMAGE…       prints the logits of images as JSON; MODEL+blur is a model with --blur-pool
    save MODEL WEIGHTS [module.]      writes a model with random weights and statistics; names may have a prefix
    step MODEL WEIGHTS FOLDER AFTER   makes one forward pass in training mode over all images of FOLDER; prints the mean loss and
                                      the distance of parameters and statistics from those in AFTER as JSON
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file, save_file
from torchvision import transforms

command, arguments = sys.argv[1], sys.argv[2:]
torch.set_num_threads(1)

# The images have the size before OnePass's crop, so they are not resized.
prepare = transforms.Compose([
    transforms.CenterCrop(224), transforms.ToTensor(),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
])


def batch(paths):
    return torch.stack([prepare(Image.open(path).convert("RGB")) for path in paths])


def blurred(model):
    """Adds blur pooling as in docs/weights.md."""
    kernel = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]) / 16

    def blur(convolution, inputs):
        channels = convolution.in_channels
        return torch.nn.functional.conv2d(inputs[0], kernel.expand(channels, 1, 3, 3), padding=1, groups=channels)

    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d) and module.stride[0] > 1 and module.in_channels >= 16:
            module.register_forward_pre_hook(blur)
    return model


def model(name, weights):
    name, _, blur = name.partition("+")
    made = getattr(torchvision.models, name)()
    made.load_state_dict(load_file(weights))
    return blurred(made) if blur else made


if command == "images":
    generator = np.random.default_rng(1)
    for index in range(12):
        label, coarse = index % 3, generator.integers(0, 256, (6, 6, 3), np.uint8)
        coarse[..., label] //= 4
        path = Path(arguments[0]) / "abc"[label] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize((250, 250), Image.BICUBIC).save(path)
elif command == "logits":
    with torch.no_grad():
        print(json.dumps(model(*arguments[:2]).eval()(batch(arguments[2:])).tolist()))
elif command == "save":
    torch.manual_seed(3)
    made = getattr(torchvision.models, arguments[0])()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
                tensor.add_(torch.rand_like(tensor) / 4)
            module.num_batches_tracked += 7
    prefix = arguments[2] if len(arguments) > 2 else ""
    save_file({prefix + name: tensor for name, tensor in made.state_dict().items()}, arguments[1])
elif command == "step":
    paths = sorted(Path(arguments[2]).glob("*/*.png"))
    labels = torch.tensor(["abc".index(path.parent.name) for path in paths])
    before = model(*arguments[:2]).train()
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(before(batch(paths)), labels).item()
    after, parameters = load_file(arguments[3]), dict(before.named_parameters())
    distance = {True: 0.0, False: 0.0}
    for name, tensor in before.state_dict().items():
        if not (name.startswith("fc.") and after[name].shape != tensor.shape):
            apart = (after[name].double() - tensor.double()).abs() / tensor.double().abs().clamp(min=1)
            distance[name in parameters] = max(distance[name in parameters], apart.max().item())
    print(json.dumps({"loss": loss, "parameters": distance[True], "statistics": distance[False]}))
else:
    sys.exit(__doc__)
