/// Sums over predictions, from which accuracy, mean loss and calibration follow.
struct PredictionSums: Codable, Hashable {
  /// The predictions with a probability in one of 15 equal intervals.
  private struct Bin: Codable, Hashable {
    var count = 0
    var correct = 0
    var probability = 0.0
  }

  private(set) var count = 0
  private(set) var correct = 0
  private var loss = 0.0
  private var bins = Array(repeating: Bin(), count: Self.binCount)

  private static let binCount = 15

  /// - Parameters:
  ///   - probability: The probability of the predicted class.
  ///   - loss: ℓ, in nats.
  mutating func add(isCorrect: Bool, probability: Float, loss: Float) {
    count += 1
    correct += isCorrect ? 1 : 0
    self.loss += Double(loss)
    let bin = min(Int(Double(probability) * Double(Self.binCount)), Self.binCount - 1)
    bins[bin].count += 1
    bins[bin].correct += isCorrect ? 1 : 0
    bins[bin].probability += Double(probability)
  }

  /// The accuracy, 0 … 1; `nil` without predictions.
  var accuracy: Double? { count == 0 ? nil : Double(correct) / Double(count) }

  /// The mean loss, in nats; `nil` without predictions.
  var meanLoss: Double? { count == 0 ? nil : loss / Double(count) }

  /// The expected calibration error, 0 … 1: the mean over predictions of |accuracy − mean probability| of their interval.
  ///
  /// `nil` without predictions. Source: Naeini, Cooper and Hauskrecht 2015; 15 intervals as in Guo et al. 2017.
  var calibrationError: Double? {
    count == 0 ? nil : bins.reduce(0) { $0 + abs(Double($1.correct) - $1.probability) } / Double(count)
  }
}
