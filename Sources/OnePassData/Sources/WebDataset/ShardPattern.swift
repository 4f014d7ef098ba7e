import Foundation
import OnePassCore

/// The shards that a pattern with braces names: `train-{0000..0009}.tar`, `{a,b}/{0..3}.tar.zst`.
///
/// The rules are bash's, as in the webdataset library. A range of integers keeps the width of a bound that
/// starts with 0. Several braces give all combinations, and the last varies fastest. Braces do not nest.
struct ShardPattern {
  let text: String
  let shards: [String]
  static let mostShards = 1_000_000

  /// Expands a pattern, or all patterns in the lines of a text file, written `@FILE`.
  /// - Throws: `OnePassError`: `usage` for malformed braces or too many shards; `badData` for a file without patterns;
  ///   errors of reading the file.
  init(_ text: String) throws {
    guard text.hasPrefix("@") else {
      self.text = text
      shards = try Self.expand(text)
      return
    }
    let list = String(text.dropFirst())
    guard !HTTPAddress.isMeant(by: list) else { throw OnePassError.urlOfList(list) }
    var reader = try LineReader(list)
    var shards: [String] = []
    var report = SourceReport()
    try reader.walk(into: &report) { line, _ in
      .take(try Self.expand(line))
    } taking: { expanded, _ in
      shards += expanded
      guard shards.count <= Self.mostShards else {
        throw OnePassError.tooManyShards(in: list, limit: Self.mostShards)
      }
    }
    guard !shards.isEmpty else {
      throw OnePassError.noShardsListed(in: list)
    }
    self.text = list
    self.shards = shards
  }

  private static func expand(_ text: String) throws -> [String] {
    // A password may contain braces.
    let path = URLText(text).firstUserInfo.upperBound
    var shards = [String(text[..<path])]
    var rest = text[path...]
    while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
      guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}") else {
        throw OnePassError.malformedBraces(in: text)
      }
      let inside = rest[rest.index(after: open)..<close]
      let choices = try choices(inside, in: text)
      guard shards.count * choices.count <= mostShards else {
        throw OnePassError.tooManyShards(in: text, limit: mostShards)
      }
      let prefix = rest[..<open]
      shards = shards.flatMap { start in choices.map { start + prefix + $0 } }
      rest = rest[rest.index(after: close)...]
    }
    return shards.map { $0 + rest }
  }

  /// The path of the shards' index: `dir/train.json` for `dir/train-{0000..0009}.tar`.
  ///
  /// It is the pattern up to the first brace or the extension, without a trailing separator, followed by `.json`.
  /// The query of an address is kept.
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
    let malformed = OnePassError.malformedBraces(in: text)
    guard !inside.contains("{") else { throw malformed }
    if inside.contains(",") {
      return inside.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    guard let dots = inside.firstRange(of: "..") else { throw malformed }
    let (first, last) = (inside[..<dots.lowerBound], inside[dots.upperBound...])
    guard let start = number(first), let end = number(last) else { throw malformed }
    guard abs(end - start) < mostShards else {
      throw OnePassError.tooManyShards(in: text, limit: mostShards)
    }
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
}
