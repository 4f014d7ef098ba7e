import OnePassCore

/// An option of a run: the field, its value if nothing is said, and everything else that the program says and checks of it.
///
/// ```
/// @RunOption("learning-rate", "Peak learning rate of SGD.", value: "RATE", in: .positive)
/// public var learningRate: Double = 0.1
/// ```
///
/// This is the only place that knows an option. ``RunConfiguration`` walks over its fields to read and write records, to compare
/// runs, to check ranges and to write `run.yaml`; the command line takes its name, help and default from the projected value.
/// The walk needs to write fields that it knows only by their type, so each value lies in a cell of its own: assigning makes a
/// new cell, and only a configuration that was just made has its cells written in place. An option added later says with
/// `before` which value does what older programs did.
@propertyWrapper
public struct RunOption<Value: Codable & Hashable & Sendable>: Sendable {
  private var cell: OptionCell<Value>

  public var wrappedValue: Value {
    get { cell.value }
    set { cell = OptionCell(newValue, cell.declaration) }
  }

  /// What is said of the option, whatever its value is.
  public var projectedValue: OptionDeclaration<Value> { cell.declaration }

  /// - Parameters:
  ///   - wrappedValue: The default.
  ///   - name: On the command line, without dashes.
  ///   - help: A sentence.
  ///   - valueName: What stands for a value in the help, as `RATE`.
  ///   - key: In a record; the name in camel case if `nil`.
  ///   - range: What a value has to be.
  ///   - before: The value of records that lack the option, because they are older. A record that lacks an option without
  ///     this is damaged, unless the default is `nil`.
  ///   - applies: When the option does anything, within the bounds of its group.
  ///   - changesResults: Whether results depend on it, where it applies.
  ///   - isFoundInData: Whether `nil` leaves it to the data, whose choice the record of a run then holds.
  ///   - deviation: What a title says of a value other than the default; nothing if `nil`.
  ///   - deviationOfRun: The same, where that depends on other options too: a key path, since a closure that names the field
  ///     would be part of the field's own type.
  init(
    wrappedValue: Value, _ name: String, _ help: String, value valueName: String? = nil, key: String? = nil,
    in range: OptionRange? = nil, before: Value? = nil, applies: OptionCondition = .always,
    changesResults: Bool = true, isFoundInData: Bool = false,
    deviation: (@Sendable (Value) -> String?)? = nil,
    deviationOfRun: (@Sendable (RunConfiguration) -> String?)? = nil
  ) {
    cell = OptionCell(
      wrappedValue,
      OptionDeclaration(
        name: name, key: key ?? OptionDeclaration<Value>.key(of: name), help: help, valueName: valueName,
        standard: wrappedValue, range: range, before: before, applies: applies,
        changesResults: changesResults, isFoundInData: isFoundInData, deviation: deviation,
        deviationOfRun: deviationOfRun))
  }
}

/// Two options of one field are equal if their values are.
extension RunOption: Hashable {
  public static func == (a: RunOption, b: RunOption) -> Bool { a.wrappedValue == b.wrappedValue }
  public func hash(into hasher: inout Hasher) { hasher.combine(wrappedValue) }
}

/// What is said of an option, whatever its value is.
public struct OptionDeclaration<Value: Sendable>: Sendable {
  /// On the command line, without dashes.
  package let name: String
  /// In a record.
  package let key: String
  package let help: String
  package let valueName: String?
  /// The value if nothing is said.
  package let standard: Value
  let range: OptionRange?
  let before: Value?
  let applies: OptionCondition
  let changesResults: Bool
  let isFoundInData: Bool
  let deviation: (@Sendable (Value) -> String?)?
  let deviationOfRun: (@Sendable (RunConfiguration) -> String?)?

  /// - Throws: `OnePassError` (`usage`) if the value cannot mean anything.
  package func check(_ value: Value) throws {
    try range?.check("--\(name)", value)
    // Through `Any`, so that an optional counts as what is in it.
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

/// A value that knows itself what it may be.
protocol SelfChecking {
  /// - Throws: `OnePassError` (`usage`).
  func validate() throws
}

/// Where a value lies, with what is said of it.
///
/// Not checked by the compiler, because `value` is not constant: it is only written while the configuration that it belongs to
/// is being made, and nobody else has it.
private final class OptionCell<Value: Sendable>: @unchecked Sendable {
  let declaration: OptionDeclaration<Value>
  var value: Value

  init(_ value: Value, _ declaration: OptionDeclaration<Value>) {
    (self.value, self.declaration) = (value, declaration)
  }
}

/// The name of an option in a record.
struct OptionKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// An option of a value that is not known here.
package protocol AnyRunOption: Sendable {
  var name: String { get }
  var key: String { get }
  /// `nil` if it is left to the program.
  var value: Any? { get }
  var isStandard: Bool { get }
  var type: Any.Type { get }
}

/// What the walk over a configuration does with each option.
protocol WalkedOption: AnyRunOption {
  var applies: OptionCondition { get }
  var changesResults: Bool { get }
  var isFoundInData: Bool { get }

  /// What a title says of the option in a run, if it has not its default there.
  func deviation(in run: RunConfiguration) -> String?
  func check() throws
  func write(to record: inout KeyedEncodingContainer<OptionKey>) throws
  /// Writes in place, as the next two: only for a configuration that was just made.
  func read(from record: KeyedDecodingContainer<OptionKey>) throws
  func copy(_ other: any WalkedOption)
  /// - Parameter value: One of the option's type; `nil` of any type leaves it as it is.
  func take(_ value: Any)
}

extension RunOption: WalkedOption {
  package var name: String { cell.declaration.name }
  package var key: String { cell.declaration.key }
  package var value: Any? { Self.unwrapped(cell.value) }
  package var isStandard: Bool { cell.value == cell.declaration.standard }
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
    guard let other = other as? RunOption else { preconditionFailure("\(name) is not \(other.name).") }
    cell.value = other.cell.value
  }

  func take(_ value: Any) {
    if let value = value as? Value {
      cell.value = value
    } else {
      precondition(Self.unwrapped(value) == nil, "\(name) is no \(Swift.type(of: value)).")
    }
  }

  /// What is in an optional, or the value itself.
  private static func unwrapped(_ value: Any) -> Any? {
    let mirror = Mirror(reflecting: value)
    return mirror.displayStyle == .optional ? mirror.children.first?.value : value
  }
}
