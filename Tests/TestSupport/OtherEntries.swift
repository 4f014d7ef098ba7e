/// A tar as `onepass pack` writes it, with an empty text entry before every 7th entry and a hidden one before every 50th.
public func withOtherEntries(shard bytes: [UInt8]) -> (bytes: [UInt8], texts: Int, hidden: Int) {
  func empty(_ name: String) -> [UInt8] {
    var header = Array(bytes.prefix(512))
    header.replaceSubrange(
      0..<100, with: Array(name.utf8) + [UInt8](repeating: 0, count: 100 - name.utf8.count))
    header.replaceSubrange(124..<135, with: Array("00000000000".utf8))
    header.replaceSubrange(148..<156, with: [UInt8](repeating: 32, count: 8))
    let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
    let digits = String(repeating: "0", count: 6 - sum.count) + sum
    header.replaceSubrange(148..<156, with: Array(digits.utf8) + [0, 32])
    return header
  }
  var result: [UInt8] = []
  var (place, number, texts, hidden) = (0, 0, 0, 0)
  while place + 512 <= bytes.count, bytes[place] != 0 {
    let size = Int(String(decoding: bytes[(place + 124)..<(place + 135)], as: UTF8.self), radix: 8) ?? 0
    let end = place + 512 + (size + 511) / 512 * 512
    if number % 7 == 6 {
      result += empty("note-\(number).txt")
      texts += 1
    }
    if number % 50 == 49 {
      result += empty("._\(number).png")
      hidden += 1
    }
    result += bytes[place..<end]
    (place, number) = (end, number + 1)
  }
  return (result + bytes[place...], texts, hidden)
}
