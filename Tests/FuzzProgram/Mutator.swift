import OnePassCore

/// Mutates valid files. The result is a function of seed and number.
struct Mutator {
  private let format: Format
  private let seeds: [[UInt8]]
  private static let longest = 1 << 17

  init(_ format: Format, seeds: [[UInt8]]) {
    self.format = format
    self.seeds = seeds
  }

  func file(number: Int, seed: UInt64) -> [UInt8] {
    var chance = SeededGenerator(seed: seed, .test, number)
    var bytes = seeds[chance.next(below: seeds.count)]
    // Often one change, rarely many. Deep changes need a file that is otherwise valid.
    for _ in 0...min(chance.next(below: 6), chance.next(below: 6)) {
      mutate(&bytes, with: seeds[chance.next(below: seeds.count)], &chance)
    }
    if chance.next(below: 4) > 0 { format.repair(&bytes) }
    return bytes
  }

  /// Makes one change.
  /// - Parameter other: A file from which pieces can be copied.
  private func mutate(_ bytes: inout [UInt8], with other: [UInt8], _ chance: inout SeededGenerator) {
    guard !bytes.isEmpty else {
      bytes = other
      return
    }
    let place = chance.next(below: bytes.count)
    switch chance.next(below: 9) {
    case 0: bytes[place] ^= 1 << UInt8(chance.next(below: 8))
    case 1: bytes[place] = UInt8(chance.next(below: 256))
    case 2: bytes.removeLast(bytes.count - place)
    case 3: bytes.removeSubrange(piece(of: bytes, &chance))
    case 4:  // Repeat a piece.
      let copy = Array(bytes[piece(of: bytes, &chance)])
      let times = min(1 + chance.next(below: 4), (Self.longest - bytes.count) / max(1, copy.count))
      for _ in 0..<max(0, times) { bytes.insert(contentsOf: copy, at: place) }
    case 5:  // Insert a piece of another file.
      guard !other.isEmpty, bytes.count < Self.longest else { return }
      bytes.replaceSubrange(piece(of: bytes, &chance), with: other[piece(of: other, &chance)])
    case 6: bytes = Array(bytes[..<place]) + other.suffix(chance.next(below: other.count + 1))
    case 7: overwrite(&bytes, at: place, with: number(&chance))
    default:  // Replace a number in digits.
      let digits = bytes.indices.filter { (48...57).contains(bytes[$0]) }
      guard !digits.isEmpty else { return }
      bytes[digits[chance.next(below: digits.count)]] = UInt8(48 + chance.next(below: 10))
    }
  }

  /// Returns a random range, more often short than long.
  private func piece(of bytes: [UInt8], _ chance: inout SeededGenerator) -> Range<Int> {
    let first = chance.next(below: bytes.count)
    let longest = min(bytes.count - first, 1 << chance.next(below: 13))
    return first..<(first + chance.next(below: longest + 1))
  }

  /// Returns a critical length, count or offset, in 1, 2, 4 or 8 bytes.
  private func number(_ chance: inout SeededGenerator) -> [UInt8] {
    let size = 1 << chance.next(below: 4)
    let largest = UInt64.max >> UInt64(64 - 8 * size)
    let values = [
      0, 1, largest, largest >> 1, largest >> 1 + 1, largest - 1, UInt64(chance.next(below: 70_000)),
      1 << UInt64(chance.next(below: 8 * size)),
    ]
    let value = values[chance.next(below: values.count)]
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    return chance.nextBool() ? bytes : bytes.reversed()
  }

  private func overwrite(_ bytes: inout [UInt8], at place: Int, with number: [UInt8]) {
    for (offset, byte) in number.enumerated() where place + offset < bytes.count {
      bytes[place + offset] = byte
    }
  }
}
