import Foundation
import OnePassCore

extension StateDictionary {
  /// Reads the tensors of a safetensors file to the CPU, in the order of the file.
  ///
  /// The format contains no code. The types `F32`, `I64`, `F16`, `BF16` and `F64` are supported; the last three are
  /// converted to float32.
  /// - Throws: `OnePassError`: `io` if the file cannot be read, `badData` if it is truncated or invalid, `unavailable` if
  ///   libtorch cannot be loaded.
  public init(safetensors path: String) throws {
    self = try Self.openAndReadHeader(path) { file, header in
      try Engine.load()
      var entries: [Entry] = []
      for entry in header.entries {
        let bytes = try file.readExactly(entry.bytes.count)
        entries.append((entry.name, try entry.type.tensor(bytes, shape: entry.shape)))
      }
      return StateDictionary(entries)
    }
  }

  /// Returns the metadata of a safetensors file.
  /// - Throws: The same errors as ``init(safetensors:)``.
  public static func metadata(safetensors path: String) throws -> [String: String] {
    try openAndReadHeader(path) { _, header in header.metadata }
  }

  /// Writes the tensors to a safetensors file atomically.
  ///
  /// The file is written under a temporary name in the same folder and then renamed. A reader of `path` sees the old file or
  /// the complete new one. Python's `safetensors` can read it.
  /// - Parameters:
  ///   - path: The file to create or replace.
  ///   - metadata: Text to store with the tensors.
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
      // Flush before renaming, so that a crash cannot leave an empty file at `path`.
      try file.synchronize()
      guard rename(temporary, path) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      if let error = error as? OnePassError { throw error }
      throw OnePassError.cannotWriteWeights(path, cause: error)
    }
  }

  /// Opens a file, validates its header, and calls `body` with the file positioned at the first tensor.
  private static func openAndReadHeader<Result>(
    _ path: String, _ body: (FileHandle, SafetensorsHeader) throws -> Result
  ) throws -> Result {
    let file: FileHandle
    do {
      file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    } catch {
      throw OnePassError.cannotOpenWeights(path, cause: error)
    }
    defer { try? file.close() }
    do {
      let size = try Int(file.seekToEnd())
      try file.seek(toOffset: 0)
      guard size >= 8 else { throw SafetensorsHeader.Defect.tooShort(bytes: size) }
      let length = try file.readExactly(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      guard length <= UInt64(SafetensorsHeader.maximumLength), Int(length) <= size - 8 else {
        throw SafetensorsHeader.Defect.impossibleHeaderLength(length)
      }
      let dataLength = size - 8 - Int(length)
      let header = try SafetensorsHeader(json: file.readExactly(Int(length)), dataLength: dataLength)
      return try body(file, header)
    } catch let defect as SafetensorsHeader.Defect {
      throw OnePassError.invalidSafetensors(path, defect)
    } catch let error as OnePassError {
      throw error
    } catch {
      throw OnePassError.cannotReadWeights(path, cause: error)
    }
  }
}

extension FileHandle {
  /// Reads exactly `count` bytes.
  fileprivate func readExactly(_ count: Int) throws -> Data {
    var bytes = Data()
    while bytes.count < count {
      guard let more = try read(upToCount: count - bytes.count), !more.isEmpty else {
        throw SafetensorsHeader.Defect.truncated
      }
      // Usually one read suffices, and this avoids a copy.
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

// No conversion is needed: the machines that Swift supports are little-endian, like the format.
extension Tensor {
  fileprivate func littleEndianBytes() throws -> Data {
    switch elementType {
    case .float32: try floats().withUnsafeBytes { Data($0) }
    case .int64: try integers().withUnsafeBytes { Data($0) }
    }
  }
}
