import OnePassCore

/// The files of a tar archive, plain or compressed, in their order in the archive.
///
/// It reads the formats that tar programs and Python write today: ustar (POSIX.1-1988), pax (POSIX.1-2001: `path`
/// and `size`) and GNU (long names, large sizes). libarchive's reader is not used because it takes 2 µs per entry,
/// accepts an archive without its end mark, and continues after damaged headers. Concatenated archives in a pipe
/// (`cat a.tar b.tar`) are read as one. Owned by one thread.
final class TarReader {
  /// The path of the current file as bytes.
  private(set) var name: [UInt8] = []
  /// The target of the current entry, if it is a link. It has no body.
  private(set) var link: Link?
  /// The entries that were left out so far.
  private(set) var report = SourceReport()
  /// The number of the current archive among concatenated ones, from 0.
  private(set) var archive = 0
  private let bytes: ShardBytes
  /// The size of the current file's body.
  private var size = 0
  /// Bytes to skip before the next header: the body, unless it was read, and its padding.
  private var pending = 0
  private var isAtEnd = false
  /// Whether the current entry is judged once more.
  private var isHeld = false
  private let block = UnsafeMutableRawBufferPointer.allocate(byteCount: headerSize, alignment: 16)

  /// The size of a header in bytes. Bodies are padded to a multiple of it.
  static let headerSize = 512
  /// The maximum size of an extended header in bytes, the same as libarchive's.
  private static let largestHeader = 1 << 20

  /// - Parameter blockSize: The size of a read in bytes. Larger bodies are skipped without reading them.
  init(_ input: any ByteInput, blockSize: Int) throws(ReadFailure) {
    bytes = try ShardBytes(input, blockSize: blockSize)
  }

  deinit { block.deallocate() }

  /// The target of a link.
  enum Link: Equatable {
    /// The path of an earlier entry, which is the same file.
    case hard([UInt8])
    /// A path that starts at the folder of the link.
    case symbolic([UInt8])
  }

  /// Whether the current entry is a link.
  var isLink: Bool { link != nil }

  /// Calls `judge` with each further file or link, until it takes one. The other entries are counted in ``report``.
  /// - Parameter judge: Decides about the current entry of this reader.
  /// - Returns: The value of the entry that was taken; `nil` at the end of a complete archive.
  /// - Throws: `ReadFailure` if the archive is damaged or its end mark is missing; errors of `judge`.
  @inline(__always)
  func next<Taken>(_ judge: (TarReader) throws -> Verdict<Taken>) throws -> Taken? {
    while try advance() {
      switch try judge(self) {
      case .take(let taken): return taken
      case .leaveOut(let reason): report.leaveOut(reason, example: String(escaping: name))
      }
    }
    return nil
  }

  /// Advances to the next file or link; `false` at the end of a complete archive.
  private func advance() throws(ReadFailure) -> Bool {
    if isHeld {
      isHeld = false
      return true
    }
    if isAtEnd { return false }
    if link != nil { link = nil }
    var longName: [UInt8]?
    var longLink: [UInt8]?
    var longSize: Int?
    while true {
      guard try bytes.skip(pending) else { throw ReadFailure.truncatedEntry }
      pending = 0
      guard try readBlock() else { throw ReadFailure.noEndOfArchive }
      if isZero {
        guard longName == nil, longSize == nil else { throw ReadFailure.headerWithoutFile }
        isAtEnd = try passEnd()
        if isAtEnd { return false }
        archive += 1
      }
      let header = TarHeader(UnsafeRawBufferPointer(block))
      guard header.hasValidChecksum, let ownSize = header.size else { throw ReadFailure.damagedHeader }
      switch header.type {
      case UInt8(ascii: "x"):
        let fields = try TarHeader.extendedFields(try readExtension(ownSize))
        (longName, longSize) = (fields.path ?? longName, fields.size ?? longSize)
        longLink = fields.link ?? longLink
      case UInt8(ascii: "L"):
        longName = Array(try readExtension(ownSize).prefix { $0 != 0 })
      case UInt8(ascii: "K"):
        longLink = Array(try readExtension(ownSize).prefix { $0 != 0 })
      case UInt8(ascii: "g"):
        _ = try readExtension(ownSize)
      case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
        size = longSize ?? ownSize
        pending = try Self.padded(size)
        setName(longName, header)
        // Formats before ustar mark a folder only by the slash at the end of its name.
        if name.last != slash { return true }
        (longName, longLink, longSize) = (nil, nil, nil)
      case UInt8(ascii: "1"), UInt8(ascii: "2"):
        size = 0
        setName(longName, header)
        let target = longLink ?? header.linkName
        link = header.type == UInt8(ascii: "1") ? .hard(target) : .symbolic(target)
        return true
      case UInt8(ascii: "5"):
        (longName, longLink, longSize) = (nil, nil, nil)
      case UInt8(ascii: "3"), UInt8(ascii: "4"), UInt8(ascii: "6"):
        setName(longName, header)
        report.leaveOut(.specialFile, example: String(escaping: name))
        (longName, longLink, longSize) = (nil, nil, nil)
      case UInt8(ascii: "S"):
        throw ReadFailure.sparseFile
      default:
        pending = try Self.padded(longSize ?? ownSize)
        setName(longName, header)
        report.leaveOut(.unknownEntry, example: String(escaping: name))
        (longName, longLink, longSize) = (nil, nil, nil)
      }
    }
  }

  private func setName(_ longName: [UInt8]?, _ header: TarHeader) {
    if let longName { name = longName } else { header.copyName(to: &name) }
  }

  /// Makes the next call of ``next(_:)`` judge the current entry once more. Its body must not have been read.
  func holdEntry() { isHeld = true }

  /// Counts something that is not an entry of its own.
  func leaveOut(_ reason: LeftOutReason, example: @autoclosure () -> String) {
    report.leaveOut(reason, example: example())
  }

  /// Whether the archive is an uncompressed file.
  var isPlainFile: Bool { bytes.offset != nil }

  /// The byte range of the current file's body, before it is read; `nil` unless the archive is an uncompressed file.
  var bodyRange: Range<Int>? { bytes.offset.map { $0..<($0 + size) } }

  /// Reads the whole body of the current file. Called at most once per file.
  /// - Throws: `ReadFailure` if it is truncated, or larger than `limit` bytes.
  func body(limit: Int) throws -> [UInt8] {
    guard size <= limit else { throw ReadFailure.entryIsTooLarge(bytes: size, limit: limit) }
    let size = size
    pending -= size
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      let target = UnsafeMutableRawBufferPointer(buffer)
      guard try bytes.take(into: UnsafeMutableRawBufferPointer(rebasing: target[..<size])) else {
        throw ReadFailure.truncatedEntry
      }
      filled = size
    }
  }

  /// Called after the first block of zeros. Returns `true` at the end of the data; `false` if another archive follows
  /// in the pipe, whose first header is then in `block`.
  private func passEnd() throws(ReadFailure) -> Bool {
    var zeroBlocks = 1
    while try readBlock() {
      if !isZero {
        guard zeroBlocks > 1, !bytes.isPlainFile else {
          throw ReadFailure.zerosBetweenEntries
        }
        return false
      }
      zeroBlocks += 1
    }
    return true
  }

  /// Reads the next header block; `false` at the end of the data.
  private func readBlock() throws(ReadFailure) -> Bool {
    if bytes.window.isEmpty, try !bytes.refill() { return false }
    guard try bytes.take(into: block) else { throw ReadFailure.partialBlock }
    return true
  }

  private var isZero: Bool {
    // A header starts with a name, so one comparison is nearly always enough.
    block[0] == 0 && block.allSatisfy { $0 == 0 }
  }

  /// The body of an extended header.
  private func readExtension(_ size: Int) throws(ReadFailure) -> [UInt8] {
    guard size <= Self.largestHeader else { throw ReadFailure.impossibleHeaderSize(size) }
    var body = [UInt8](repeating: 0, count: try Self.padded(size))
    var isWhole = true
    var failure: ReadFailure?
    body.withUnsafeMutableBytes { target in
      do throws(ReadFailure) { isWhole = try bytes.take(into: target) } catch { failure = error }
    }
    if let failure { throw failure }
    guard isWhole else { throw ReadFailure.truncatedHeader }
    return Array(body.prefix(size))
  }

  private static func padded(_ size: Int) throws(ReadFailure) -> Int {
    guard size <= 1 << 60 else { throw ReadFailure.impossibleEntrySize(size) }
    return (size + headerSize - 1) / headerSize * headerSize
  }
}
