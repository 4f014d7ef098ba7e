#!/usr/bin/env python3
"""Prints reference values for the drift detectors, computed by River.

    python3 Tools/reference_drift.py > Tests/OnePassTests/Fixtures/drift.json
    python3 Tools/reference_drift.py --false-alarms      counts alarms on stationary sequences, for docs/watching-a-run.md

Sequences of errors, 0 or 1, as hexadecimal digits of four each, the first in the highest bit: stationary ones, abrupt and gradual
changes in both directions, a change that recurs, and constant ones. For each detector and parameter, the positions of its alarms.

KSWIN draws from its window. So that both draw the same, River's class is given the generator of OnePass (SplitMix64 with a key of
seed, purpose and position, and Lemire's bounded integers), as `sample`.
"""

import json
import random
import sys

from river import drift

MASK = (1 << 64) - 1
SEED, DRIFT_TEST = 7, 18


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class Generator:
    def __init__(self, seed, purpose, position):
        key = mix((seed + 0x9E3779B97F4A7C15) & MASK)
        key = mix(key ^ (purpose * 0xD1342543DE82EF95 & MASK))
        key = mix((key + position * 0xAF251AF3B0F025B5) & MASK)
        self.state = mix(key)

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        return mix(self.state)

    def below(self, bound):
        while True:
            product = self.next() * bound
            if product & MASK >= ((1 << 64) - bound) % bound:
                return product >> 64


class KSWIN(drift.KSWIN):
    """River's, with draws that are numbered by its values."""

    def _reset(self):
        super()._reset()
        self._rng = self

    def sample(self, population, count):
        generator = Generator(SEED, DRIFT_TEST, self.n)
        places = list(population)
        for place in range(count):
            other = place + generator.below(len(places) - place)
            places[place], places[other] = places[other], places[place]
        return places[:count]


def sequence(number, parts):
    """Parts: (length, first rate, last rate), the rate changing linearly."""
    chance = random.Random(number)
    return [int(chance.random() < first + (last - first) * i / length) for length, first, last in parts for i in range(length)]


SEQUENCES = {
    "stationary at 0.5": [(8000, 0.5, 0.5)],
    "stationary at 0.1": [(8000, 0.1, 0.1)],
    "abrupt rise": [(3000, 0.2, 0.2), (3000, 0.6, 0.6)],
    "abrupt fall": [(3000, 0.7, 0.7), (3000, 0.3, 0.3)],
    "gradual rise": [(2000, 0.1, 0.1), (3000, 0.1, 0.8), (1000, 0.8, 0.8)],
    "learning": [(6000, 0.9, 0.2)],
    "recurring": [(1000, rate, rate) for rate in (0.2, 0.8) * 4],
    "small change": [(4000, 0.30, 0.30), (4000, 0.36, 0.36)],
    "always wrong, then right": [(1000, 1, 1), (1000, 0, 0)],
    "always right": [(2000, 0, 0)],
}
DETECTORS = {
    "adwin": [(value, lambda value=value: drift.ADWIN(delta=value)) for value in (0.002, 0.1)],
    "page-hinkley": [(value, lambda value=value: drift.PageHinkley(threshold=value)) for value in (50, 10)],
    "kswin": [(value, lambda value=value: KSWIN(alpha=value)) for value in (0.005, 0.0001)],
}


def alarms(detector, values):
    found = []
    for position, value in enumerate(values):
        detector.update(value)
        if detector.drift_detected:
            found.append(position)
    return found


def false_alarms():
    """Alarms per 100,000 predictions with River's parameters."""
    for name, make, count in (("adwin", drift.ADWIN, 100_000), ("page-hinkley", drift.PageHinkley, 100_000),
                              ("kswin", lambda: drift.KSWIN(seed=1), 20_000)):
        for rate in (0.05, 0.2, 0.5):
            chance = random.Random(5)
            found = alarms(make(), (int(chance.random() < rate) for _ in range(count)))
            print(name, rate, len(found) * 100_000 // count)


def main():
    result = []
    for number, (name, parts) in enumerate(SEQUENCES.items()):
        values = sequence(number, parts)
        bits = "".join(map(str, values))
        result.append({
            "name": name, "count": len(values),
            "errors": "".join(f"{int(bits[i:i + 4].ljust(4, '0'), 2):x}" for i in range(0, len(bits), 4)),
            "alarms": [{"detector": f"{kind}:{value}", "positions": alarms(make(), values)}
                       for kind, all_ in DETECTORS.items() for value, make in all_]})
    print(json.dumps(result, indent=1))


false_alarms() if "--false-alarms" in sys.argv else main()
