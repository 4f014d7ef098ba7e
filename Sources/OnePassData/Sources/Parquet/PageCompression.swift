import CArchive
import CBrotli
import CLZ4

/// The compression of a column's pages: `CompressionCodec` of parquet.thrift.
enum PageCompression: Int {
  case none = 0
  case snappy
  case gzip
  case brotli = 4
  case lz4
  case zstd
  case lz4Raw

  /// The name of any codec of the format.
  static func name(of code: Int) -> String {
    let names = ["UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"]
    return names.indices.contains(code) ? names[code] : "\(code)"
  }

  /// Decompresses a page.
  /// - Parameter size: The size of the page that its header states.
  /// - Throws: `ParquetDamage` if the page has another size.
  func unpack(_ packed: [UInt8], to size: Int) throws(ParquetDamage) -> [UInt8] {
    if size == 0, packed.isEmpty { return [] }
    let body: [UInt8] =
      switch self {
      case .none: packed
      case .snappy: try Snappy.unpack(packed, limit: size)
      case .gzip, .zstd: try Self.unpackByLibarchive(packed, limit: size)
      case .brotli: try Self.unpackBrotli(packed, limit: size)
      case .lz4: try Self.unpackLZ4OfHadoop(packed, to: size)
      case .lz4Raw: try Self.unpackLZ4(packed[...], limit: size)
      }
    guard body.count == size else { throw ParquetDamage() }
    return body
  }

  /// A byte of LZ4 stands for at most 255.
  private static let largestLZ4Ratio = 256

  /// One block of LZ4, without a frame.
  private static func unpackLZ4(
    _ packed: ArraySlice<UInt8>, limit: Int
  ) throws(ParquetDamage) -> [UInt8] {
    let capacity = min(limit, packed.count * largestLZ4Ratio)
    guard let packedSize = Int32(exactly: packed.count), let most = Int32(exactly: capacity) else {
      throw ParquetDamage()
    }
    var got: Int32 = -1
    let body = [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
      got = packed.withUnsafeBytes { source in
        target.withMemoryRebound(to: CChar.self) {
          LZ4_decompress_safe(
            source.bindMemory(to: CChar.self).baseAddress, $0.baseAddress, packedSize, most)
        }
      }
      count = max(0, Int(got))
    }
    guard got >= 0 else { throw ParquetDamage() }
    return body
  }

  /// Blocks of LZ4 in the frames of Hadoop, or else one block: parquet-cpp before 2.0 omitted the frames.
  private static func unpackLZ4OfHadoop(_ packed: [UInt8], to size: Int) throws(ParquetDamage) -> [UInt8] {
    do throws(ParquetDamage) { return try unpackFrames(packed, to: size) } catch {
      return try unpackLZ4(packed[...], limit: size)
    }
  }

  /// Frames of a decompressed size and of blocks with their compressed sizes, in big-endian numbers of 4 bytes.
  private static func unpackFrames(_ packed: [UInt8], to size: Int) throws(ParquetDamage) -> [UInt8] {
    var body: [UInt8] = []
    var place = 0
    func number() throws(ParquetDamage) -> Int {
      guard packed.count - place >= 4 else { throw ParquetDamage() }
      defer { place += 4 }
      return packed[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
    }
    while place < packed.count {
      let frame = try number()
      guard frame <= size - body.count else { throw ParquetDamage() }
      let end = body.count + frame
      while body.count < end {
        let length = try number()
        guard length > 0, length <= packed.count - place else { throw ParquetDamage() }
        let block = packed[place..<(place + length)]
        place += length
        body += try unpackLZ4(block, limit: end - body.count)
      }
    }
    guard body.count == size else { throw ParquetDamage() }
    return body
  }

  private static func unpackBrotli(_ packed: [UInt8], limit: Int) throws(ParquetDamage) -> [UInt8] {
    guard let decoder = BrotliDecoderCreateInstance(nil, nil, nil) else { throw ParquetDamage() }
    defer { BrotliDecoderDestroyInstance(decoder) }
    var body: [UInt8] = []
    let isWhole = packed.withUnsafeBufferPointer { source in
      var next = source.baseAddress
      var left = source.count
      while body.count <= limit {
        var none = 0
        let result = BrotliDecoderDecompressStream(decoder, &left, &next, &none, nil, nil)
        var size = 0
        while let block = BrotliDecoderTakeOutput(decoder, &size), size > 0, body.count <= limit {
          body += UnsafeBufferPointer(start: block, count: size)
          size = 0
        }
        if result == BROTLI_DECODER_RESULT_SUCCESS { return left == 0 }
        guard result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT else { return false }
      }
      return false
    }
    guard isWhole else { throw ParquetDamage() }
    return body
  }

  private static func unpackByLibarchive(_ packed: [UInt8], limit: Int) throws(ParquetDamage) -> [UInt8] {
    guard let archive = archive_read_new() else { throw ParquetDamage() }
    defer { archive_read_free(archive) }
    archive_read_support_filter_gzip(archive)
    archive_read_support_filter_zstd(archive)
    archive_read_support_format_raw(archive)
    archive_read_support_format_empty(archive)
    let body: [UInt8]? = packed.withUnsafeBytes { source in
      var entry: OpaquePointer?
      guard archive_read_open_memory(archive, source.baseAddress, source.count) == ARCHIVE_OK
      else { return nil }
      switch archive_read_next_header(archive, &entry) {
      case ARCHIVE_OK: break
      // Nothing, compressed: the dictionary of a column with nulls only.
      case ARCHIVE_EOF: return []
      default: return nil
      }
      var body: [UInt8] = []
      // The size may be wrong. Images hardly shrink, so that this is mostly enough.
      body.reserveCapacity(min(limit, 4 * packed.count))
      while body.count <= limit {
        var block: UnsafeRawPointer?
        var size = 0
        var offset: la_int64_t = 0
        let status = archive_read_data_block(archive, &block, &size, &offset)
        if status == ARCHIVE_EOF { break }
        guard status == ARCHIVE_OK else { return nil }
        body += UnsafeRawBufferPointer(start: block, count: size)
      }
      return body
    }
    guard let body else { throw ParquetDamage() }
    return body
  }
}
