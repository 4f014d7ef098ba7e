import OnePassCore

/// The central directory of a zip archive (PKWARE's APPNOTE 6.3.10, sections 4.3.12 to 4.3.16, with Zip64).
struct ZipDirectory {
  struct Entry {
    /// The path, with slashes between its components. Its encoding is unknown.
    let name: [UInt8]
    /// The offset of the local header.
    let offset: Int
    let compressedSize: Int
    let size: Int
    let isEncrypted: Bool
    /// Whether the entry is a symbolic link, as Unix programs store them.
    let isLink: Bool
    /// Whether the name was stored with backslashes between its components.
    let hasBackslashes: Bool
  }

  private let file: OpenFile
  private let bytes: [UInt8]
  private let start: Int
  private let expected: Int
  private let reservation: MemoryReservation

  /// - Throws: `OnePassError`: `io` if the file cannot be read, `badData` if it is not a complete zip archive.
  init(_ file: OpenFile) throws {
    self.file = file
    let size = try file.size()
    // The end record has 22 bytes and a comment of at most 65,535. Zip64's locator of 20 bytes may precede it.
    let tailStart = max(0, size - 22 - 65_535 - 20)
    let tail = try file.bytes(at: tailStart, count: size - tailStart)
    guard let end = Self.endRecord(in: tail) else {
      throw OnePassError.damagedZip(file.path, .noEndRecord)
    }
    guard tail.number(at: end + 4, 2) == 0 || tail.number(at: end + 4, 2) == 0xFFFF else {
      throw OnePassError.splitZip(file.path)
    }
    let damagedEnd = OnePassError.damagedZip(file.path, .damagedEndRecord)
    var (count, length, offset) = (
      tail.number(at: end + 10, 2), tail.number(at: end + 12, 4), tail.number(at: end + 16, 4)
    )
    if count == 0xFFFF || length == 0xFFFF_FFFF || offset == 0xFFFF_FFFF,
      end >= 20, tail.number(at: end - 20, 4) == 0x0706_4B50
    {
      let record = tail.number(at: end - 12, 8)
      guard record >= 0, record <= size - 56 else { throw damagedEnd }
      let end64 = try file.bytes(at: record, count: 56)
      guard end64.number(at: 0, 4) == 0x0606_4B50 else { throw damagedEnd }
      (count, length, offset) = (
        end64.number(at: 32, 8), end64.number(at: 40, 8), end64.number(at: 48, 8)
      )
    }
    guard offset >= 0, length >= 0, length <= size, offset <= size - length,
      count >= 0, count <= length / Self.headerSize
    else { throw damagedEnd }
    let most = DecodeMemory.shared.sourceShare
    guard length <= most else {
      throw OnePassError.exceedsDecodeMemory(file.path, "its directory", bytes: length, limit: most)
    }
    reservation = DecodeMemory.shared.reserveSource(length)
    start = offset
    bytes = try file.bytes(at: offset, count: length)
    expected = count
  }

  /// Calls `judge` with each file, in the order of the directory.
  /// - Parameters:
  ///   - report: Counts the entries that are left out.
  ///   - judge: Decides about an entry.
  /// - Throws: `OnePassError` (`badData`) if the directory is damaged; errors of `judge`.
  func walk<Taken>(
    into report: inout SourceReport, judging judge: (Entry) throws -> Verdict<Taken>,
    taking take: (Taken) throws -> Void
  ) throws {
    try walk { entry in
      // An entry for a folder has no contents.
      if entry.name.last == slash { return }
      if let taken = report.take(try judge(entry), named: String(escaping: entry.name)) { try take(taken) }
    }
  }

  private func walk(_ body: (Entry) throws -> Void) throws {
    var place = 0
    for _ in 0..<expected {
      guard place <= bytes.count - Self.headerSize, bytes.number(at: place, 4) == 0x0201_4B50 else {
        throw damage
      }
      let (nameLength, extraLength) = (bytes.number(at: place + 28, 2), bytes.number(at: place + 30, 2))
      let nameStart = place + Self.headerSize
      let extraStart = nameStart + nameLength
      let next = extraStart + extraLength + bytes.number(at: place + 32, 2)
      guard next <= bytes.count else { throw damage }
      // The extra field of type 1 has only the numbers that do not fit into 32 bits, in this order.
      var wide = Self.wideNumbers(bytes[extraStart..<(extraStart + extraLength)])[...]
      func number(at place: Int) throws -> Int {
        let narrow = bytes.number(at: place, 4)
        guard narrow == 0xFFFF_FFFF else { return narrow }
        guard let value = wide.popFirst(), value >= 0 else { throw damage }
        return value
      }
      let (size, compressed) = (try number(at: place + 24), try number(at: place + 20))
      let offset = try number(at: place + 42)
      // Entries precede the directory.
      guard offset <= start, compressed <= start - offset else { throw damage }
      let system = bytes[place + 5]
      let name = Array(bytes[nameStart..<extraStart])
      let slashes = Self.replacingBackslashes(in: name, of: system)
      try body(
        Entry(
          name: slashes ?? name, offset: offset, compressedSize: compressed, size: size,
          isEncrypted: bytes.number(at: place + 8, 2) & 1 == 1,
          isLink: Self.isUnix(system) && bytes.number(at: place + 40, 2) & 0xF000 == 0xA000,
          hasBackslashes: slashes != nil))
      place = next
    }
  }

  /// The byte range of the entries, which precede the directory.
  var body: Range<Int> { 0..<start }

  private static let headerSize = 46

  /// Unix and macOS.
  private static func isUnix(_ system: UInt8) -> Bool { system == 3 || system == 19 }

  /// The name with slashes instead of backslashes, as old Windows programs write them; `nil` if it has none.
  ///
  /// On Unix a backslash is part of a name, and in Shift-JIS or GBK it can be the second byte of a character.
  private static func replacingBackslashes(in name: [UInt8], of system: UInt8) -> [UInt8]? {
    let backslash = UInt8(ascii: "\\")
    guard !isUnix(system), name.contains(backslash), !name.contains(slash) else { return nil }
    let isUTF8 = String(validating: name, as: UTF8.self) != nil
    let replaced = name.indices.map { index in
      name[index] == backslash && (isUTF8 || index == 0 || name[index - 1] < 0x80) ? slash : name[index]
    }
    return replaced == name ? nil : replaced
  }

  private var damage: OnePassError { .damagedZip(file.path, .damagedDirectory) }

  /// The offset of the end record: the last one with its signature and a comment that ends with the file.
  private static func endRecord(in tail: [UInt8]) -> Int? {
    stride(from: tail.count - 22, through: 0, by: -1).first {
      tail[$0] == 0x50 && tail.number(at: $0, 4) == 0x0605_4B50
        && $0 + 22 + tail.number(at: $0 + 20, 2) == tail.count
    }
  }

  /// The numbers of Zip64's extra field; empty without it.
  private static func wideNumbers(_ extra: ArraySlice<UInt8>) -> [Int] {
    let extra = Array(extra)
    var place = 0
    while place + 4 <= extra.count {
      let (type, length) = (extra.number(at: place, 2), extra.number(at: place + 2, 2))
      guard place + 4 + length <= extra.count else { return [] }
      if type == 1 { return (0..<(length / 8)).map { extra.number(at: place + 4 + 8 * $0, 8) } }
      place += 4 + length
    }
    return []
  }
}

extension [UInt8] {
  /// A little-endian number of `count` bytes. One of eight bytes may be negative.
  fileprivate func number(at place: Int, _ count: Int) -> Int {
    (0..<count).reversed().reduce(0) { $0 << 8 | Int(self[place + $1]) }
  }
}
