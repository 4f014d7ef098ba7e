import OnePassCore

/// A detector of drift with its parameter.
///
/// ```swift
/// try DriftMethod("adwin")          // ADWIN with δ = 0.002
/// try DriftMethod("kswin:0.0001")   // KSWIN with α = 0.0001
/// try DriftMethod("adwin:both")     // also reports that the rate of errors falls
/// ```
///
/// | text | detector | parameter, default |
/// |---|---|---|
/// | `adwin:δ` | ADWIN (Bifet and Gavaldà 2007) | confidence, 0.002 |
/// | `page-hinkley:λ` | Page and Hinkley (Page 1954) | threshold, 50 |
/// | `kswin:α` | KSWIN (Raab et al. 2020) | significance, 0.005 |
public struct DriftMethod: Hashable, Sendable {
  /// A detector with its parameter.
  enum Detector: Hashable {
    /// δ, 0 < δ < 1.
    case adwin(confidence: Double)
    /// λ, above 0.
    case pageHinkley(threshold: Double)
    /// α, 0 < α < 1.
    case kswin(significance: Double)
  }

  let detector: Detector
  /// Whether a rate that falls is reported too, as that of every model that learns does.
  let reportsFalls: Bool
}

extension DriftMethod: TextCoded {
  /// The forms, for messages.
  package static let forms =
    "adwin[:DELTA], page-hinkley[:LAMBDA] or kswin[:ALPHA], each with or without :both"

  /// Parses the text of a method.
  /// - Throws: `OnePassError` (`usage`) for another text, or a number outside its range.
  public init(_ text: String) throws {
    var parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    reportsFalls = parts.count > 1 && parts.last == "both"
    if reportsFalls { parts.removeLast() }
    let number = parts.count == 2 ? Double(parts[1]) : nil
    guard parts.count == 1 || number != nil else { throw OnePassError.isNoDriftMethod(text) }
    switch parts[0] {
    case "adwin": detector = .adwin(confidence: number ?? 0.002)
    case "page-hinkley": detector = .pageHinkley(threshold: number ?? 50)
    case "kswin": detector = .kswin(significance: number ?? 0.005)
    default: throw OnePassError.isNoDriftMethod(text)
    }
    try validate()
  }

  /// The text that ``init(_:)`` parses.
  public var description: String {
    let number = Int(exactly: parameter).map { "\($0)" } ?? "\(parameter)"
    return "\(name):\(number)\(reportsFalls ? ":both" : "")"
  }

  /// The name of the detector.
  public var name: String {
    switch detector {
    case .adwin: "adwin"
    case .pageHinkley: "page-hinkley"
    case .kswin: "kswin"
    }
  }

  private var parameter: Double {
    switch detector {
    case .adwin(let value), .pageHinkley(let value), .kswin(let value): value
    }
  }

  /// Checks the range.
  /// - Throws: `OnePassError` (`usage`).
  public func validate() throws {
    switch detector {
    case .adwin(let value), .kswin(let value):
      guard value > 0, value < 1 else { throw OnePassError.driftOutOfRange(self, "above 0 and below 1") }
    case .pageHinkley(let value):
      guard value > 0, value.isFinite else { throw OnePassError.driftOutOfRange(self, "above 0") }
    }
  }
}

extension DriftMethod: SelfChecking {}
