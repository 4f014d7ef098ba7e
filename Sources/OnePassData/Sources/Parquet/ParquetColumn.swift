import OnePassCore

/// The values of a column chunk in row order, read page by page. Owned by one thread.
///
/// Memory: the current page, compressed and decompressed, and the dictionary.
final class ParquetColumn {
  enum Value {
    /// Also a Boolean value, as 0 or 1.
    case integer(Int)
    case bytes([UInt8])
    case missing

    var isMissing: Bool { if case .missing = self { true } else { false } }
  }

  private let chunk: ParquetFile.Chunk
  private let leaf: ParquetLeaf
  private let name: String
  private let input: any ByteInput
  /// Bytes that were read; the first `used` of them were consumed.
  private var buffer: [UInt8] = []
  private var used = 0
  private var unread: Int
  private var dictionary: [Value] = []
  private var rowsLeft: Int

  // The page that is being read.
  private var pageRowsLeft = 0
  private var values: (any PageValues)?
  /// The definition levels of the rows; `nil` if no value can be missing.
  private var levels: HybridRuns?
  /// The level of the current row, which also the next `levelsLeft` rows have.
  private var level = 0
  private var levelsLeft = 0
  private let largestLevel: Int

  private let memory: DecodeMemory
  /// The bytes of the page that is being read, and of the dictionary.
  private var pageBytes: MemoryReservation?
  private var dictionaryBytes: (count: Int, reservation: MemoryReservation)?

  /// The maximum size of a decompressed page, in bytes.
  static let largestPage = 1 << 30
  /// The maximum number of rows of a page.
  static let mostRows = 1 << 26

  /// - Parameters:
  ///   - name: The file's name in error messages.
  ///   - input: The bytes of the chunk.
  init(
    _ chunk: ParquetFile.Chunk, of leaf: ParquetLeaf, in name: String, input: any ByteInput,
    memory: DecodeMemory = .shared
  ) {
    self.memory = memory
    self.chunk = chunk
    self.leaf = leaf
    self.name = name
    self.input = input
    unread = chunk.range.count
    rowsLeft = chunk.rows
    largestLevel = leaf.largestLevel
  }

  /// The value of the next row; `nil` after the last.
  /// - Throws: `OnePassError`: `badData` if the chunk is damaged or has an unsupported encoding, `io` if reading fails.
  func next() throws -> Value? {
    guard rowsLeft > 0 else { return nil }
    do throws(any Error) {
      while pageRowsLeft == 0 { try readPage() }
      rowsLeft -= 1
      return try take()
    } catch is ParquetDamage {
      throw OnePassError.unreadableParquet(name, .damagedPage)
    } catch let failure as ReadFailure {
      throw failure.error(in: name, at: .column(leaf.path))
    }
  }

  private func take() throws -> Value {
    pageRowsLeft -= 1
    if largestLevel > 0 {
      if levelsLeft == 0, let run = try levels?.nextRun() { (level, levelsLeft) = run }
      levelsLeft -= 1
      if level < largestLevel { return .missing }
    }
    guard let values else { throw ParquetDamage() }
    return try values.next()
  }

  // MARK: Pages

  private func readPage() throws {
    let header = try readHeader()
    guard let kind = header[1]?.integer, let size = header[2]?.integer, let packedSize = header[3]?.integer,
      (0...Self.largestPage).contains(size), (0...Self.largestPage).contains(packedSize)
    else { throw ParquetDamage() }
    (values, levels) = (nil, nil)
    try reserve(chunk.codec == 0 && kind != 3 ? size : packedSize + size)
    let packed = try bytes(packedSize)
    switch kind {
    case 0:
      guard let data = header[5], let rows = data[1]?.integer, let encoding = data[2]?.integer else {
        throw ParquetDamage()
      }
      let body = try unpack(packed, to: size)
      var start = 0
      var levels: HybridRuns?
      if largestLevel > 0 {
        guard data[3]?.integer == 3 else { throw unsupported(encoding: data[3]?.integer ?? 0) }
        guard body.count >= 4 else { throw ParquetDamage() }
        start = 4 + littleEndian(body, at: 0, count: 4)
        guard start <= body.count else { throw ParquetDamage() }
        levels = self.levels(in: body, 4..<start)
      }
      try begin(body, from: start, levels: levels, rows: rows, encoding: encoding)
    case 2:
      guard let data = header[7], let count = data[1]?.integer, count >= 0 else { throw ParquetDamage() }
      let body = try unpack(packed, to: size)
      // Each value has at least one byte.
      guard count <= body.count, leaf.type != .boolean else { throw ParquetDamage() }
      let values = PlainValues(bytes: body, from: 0, type: leaf.type)
      dictionary = []
      dictionaryBytes = (size, memory.reserveSource(size))
      for _ in 0..<count { dictionary.append(try values.next()) }
    case 3:
      guard let data = header[8], let rows = data[1]?.integer, let encoding = data[4]?.integer,
        let levelBytes = data[5]?.integer, data[6]?.integer == 0, (0...packed.count).contains(levelBytes)
      else { throw ParquetDamage() }
      let levels =
        largestLevel > 0 ? self.levels(in: Array(packed[..<levelBytes]), 0..<levelBytes) : nil
      let rest = levelBytes == 0 ? packed : Array(packed[levelBytes...])
      let body = data[7]?.integer == 0 ? rest : try unpack(rest, to: size - levelBytes)
      try begin(body, from: 0, levels: levels, rows: rows, encoding: encoding)
    // An index page, or a type that a later version of the format adds.
    default: break
    }
  }

  /// Counts a page in place of the one before it.
  private func reserve(_ bytes: Int) throws {
    pageBytes = nil
    let (count, most) = (bytes + (dictionaryBytes?.count ?? 0), memory.sourceShare)
    guard count <= most else {
      throw OnePassError.unreadableParquet(name, .largePage(count, limit: most, column: leaf.path))
    }
    pageBytes = memory.reserveSource(bytes)
  }

  private func begin(
    _ body: [UInt8], from start: Int, levels: HybridRuns?, rows: Int, encoding: Int
  ) throws {
    guard (0...min(rowsLeft, Self.mostRows)).contains(rows) else { throw ParquetDamage() }
    let values: any PageValues
    switch (encoding, leaf.type) {
    case (0, _): values = PlainValues(bytes: body, from: start, type: leaf.type)
    case (2, _), (8, _): values = try DictionaryValues(dictionary, bytes: body, from: start)
    case (3, .boolean): values = try BooleanRuns(bytes: body, from: start)
    case (5, .integer): values = try DeltaValues(bytes: body, from: start, type: leaf.type)
    case (6, .bytes(nil)): values = try DeltaLengthBytes(bytes: body, from: start)
    case (7, .bytes(let length)): values = try DeltaBytes(bytes: body, from: start, length: length)
    case (9, .integer), (9, .bytes(.some)):
      values = try SplitValues(bytes: body, from: start, type: leaf.type)
    default: throw unsupported(encoding: encoding)
    }
    (self.values, self.levels, levelsLeft, pageRowsLeft) = (values, levels, 0, rows)
  }

  private func unsupported(encoding code: Int) -> OnePassError {
    .unreadableParquet(name, .unsupportedEncoding(code, column: leaf.path))
  }

  private func levels(in bytes: [UInt8], _ range: Range<Int>) -> HybridRuns {
    HybridRuns(bytes: bytes, in: range, width: Int.bitWidth - largestLevel.leadingZeroBitCount)
  }

  private func readHeader() throws -> ThriftValue {
    var wanted = 256
    while true {
      try fill(wanted)
      do throws(ThriftValue.Damage) {
        let (header, count) = try ThriftValue.structure(in: buffer[used...])
        used += count
        return header
      } catch {
        // Headers have no fixed size: they may contain the page's minimum and maximum, which can be long.
        guard error.isShort, unread > 0, wanted < 64 << 20 else { throw ParquetDamage() }
      }
      wanted *= 4
    }
  }

  /// The next `count` bytes of the chunk: those in the buffer, and the rest directly from the input.
  private func bytes(_ count: Int) throws -> [UInt8] {
    // A damaged header may state any size.
    guard count <= buffer.count - used + unread else { throw ParquetDamage() }
    let result = try [UInt8](unsafeUninitializedCapacity: count) { target, filled in
      let known = min(count, buffer.count - used)
      filled = target[..<known].update(fromContentsOf: buffer[used..<(used + known)])
      used += known
      while filled < count {
        let got = try input.read(
          into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(target)[filled..<count])
        )
        guard got > 0 else { throw ParquetDamage() }
        unread -= got
        filled += got
      }
    }
    return result
  }

  /// Reads until the buffer has `count` bytes or the chunk ends.
  private func fill(_ count: Int) throws {
    if used > 0 {
      buffer.removeFirst(used)
      used = 0
    }
    while buffer.count < count, unread > 0 {
      // In steps of at most 1 MiB, because a damaged header may state any size.
      let part = try [UInt8](
        unsafeUninitializedCapacity: min(unread, max(4_096, min(count - buffer.count, 1 << 20)))
      ) {
        $1 = try input.read(into: UnsafeMutableRawBufferPointer($0))
      }
      guard !part.isEmpty else { throw ParquetDamage() }
      unread -= part.count
      buffer += part
    }
  }

  private func unpack(_ packed: [UInt8], to size: Int) throws -> [UInt8] {
    guard let compression = PageCompression(rawValue: chunk.codec) else {
      throw OnePassError.unreadableParquet(name, .unsupportedCompression(chunk.codec, column: leaf.path))
    }
    return try compression.unpack(packed, to: size)
  }
}
