import CArchive

/// The decompressed bytes of a shard in order, through a window on a fixed buffer.
///
/// A plain shard is read directly. A compressed one, recognised by the first bytes, is decompressed with libarchive.
/// Owned by one thread.
final class ShardBytes {
  /// The bytes that were read but not consumed; valid until the next call.
  private(set) var window = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Whether the shard is an uncompressed file, not a pipe or a download.
  var isPlainFile: Bool { unpacker == nil && input.isFile }
  /// The offset of the window in an uncompressed file; `nil` for anything else.
  var offset: Int? { unpacker == nil ? input.offset.map { $0 - window.count } : nil }

  private let input: any ByteInput
  private let buffer: UnsafeMutableRawBufferPointer
  /// libarchive, if the shard is compressed.
  private var unpacker: OpaquePointer?
  /// The number of bytes read to detect the compression, which libarchive's first read returns.
  private var firstRead: Int?
  /// The error that ended libarchive's reading.
  private var readFailure: ReadFailure?

  /// - Parameter blockSize: The size of a read in bytes.
  init(_ input: any ByteInput, blockSize: Int) throws(ReadFailure) {
    self.input = input
    buffer = .allocate(byteCount: blockSize, alignment: 16)
    var start = 0
    // A pipe may deliver less than the bytes that identify the compression.
    while start < ShardCompression.signatureLength {
      let got = try input.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
      if got == 0 { break }
      start += got
    }
    if let compression = ShardCompression(of: buffer.prefix(start)) {
      firstRead = start
      try openUnpacker(compression)
    } else {
      window = UnsafeRawBufferPointer(rebasing: buffer[..<start])
    }
  }

  deinit {
    if let unpacker { archive_read_free(unpacker) }
    buffer.deallocate()
  }

  /// Removes `count` bytes from the start of the window.
  func consume(_ count: Int) { window = UnsafeRawBufferPointer(rebasing: window[count...]) }

  /// Fills an empty window with the next bytes; `false` at the end.
  func refill() throws(ReadFailure) -> Bool {
    guard let unpacker else {
      window = UnsafeRawBufferPointer(rebasing: buffer[..<(try input.read(into: buffer))])
      return !window.isEmpty
    }
    var block: UnsafeRawPointer?
    var size = 0
    var offset: la_int64_t = 0
    while true {
      let status = archive_read_data_block(unpacker, &block, &size, &offset)
      if status == ARCHIVE_EOF { return false }
      guard status == ARCHIVE_OK || status == ARCHIVE_WARN else { throw failure(unpacker) }
      if size > 0 { break }
    }
    window = UnsafeRawBufferPointer(start: block, count: size)
    return true
  }

  /// Fills `target`; `false` if the shard ends first.
  func take(into target: UnsafeMutableRawBufferPointer) throws(ReadFailure) -> Bool {
    var filled = 0
    while filled < target.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: target[filled...])
      if window.isEmpty, unpacker == nil, rest.count >= buffer.count {
        let got = try input.read(into: rest)
        if got == 0 { return false }
        filled += got
        continue
      }
      if window.isEmpty, try !refill() { return false }
      let count = min(window.count, rest.count)
      rest.copyMemory(from: UnsafeRawBufferPointer(rebasing: window[..<count]))
      consume(count)
      filled += count
    }
    return true
  }

  /// Skips `count` bytes; `false` if the shard ends first. In a file, bytes beyond the window are not read.
  func skip(_ count: Int) throws(ReadFailure) -> Bool {
    var left = count
    while left > window.count {
      left -= window.count
      consume(window.count)
      if unpacker == nil, let isThere = try input.skip(left) { return isThere }
      if try !refill() { return false }
    }
    consume(left)
    return true
  }
}

// MARK: - libarchive

extension ShardBytes {
  private func openUnpacker(_ compression: ShardCompression) throws(ReadFailure) {
    guard let archive = archive_read_new() else {
      throw ReadFailure.outOfMemory
    }
    unpacker = archive
    // A warning means that libarchive would start another program to decompress.
    guard compression.support(archive) == ARCHIVE_OK else {
      throw ReadFailure.unsupportedCompression(compression.rawValue)
    }
    archive_read_support_format_raw(archive)
    // The archive is freed in this object's deinit, so an unretained reference is safe.
    let owner = Unmanaged.passUnretained(self).toOpaque()
    let status = archive_read_open(
      archive, owner, nil,
      { _, owner, block in
        guard let owner, let block else { return -1 }
        return Unmanaged<ShardBytes>.fromOpaque(owner).takeUnretainedValue().supply(block)
      }, nil)
    var entry: OpaquePointer?
    guard status == ARCHIVE_OK, archive_read_next_header(archive, &entry) == ARCHIVE_OK else {
      throw failure(archive)
    }
  }

  /// libarchive's read callback: the next compressed bytes, 0 at the end, −1 on failure.
  private func supply(_ block: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
    block.pointee = UnsafeRawPointer(buffer.baseAddress)
    if let count = firstRead {
      firstRead = nil
      return count
    }
    do { return try input.read(into: buffer) } catch {
      readFailure = error
      return -1
    }
  }

  private func failure(_ archive: OpaquePointer) -> ReadFailure {
    readFailure ?? .decompression(archiveMessage(archive))
  }
}
