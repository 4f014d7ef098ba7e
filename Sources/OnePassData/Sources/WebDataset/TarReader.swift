/// The regular files of one tar archive, plain or compressed, in the order of arrival.
///
/// It reads the formats that tar programs and Python write today: ustar (POSIX.1-1988), pax (POSIX.1-2001: `path`
/// and `size`) and GNU (long names, large sizes). It is written for this use because libarchive's reader spends
/// 2 µs on an entry, takes the end of the data for the end of the archive, and goes on behind damaged headers.
/// Archives that follow one another in a pipe (`cat a.tar b.tar`) are read as one. Owned by one thread.
final class TarReader {
  /// The path of the current file as bytes.
  private(set) var name: [UInt8] = []
  private let bytes: ShardBytes
  /// The size of the current file's body.
  private var size = 0
  /// Bytes to pass over before the next header: the body, unless it was taken, and its padding.
  private var pending = 0
  private var isAtEnd = false
  private let block = UnsafeMutableRawBufferPointer.allocate(byteCount: headerSize, alignment: 16)

  /// Bytes of a header, and of what bodies are padded to.
  static let headerSize = 512
  /// The largest extended header, in bytes; libarchive's limit too.
  private static let largestHeader = 1 << 20

  /// - Parameter blockSize: bytes asked for at once; a body larger than this is not read when it is passed over.
  init(_ input: any ByteInput, blockSize: Int) throws(ReadFailure) {
    bytes = try ShardBytes(input, blockSize: blockSize)
  }

  deinit { block.deallocate() }

  /// Goes to the next regular file; `false` at the end of a whole archive.
  /// - Throws: `ReadFailure`, also where the archive ends without its end mark.
  func advance() throws(ReadFailure) -> Bool {
    if isAtEnd { return false }
    var longName: [UInt8]?
    var longSize: Int?
    while true {
      guard try bytes.skip(pending) else { throw ReadFailure.corrupt("a file is cut off") }
      pending = 0
      guard try readBlock() else { throw ReadFailure.corrupt("its end is missing") }
      if isZero {
        guard longName == nil, longSize == nil else {
          throw ReadFailure.corrupt("a header belongs to no file")
        }
        isAtEnd = try passEnd()
        if isAtEnd { return false }
      }
      let header = TarHeader(UnsafeRawBufferPointer(block))
      guard header.hasValidChecksum, let ownSize = header.size else {
        throw ReadFailure.corrupt("a header is damaged")
      }
      switch header.type {
      case UInt8(ascii: "x"):
        let fields = try TarHeader.extendedFields(try readExtension(ownSize))
        (longName, longSize) = (fields.path ?? longName, fields.size ?? longSize)
      case UInt8(ascii: "L"):
        longName = Array(try readExtension(ownSize).prefix { $0 != 0 })
      case UInt8(ascii: "K"), UInt8(ascii: "g"):
        _ = try readExtension(ownSize)
      case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
        size = longSize ?? ownSize
        pending = try Self.padded(size)
        if let longName { name = longName } else { header.copyName(to: &name) }
        // Archives from before ustar mark a folder by its name alone.
        if name.last != slash { return true }
        (longName, longSize) = (nil, nil)
      case UInt8(ascii: "1")...UInt8(ascii: "6"):
        (longName, longSize) = (nil, nil)
      case UInt8(ascii: "S"):
        throw ReadFailure.corrupt("it holds a sparse file, which is not read")
      default:
        pending = try Self.padded(longSize ?? ownSize)
        (longName, longSize) = (nil, nil)
      }
    }
  }

  /// Where the body of the current file lies in the archive, before it is taken; `nil` unless that is a plain file.
  var bodyRange: Range<Int>? { bytes.offset.map { $0..<($0 + size) } }

  /// The whole body of the current file; taken at most once.
  /// - Throws: `ReadFailure` if it is cut off, or larger than `limit` bytes.
  func body(limit: Int) throws -> [UInt8] {
    guard size <= limit else {
      throw ReadFailure(kind: .tooLarge, detail: "\(size) bytes where at most \(limit) are allowed")
    }
    let size = size
    pending -= size
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      let target = UnsafeMutableRawBufferPointer(buffer)
      guard try bytes.take(into: UnsafeMutableRawBufferPointer(rebasing: target[..<size])) else {
        throw ReadFailure.corrupt("a file is cut off")
      }
      filled = size
    }
  }

  /// Called behind the first block of zeros: `true` if the archive is over, `false` if another one follows in
  /// the pipe, whose first header is then in `block`.
  private func passEnd() throws(ReadFailure) -> Bool {
    var zeroBlocks = 1
    while try readBlock() {
      if !isZero {
        guard zeroBlocks > 1, !bytes.isFile else {
          throw ReadFailure.corrupt("zeros stand where a file should begin")
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
    guard try bytes.take(into: block) else { throw ReadFailure.corrupt("it ends within a block") }
    return true
  }

  private var isZero: Bool {
    // A header begins with a name, so nearly always one comparison is enough.
    block[0] == 0 && block.allSatisfy { $0 == 0 }
  }

  /// The body of an extended header.
  private func readExtension(_ size: Int) throws(ReadFailure) -> [UInt8] {
    guard size <= Self.largestHeader else { throw ReadFailure.corrupt("a header of \(size) bytes") }
    var body = [UInt8](repeating: 0, count: try Self.padded(size))
    var isWhole = true
    var failure: ReadFailure?
    body.withUnsafeMutableBytes { target in
      do throws(ReadFailure) { isWhole = try bytes.take(into: target) } catch { failure = error }
    }
    if let failure { throw failure }
    guard isWhole else { throw ReadFailure.corrupt("a header is cut off") }
    return Array(body.prefix(size))
  }

  private static func padded(_ size: Int) throws(ReadFailure) -> Int {
    guard size <= 1 << 60 else { throw ReadFailure.corrupt("a file of \(size) bytes") }
    return (size + headerSize - 1) / headerSize * headerSize
  }
}
