import ArgumentParser
import OnePass
import OnePassCore
import OnePassData

/// Every option of a run as it is declared: what `@Option` and `@Flag` take their name, help and default from.
let declared = RunConfiguration.defaults

// A property of a command is called as the option in a record: `configuration(of:)` brings the two together by that.

extension Option where Value: ExpressibleByArgument & Sendable {
  /// - Parameters:
  ///   - option: Whose name, help and default this has.
  ///   - isShown: Whether `--help` lists it too, and not `--help-hidden` alone.
  init(_ option: OptionDeclaration<Value>, isShown: Bool = false, completion: CompletionKind? = nil) {
    self.init(
      wrappedValue: option.standard, name: .customLong(option.name), help: option.help(isShown),
      completion: completion)
  }
}

extension Option {
  init<Some: ExpressibleByArgument & Sendable>(
    _ option: OptionDeclaration<Some?>, isShown: Bool = false, completion: CompletionKind? = nil
  ) where Value == Some? {
    self.init(name: .customLong(option.name), help: option.help(isShown), completion: completion)
  }

  /// Tells whether anything was given; if not, the default holds.
  init<Some: ExpressibleByArgument & Sendable>(
    ifGiven option: OptionDeclaration<Some>, isShown: Bool = false, completion: CompletionKind? = nil
  ) where Value == Some? {
    self.init(name: .customLong(option.name), help: option.help(isShown), completion: completion)
  }

  /// For a command that reads the text itself.
  init(
    text option: OptionDeclaration<some Any>, isShown: Bool = false, completion: CompletionKind? = nil
  ) where Value == String? {
    self.init(name: .customLong(option.name), help: option.help(isShown), completion: completion)
  }

  init<Some: TextualValue>(
    _ option: OptionDeclaration<Some>, isShown: Bool = false, completion: CompletionKind? = nil
  ) where Value == Written<Some> {
    self.init(
      wrappedValue: Written(option.standard), name: .customLong(option.name), help: option.help(isShown),
      completion: completion)
  }

  init<Some: TextualValue>(
    _ option: OptionDeclaration<Some?>, isShown: Bool = false, completion: CompletionKind? = nil
  ) where Value == Written<Some>? {
    self.init(name: .customLong(option.name), help: option.help(isShown), completion: completion)
  }
}

extension Flag where Value == Bool {
  init(_ option: OptionDeclaration<Bool>, isShown: Bool = false) {
    self.init(
      wrappedValue: option.standard, name: .customLong(option.name), inversion: .prefixedNo,
      help: option.help(isShown))
  }
}

extension ArgumentVisibility {
  /// Of options that not --help lists but --help-hidden, and shell completions and man pages too, which leave out what is hidden.
  static var ofAll: ArgumentVisibility {
    let isDescription = CommandLine.arguments.contains {
      $0.hasPrefix("--generate-completion-script") || $0 == "--experimental-dump-help"
    }
    return isDescription ? .default : .hidden
  }
}

extension OptionDeclaration {
  fileprivate func help(_ isShown: Bool) -> ArgumentHelp {
    ArgumentHelp(help, valueName: valueName, visibility: isShown ? .default : .ofAll)
  }
}

// MARK: Values that are written in a way of their own

/// A value whose text is refused with a sentence of its own.
protocol TextualValue: Sendable {
  /// - Throws: `OnePassError` (`usage`).
  init(_ text: String) throws
  /// As people write it.
  var text: String { get }
}

extension TextualValue where Self: CustomStringConvertible {
  var text: String { description }
}

extension StorageBudget: TextualValue {}
extension ShuffleBufferSize: TextualValue {}
extension SubjectKey: TextualValue {}
extension TimeToLive: TextualValue {}
extension AugmentationChoice: TextualValue {
  var text: String { rawValue }
}

/// Such a text, which is read when the configuration is made: the sentences of the parser would hide its own.
struct Written<Value: TextualValue>: ExpressibleByArgument {
  private let text: String

  init(_ value: Value) { text = value.text }
  init(argument: String) { text = argument }
  var defaultValueDescription: String { text }
}

private protocol ReadLater {
  associatedtype Value
  func read() throws -> Value
}

extension Written: ReadLater {
  fileprivate func read() throws -> Value { try Value(text) }
}

// MARK: From a command to a configuration

/// A property of a command that the parser fills in.
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
  /// What a command was given, by the names of its properties.
  /// - Throws: `OnePassError` (`usage`) if a value cannot mean anything.
  static func values(of command: some ParsableArguments) throws -> [String: Any] {
    try Mirror(reflecting: command).children.reduce(into: [:]) { values, property in
      // The parser's wrappers lie behind an underscore.
      guard let name = property.label?.drop(while: { $0 == "_" }),
        let parsed = property.value as? any ParsedProperty
      else { return }
      values.merge(try parsed.values(named: String(name))) { _, new in new }
    }
  }
}
