"""Writes reference values of the training recipe: Muon, soft targets, mixup and CutMix, from PyTorch 2.11 and torchvision 0.26.

    python Tools/reference_recipe.py

Writes Tests/OnePassTorchTests/Fixtures/{muon,soft_targets}.json and Tests/OnePassTests/Fixtures/mixing.json. Numbers come
from the formula of reference_models.py, which the tests recompute.
"""

import math

import torch
import torch.nn.functional as F
from torchvision.transforms import v2

from reference_models import numbers, write


def orthogonalised(matrix: torch.Tensor) -> torch.Tensor:
    """Five Newton-Schulz steps as in Jordan et al. 2024, in the precision of the matrix (PyTorch uses bfloat16)."""
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def muon():
    """Trajectories on wide filters, tall filters and a matrix, one of which has no gradient in some steps: in float64, and by
    torch.optim.Muon on the same parameters as matrices. Keeps every fifth number, and of many every 311th."""
    shapes = [(6, 2, 3, 3), (40, 2, 3, 3), (6, 2, 3, 3), (5, 7), (100, 16, 3, 3), (150, 12, 3, 3)]
    results = []

    def kept(parameter):
        return parameter.detach().flatten()[:: 311 if parameter.numel() > 1000 else 5].tolist()

    for momentum, nesterov, decay in ((0.95, True, 0.0), (0.9, True, 0.05), (0.9, False, 0.05), (0.0, False, 0.05)):
        own = [numbers(i, shape).double() for i, shape in enumerate(shapes)]
        buffers = [torch.zeros_like(p) for p in own]
        theirs = [numbers(i, shape).flatten(1).requires_grad_() for i, shape in enumerate(shapes)]
        optimiser = torch.optim.Muon(theirs, lr=0.1, momentum=momentum, nesterov=nesterov, weight_decay=decay)
        for step in range(6):
            rate = 0.1 / (step + 1)
            for i, (p, b, q) in enumerate(zip(own, buffers, theirs)):
                q.grad = None
                if i == 2 and step in (0, 3):
                    continue
                fixed = numbers(10 * (i + 1) + step, p.shape)
                q.grad = (fixed.flatten(1) + 2 * q).detach()
                gradient = fixed.double() + 2 * p
                b.mul_(momentum).add_((1 - momentum) * gradient)
                direction = momentum * b + (1 - momentum) * gradient if nesterov else b
                turned = orthogonalised(direction.flatten(1)).view_as(p)
                p.mul_(1 - rate * decay)
                p.sub_(rate * math.sqrt(max(1, p.shape[0] / p[0].numel())) * turned)
            optimiser.param_groups[0]["lr"] = rate
            optimiser.step()
        print("muon: torch's bfloat16 is off by", max((a.flatten(1) - b).abs().max().item() for a, b in zip(own, theirs)))
        results.append(dict(momentum=momentum, nesterov=nesterov, weightDecay=decay, shapes=shapes,
                            values=[kept(p) for p in own],
                            torch=[[round(v, 5) for v in kept(q)] for q in theirs]))
    return results


def soft_targets():
    """Losses and gradients of cross_entropy with label smoothing and with targets that are probabilities."""
    logits = numbers(0, (6, 5), 3).double().requires_grad_()
    labels = torch.tensor([0, 4, 2, 1, 1, 3])
    smoothed = F.cross_entropy(logits, labels, label_smoothing=0.1, reduction="none")
    smoothed.sum().backward()
    gradient = logits.grad.clone()
    targets = numbers(1, (6, 5)).double().abs()
    targets = targets / targets.sum(1, keepdim=True)
    return dict(labels=labels.tolist(), smoothed=smoothed.tolist(), smoothedGradient=gradient.flatten().tolist(),
                targets=targets.flatten().tolist(),
                soft=F.cross_entropy(logits, targets, reduction="none").tolist())


class Fixed:
    """A fixed λ in place of torchvision's Beta distribution."""

    def __init__(self, value):
        self.value = value

    def sample(self, _):
        return torch.tensor(self.value, dtype=torch.float64)


def mixing():
    """The results of torchvision's MixUp and CutMix for a mini-batch, a given λ and a given centre of the box."""
    images = numbers(0, (4, 1, 9, 7))
    labels = torch.tensor([0, 3, 1, 2])
    cases = []
    for kind, share, centre in (("mixup", 0.3, None), ("cutmix", 0.4, (3, 4)), ("cutmix", 0.4, (0, 8)),
                                ("cutmix", 0.75, (6, 0)), ("cutmix", 0.0, (2, 2)), ("cutmix", 0.999, (3, 3))):
        transform = (v2.MixUp if kind == "mixup" else v2.CutMix)(num_classes=4)
        transform._dist = Fixed(share)
        places = iter(centre or ())
        randint, torch.randint = torch.randint, lambda *_, **__: torch.tensor([next(places)])
        try:
            mixed, targets = transform(images, labels)
        finally:
            torch.randint = randint
        cases.append(dict(kind=kind, share=share, centre=centre, images=[round(v, 7) for v in mixed.flatten().tolist()],
                          targets=targets.flatten().tolist()))
    return dict(labels=labels.tolist(), cases=cases)


if __name__ == "__main__":
    write("Tests/OnePassTorchTests/Fixtures/muon.json", muon())
    write("Tests/OnePassTorchTests/Fixtures/soft_targets.json", soft_targets())
    write("Tests/OnePassTests/Fixtures/mixing.json", mixing())
