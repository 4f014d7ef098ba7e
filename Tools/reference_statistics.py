#!/usr/bin/env python3
"""Prints reference values for the statistics of OnePassExperiments, computed by SciPy.

    python3 Tools/reference_statistics.py > Tests/OnePassExperimentsTests/Fixtures/statistics.json

Student's t: P(|T| <= t) and its inverse for many degrees of freedom. Paired t tests on samples of fixed pseudo-random
numbers: mean, standard error, 95 % confidence interval, two-sided p.
"""

import json
import random

import numpy
import scipy.stats


def main():
    distributions = [
        {"degreesOfFreedom": nu, "t": t, "central": float(1 - 2 * scipy.stats.t.sf(t, nu)),
         "twoSided": float(2 * scipy.stats.t.sf(t, nu)), "quantile95": float(scipy.stats.t.ppf(0.975, nu))}
        for nu in (1, 2, 3, 4, 5, 8, 9, 30, 99) for t in (0.0, 0.1, 0.7, 1.0, 2.5, 6.0, 20.0)]
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
    print(json.dumps({"distributions": distributions, "pairs": pairs}, indent=1))


if __name__ == "__main__":
    main()
