import CArchive

/// The compression of a whole shard, recognised by its first bytes.
enum ShardCompression: String {
  case gzip, zstd, xz, bzip2, lz4, lzip, compress

  /// The number of bytes that identify a compression.
  static let signatureLength = 10

  /// The compression of data that starts with these bytes; `nil` for a plain tar.
  init?(of start: Slice<UnsafeMutableRawBufferPointer>) {
    func starts(with signature: [UInt8], at offset: Int = 0) -> Bool {
      start.dropFirst(offset).starts(with: signature)
    }
    // gzip: RFC 1952. zstd: a frame, or one of the skippable frames that may precede it (RFC 8878). bzip2: a level, then the
    // mark of a block or of the end.
    if starts(with: [0x1F, 0x8B]) {
      self = .gzip
    } else if starts(with: [0x28, 0xB5, 0x2F, 0xFD])
      || (start.first.map { $0 & 0xF0 == 0x50 } ?? false && starts(with: [0x2A, 0x4D, 0x18], at: 1))
    {
      self = .zstd
    } else if starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]) {
      self = .xz
    } else if starts(with: Array("BZh".utf8)),
      starts(with: [0x31, 0x41, 0x59, 0x26, 0x53, 0x59], at: 4)
        || starts(with: [0x17, 0x72, 0x45, 0x38, 0x50, 0x90], at: 4)
    {
      self = .bzip2
    } else if starts(with: [0x04, 0x22, 0x4D, 0x18]) || starts(with: [0x02, 0x21, 0x4C, 0x18]) {
      self = .lz4
    } else if starts(with: Array("LZIP".utf8) + [1]) || starts(with: Array("LZIP".utf8) + [0]) {
      self = .lzip
    } else if starts(with: [0x1F, 0x9D]) {
      self = .compress
    } else {
      return nil
    }
  }

  /// Lets libarchive read this compression.
  /// - Returns: libarchive's status.
  func support(_ archive: OpaquePointer) -> Int32 {
    switch self {
    case .gzip: archive_read_support_filter_gzip(archive)
    case .zstd: archive_read_support_filter_zstd(archive)
    case .xz: archive_read_support_filter_xz(archive)
    case .bzip2: archive_read_support_filter_bzip2(archive)
    case .lz4: archive_read_support_filter_lz4(archive)
    case .lzip: archive_read_support_filter_lzip(archive)
    case .compress: archive_read_support_filter_compress(archive)
    }
  }
}
