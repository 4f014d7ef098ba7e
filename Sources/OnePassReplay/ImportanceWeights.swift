/// The importance weights of one replayed mini-batch: w_i ∝ 1/p_i, with mean 1 (Hu et al. 2021, section 3.3).
///
/// They undo the preference of the draw, so that the weighted loss of a replayed batch is an estimate of the
/// memory's mean loss.
/// - Parameter probabilities: The probability with which each item of the mini-batch was drawn, or anything
///   proportional to it; all greater than 0.
public func importanceWeights(forProbabilities probabilities: [Double]) -> [Float] {
  guard !probabilities.isEmpty else { return [] }
  let inverses = probabilities.map { 1 / $0 }
  let scale = Double(inverses.count) / inverses.reduce(0, +)
  return inverses.map { Float($0 * scale) }
}
