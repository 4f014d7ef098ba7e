import OnePassCore

/// A named set of options of `onepass train`; options that are set explicitly override it.
package enum RunPreset: String, CaseIterable, Sendable {
  /// The paper's method and recipe: the default of every option.
  case paper
  /// The best method and recipe of our experiments at the paper's storage and compute (results/beyond-the-paper).
  case best

  private var options: [(name: String, value: String)] {
    switch self {
    case .paper: []
    case .best:
      [
        // A sliding window: every example is inserted and the oldest is evicted, so all are replayed.
        ("recency-bias", "1e6"), ("evicting", "oldest"),
        // Each replay of an image is a different view.
        ("augmentation", "rand"),
        // One pass makes few updates; Muon learns more from each.
        ("optimiser", "muon"),
        // Strides no longer alias, so features change little when the image shifts by a pixel.
        ("blur-pool", "true"),
        // Late examples are learned as well as early ones, whatever the length of the stream. Averaging the weights
        // replaces the decay of the learning rate.
        ("schedule", "constant"), ("weight-average", "0.9999"),
      ]
    }
  }

  /// The options as arguments; later arguments override them.
  package var arguments: [String] {
    options.map { TrainOption($0.name, $0.value, at: Place("preset \(rawValue)")).argument }
  }
}
