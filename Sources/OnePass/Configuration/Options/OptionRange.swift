import OnePassCore
import OnePassData

/// The possible values of an option.
package struct OptionRange: Sendable {
  /// The text after "must be" for an impossible value; `nil` for a possible one.
  private let demand: @Sendable (Any) -> String?
  /// Whether these are the values of a removed option.
  private(set) var isOfRemovedOption = false

  private init(demand: @escaping @Sendable (Any) -> String?) { self.demand = demand }

  /// Checks a value.
  /// - Parameters:
  ///   - option: The option with its dashes, as `--limit`.
  ///   - value: A number or a text; `nil` is always possible.
  /// - Throws: `OnePassError` (`usage`) if the value is out of range: `--limit must be at least 1 (got 0).`
  package func check(_ option: String, _ value: Any) throws {
    guard let demand = demand(value) else { return }
    var shown = RunConfiguration.text(value) ?? ""
    if shown.hasSuffix(".0") { shown.removeLast(2) }
    throw OnePassError.valueOutOfRange(option, mustBe: demand, got: SourceRegistry.withoutSecrets(shown))
  }

  /// Integers from a minimum to a maximum. The default maximum keeps sums from overflowing.
  package static func atLeast(_ least: Int, atMost most: Int = 1 << 40) -> OptionRange {
    numbers { $0 < Double(least) ? "at least \(least)" : $0 > Double(most) ? "at most \(most)" : nil }
  }

  /// Numbers between two bounds, both included.
  package static func between(_ least: Int, _ most: Int) -> OptionRange {
    numbers("between \(least) and \(most)") { $0 >= Double(least) && $0 <= Double(most) }
  }

  static let positive = numbers("a positive number") { $0 > 0 && $0.isFinite }
  static let notNegative = numbers("at least 0") { $0 >= 0 && $0.isFinite }
  /// Numbers 0 … 1.
  static let share = between(0, 1)
  static let shareAboveZero = numbers("greater than 0 and at most 1") { $0 > 0 && $0 <= 1 }
  static let shareBelowOne = numbers("at least 0 and less than 1") { (0..<1).contains($0) }

  /// The only value of a removed option, which files of earlier versions still state.
  static func only<Value: Equatable & Sendable>(_ neutral: Value, _ reason: String) -> OptionRange {
    var range = OptionRange {
      $0 as? Value == neutral ? nil : "\(RunConfiguration.text(neutral) ?? ""), because \(reason)"
    }
    range.isOfRemovedOption = true
    return range
  }

  static func either(_ first: Int, _ second: Int) -> OptionRange {
    numbers("\(first) or \(second)") { $0 == Double(first) || $0 == Double(second) }
  }

  static func text(
    _ words: String, _ isPossible: @escaping @Sendable (String) -> Bool
  ) -> OptionRange {
    OptionRange { ($0 as? String).map(isPossible) == false ? words : nil }
  }

  private static func numbers(
    _ words: String, _ isPossible: @escaping @Sendable (Double) -> Bool
  ) -> OptionRange {
    numbers { isPossible($0) ? nil : words }
  }

  /// Integers are compared as `Double`: those above 2^53, which are rounded, exceed every bound.
  private static func numbers(_ demand: @escaping @Sendable (Double) -> String?) -> OptionRange {
    OptionRange { value in
      switch value {
      case let number as Int: demand(Double(number))
      case let number as Double: demand(number)
      default: nil
      }
    }
  }
}
