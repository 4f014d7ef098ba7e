#!/usr/bin/env python3
"""Prints reference values for the statistics of OnePassExperiments, computed by SciPy and statsmodels.

    python3 Tools/reference_statistics.py > Tests/OnePassExperimentsTests/Fixtures/statistics.json

Student's t: P(|T| <= t) and its inverse for many degrees of freedom, whole and fractional. Paired t tests and Welch's t tests on
samples of fixed pseudo-random numbers: mean, standard error, degrees of freedom, 95 % confidence interval, two-sided p.
Combinations (a - b) - (c - d): paired, they are a t test of one sample; for four independent samples there is only the formula of
Welch and Satterthwaite. Holm's correction.
"""

import json
import random

import numpy
import scipy.stats
from statsmodels.stats.multitest import multipletests


def welch(first, second):
    test = scipy.stats.ttest_ind(first, second, equal_var=False)
    interval = test.confidence_interval(0.95)
    return {"mean": float(numpy.mean(first) - numpy.mean(second)), "degreesOfFreedom": float(test.df),
            "low": float(interval.low), "high": float(interval.high), "p": float(test.pvalue)}


def one_sample(groups):
    """(a - b) - (c - d) by pairs."""
    a, b, c, d = [numpy.array(group) for group in groups]
    test = scipy.stats.ttest_1samp(a - b - (c - d), 0)
    interval = test.confidence_interval(0.95)
    return {"mean": float((a - b - (c - d)).mean()), "degreesOfFreedom": float(test.df), "low": float(interval.low),
            "high": float(interval.high), "p": float(test.pvalue)}


def four_groups(groups):
    """(a - b) - (c - d) of independent samples, by the formula."""
    a, b, c, d = groups
    squares = [scipy.stats.sem(group) ** 2 for group in groups]
    mean = numpy.mean(a) - numpy.mean(b) - (numpy.mean(c) - numpy.mean(d))
    degrees = sum(squares) ** 2 / sum(s ** 2 / (len(g) - 1) for s, g in zip(squares, groups))
    error = sum(squares) ** 0.5
    half = scipy.stats.t.ppf(0.975, degrees) * error
    return {"mean": float(mean), "degreesOfFreedom": float(degrees), "low": float(mean - half), "high": float(mean + half),
            "p": float(2 * scipy.stats.t.sf(abs(mean) / error, degrees))}


def main():
    distributions = [
        {"degreesOfFreedom": nu, "t": t, "central": float(1 - 2 * scipy.stats.t.sf(t, nu)),
         "twoSided": float(2 * scipy.stats.t.sf(t, nu)), "quantile95": float(scipy.stats.t.ppf(0.975, nu))}
        for nu in (1, 2, 3, 4, 5, 8, 9, 30, 99, 1.25, 2.713, 3.61, 7.5, 31.4, 250.75)
        for t in (0.0, 0.1, 0.7, 1.0, 2.5, 6.0, 20.0)]
    generator = random.Random(7)
    pairs = []
    for n in (2, 3, 5, 10):
        first = [round(50 + generator.gauss(0, 2), 3) for _ in range(n)]
        second = [round(value - 0.5 + generator.gauss(0, 0.7), 3) for value in first]
        test = scipy.stats.ttest_rel(first, second)
        interval = test.confidence_interval(0.95)
        differences = numpy.subtract(first, second)
        pairs.append({"first": first, "second": second, "mean": float(differences.mean()),
                      "standardError": float(scipy.stats.sem(differences)), "low": float(interval.low),
                      "high": float(interval.high), "p": float(test.pvalue)})

    def sample(n, mean, deviation):
        return [round(generator.gauss(mean, deviation), 3) for _ in range(n)]

    independent = []
    for sizes in ((2, 2), (3, 3), (3, 5), (5, 2), (10, 4)):
        first, second = sample(sizes[0], 51, 0.4), sample(sizes[1], 50, 2)
        independent.append({"first": first, "second": second, **welch(first, second)})
    combinations = []
    for n in (3, 5):
        groups = [sample(n, mean, deviation) for mean, deviation in ((57, 1.8), (40, 1.0), (44, 2.5), (42, 0.5))]
        combinations.append({"groups": groups, "paired": one_sample(groups), "independent": four_groups(groups)})
    holm = []
    for p in ([0.01, 0.04, 0.03, 0.005], [0.2], [0.04, 0.04, 0.6, 0.001, 0.9], [0.5, 0.5, 0.6]):
        holm.append({"p": p, "adjusted": [float(value) for value in multipletests(p, method="holm")[1]]})
    print(json.dumps({"distributions": distributions, "pairs": pairs, "independent": independent,
                      "combinations": combinations, "holm": holm}, indent=1))


if __name__ == "__main__":
    main()
