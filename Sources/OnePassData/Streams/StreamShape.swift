import OnePassCore

/// How the examples of a source become a stream: in which order, which of them, and with which labels.
///
/// ```swift
/// try StreamShape("by-class:5")      // five groups of classes, one after the other
/// try StreamShape("bursts:50")       // runs of one class, of 50 examples on average
/// ```
///
/// | text | the stream |
/// |---|---|
/// | `shuffled` | uniformly random (Hu et al. 2021) |
/// | `by-class:G` | G groups of classes, one after the other; random within a group (class-incremental) |
/// | `blurred:G:σ` | the same, with positions moved by a normal deviation of σ group lengths |
/// | `long-tailed:R` | random; of class r of C, in label order, the share R^(−r/(C−1)) (Cui et al. 2019) |
/// | `bursts:M` | runs of one class, whose length is geometric with mean M |
/// | `recurring:P` | the rate of each class is 1 + cos 2π(t/P − φ), with another φ for each class |
/// | `label-noise:S` | random; a share S of the labels is another class, chosen uniformly |
public enum StreamShape: Hashable, Sendable {
  case shuffled
  /// G, at least 2.
  case byClass(groups: Int)
  /// G, at least 2, and σ above 0, in group lengths.
  case blurred(groups: Int, overlap: Double)
  /// R, above 1: the size of the largest class over that of the smallest.
  case longTailed(imbalance: Double)
  /// M, above 1, in examples.
  case bursts(mean: Double)
  /// P, at least 2, in examples.
  case recurring(period: Int)
  /// S, above 0 and up to 1.
  case labelNoise(share: Double)
}

extension StreamShape: TextCoded {
  /// The forms, for messages.
  package static let forms =
    "shuffled, by-class:G, blurred:G:σ, long-tailed:R, bursts:M, recurring:P or label-noise:S"

  /// Parses the text of a shape.
  /// - Throws: `OnePassError` (`usage`) for another text, or a number outside its range.
  public init(_ text: String) throws {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let numbers = parts.dropFirst().map { Double($0) }
    let whole = parts.dropFirst().map { Int($0) }
    let parsed: StreamShape? =
      switch (parts[0], parts.count) {
      case ("shuffled", 1): .shuffled
      case ("by-class", 2): whole[0].map { .byClass(groups: $0) }
      case ("blurred", 3):
        whole[0].flatMap { groups in numbers[1].map { .blurred(groups: groups, overlap: $0) } }
      case ("long-tailed", 2): numbers[0].map { .longTailed(imbalance: $0) }
      case ("bursts", 2): numbers[0].map { .bursts(mean: $0) }
      case ("recurring", 2): whole[0].map { .recurring(period: $0) }
      case ("label-noise", 2): numbers[0].map { .labelNoise(share: $0) }
      default: nil
      }
    guard let parsed else { throw OnePassError.isNoStreamShape(text) }
    self = parsed
    try validate()
  }

  /// Checks the numbers.
  /// - Throws: `OnePassError` (`usage`) with the range of the one that is outside.
  public func validate() throws {
    let range: String? =
      switch self {
      case .shuffled: nil
      case .byClass(let groups): groups >= 2 ? nil : "by-class:G needs at least 2 groups"
      case .blurred(let groups, let overlap):
        if groups < 2 {
          "blurred:G:σ needs at least 2 groups"
        } else {
          overlap > 0 && overlap.isFinite ? nil : "blurred:G:σ needs σ above 0"
        }
      case .longTailed(let imbalance):
        imbalance > 1 && imbalance.isFinite ? nil : "long-tailed:R needs R above 1"
      case .bursts(let mean): mean > 1 && mean.isFinite ? nil : "bursts:M needs M above 1"
      case .recurring(let period): period >= 2 ? nil : "recurring:P needs a period of at least 2"
      case .labelNoise(let share):
        share > 0 && share <= 1 ? nil : "label-noise:S needs a share above 0, up to 1"
      }
    if let range { throw OnePassError.streamShapeOutOfRange(range, got: self) }
  }

  /// The text that ``init(_:)`` parses.
  public var description: String {
    func text(_ number: Double) -> String { Int(exactly: number).map { "\($0)" } ?? "\(number)" }
    return switch self {
    case .shuffled: "shuffled"
    case .byClass(let groups): "by-class:\(groups)"
    case .blurred(let groups, let overlap): "blurred:\(groups):\(text(overlap))"
    case .longTailed(let imbalance): "long-tailed:\(text(imbalance))"
    case .bursts(let mean): "bursts:\(text(mean))"
    case .recurring(let period): "recurring:\(period)"
    case .labelNoise(let share): "label-noise:\(text(share))"
    }
  }

  /// Whether a method that reads all examples several times in random order sees no difference.
  package var isOnlyAnOrder: Bool {
    switch self {
    case .longTailed, .labelNoise: false
    case .shuffled, .byClass, .blurred, .bursts, .recurring: true
    }
  }
}
