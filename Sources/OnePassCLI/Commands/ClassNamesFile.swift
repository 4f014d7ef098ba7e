import Foundation
import OnePassCore

/// The file of `--classes FILE`: class names in label order, one per line.
enum ClassNamesFile {
  /// - Parameter path: A path, or the names themselves: text of several lines is not a path.
  /// - Throws: `OnePassError` if it cannot be read, has fewer than two names, or repeats one.
  static func read(_ path: String) throws -> [String] {
    let isText = path.contains(where: \.isNewline)
    guard let text = isText ? path : try? String(contentsOfFile: path, encoding: .utf8) else {
      throw OnePassError.unreadableClassNames(path)
    }
    let file = isText ? nil : path
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    var numbers: [String: Int] = [:]
    for (number, name) in zip(1..., lines) where !name.isEmpty {
      if let first = numbers.updateValue(number, forKey: name) {
        throw OnePassError.repeatedClassName(name, lines: (first, number), in: file)
      }
    }
    let names = lines.filter { !$0.isEmpty }
    guard names.count >= 2 else { throw OnePassError.invalidClassNames(in: file) }
    return names
  }
}
