import OnePassCore

/// Options of `onepass train` under one name. Whatever is given beside it wins.
package enum RunPreset: String, CaseIterable, Sendable {
  /// The paper's method and recipe: what every option is if nothing is said.
  case paper
  /// What was best in our experiments at the paper's storage and compute; docs/results/beyond-the-paper says why.
  case best

  private var options: [(name: String, value: String)] {
    switch self {
    case .paper: []
    case .best:
      [
        // A window: every example comes in and the oldest goes, so that all are replayed.
        ("recency-bias", "1e6"), ("evicting", "oldest"),
        // What is seen again is never quite the same.
        ("augmentation", "rand"),
        // More is learnt from each update, of which one pass makes few.
        ("optimiser", "muon"),
        // What a stride skips is not lost, and an image that lies a pixel further on looks alike.
        ("blur-pool", "true"),
        // What arrives late is learnt as well as what arrives early, however long the stream is; the average over the last
        // updates, a tenth of them old in the mean, takes the place of the falling learning rate.
        ("schedule", "constant"), ("weight-average", "0.9999"),
      ]
    }
  }

  /// The options as arguments. Whatever follows them wins.
  package var arguments: [String] {
    options.map { TrainOption($0.name, $0.value, at: Place("preset \(rawValue)")).argument }
  }
}
