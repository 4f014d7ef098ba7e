import Foundation
import OnePassModels

extension RunConfiguration {
  /// The file of a run's folder that `onepass train --config` makes the run from again.
  package static let fileName = "run.yaml"

  /// The options by their names on the command line, in YAML, a line for each; those that are left to the program are left
  /// out. What opens an address is not in it.
  package var fileText: String {
    let header = """
      # onepass \(onePassVersion). The same run again: onepass train --config \(Self.fileName) --output DIR

      """
    var named = withoutSecrets
    // A number of classes says nothing beside their names.
    if named.data.classNames != nil { named.data.classCount = nil }
    return named.declaredOptions.reduce(into: header) { text, option in
      guard let value = option.value.flatMap(Self.fileValue) else { return }
      text += "\(option.name): \(Self.scalar(value))\n"
    }
  }

  /// A value as the command line takes it.
  private static func fileValue(_ value: Any) -> String? {
    switch value {
    case let names as [String]: names.joined(separator: "\n")
    case let stem as Stem where stem == .imageNet: "imagenet"
    default: text(value)
    }
  }

  /// A plain word, or a string in quotes: what JSON writes is YAML too.
  private static func scalar(_ value: String) -> String {
    let isPlain = value.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "-_./%".contains($0))
    }
    guard !isPlain || value.isEmpty || !(value.first?.isLetter ?? false || value.first?.isNumber ?? false)
    else { return value }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    // JSON leaves these as they are, and YAML does not take them.
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) }?
      .replacing("\u{7F}", with: "\\u007F").replacing("\u{85}", with: "\\u0085") ?? value
  }
}
