import CTorch
import OnePassCore

/// The exponential moving average of a model's weights and running statistics over its updates.
///
/// After the t-th update, a ← d·a + (1 − d)·w with d = min(decay, (1 + t) / (10 + t)). The decay is smaller at the start, when
/// weights change quickly, as in TensorFlow's `ExponentialMovingAverage` with `num_updates`. Integers, such as the number of
/// batches of batch normalisation, are copied.
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
  /// The maximum of d, 0 ..< 1.
  public let decay: Double
  private let source: StateDictionary
  /// The averages, under the names of the model's tensors; write or load them to save or restore the state.
  public let stateDictionary: StateDictionary

  /// Creates an average that starts with the current values.
  /// - Parameters:
  ///   - state: The tensors of a model, which are read after each update.
  ///   - decay: The maximum of d, 0 ..< 1.
  /// - Throws: `OnePassError` (`usage`) for a decay outside its range.
  public init(of state: StateDictionary, decay: Double) throws {
    guard decay >= 0, decay < 1 else {
      throw OnePassError.weightAverageOutOfRange(decay)
    }
    self.decay = decay
    source = state
    stateDictionary = StateDictionary(
      try state.entries.map { (name: $0.name, tensor: try $0.tensor.copied()) })
  }

  /// Returns d for the t-th update.
  static func decay(_ decay: Double, update: Int) -> Double {
    min(decay, Double(1 + update) / Double(10 + update))
  }

  /// Includes the current weights in the average.
  /// - Parameter update: t, the number of updates made so far, 1 or more.
  public func take(afterUpdate update: Int) throws {
    precondition(update >= 1, "update must be at least 1.")
    let pairs = zip(stateDictionary.entries, source.entries).map { (average: $0.tensor, value: $1.tensor) }
    let numbers = pairs.filter { $0.average.elementType == .float32 }
    let share = 1 - Self.decay(decay, update: update)
    try withExtendedLifetime(numbers) {
      try perform("WeightAverage.take") {
        ct_move_towards(
          numbers.map(\.average.handle), numbers.map(\.value.handle), Int64(numbers.count), share)
      }
    }
    for pair in pairs where pair.average.elementType != .float32 {
      try pair.average.copy(from: pair.value)
    }
  }
}
