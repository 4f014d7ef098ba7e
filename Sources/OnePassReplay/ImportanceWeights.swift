/// Returns the importance weights of a replayed mini-batch: w_i ∝ 1/p_i, with mean 1.
///
/// They correct the bias of prioritised draws, so that the weighted loss of a mini-batch estimates the mean loss of the memory.
///
/// ```swift
/// print(importanceWeights(forProbabilities: [0.2, 0.1, 0.1]))  // [0.6, 1.2, 1.2]
/// ```
///
/// Source: Hu et al. 2021, section 3.3.
/// - Parameter probabilities: The probabilities with which the items were drawn, `[N]`, up to a common factor; greater than 0.
/// - Returns: The weights, `[N]`.
public func importanceWeights(forProbabilities probabilities: [Double]) -> [Float] {
  guard !probabilities.isEmpty else { return [] }
  let inverses = probabilities.map { 1 / $0 }
  let scale = Double(inverses.count) / inverses.reduce(0, +)
  return inverses.map { Float($0 * scale) }
}
