import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassTorch

@Suite("safetensors files") struct SafetensorsTests {
  @Test("A file written by Python's safetensors is read bit-identically")
  func readsPythonsFile() throws {
    let path = try fixture("python.safetensors").path
    let dictionary = try StateDictionary(safetensors: path)
    #expect(Set(dictionary.names) == ["matrix", "steps", "empty", "größe\n"])
    #expect(try dictionary["matrix"]?.floats() == [1.5, -2, 3.25, 0, 1e-30, .infinity])
    #expect(dictionary["matrix"]?.shape == [2, 3])
    #expect(try dictionary["steps"]?.integers() == [1 << 40 + 1])
    #expect(dictionary["steps"]?.shape == [])
    #expect(dictionary["empty"]?.shape == [0, 3])
    #expect(try dictionary["größe\n"]?.floats() == [7])
    #expect(try StateDictionary.metadata(safetensors: path) == ["format": "pt", "note": "written by Python"])
  }

  @Test(
    "Half and double precision are converted to float32 like in NumPy", arguments: ["F16", "BF16", "F64"])
  func convertsToFloat32(type: String) throws {
    let dictionary = try StateDictionary(safetensors: fixture("precisions.safetensors").path)
    let (read, expected) = (try #require(dictionary[type]), try #require(dictionary["\(type) as F32"]))
    #expect(read.elementType == .float32 && read.shape == expected.shape)
    #expect(try read.floats().map(\.bitPattern) == expected.floats().map(\.bitPattern))
  }

  #if !(os(macOS) && arch(x86_64))
    @Test("Every half-precision number is converted like by the processor")
    func convertsEveryHalf() {
      for bits in UInt16.min...UInt16.max {
        let (mine, theirs) = (Float(halfPrecision: bits), Float(Float16(bitPattern: bits)))
        #expect(mine.isNaN ? theirs.isNaN : mine.bitPattern == theirs.bitPattern, "\(bits)")
      }
    }
  #endif

  @Test("A written file is read back in order, and no partial file remains")
  func roundTrip() throws {
    try withTemporaryFolder { folder in
      let written = StateDictionary([
        ("conv.weight", try Tensor(referenceNumbers(3, count: 54), shape: [2, 3, 3, 3]).channelsLast()),
        ("a \"quoted\"\\ name\u{1}/é", try Tensor([2.5], shape: [])),
        ("nothing", try Tensor([Float](), shape: [4, 0])),
        ("steps", try Tensor([Int64.min, 7], shape: [2])),
      ])
      let path = "\(folder)/model.safetensors"
      try Data("old".utf8).write(to: URL(fileURLWithPath: path))
      try written.write(to: path, metadata: ["model": "resnet20"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["model.safetensors"])

      let read = try StateDictionary(safetensors: path)
      #expect(read.names == written.names)
      #expect(read.entries.map(\.tensor.shape) == written.entries.map(\.tensor.shape))
      #expect(try read["conv.weight"]?.floats() == written["conv.weight"]?.floats())
      #expect(try read["a \"quoted\"\\ name\u{1}/é"]?.item == 2.5)
      #expect(try read["steps"]?.integers() == [Int64.min, 7])
      #expect(try StateDictionary.metadata(safetensors: path) == ["model": "resnet20"])
    }
  }

  @Test(
    "A file that violates the format is bad data",
    arguments: [
      (header: "", data: 0),
      (header: "{", data: 0),
      (header: "[]", data: 0),
      (header: #"{"a":3}"#, data: 0),
      (header: #"{"a":{"dtype":"F32","shape":[1]}}"#, data: 4),
      // More or fewer bytes than declared.
      (header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, data: 3),
      (header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, data: 5),
      // Offsets: reversed, negative, of another size than the shape, three of them, beyond the file.
      (header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, data: 4),
      (header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, data: 0),
      (header: #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, data: 4),
      (header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, data: 4),
      (header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#, data: 4),
      // A range larger than Int, and sizes whose product overflows.
      (header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,99999999999999999999]}}"#, data: 4),
      (header: #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, data: 0),
      (header: #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,-4]}}"#, data: 0),
      (
        header:
          #"{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[-9223372036854775807,9223372036854775807]}}"#,
        data: 0
      ),
      // Two tensors that overlap, and a gap between two.
      (
        header:
          #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        data: 4
      ),
      (
        header:
          #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
        data: 12
      ),
      // An unsupported type, and metadata that is not text.
      (header: #"{"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}"#, data: 4),
      (header: #"{"__metadata__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, data: 4),
      (header: #"{"a":{"x":"y"}}"#, data: 0),
    ])
  func rejectsBadHeaders(header: String, data: Int) throws {
    try expectRejection(of: Self.file(header: header, data: data))
  }

  @Test("A truncated file, or one that declares too long a header, is bad data")
  func rejectsBadLengths() throws {
    let whole = Self.file(header: #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, data: 8)
    for length in 0..<whole.count { try expectRejection(of: whole.prefix(length)) }
    for declared in [UInt64.max, 1 << 63, 100_000_001, 1000] {
      try expectRejection(of: withUnsafeBytes(of: declared.littleEndian) { Data($0) } + whole.dropFirst(8))
    }
  }

  @Test("A path that does not exist or is a folder is an I/O error")
  func badPaths() throws {
    let nowhere = "/nonexistent/onepass/model.safetensors"
    #expect { try StateDictionary(safetensors: nowhere) } throws: { ($0 as? OnePassError)?.code == .io }
    #expect { try StateDictionary().write(to: nowhere) } throws: { ($0 as? OnePassError)?.code == .io }
    try withTemporaryFolder { folder in
      #expect { try StateDictionary(safetensors: folder) } throws: { ($0 as? OnePassError)?.code == .io }
    }
  }

  private static func file(header: String, data: Int) -> Data {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8)
      + Data(count: data)
  }

  private func expectRejection(of bytes: Data) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/bad.safetensors"
      try bytes.write(to: URL(fileURLWithPath: path))
      #expect {
        try StateDictionary(safetensors: path)
      } throws: { error in
        let error = error as? OnePassError
        return error?.code == .badData && error?.message.contains(path) == true
      }
    }
  }
}
