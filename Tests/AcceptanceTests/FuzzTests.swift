import Foundation
import TestSupport
import TestTraits
import Testing

/// A short run of `scripts/fuzz` without a sanitizer, and its earlier findings.
@Suite("Damaged files of every format cause errors and no crashes", .waitsForPrograms) struct FuzzTests {
  static let formats = [
    "tar", "zip", "parquet", "idx", "png", "jpeg", "webp", "tiff", "bmp", "pnm", "safetensors", "yaml",
  ]
  let fuzz = Program.built("FuzzProgram")

  static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../..").standardizedFileURL.path

  /// Valid files of a format, as in scripts/fuzz.
  private func seeds(_ format: String) throws -> [String] {
    let listed = try Program(path: "\(Self.package)/scripts/fuzz").run(["--seeds", format])
    return listed.output.split(separator: "\n").map { "\(Self.package)/\($0)" }
  }

  @Test("A mutated file is read or rejected without a crash", arguments: formats)
  func damagedFilesAreErrors(format: String) throws {
    let outcome = try fuzz.run([format, "--count", "300", "--seed", "1"] + seeds(format))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("\(format): 300 files, "), "\(outcome.output)")
  }

  /// Valid files are read to their end. Otherwise mutations would only reach the first check of each reader.
  @Test("The seeds of the fuzzer are valid files", arguments: formats)
  func seedsAreValidFiles(
    format: String
  ) throws {
    let seeds = try seeds(format)
    #expect(seeds.count > 1)
    let outcome = try fuzz.run([format, "--replay"] + seeds)
    let whole = outcome.output.split(separator: " ").dropFirst(3).first.flatMap { Int($0) } ?? 0
    #expect(outcome.status == 0 && whole * 2 >= seeds.count, "\(outcome.output)\(outcome.errors)")
  }

  @Test(
    "Files that once crashed a reader are refused",
    arguments: try FileManager.default.contentsOfDirectory(atPath: "\(package)/Tests/FuzzProgram/Findings"))
  func earlierFindingsAreErrors(format: String) throws {
    let outcome = try fuzz.run([format, "--replay", "\(Self.package)/Tests/FuzzProgram/Findings/\(format)"])
    #expect(outcome.status == 0, "\(outcome.errors)")
  }
}
