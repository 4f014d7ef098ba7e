import CTorch
import OnePassCore

/// The exponential moving average of a model's weights and running statistics along its updates.
///
/// After the t-th update a ← d·a + (1 − d)·w, with d = min(decay, (1 + t) / (10 + t)): the average forgets fast while the
/// weights still change fast, as TensorFlow's `ExponentialMovingAverage` does with `num_updates`. Integers, such as the
/// number of batches that batch normalisation has seen, are copied.
///
/// ```swift
/// let average = try WeightAverage(of: model.stateDictionary, decay: 0.999)
/// for update in 1...10_000 {
///   try optimiser.step(learningRate: 0.1)
///   try average.take(afterUpdate: update)
/// }
/// try model.stateDictionary.load(from: average.stateDictionary)
/// ```
public final class WeightAverage {
  public let decay: Double
  private let source: StateDictionary
  /// The averages, under the names of the model's tensors; saving them saves the state, and loading restores it.
  public let stateDictionary: StateDictionary

  /// Begins with the state as it is.
  /// - Parameters:
  ///   - state: the tensors of a model, which it reads after each update.
  ///   - decay: 0 ..< 1.
  /// - Throws: `OnePassError` (`usage`) for a decay outside its range.
  public init(of state: StateDictionary, decay: Double) throws {
    guard decay >= 0, decay < 1 else {
      throw OnePassError(
        .usage, "A decay of \(decay) makes no average: give 0 or more, and less than 1.")
    }
    self.decay = decay
    source = state
    stateDictionary = StateDictionary(
      try state.entries.map { (name: $0.name, tensor: try $0.tensor.copied()) })
  }

  /// d of the t-th update.
  static func decay(_ decay: Double, update: Int) -> Double {
    min(decay, Double(1 + update) / Double(10 + update))
  }

  /// Takes the weights in.
  /// - Parameter update: t, the number of updates made so far, 1 or more.
  public func take(afterUpdate update: Int) throws {
    precondition(update >= 1, "There is something to average after an update.")
    let pairs = zip(stateDictionary.entries, source.entries).map { (average: $0.tensor, value: $1.tensor) }
    let numbers = pairs.filter { $0.average.elementType == .float32 }
    let share = 1 - Self.decay(decay, update: update)
    try withExtendedLifetime(numbers) {
      try perform("the average of weights") {
        ct_move_towards(
          numbers.map(\.average.handle), numbers.map(\.value.handle), Int64(numbers.count), share)
      }
    }
    for pair in pairs where pair.average.elementType != .float32 {
      try pair.average.copy(from: pair.value)
    }
  }
}
