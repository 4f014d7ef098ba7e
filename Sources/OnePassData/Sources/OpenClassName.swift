/// The names of open classes, which labels state.
package enum OpenClassName {
  /// The longest name, in bytes.
  package static let mostBytes = 256

  /// The name that a label stands for, without space around it; `nil` if it cannot be one.
  ///
  /// A number is its own name, without plus sign and leading zeros. Negative numbers, control characters and text that is not
  /// UTF-8 are refused.
  package static func name(of label: [UInt8]) -> String? {
    let text = ShardLabels.trimmed(label)
    guard !text.isEmpty, text.count <= mostBytes, let name = String(validating: text, as: UTF8.self),
      !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else { return nil }
    guard let number = ShardLabels.integer(text) else { return name }
    return number < 0 ? nil : "\(number)"
  }
}
