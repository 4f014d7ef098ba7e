import Foundation
import OnePassCore

extension StateDictionary {
  /// The tensors of a safetensors file, on the CPU, in the order in which they lie there.
  ///
  /// Nothing in the file is executed. Half and double precision (`F16`, `BF16`, `F64`) become float32; beside these and
  /// float32 (`F32`) only int64 (`I64`) is read.
  /// - Throws: `OnePassError`: `io` if the file cannot be read, `badData` if it is not a whole, valid file.
  public init(safetensors path: String) throws {
    self = try Self.openAndReadHeader(path) { file, header in
      var entries: [Entry] = []
      for entry in header.entries {
        let bytes = try file.readExactly(entry.bytes.count)
        entries.append((entry.name, try entry.type.tensor(bytes, shape: entry.shape)))
      }
      return StateDictionary(entries)
    }
  }

  /// The text that a safetensors file carries beside its tensors.
  /// - Throws: as ``init(safetensors:)``.
  public static func metadata(safetensors path: String) throws -> [String: String] {
    try openAndReadHeader(path) { _, header in header.metadata }
  }

  /// Writes a safetensors file that Python's `safetensors` reads, by way of a temporary name beside it.
  ///
  /// Whoever reads `path` sees the old file or the whole new one, never a part.
  /// - Parameters:
  ///   - path: replaced if it exists.
  ///   - metadata: text to carry along.
  /// - Throws: `OnePassError` (`io`) if the file cannot be written.
  public func write(to path: String, metadata: [String: String] = [:]) throws {
    var header: [SafetensorsHeader.Entry] = []
    var end = 0
    for (name, tensor) in entries {
      let type = StoredType(tensor.elementType)
      let size = tensor.count * type.size
      header.append(.init(name: name, type: type, shape: tensor.shape, bytes: end..<end + size))
      end += size
    }
    let json = try SafetensorsHeader.json(header, metadata: metadata)

    let temporary = "\(path).\(ProcessInfo.processInfo.processIdentifier).partial"
    do {
      guard FileManager.default.createFile(atPath: temporary, contents: nil) else {
        throw CocoaError(.fileWriteUnknown)
      }
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: temporary))
      defer { try? file.close() }
      try file.write(contentsOf: Data(littleEndianBytes: UInt64(json.count)))
      try file.write(contentsOf: json)
      for (_, tensor) in entries { try file.write(contentsOf: tensor.littleEndianBytes()) }
      // On the disk before it gets its name, so that a crash leaves no empty file under it.
      try file.synchronize()
      guard rename(temporary, path) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      if let error = error as? OnePassError { throw error }
      throw OnePassError(
        .io, "The file \(path) could not be written: see that its folder exists and has room.", cause: error)
    }
  }

  /// Opens a file, checks its header against its size, and hands both over with the file at the first tensor.
  private static func openAndReadHeader<Result>(
    _ path: String, _ body: (FileHandle, SafetensorsHeader) throws -> Result
  ) throws -> Result {
    let file: FileHandle
    do {
      file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    } catch {
      throw OnePassError(
        .io, "The file \(path) could not be opened: see that it exists and may be read.", cause: error)
    }
    defer { try? file.close() }
    do {
      let size = try Int(file.seekToEnd())
      try file.seek(toOffset: 0)
      guard size >= 8 else { throw SafetensorsHeader.Defect("it has only \(size) bytes") }
      let length = try file.readExactly(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      guard length <= UInt64(SafetensorsHeader.maximumLength), Int(length) <= size - 8 else {
        throw SafetensorsHeader.Defect("it announces a header of \(length) bytes")
      }
      let dataLength = size - 8 - Int(length)
      let header = try SafetensorsHeader(json: file.readExactly(Int(length)), dataLength: dataLength)
      return try body(file, header)
    } catch let defect as SafetensorsHeader.Defect {
      throw OnePassError(
        .badData,
        "The file \(path) is not a whole safetensors file, because \(defect.text): fetch or save it again.")
    } catch let error as OnePassError {
      throw error
    } catch {
      throw OnePassError(
        .io, "The file \(path) could not be read: see that it is a file and may be read.", cause: error)
    }
  }
}

extension FileHandle {
  /// The next `count` bytes, all of them.
  fileprivate func readExactly(_ count: Int) throws -> Data {
    var bytes = Data()
    while bytes.count < count {
      guard let more = try read(upToCount: count - bytes.count), !more.isEmpty else {
        throw SafetensorsHeader.Defect("it ended while it was read")
      }
      // The usual case is one read, which then needs no second copy.
      if bytes.isEmpty { bytes = more } else { bytes.append(more) }
    }
    return bytes
  }
}

extension Data {
  fileprivate init(littleEndianBytes value: UInt64) {
    self = Swift.withUnsafeBytes(of: value.littleEndian) { Data($0) }
  }
}

// Element by element only in meaning: Swift's supported machines are little-endian, as the format is.
extension Tensor {
  fileprivate func littleEndianBytes() throws -> Data {
    switch elementType {
    case .float32: try floats().withUnsafeBytes { Data($0) }
    case .int64: try integers().withUnsafeBytes { Data($0) }
    }
  }
}
