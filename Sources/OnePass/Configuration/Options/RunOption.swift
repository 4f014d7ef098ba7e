import OnePassCore

/// An option of a run: a field with its default, name, help text, range and role in records.
///
/// The library declares its options with it. A program reads and sets them as plain fields:
///
/// ```swift
/// var run = RunConfiguration(data: "fashion-mnist")
/// run.recipe.learningRate = 0.05
/// ```
///
/// Each option is declared in one place. ``RunConfiguration`` walks over its fields to read and write records, to compare runs,
/// to check ranges and to write `run.yaml`. The command line takes name, help and default from the projected value.
///
/// The walk writes fields of types that it does not know statically, so each value is in a cell. Assigning makes a new cell;
/// cells are written in place only while a new configuration is made.
@propertyWrapper
public struct RunOption<Value: Codable & Hashable & Sendable>: Sendable {
  private var cell: OptionCell<Value>

  /// The value of the option.
  public var wrappedValue: Value {
    get { cell.value }
    set { cell = OptionCell(newValue, cell.declaration, .given) }
  }

  /// The declaration of the option, which does not depend on its value.
  public var projectedValue: OptionDeclaration<Value> { cell.declaration }

  /// - Parameters:
  ///   - wrappedValue: The default.
  ///   - name: The name on the command line, without dashes.
  ///   - help: The help text.
  ///   - aliases: Further names on the command line and in files, without dashes; a single letter has one dash.
  ///   - switches: Names of flags that set a value, as `amp`.
  ///   - helpHasDefault: Whether the help text states the default.
  ///   - valueName: The placeholder of a value in the help, as `RATE`.
  ///   - key: The key in a record; the name in camel case if `nil`.
  ///   - range: The possible values; all if `nil`.
  ///   - before: The value of older records, which lack the option: the one with the behaviour of older versions. Without
  ///     it, a record that lacks the option is damaged, unless the default is `nil`.
  ///   - applies: When the option has an effect, given that its group has one.
  ///   - changesResults: Whether results depend on it by more than the last bits of sums, where it applies.
  ///   - isFoundInData: Whether `nil` takes the value from the data. The record of a run then has that value.
  ///   - deviation: The text in a title for a value other than the default; none if `nil`.
  ///   - deviationOfRun: The same, where the text depends on other options too. It is a key path because a closure that
  ///     names the field would be part of the field's own type.
  init(
    wrappedValue: Value, _ name: String, _ help: String, aliases: [String] = [],
    switches: [String: Value] = [:], helpHasDefault: Bool = false, value valueName: String? = nil,
    key: String? = nil,
    in range: OptionRange? = nil, before: Value? = nil, applies: OptionCondition = .always,
    changesResults: Bool = true, isFoundInData: Bool = false,
    deviation: (@Sendable (Value) -> String?)? = nil,
    deviationOfRun: (@Sendable (RunConfiguration) -> String?)? = nil
  ) {
    cell = OptionCell(
      wrappedValue,
      OptionDeclaration(
        name: name, key: key ?? OptionDeclaration<Value>.key(of: name), help: help, aliases: aliases,
        switches: switches, helpHasDefault: helpHasDefault, valueName: valueName, standard: wrappedValue,
        range: range, before: before,
        applies: applies,
        changesResults: changesResults, isFoundInData: isFoundInData, deviation: deviation,
        deviationOfRun: deviationOfRun), .declared)
  }
}

/// Two options of one field are equal if their values are.
extension RunOption: Hashable {
  public static func == (a: RunOption, b: RunOption) -> Bool { a.wrappedValue == b.wrappedValue }
  public func hash(into hasher: inout Hasher) { hasher.combine(wrappedValue) }
}

/// The declaration of an option: all that does not depend on its value.
///
/// ```swift
/// let learningRate: OptionDeclaration<Double> = RunConfiguration(data: "fashion-mnist").recipe.$learningRate
/// ```
public struct OptionDeclaration<Value: Sendable>: Sendable {
  /// The name on the command line, without dashes.
  package let name: String
  /// The key in a record.
  package let key: String
  /// The help text.
  package let help: String
  /// Further names, without dashes.
  package let aliases: [String]
  /// Names of flags that set a value.
  package let switches: [String: Value]
  /// Whether the help text states the default.
  package let helpHasDefault: Bool
  /// The placeholder of a value in the help.
  package let valueName: String?
  /// The default.
  package let standard: Value
  let range: OptionRange?
  let before: Value?
  let applies: OptionCondition
  let changesResults: Bool
  let isFoundInData: Bool
  let deviation: (@Sendable (Value) -> String?)?
  let deviationOfRun: (@Sendable (RunConfiguration) -> String?)?

  /// Whether the option was removed, and is only read with its neutral value.
  package var isRemoved: Bool { range?.isOfRemovedOption ?? false }

  /// Checks that a value is possible.
  /// - Throws: `OnePassError` (`usage`) if it is not.
  package func check(_ value: Value) throws {
    try range?.check("--\(name)", value)
    // Through `Any`, so that an optional is checked as its wrapped value.
    try (value as Any as? any SelfChecking)?.validate()
  }

  /// `replay-steps` is `replaySteps` in a record.
  fileprivate static func key(of name: String) -> String {
    let words = name.split(separator: "-")
    return words.dropFirst().reduce(into: words.first.map(String.init) ?? "") { key, word in
      key += word.prefix(1).uppercased() + word.dropFirst()
    }
  }
}

/// A value whose type has the range check.
protocol SelfChecking {
  /// Checks that the value is possible.
  /// - Throws: `OnePassError` (`usage`).
  func validate() throws
}

/// A value with its declaration.
///
/// `@unchecked`, because `value` is variable: it is written only while its configuration is made, before anything shares it.
private final class OptionCell<Value: Sendable>: @unchecked Sendable {
  let declaration: OptionDeclaration<Value>
  var value: Value
  var origin: OptionOrigin

  init(_ value: Value, _ declaration: OptionDeclaration<Value>, _ origin: OptionOrigin) {
    (self.value, self.declaration, self.origin) = (value, declaration, origin)
  }
}

/// Where the value of an option comes from.
package enum OptionOrigin: Sendable {
  /// The declaration: the default.
  case declared
  /// A record or a preset, which state options whether or not they have an effect.
  case implied
  /// The command line, a file or a program.
  case given
}

/// The key of an option in a record.
struct OptionKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// An option with an erased value type.
package protocol AnyRunOption: Sendable {
  /// The name on the command line, without dashes.
  var name: String { get }
  /// The key in a record.
  var key: String { get }
  /// The value; `nil` for an optional without one.
  var value: Any? { get }
  /// Whether the value is the default.
  var isStandard: Bool { get }
  /// Where the value comes from.
  var origin: OptionOrigin { get }
  /// Further names, without dashes.
  var aliases: [String] { get }
  /// Names of flags that set a value, with the text of the value.
  var switchTexts: [String: String] { get }
  /// Whether the option was removed, and is only read with its neutral value.
  var isRemoved: Bool { get }
  /// The type of the value.
  var type: Any.Type { get }
}

/// The operations that a walk over a configuration applies to each option.
protocol WalkedOption: AnyRunOption {
  var applies: OptionCondition { get }
  var changesResults: Bool { get }
  var isFoundInData: Bool { get }

  /// The text in the title of a run; `nil` for the default.
  func deviation(in run: RunConfiguration) -> String?
  func check() throws
  func write(to record: inout KeyedEncodingContainer<OptionKey>) throws
  /// Writes in place, as the next two do: only for a new configuration.
  func read(from record: KeyedDecodingContainer<OptionKey>) throws
  func copy(_ other: any WalkedOption)
  /// - Parameter value: A value of the option's type; `nil` of any type changes nothing.
  func take(_ value: Any, from origin: OptionOrigin)
  /// Sets where the value comes from.
  func mark(_ origin: OptionOrigin)
}

extension RunOption: WalkedOption {
  package var name: String { cell.declaration.name }
  package var key: String { cell.declaration.key }
  package var value: Any? { Self.unwrapped(cell.value) }
  package var isStandard: Bool { cell.value == cell.declaration.standard }
  package var origin: OptionOrigin { cell.origin }
  package var aliases: [String] { cell.declaration.aliases }
  package var switchTexts: [String: String] {
    cell.declaration.switches.compactMapValues { RunConfiguration.text($0) }
  }
  package var isRemoved: Bool { cell.declaration.isRemoved }
  package var type: Any.Type { Value.self }
  var applies: OptionCondition { cell.declaration.applies }
  var changesResults: Bool { cell.declaration.changesResults }
  var isFoundInData: Bool { cell.declaration.isFoundInData }

  func deviation(in run: RunConfiguration) -> String? {
    guard !isStandard else { return nil }
    return cell.declaration.deviation?(cell.value) ?? cell.declaration.deviationOfRun?(run)
  }

  func check() throws { try cell.declaration.check(cell.value) }

  func write(to record: inout KeyedEncodingContainer<OptionKey>) throws {
    guard value != nil else { return }
    try record.encode(cell.value, forKey: OptionKey(stringValue: key))
  }

  func read(from record: KeyedDecodingContainer<OptionKey>) throws {
    let key = OptionKey(stringValue: key)
    cell.origin = .implied
    if try record.contains(key) && !record.decodeNil(forKey: key) {
      cell.value = try record.decode(Value.self, forKey: key)
    } else if let before = cell.declaration.before {
      cell.value = before
    } else if Value.self is any ExpressibleByNilLiteral.Type {
      cell.value = cell.declaration.standard
    } else {
      cell.value = try record.decode(Value.self, forKey: key)
    }
  }

  func copy(_ other: any WalkedOption) {
    guard let other = other as? RunOption else {
      preconditionFailure("\(name) differs in type from \(other.name).")
    }
    (cell.value, cell.origin) = (other.cell.value, other.cell.origin)
  }

  func mark(_ origin: OptionOrigin) { cell.origin = origin }

  func take(_ value: Any, from origin: OptionOrigin) {
    if let new = value as? Value {
      guard Self.unwrapped(new) != nil else { return }
      (cell.value, cell.origin) = (new, origin)
    } else {
      precondition(Self.unwrapped(value) == nil, "\(name) is not of type \(Swift.type(of: value)).")
    }
  }

  /// The wrapped value of an optional, or the value itself.
  private static func unwrapped(_ value: Any) -> Any? {
    let mirror = Mirror(reflecting: value)
    return mirror.displayStyle == .optional ? mirror.children.first?.value : value
  }
}
