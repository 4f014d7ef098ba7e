import Foundation
import Testing

/// A file of reference values that a script in Tools wrote.
func fixture(_ name: String) throws -> URL {
  try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil)).appendingPathComponent(name)
}

/// The formula of Tools/reference_models.py: element j is TABLE[(7919 · index + j) mod 65537].
func referenceNumbers(_ index: Int, count: Int) -> [Float] {
  (0..<count).map { j in
    var z = UInt64((7919 * index + j) % 65537 + 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z = z ^ (z >> 31)
    return Float(Double(z >> 40) * 0x1p-23 - 1)
  }
}

/// A folder that is there while `body` runs.
func withTemporaryFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("onepass-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.path)
}
