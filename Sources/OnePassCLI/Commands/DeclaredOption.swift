import ArgumentParser
import OnePass
import OnePassCore
import OnePassData

/// The declarations of all options of a run, which provide the names, help texts and defaults of `@Option` and `@Flag`.
let declared = RunConfiguration.defaults

// A property of a command has the name of its option in a record, by which `values(of:)` matches the two.

extension Option {
  /// An option without a default.
  /// - Parameters:
  ///   - option: The declaration, with name and help.
  ///   - isShown: Whether `--help` lists the option, in addition to `--help-hidden`.
  init<Some: ExpressibleByArgument & Sendable>(
    _ option: OptionDeclaration<Some?>, isShown: Bool = false, completion: CompletionKind? = nil
  ) where Value == Some? {
    self.init(name: option.names, help: option.help(isShown), completion: completion)
  }

  /// An option that is `nil` unless passed, so that a passed default is distinguishable. The help states the default.
  init<Some: ExpressibleByArgument & Sendable>(
    ifGiven option: OptionDeclaration<Some>, isShown: Bool = false, completion: CompletionKind? = nil
  ) where Value == Some? {
    self.init(
      name: option.names, help: option.help(isShown, default: option.standard.defaultValueDescription),
      completion: completion)
  }

  /// An option whose text is parsed by the command.
  init(
    text option: OptionDeclaration<some Any>, isShown: Bool = false, completion: CompletionKind? = nil
  ) where Value == String? {
    self.init(name: option.names, help: option.help(isShown), completion: completion)
  }

  init<Some: TextualValue>(
    ifGiven option: OptionDeclaration<Some>, isShown: Bool = false, completion: CompletionKind? = nil
  ) where Value == Written<Some>? {
    self.init(
      name: option.names, help: option.help(isShown, default: option.standard.text), completion: completion)
  }

  init<Some: TextualValue>(
    _ option: OptionDeclaration<Some?>, isShown: Bool = false, completion: CompletionKind? = nil
  ) where Value == Written<Some>? {
    self.init(name: option.names, help: option.help(isShown), completion: completion)
  }
}

extension Flag where Value == Bool {
  init(_ option: OptionDeclaration<Bool>, isShown: Bool = false) {
    self.init(
      wrappedValue: option.standard, name: option.names, inversion: .prefixedNo, help: option.help(isShown))
  }
}

extension Flag where Value == Bool? {
  /// A flag that is `nil` unless passed.
  init(ifGiven option: OptionDeclaration<Bool>, isShown: Bool = false) {
    self.init(
      name: option.names, inversion: .prefixedNo,
      help: option.help(isShown, default: "\(option.standard ? "--" : "--no-")\(option.name)"))
  }

  /// A flag that sets a value of an option.
  ///
  /// It is listed and completed. ``TrainCommand/parsed(_:)`` replaces it by the option before the arguments are parsed, so that
  /// the last of both counts.
  init<Some>(switch name: String, of option: OptionDeclaration<Some>, isShown: Bool = false) {
    guard let value = option.switches[name] else {
      preconditionFailure("--\(option.name) has no switch \(name).")
    }
    self.init(
      name: .customLong(name), inversion: .prefixedNo,
      help: ArgumentHelp(
        "Short for --\(option.name) \(value).", visibility: isShown ? .default : .ofAll))
  }
}

extension ArgumentVisibility {
  /// The visibility of options that `--help-hidden`, shell completions and man pages list, but `--help` does not.
  static var ofAll: ArgumentVisibility {
    let isDescription = CommandLine.arguments.contains {
      $0.hasPrefix("--generate-completion-script") || $0 == "--experimental-dump-help"
    }
    return isDescription ? .default : .hidden
  }
}

extension OptionDeclaration {
  /// The name and the aliases, of which single letters have one dash.
  fileprivate var names: NameSpecification {
    let others: [NameSpecification.Element] = aliases.map { alias in
      alias.count == 1 ? .customShort(alias[alias.startIndex]) : .customLong(alias)
    }
    return NameSpecification([.customLong(name)] + others)
  }

  fileprivate func help(_ isShown: Bool, default standard: String = "") -> ArgumentHelp {
    ArgumentHelp(
      standard.isEmpty || helpHasDefault ? help : "\(help) (default: \(standard))",
      valueName: valueName,
      visibility: isRemoved ? .private : isShown ? .default : .ofAll)
  }
}

// MARK: Values with their own syntax

/// A value whose parser has its own error messages.
protocol TextualValue: Sendable {
  /// Parses the text of an option.
  /// - Throws: `OnePassError` (`usage`) for invalid text.
  init(_ text: String) throws
  /// The text of the value.
  var text: String { get }
}

extension TextualValue where Self: CustomStringConvertible {
  var text: String { description }
}

extension StorageBudget: TextualValue {}
extension ShuffleBufferSize: TextualValue {}
extension StreamShape: TextualValue {}
extension DriftMethod: TextualValue {}
extension DecodeBudget: TextualValue {}
extension MessageLimit: TextualValue {}
extension StreamEnd: TextualValue {}
extension SubjectKey: TextualValue {}
extension LabelKey: TextualValue {}
extension TimeToLive: TextualValue {}
extension AugmentationChoice: TextualValue {
  var text: String { rawValue }
}

/// The text of such a value. It is parsed with the configuration, since the argument parser would replace its messages.
struct Written<Value: TextualValue>: ExpressibleByArgument {
  private let text: String

  init(argument: String) { text = argument }
}

private protocol ReadLater {
  associatedtype Value
  func read() throws -> Value
}

extension Written: ReadLater {
  /// The parsed value.
  /// - Throws: `OnePassError` (`usage`) if the text is invalid.
  func read() throws -> Value { try Value(text) }
}

// MARK: From a command to a configuration

/// A property wrapper that the argument parser sets.
private protocol ParsedProperty {
  func values(named name: String) throws -> [String: Any]
}

extension Option: ParsedProperty {
  fileprivate func values(named name: String) throws -> [String: Any] {
    [name: try (wrappedValue as? any ReadLater)?.read() ?? wrappedValue]
  }
}

extension Flag: ParsedProperty {
  fileprivate func values(named name: String) -> [String: Any] { [name: wrappedValue] }
}

extension OptionGroup: ParsedProperty {
  fileprivate func values(named name: String) throws -> [String: Any] {
    try RunConfiguration.values(of: wrappedValue)
  }
}

extension RunConfiguration {
  /// The values of a command's options by the names of their properties.
  /// - Throws: `OnePassError` (`usage`) for an invalid value.
  static func values(of command: some ParsableArguments) throws -> [String: Any] {
    try Mirror(reflecting: command).children.reduce(into: [:]) { values, property in
      // The storage of a property wrapper has an underscore before its name.
      guard let name = property.label?.drop(while: { $0 == "_" }),
        let parsed = property.value as? any ParsedProperty
      else { return }
      values.merge(try parsed.values(named: String(name))) { _, new in new }
    }
  }
}
