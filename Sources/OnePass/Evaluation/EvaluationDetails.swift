import Foundation
import OnePassCore
import OnePassTorch

/// Collects what an ``Evaluation`` reports beyond accuracy and loss: counts by class and pair, and the worst errors.
///
/// It counts hits and losses itself, in the order of the metrics, so that these need not be computed twice.
struct EvaluationDetails {
  private(set) var classes: [Evaluation.ClassResult]
  private(set) var confusion: ConfusionMatrix
  private(set) var lossSum = 0.0
  private var worst: WorstMistakes
  private let hasTop5: Bool

  /// - Parameters:
  ///   - count: The number of classes.
  ///   - mistakes: The maximum number of errors that are kept with their images.
  init(classes count: Int, mistakes: Int) {
    hasTop5 = count > 5
    classes = (0..<count).map { [hasTop5] in
      Evaluation.ClassResult(label: $0, correctTop5: hasTop5 ? 0 : nil)
    }
    confusion = ConfusionMatrix(classes: count)
    worst = WorstMistakes(limit: mistakes)
  }

  /// The errors with the highest losses, the highest first.
  var mistakes: [Evaluation.Mistake] { worst.sorted }

  /// The number of examples whose prediction, or one of whose five predictions, is correct.
  var correct: Int { classes.reduce(0) { $0 + $1.correct } }
  var correctTop5: Int? { hasTop5 ? classes.reduce(0) { $0 + ($1.correctTop5 ?? 0) } : nil }

  /// Adds a mini-batch.
  /// - Parameters:
  ///   - logits: `[N, classes]`, float32.
  ///   - labels: `[N]`, int64, on the device of the logits.
  ///   - examples: The N examples.
  ///   - locate: Returns the file of an example.
  mutating func update(
    logits: Tensor, labels: Tensor, examples: [Example], locate: (Int) -> String?
  ) throws {
    let predicted = try topClasses(logits, count: 1).integers()
    let five = hasTop5 ? try topClasses(logits, count: 5).integers() : []
    let losses = try crossEntropy(logits, labels: labels).floats()
    lossSum += losses.reduce(0) { $0 + Double($1) }
    var probabilities: [Float]?
    for (index, example) in examples.enumerated() {
      let (label, prediction) = (example.label, Int(predicted[index]))
      let loss = Double(losses[index])
      confusion.add(label: label, predicted: prediction)
      classes[label].examples += 1
      classes[label].lossSum += loss
      if prediction == label { classes[label].correct += 1 }
      if hasTop5, five[index * 5..<index * 5 + 5].contains(Int64(label)) {
        classes[label].correctTop5? += 1
      }
      guard prediction != label, worst.wants(loss: loss, position: example.id) else { continue }
      let all = try probabilities ?? topProbabilities(logits, count: 1).probabilities.floats()
      probabilities = all
      worst.insert(
        Evaluation.Mistake(
          position: example.id, location: locate(example.id), label: label, predicted: prediction,
          probability: Double(all[index]), labelProbability: exp(-loss), loss: loss, image: example.image))
    }
  }
}

/// The errors with the highest losses of all that were inserted, up to a limit. Of equal losses, the first count.
///
/// A binary heap with the smallest loss at its root, so that memory does not grow with the data.
struct WorstMistakes {
  private var heap: [Evaluation.Mistake] = []
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// Whether `insert` would keep an error.
  func wants(loss: Double, position: Int) -> Bool {
    guard heap.count >= limit, let least = heap.first else { return limit > 0 }
    return (loss, -position) > (least.loss, -least.position)
  }

  mutating func insert(_ mistake: Evaluation.Mistake) {
    guard wants(loss: mistake.loss, position: mistake.position) else { return }
    if heap.count < limit {
      heap.append(mistake)
      rise(from: heap.count - 1)
    } else {
      heap[0] = mistake
      sink()
    }
  }

  /// All kept errors, the highest loss first.
  var sorted: [Evaluation.Mistake] { heap.sorted { Self.isLess($1, $0) } }

  private static func isLess(_ a: Evaluation.Mistake, _ b: Evaluation.Mistake) -> Bool {
    (a.loss, -a.position) < (b.loss, -b.position)
  }

  private mutating func rise(from place: Int) {
    var place = place
    while place > 0, Self.isLess(heap[place], heap[(place - 1) / 2]) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  private mutating func sink() {
    var place = 0
    while true {
      let children = [2 * place + 1, 2 * place + 2].filter { $0 < heap.count }
      guard let least = children.min(by: { Self.isLess(heap[$0], heap[$1]) }),
        Self.isLess(heap[least], heap[place])
      else { return }
      heap.swapAt(least, place)
      place = least
    }
  }
}
