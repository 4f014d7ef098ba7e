"""Tests of the PyTorch peer: python -m unittest discover Benchmarks/peers (about 15 s, no data needed)."""

import copy
import io
import json
import math
import tarfile
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import onepass_pytorch as peer
import torch
import torch.nn.functional as F
import torchvision
import zstandard
from PIL import Image
from scipy import stats
from torchvision.transforms import functional


def jpeg(rng, quality=90):
    """A smooth 32 x 32 colour JPEG."""
    small = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((32, 32), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", quality=quality)
    return buffer.getvalue()


def write_shard(path, examples):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for i, (image, label) in enumerate(examples):
            for suffix, content in (("jpg", image), ("cls", str(label).encode())):
                member = tarfile.TarInfo(f"{i:06}.{suffix}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    path.write_bytes(zstandard.compress(raw.getvalue()))


class Stream(unittest.TestCase):
    def test_reads_all_examples_in_order_and_stops_at_the_limit(self):
        rng = np.random.default_rng(1)
        examples = [(jpeg(rng), i % 10) for i in range(23)]
        with tempfile.TemporaryDirectory() as folder:
            shard = Path(folder) / "shard.tar.zst"
            write_shard(shard, examples)
            self.assertEqual(list(peer.read_shard(shard)), examples)
            self.assertEqual(list(peer.read_shard(shard, limit=7)), examples[:7])

    def test_last_batch_is_kept(self):
        self.assertEqual([len(b) for b in peer.batches(range(300), 128)], [128, 128, 44])


class Images(unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(2)
        self.jpegs = [jpeg(rng) for _ in range(40)]

    def test_both_loaders_give_the_same_images(self):
        plain = peer.PlainLoader(1)(self.jpegs, augment=False)
        tuned = peer.TunedLoader(1)(self.jpegs, augment=False)
        self.assertEqual(plain.shape, (40, 3, 32, 32))
        for batch in (plain, tuned):
            self.assertTrue(batch.is_contiguous(memory_format=torch.channels_last))
        self.assertLess((plain - tuned).abs().max(), 1.5 / 255 / min(peer.IMAGENET_STD))

    def test_pad_crop_flip_equals_torchvision_at_every_offset(self):
        cases = [(t, l, f) for t in range(9) for l in range(9) for f in (False, True)]
        images = np.random.default_rng(3).integers(0, 256, (len(cases), 32, 32, 3), dtype=np.uint8)
        got = peer.pad_crop_flip(images, *(np.array(column) for column in zip(*cases)))
        for image, result, (top, left, flip) in zip(images, got, cases):
            want = functional.crop(functional.pad(Image.fromarray(image), 4), top, left, 32, 32)
            want = functional.hflip(want) if flip else want
            np.testing.assert_array_equal(result, np.asarray(want))

    def test_tuned_augmentation_uses_every_offset_and_flip(self):
        row, column = np.mgrid[1:33, 1:33].astype(np.uint8)
        load = peer.TunedLoader(4)
        with mock.patch.object(peer.simplejpeg, "decode_jpeg", lambda _: np.stack([row, column, row], axis=2)):
            # Pixel values are positions: a crop shows its offset, and a mirrored crop decreases.
            pixels = load([b""] * 12_800, augment=True)
        position = (pixels - load.shift) / load.scale
        top = position[:, 0, 16, 16].round().int() - 13
        backwards = position[:, 1, 16, 16] > position[:, 1, 16, 17]
        left = torch.where(backwards, position[:, 1, 16, 15], position[:, 1, 16, 16]).round().int() - 13
        counts = np.bincount(((top * 9 + left) * 2 + backwards).numpy(), minlength=162)
        self.assertEqual(len(counts), 162)
        self.assertGreater(stats.chisquare(counts).pvalue, 1e-6)


class Model(unittest.TestCase):
    def test_has_the_parameters_of_resnet_20(self):
        # 432 + 18 convolutions of He et al. section 4.2 + batch norm + classifier.
        self.assertEqual(sum(p.numel() for p in peer.CIFARResNet().parameters()), 269_722)

    def test_shortcut_subsamples_and_pads_channels(self):
        block = peer.BasicBlock(16, 32, 2).eval()
        torch.nn.init.zeros_(block.conv2.weight)
        x = torch.rand(2, 16, 8, 8)
        out = block(x)
        torch.testing.assert_close(out[:, :16], x[:, :, ::2, ::2])
        self.assertEqual(out[:, 16:].abs().max(), 0)

    def test_initialisation_is_kaiming_fan_out(self):
        torch.manual_seed(5)
        # 32 input channels, 64 output channels: with fan-in, the deviation would be different.
        weight = peer.CIFARResNet().blocks[6].conv1.weight
        # Standard error of a standard deviation over n normals: 1 / sqrt(2 n) of it; five of them.
        want, n = math.sqrt(2 / (64 * 9)), weight.numel()
        self.assertLess(abs(weight.std().item() / want - 1), 5 / math.sqrt(2 * n))


def flat(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


class Update(unittest.TestCase):
    def test_three_updates_equal_nesterov_by_hand(self):
        torch.manual_seed(11)
        arguments = mock.Mock(learning_rate=0.1, weight_decay=0.0, model="resnet20", image_size=32, compile=False)
        learner = peer.Learner(arguments, updates=4)
        model = copy.deepcopy(learner.model)
        initial = flat(model)
        velocity = [torch.zeros_like(p) for p in model.parameters()]
        for update, rate in enumerate([0.1, 0.05 * (1 + math.sqrt(0.5)), 0.05]):
            images, labels = torch.randn(6, 3, 32, 32), torch.randint(10, (6,))
            weights = np.linspace(0.1, 1.9, 6) if update else None
            confidence = torch.softmax(model(images).double(), dim=1)[torch.arange(6), labels]
            losses = -torch.log(confidence)
            scaled = losses if weights is None else losses * torch.tensor(weights)
            gradients = torch.autograd.grad(scaled.sum() / 6, list(model.parameters()))
            with torch.no_grad():
                for p, v, g in zip(model.parameters(), velocity, gradients):
                    v.mul_(0.9).add_(g)
                    p.sub_(rate * (g + 0.9 * v))
            got = learner.update(images, labels.tolist(), weights)
            np.testing.assert_allclose(got, losses.detach(), rtol=1e-4)
        wanted, got = flat(model) - initial, flat(learner.model) - initial
        # float32 rounding, amplified through 20 layers and three updates: 0.010 with oneDNN's AVX-512 kernels. A wrong rule
        # already changes the losses above.
        self.assertLess((got - wanted).norm() / wanted.norm(), 0.03)
        self.assertEqual((learner.updates, learner.examples), (3, 18))


def assert_matches_inclusion(test, counts, runs, capacity, beta):
    """Compares how often each item is held at the end with its exact probability, within the binomial error."""
    arrivals = np.arange(1, len(counts) + 1)
    inserted = np.where(arrivals <= capacity, 1, np.minimum(1, beta * capacity / arrivals))
    evicted = np.where(arrivals <= capacity, 0, inserted / capacity)
    survives = np.append(np.cumprod((1 - evicted)[::-1])[::-1], 1)
    want = inserted * survives[1:]
    test.assertAlmostEqual(want.sum(), capacity)
    z = (counts - runs * want) / np.sqrt(runs * want * (1 - want))
    test.assertLess(np.abs(z).max(), stats.norm.isf(1e-6 / 2 / len(counts)))


class Memory(unittest.TestCase):
    def test_inclusion_probability_follows_the_exact_recursion(self):
        capacity, beta, arrivals, runs = 20, 1.5, 120, 3000
        counts = np.zeros(arrivals)
        for seed in range(runs):
            memory = peer.ReplayMemory(capacity, beta, np.random.default_rng(seed))
            for i in range(arrivals):
                memory.offer((b"", i), 1.0)
            self.assertEqual(len(memory.items), capacity)
            counts[[label for _, label in memory.items]] += 1
        assert_matches_inclusion(self, counts, runs, capacity, beta)

    def test_draws_follow_the_priorities(self):
        rng = np.random.default_rng(6)
        memory = peer.ReplayMemory(50, 1.5, rng)
        for i, p in enumerate(rng.uniform(0, 1, 50)):
            memory.offer((b"", i), p)
        n = 100_000
        drawn, drawn_priorities = memory.draw(n)
        labels = np.array([label for _, label in drawn])
        np.testing.assert_array_equal(drawn_priorities, memory.priorities[labels])
        expected = n * memory.priorities / memory.priorities.sum()
        self.assertGreater(stats.chisquare(np.bincount(labels, minlength=50), expected).pvalue, 1e-6)

    def test_counts_the_bytes_it_holds(self):
        memory = peer.ReplayMemory(5, 1.5, np.random.default_rng(7))
        peak = 0
        for i in range(200):
            memory.offer((bytes(i % 13), i), 1.0)
            held = sum(len(item) for item, _ in memory.items)
            peak = max(peak, held)
            self.assertEqual((memory.bytes, memory.peak_bytes), (held, peak))


class FastMemories(unittest.TestCase):
    """The memory that replay_memory.py measures must behave like OnePass's memory."""

    def setUp(self):
        try:
            from replay_memory import PythonList
        except ImportError as error:
            self.skipTest(f"replay_memory.py needs Tools/requirements.txt: {error}")
        self.memory = PythonList(64, 1, np.random.default_rng(10))

    def offer(self, count, beta=1.5):
        start = self.memory.seen
        for i in range(start, start + count, 8):
            labels = list(range(i, i + 8))
            # The priority is a function of the label, so the test detects mismatched pairs.
            self.memory.offer(self.memory.batch([b""] * 8, labels), self.priority(np.array(labels)), beta)

    @staticmethod
    def priority(labels):
        return 0.02 + (labels % 7) / 7.5

    def test_keeps_priorities_with_their_items(self):
        self.offer(64)
        self.assertEqual([label for _, label in self.memory.items], list(range(64)))
        self.offer(6336)
        labels = np.array([label for _, label in self.memory.items])
        np.testing.assert_array_equal(self.memory.priorities, self.priority(labels))

    def test_admits_as_the_exact_recursion_says(self):
        runs, counts = 1500, np.zeros(120)
        for seed in range(runs):
            memory = type(self.memory)(20, 1, np.random.default_rng(seed))
            for start in range(0, 120, 8):
                memory.offer(memory.batch([b""] * 8, range(start, start + 8)), np.ones(8), 1.5)
            counts[[label for _, label in memory.items]] += 1
        assert_matches_inclusion(self, counts, runs, capacity=20, beta=1.5)

    def test_draws_by_rejection_follow_the_priorities(self):
        self.offer(64)
        items, drawn_priorities = self.memory.draw(100_000)
        labels = np.array([label for _, label in items])
        np.testing.assert_array_equal(drawn_priorities, self.priority(labels))
        expected = 100_000 * self.memory.priorities / self.memory.priorities.sum()
        self.assertGreater(stats.chisquare(np.bincount(labels, minlength=64), expected).pvalue, 1e-6)


class Formulas(unittest.TestCase):
    def test_importance_weights_have_mean_1_and_undo_the_priorities(self):
        p = np.random.default_rng(8).uniform(0.05, 1, 128)
        weights = peer.importance_weights(p)
        self.assertAlmostEqual(weights.mean(), 1)
        np.testing.assert_allclose(weights * p, weights[0] * p[0])

    def test_priority_is_one_minus_alpha_times_confidence(self):
        logits, labels = torch.randn(9, 10, dtype=torch.float64), torch.arange(9)
        losses = F.cross_entropy(logits, labels, reduction="none").numpy()
        confidence = torch.softmax(logits, dim=1)[labels, labels].numpy()
        np.testing.assert_allclose(peer.priorities(losses, 0.7), 1 - 0.7 * confidence)

    def test_alpha_goes_from_0_to_1(self):
        values = [peer.alpha(step, 79) for step in range(80)]
        self.assertEqual(values[0], 0)
        self.assertAlmostEqual(values[79], 1)
        self.assertLess(values[78], 1)
        self.assertEqual(values, sorted(values))

    def test_cosine_starts_at_the_initial_rate_and_ends_at_0(self):
        self.assertEqual(peer.cosine(0.1, 0, 313), 0.1)
        self.assertAlmostEqual(peer.cosine(0.1, 313, 313), 0)
        parameter = torch.nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.SGD([parameter], lr=0.1)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=313)
        for update in range(313):
            self.assertAlmostEqual(peer.cosine(0.1, update, 313), optimizer.param_groups[0]["lr"], places=9)
            optimizer.step()
            schedule.step()


class Runs(unittest.TestCase):
    """Every method end to end on a small stream: batches of 8, 8 and 4."""

    def run_method(self, folder, *options):
        shard = Path(folder) / "shard.tar.zst"
        rng = np.random.default_rng(9)
        write_shard(shard, [(jpeg(rng), i % 10) for i in range(20)])
        return peer.main([
            "--data", str(shard), "--eval-data", str(shard), "--limit", "20", "--batch-size", "8", "--storage", "0.5",
            "--threads", "1", "--output", str(Path(folder) / "results.jsonl"), *options])

    def test_counts_of_every_method(self):
        wanted = {  # updates, examples back-propagated, examples in memory
            ("naive",): (3, 20, 0),
            ("replay",): (3 + 3 * 2, 20 + 3 * 2 * 8, 10),
            ("replay", "--priority", "uniform", "--loader", "plain"): (9, 68, 10),
            ("multi-epoch",): (12, 80, 0),
        }
        with tempfile.TemporaryDirectory() as folder:
            for (method, *options), want in wanted.items():
                record = self.run_method(folder, "--method", method, *options)
                got = (record["updates"], record["examples_backpropagated"], record["memory_examples"])
                self.assertEqual(got, want, method)
                self.assertEqual(record["test_examples"], 20)
            lines = (Path(folder) / "results.jsonl").read_text().splitlines()
            self.assertEqual(len([json.loads(line) for line in lines]), len(wanted))
            self.assertIsNone(self.run_method(folder, "--method", "naive", "--skip-recorded"))
            self.assertIsNotNone(self.run_method(folder, "--method", "naive", "--skip-recorded", "--seed", "2"))

    def test_replays_before_offers_and_weights_by_inverse_priority(self):
        calls = []

        class Spy(peer.Learner):
            def update(self, images, labels, weights=None):
                calls.append((labels, weights))
                return super().update(images, labels, weights)

        original, peer.Learner = peer.Learner, Spy
        try:
            with tempfile.TemporaryDirectory() as folder:
                self.run_method(folder, "--method", "replay", "--replay-steps", "1", "--storage", "1")
        finally:
            peer.Learner = original
        # Labels of the stream are 0...9, 0...9: step 2 must replay only items of step 1 (0...7).
        self.assertEqual(calls[0][0], (0, 1, 2, 3, 4, 5, 6, 7))
        self.assertEqual(calls[1][0], (8, 9, 0, 1, 2, 3, 4, 5))
        self.assertLessEqual(set(calls[2][0]), set(range(8)))
        self.assertEqual([weights is None for _, weights in calls], [True, True, False, True, False])
        # At step 1 alpha is 0, so every priority is 1, and so is every weight.
        np.testing.assert_allclose(calls[2][1], 1)


if __name__ == "__main__":
    unittest.main()
