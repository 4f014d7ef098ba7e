/// The losses from which the priority of an item is computed.
///
/// ``PriorityFunction/basis`` selects the reference that accompanies the item's loss.
///
/// ```swift
/// let losses = LossContext(loss: 0.4, ownAverage: 1.4)
/// print(losses.nextAverage)  // 0.9
/// ```
public struct LossContext: Hashable, Sendable {
  /// ℓ, the cross-entropy of the example in its last forward pass, in nats, 0 … ∞; never NaN.
  public var loss: Double
  /// ℓ̄, the running average of the item's earlier losses; `nil` for a new item, or if no average is stored.
  public var ownAverage: Double?
  /// The mean loss of the items in the memory; `nil` for an empty memory, or if it was not requested.
  public var memoryMean: Double?

  /// Creates a context from a loss and its references.
  public init(loss: Double, ownAverage: Double? = nil, memoryMean: Double? = nil) {
    self.loss = loss
    self.ownAverage = ownAverage
    self.memoryMean = memoryMean
  }

  /// The running average that includes this loss: (ℓ̄ + ℓ) / 2, or ℓ for the first loss.
  ///
  /// The weight of a loss halves with each later one, so that the average follows the progress of training.
  public var nextAverage: Double { ownAverage.map { ($0 + loss) / 2 } ?? loss }
}

/// The reference with which a priority function compares the loss of an item.
///
/// ```swift
/// let basis = LearnabilityPriority().basis
/// print(basis == .ownAverage)  // true
/// ```
public enum PriorityBasis: Hashable, Sendable {
  /// No reference. The default.
  case loss
  /// The running average of the item's losses.
  ///
  /// With `--priority-timing refreshed` the memory stores it instead of the last loss, so that it takes no additional bytes.
  case ownAverage
  /// The mean loss of the memory.
  ///
  /// It changes over time. With `--priority-timing refreshed`, all priorities are therefore recomputed in each step from the last
  /// losses of the items.
  case memoryMean
}
