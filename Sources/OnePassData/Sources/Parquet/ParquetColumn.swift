import CArchive
import OnePassCore

/// The values of a column chunk in row order, read page by page. Owned by one thread.
///
/// Memory: the current page, compressed and decompressed, and the dictionary.
final class ParquetColumn {
  enum Value {
    case integer(Int)
    case bytes([UInt8])
    case missing
  }

  private let chunk: ParquetFile.Chunk
  private let name: String
  private let input: any ByteInput
  /// Bytes that were read; the first `used` of them were consumed.
  private var buffer: [UInt8] = []
  private var used = 0
  private var unread: Int
  private var dictionary: [Value] = []
  private var page: Page?
  private var rowsLeft: Int

  /// The maximum size of a decompressed page, in bytes.
  static let largestPage = 1 << 30
  /// The maximum number of rows of a page. A damaged header could otherwise allocate a byte for each of any number.
  static let mostRows = 1 << 26

  /// The page that is being read.
  private struct Page {
    let levels: [UInt8]?
    var values: PageValues
    var row = 0
    let rows: Int
  }

  private enum PageValues {
    case plain(PlainValues)
    case places(HybridRuns)
  }

  /// - Parameter input: The bytes of the chunk.
  init(_ chunk: ParquetFile.Chunk, of name: String, input: any ByteInput) {
    self.chunk = chunk
    self.name = name
    self.input = input
    unread = chunk.range.count
    rowsLeft = chunk.rows
  }

  /// The value of the next row; `nil` after the last.
  /// - Throws: `OnePassError`: `badData` if the chunk is damaged or has an unsupported encoding, `io` if reading fails.
  func next() throws -> Value? {
    guard rowsLeft > 0 else { return nil }
    do throws(any Error) {
      while page == nil || page?.row == page?.rows { try readPage() }
      rowsLeft -= 1
      return try take()
    } catch is ParquetDamage {
      throw OnePassError.unreadableParquet(name, .damagedPage)
    } catch let failure as ReadFailure {
      throw failure.error(in: name, at: .column(chunk.column.path))
    }
  }

  private func take() throws -> Value {
    guard var page else { throw ParquetDamage() }
    // Without a second reference the page is changed in place instead of copied.
    self.page = nil
    defer { self.page = page }
    page.row += 1
    if let levels = page.levels, Int(levels[page.row - 1]) < chunk.column.largestLevel { return .missing }
    switch page.values {
    case .plain(var values):
      defer { page.values = .plain(values) }
      return try values.next()
    case .places(var runs):
      defer { page.values = .places(runs) }
      let place = try runs.next()
      guard place < dictionary.count else { throw ParquetDamage() }
      return dictionary[place]
    }
  }

  // MARK: Pages

  private func readPage() throws {
    let header = try readHeader()
    guard let kind = header[1]?.integer, let size = header[2]?.integer, let packedSize = header[3]?.integer,
      (0...Self.largestPage).contains(size), (0...Self.largestPage).contains(packedSize)
    else { throw ParquetDamage() }
    let packed = try bytes(packedSize)
    switch kind {
    case 0:
      guard let data = header[5], let rows = data[1]?.integer, let encoding = data[2]?.integer else {
        throw ParquetDamage()
      }
      let body = try unpack(packed, to: size)
      var start = 0
      var levels: [UInt8]?
      if chunk.column.largestLevel > 0 {
        guard data[3]?.integer == 3, body.count >= 4 else { throw ParquetDamage() }
        let length = body[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= body.count - 4 else { throw ParquetDamage() }
        levels = try readLevels(Array(body[4..<(4 + length)]), rows: rows)
        start = 4 + length
      }
      try begin(body, from: start, levels: levels, rows: rows, encoding: encoding)
    case 2:
      guard let data = header[7], let count = data[1]?.integer, count >= 0 else { throw ParquetDamage() }
      let body = try unpack(packed, to: size)
      // Each value has at least one byte.
      guard count <= body.count else { throw ParquetDamage() }
      var values = PlainValues(bytes: body, place: 0, type: chunk.column.type)
      dictionary = []
      for _ in 0..<count { dictionary.append(try values.next()) }
    case 3:
      guard let data = header[8], let rows = data[1]?.integer, let encoding = data[4]?.integer,
        let levelBytes = data[5]?.integer, data[6]?.integer == 0, (0...packed.count).contains(levelBytes)
      else { throw ParquetDamage() }
      let levels =
        chunk.column.largestLevel > 0 ? try readLevels(Array(packed[..<levelBytes]), rows: rows) : nil
      let rest = Array(packed[levelBytes...])
      let body = data[7]?.integer == 0 ? rest : try unpack(rest, to: size - levelBytes)
      try begin(body, from: 0, levels: levels, rows: rows, encoding: encoding)
    // An index page, or a type that a later version of the format adds.
    default: break
    }
  }

  private func begin(_ body: [UInt8], from start: Int, levels: [UInt8]?, rows: Int, encoding: Int) throws {
    guard (0...min(rowsLeft, Self.mostRows)).contains(rows) else { throw ParquetDamage() }
    switch encoding {
    case 0:
      page = Page(
        levels: levels, values: .plain(PlainValues(bytes: body, place: start, type: chunk.column.type)),
        rows: rows)
    case 2, 8:
      // A page without values may be empty.
      let width = start < body.count ? Int(body[start]) : 0
      guard width <= 32 else { throw ParquetDamage() }
      page = Page(
        levels: levels,
        values: .places(HybridRuns(bytes: body, place: min(start + 1, body.count), width: width)), rows: rows)
    default:
      throw OnePassError.unreadableParquet(name, .unsupportedEncoding(encoding))
    }
  }

  private func readLevels(_ bytes: [UInt8], rows: Int) throws -> [UInt8] {
    guard (0...min(rowsLeft, Self.mostRows)).contains(rows) else { throw ParquetDamage() }
    let largest = chunk.column.largestLevel
    var runs = HybridRuns(bytes: bytes, place: 0, width: Int.bitWidth - largest.leadingZeroBitCount)
    return try (0..<rows).map { _ in UInt8(truncatingIfNeeded: try runs.next()) }
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

  private func bytes(_ count: Int) throws -> [UInt8] {
    try fill(count)
    guard buffer.count - used >= count else { throw ParquetDamage() }
    defer { used += count }
    return Array(buffer[used..<(used + count)])
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
    let body: [UInt8]
    switch chunk.codec {
    case 0: body = packed
    case 1: body = try Snappy.unpack(packed, limit: size)
    case 2, 6: body = try unpackByLibarchive(packed, limit: size)
    default:
      throw OnePassError.unreadableParquet(name, .unsupportedCompression(chunk.codec))
    }
    guard body.count == size else { throw ParquetDamage() }
    return body
  }

  private func unpackByLibarchive(_ packed: [UInt8], limit: Int) throws -> [UInt8] {
    guard let archive = archive_read_new() else { throw ParquetDamage() }
    defer { archive_read_free(archive) }
    archive_read_support_filter_gzip(archive)
    archive_read_support_filter_zstd(archive)
    archive_read_support_format_raw(archive)
    return try packed.withUnsafeBytes { source in
      var entry: OpaquePointer?
      guard archive_read_open_memory(archive, source.baseAddress, source.count) == ARCHIVE_OK,
        archive_read_next_header(archive, &entry) == ARCHIVE_OK
      else { throw ParquetDamage() }
      var body: [UInt8] = []
      while body.count <= limit {
        var block: UnsafeRawPointer?
        var size = 0
        var offset: la_int64_t = 0
        let status = archive_read_data_block(archive, &block, &size, &offset)
        if status == ARCHIVE_EOF { break }
        guard status == ARCHIVE_OK else { throw ParquetDamage() }
        body += UnsafeRawBufferPointer(start: block, count: size)
      }
      return body
    }
  }
}
