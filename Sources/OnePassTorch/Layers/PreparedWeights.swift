import CTorch

/// The weights of a model in the form in which the kernels of a CPU read them, kept over many predictions.
///
/// A convolution rearranges its filters each time it is called, and with few images this takes longer than the convolution. They
/// are rearranged once here, at the first use, and take about as much memory again as the weights, for filters of 3x3 pixels up to
/// four times as much. It belongs to the thread that uses it. The results are the same, bit by bit.
///
/// ```swift
/// let prepared = PreparedWeights()
/// let logits = try withoutGradient(reusing: prepared) { try model(images, .evaluation) }
/// try model.stateDictionary.load(from: StateDictionary(safetensors: "newer.safetensors"))
/// prepared.clear()
/// ```
public final class PreparedWeights {
  private let handle = ct_prepared_weights_new()

  /// Creates an empty store.
  public init() {}

  deinit { ct_prepared_weights_free(handle) }

  /// Forgets everything. Must be called after weights or running statistics have changed, or results are those of the old ones.
  public func clear() { ct_prepared_weights_clear(handle) }

  fileprivate func use<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = ct_use_prepared_weights(handle)
    defer { _ = ct_use_prepared_weights(before) }
    return try body()
  }
}

/// Runs `body` without recording operators for a backward pass, and keeps the weights in the form of the kernels.
/// - Parameters:
///   - prepared: The weights that earlier calls have prepared, to which `body` adds those that it uses. They must not have
///     changed since then.
///   - body: The passes without gradients.
public func withoutGradient<Result>(reusing prepared: PreparedWeights, _ body: () throws -> Result) rethrows
  -> Result
{
  try withoutGradient { try prepared.use(body) }
}
