/// What is known of losses when the priority of an item is computed.
///
/// ``PriorityFunction/basis`` says which of them is there beside the item's own loss.
public struct LossContext: Hashable, Sendable {
  /// ℓ, the cross-entropy of the example in the forward pass that trained it, 0 … ∞, in nats; never NaN.
  public var loss: Double
  /// ℓ̄, the running average of the losses that the item had before this one; `nil` where it just came in, or none is kept.
  public var ownAverage: Double?
  /// The mean of the losses that the memory keeps of its items; `nil` where it holds none, or nobody asked for it.
  public var memoryMean: Double?

  public init(loss: Double, ownAverage: Double? = nil, memoryMean: Double? = nil) {
    self.loss = loss
    self.ownAverage = ownAverage
    self.memoryMean = memoryMean
  }

  /// The running average with this loss: (ℓ̄ + ℓ) / 2, and the first loss itself.
  ///
  /// The weight of a loss halves with each later one, so that the average follows a network that learns.
  public var nextAverage: Double { ownAverage.map { ($0 + loss) / 2 } ?? loss }
}

/// What a priority function compares an item's loss with.
public enum PriorityBasis: Hashable, Sendable {
  /// With nothing. The default.
  case loss
  /// With the running average of the item's own losses.
  ///
  /// With `--priority-timing refreshed` the memory keeps it in the place of the last loss, so that it takes no bytes.
  case ownAverage
  /// With the mean of the losses in the memory.
  ///
  /// That one moves, so that with `--priority-timing refreshed` all priorities are computed anew in each step, from the losses
  /// that the items had last.
  case memoryMean
}
