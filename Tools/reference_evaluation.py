#!/usr/bin/env python3
"""Prints reference values for an evaluation, computed by scikit-learn.

    python3 Tools/reference_evaluation.py > Tests/OnePassTests/Fixtures/evaluation.json

Logits of 60 examples in seven classes, of which class 5 has no example: the confusion matrix, recall and top-5 accuracy by
class, the log loss overall and by class, and the misclassified examples by their log loss.
"""

import json

import numpy
from scipy.special import log_softmax, softmax
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, recall_score, top_k_accuracy_score

CLASSES = 7


def main():
    generator = numpy.random.default_rng(5)
    labels = generator.choice([0, 1, 2, 3, 4, 6], 60)
    logits = generator.normal(0, 1.5, (60, CLASSES))
    logits[numpy.arange(60), labels] += 1.0
    # As float32 numbers, which the program computes with.
    logits = logits.astype(numpy.float32).astype(numpy.float64)
    predicted = logits.argmax(1)
    probabilities = softmax(logits, axis=1)
    everything = list(range(CLASSES))
    by_class = []
    for label in everything:
        own = labels == label
        if own.any():
            by_class.append({
                "examples": int(own.sum()),
                "recall": float(recall_score(labels, predicted, labels=[label], average=None)[0]),
                "top5": float(top_k_accuracy_score(labels[own], logits[own], k=5, labels=everything)),
                "loss": float(log_loss(labels[own], probabilities[own], labels=everything))})
        else:
            by_class.append({"examples": 0})
    losses = -log_softmax(logits, axis=1)[numpy.arange(60), labels]
    wrong = [int(i) for i in numpy.argsort(-losses) if predicted[i] != labels[i]]
    print(json.dumps({
        "labels": labels.tolist(), "logits": logits.tolist(),
        "top1": float(accuracy_score(labels, predicted)),
        "top5": float(top_k_accuracy_score(labels, logits, k=5, labels=everything)),
        "loss": float(log_loss(labels, probabilities, labels=everything)),
        "confusion": confusion_matrix(labels, predicted, labels=everything).tolist(), "classes": by_class,
        "errors": [{"example": i, "predicted": int(predicted[i]), "loss": float(losses[i]),
                    "probability": float(probabilities[i].max())} for i in wrong]}, indent=1))


if __name__ == "__main__":
    main()
