import Foundation
import OnePassCore

/// The shards that a pattern with braces names: `train-{0000..0009}.tar`, `{a,b}/{0..3}.tar.zst`.
///
/// The rules are bash's, as in the webdataset library: a range of integers keeps the width of a bound that
/// begins with 0; several braces give all combinations, the last varying fastest. Braces do not nest.
struct ShardPattern {
  let text: String
  let shards: [String]
  static let mostShards = 1_000_000

  /// The shards that a pattern names, or the patterns in the lines of a text file, written `@FILE`.
  /// - Throws: `OnePassError`: `usage` for braces that do not match or name nothing; what reading the file throws.
  init(_ text: String) throws {
    guard text.hasPrefix("@") else {
      self.text = text
      shards = try Self.expand(text)
      return
    }
    let list = String(text.dropFirst())
    var reader = try LineReader(list)
    var shards: [String] = []
    while let line = try reader.next() {
      let line = line.trimmingCharacters(in: .whitespaces)
      if line.isEmpty || line.hasPrefix("#") { continue }
      shards += try Self.expand(line)
      guard shards.count <= Self.mostShards else { throw Self.tooMany(list) }
    }
    guard !shards.isEmpty else {
      throw OnePassError(
        .badData, "The list \(list) names no shard. Write a path or an address on each line.")
    }
    self.text = list
    self.shards = shards
  }

  private static func expand(_ text: String) throws -> [String] {
    var shards = [""]
    var rest = text[...]
    while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
      guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}") else {
        throw malformed(text)
      }
      let inside = rest[rest.index(after: open)..<close]
      let choices = try choices(inside, in: text)
      guard shards.count * choices.count <= mostShards else { throw tooMany(text) }
      let prefix = rest[..<open]
      shards = shards.flatMap { start in choices.map { start + prefix + $0 } }
      rest = rest[rest.index(after: close)...]
    }
    return shards.map { $0 + rest }
  }

  /// Where an index of these shards lies: `dir/train.json` for `dir/train-{0000..0009}.tar`.
  ///
  /// It is the pattern up to the first brace or to the extension, without a separator at its end, with `.json`.
  ///
  /// An address has its query also there.
  var indexPath: String {
    let query = HTTPAddress.isMeant(by: self.text) ? self.text.drop { $0 != "?" } : ""
    let text = self.text.dropLast(query.count)
    let directoryEnd = text.lastIndex(of: "/").map { text.index(after: $0) } ?? text.startIndex
    let firstBrace = text.firstIndex(of: "{") ?? text.endIndex
    var stem = text[..<firstBrace]
    if firstBrace == text.endIndex, let dot = text[directoryEnd...].firstIndex(of: ".") {
      stem = text[..<dot]
    }
    while let last = stem.last, "-_.".contains(last) { stem.removeLast() }
    return (stem.isEmpty || stem.last == "/" ? "\(stem)shards.json" : "\(stem).json") + query
  }

  private static func choices(_ inside: Substring, in text: String) throws -> [String] {
    guard !inside.contains("{") else { throw malformed(text) }
    if inside.contains(",") {
      return inside.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    guard let dots = inside.firstRange(of: "..") else { throw malformed(text) }
    let (first, last) = (inside[..<dots.lowerBound], inside[dots.upperBound...])
    guard let start = number(first), let end = number(last) else { throw malformed(text) }
    guard abs(end - start) < mostShards else { throw tooMany(text) }
    let padded = [first, last].contains { $0.count > 1 && $0.first == "0" }
    let width = padded ? max(first.count, last.count) : 0
    return stride(from: start, through: end, by: start <= end ? 1 : -1).map { value in
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
  }

  /// A number of at most 15 digits.
  private static func number(_ digits: Substring) -> Int? {
    guard (1...15).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
      return nil
    }
    return Int(digits)
  }

  private static func malformed(_ text: String) -> OnePassError {
    OnePassError(
      .usage,
      "The braces in \(HTTPAddress.shown(text)) name no shards. Write a range such as {0000..0009} or a list such as {a,b}."
    )
  }

  private static func tooMany(_ text: String) -> OnePassError {
    OnePassError(.usage, "\(HTTPAddress.shown(text)) names more than \(mostShards) shards. Check the range.")
  }
}
