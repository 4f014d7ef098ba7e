import OnePassCore

/// What the value of an option has to be.
package struct OptionRange: Sendable {
  /// How it stands after "must be", where a value is not that; `nil` where it is.
  private let demand: @Sendable (Any) -> String?

  /// - Parameters:
  ///   - option: What the value is of, as `--limit`.
  ///   - value: A number or a text; `nil` is always in the range.
  /// - Throws: `OnePassError` (`usage`): `--limit must be at least 1 (got 0).`
  package func check(_ option: String, _ value: Any) throws {
    guard let demand = demand(value) else { return }
    var shown = RunConfiguration.text(value) ?? ""
    if shown.hasSuffix(".0") { shown.removeLast(2) }
    throw OnePassError(.usage, "\(option) must be \(demand) (got \(shown.isEmpty ? "nothing" : shown)).")
  }

  /// Not so many that sums of them overflow, if nothing else is said.
  package static func atLeast(_ least: Int, atMost most: Int = 1 << 40) -> OptionRange {
    numbers { $0 < Double(least) ? "at least \(least)" : $0 > Double(most) ? "at most \(most)" : nil }
  }

  package static func between(_ least: Int, _ most: Int) -> OptionRange {
    numbers("between \(least) and \(most)") { $0 >= Double(least) && $0 <= Double(most) }
  }

  static let positive = numbers("a positive number") { $0 > 0 && $0.isFinite }
  static let notNegative = numbers("at least 0") { $0 >= 0 && $0.isFinite }
  /// 0 … 1.
  static let share = between(0, 1)
  static let shareAboveZero = numbers("greater than 0 and at most 1") { $0 > 0 && $0 <= 1 }
  static let shareBelowOne = numbers("at least 0 and less than 1") { (0..<1).contains($0) }

  /// The one value of an option that was removed, and that files of earlier versions still name.
  static func only<Value: Equatable & Sendable>(_ neutral: Value, _ reason: String) -> OptionRange {
    OptionRange { $0 as? Value == neutral ? nil : "\(RunConfiguration.text(neutral) ?? ""): \(reason)" }
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

  /// Integers beyond 2^53 are far beyond every bound, so that it does not matter how they are rounded.
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
