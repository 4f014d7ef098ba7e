import OnePassCore

// Impossible settings of optimisers and of the weight average.
extension OnePassError {
  static func momentumOutOfRange(_ momentum: Double) -> OnePassError {
    OnePassError(.usage, "--momentum must be at least 0 and below 1 (got \(momentum)).")
  }

  static func weightDecayOutOfRange(_ weightDecay: Double) -> OnePassError {
    OnePassError(.usage, "The weight decay must be at least 0 and finite (got \(weightDecay)).")
  }

  static func weightAverageOutOfRange(_ decay: Double) -> OnePassError {
    OnePassError(.usage, "--weight-average must be at least 0 and below 1 (got \(decay)).")
  }

  static func notAMatrix(_ parameter: String, shape: [Int]) -> OnePassError {
    OnePassError(
      .usage,
      "Muon requires matrices or convolution filters (got \(parameter) with shape \(shape)); "
        + "use SGD for this parameter.")
  }
}
