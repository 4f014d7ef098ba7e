import Foundation
import OnePassModels

extension RunConfiguration {
  /// The name of the configuration file in the folder of a run; `onepass train --config` repeats the run from it.
  package static let fileName = "run.yaml"

  /// The options as YAML, one per line, by their names on the command line.
  ///
  /// Options without a value, removed ones and those without an effect are omitted, and addresses have no signatures.
  package var fileText: String {
    let header = """
      # onepass \(onePassVersion). To repeat this run: onepass train --config \(Self.fileName) --output DIR

      """
    var named = withoutSecrets
    // The names of the classes imply their number.
    if named.data.classNames != nil { named.data.classCount = nil }
    // Those of a record are the ones that were found.
    if named.data.openClasses != nil { (named.data.classCount, named.data.classNames) = (nil, nil) }
    return named.places.reduce(into: header) { text, place in
      let option = place.option
      let isGiven = option.origin == .given && !option.isStandard
      guard isGiven || (!option.isRemoved && place.obstacle(in: named) == nil),
        let value = option.value.flatMap(Self.fileValue)
      else { return }
      text += "\(option.name): \(Self.scalar(value))\n"
    }
  }

  /// A value as the command line accepts it.
  private static func fileValue(_ value: Any) -> String? {
    switch value {
    case let names as [String]: names.joined(separator: "\n")
    case let stem as Stem where stem == .imageNet: "imagenet"
    default: text(value)
    }
  }

  /// A plain scalar, or a quoted string. JSON strings are valid YAML.
  private static func scalar(_ value: String) -> String {
    let isPlain = value.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "-_./%".contains($0))
    }
    guard !isPlain || value.isEmpty || !(value.first?.isLetter ?? false || value.first?.isNumber ?? false)
    else { return value }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    // JSON does not escape these two, and YAML forbids them.
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) }?
      .replacing("\u{7F}", with: "\\u007F").replacing("\u{85}", with: "\\u0085") ?? value
  }
}
