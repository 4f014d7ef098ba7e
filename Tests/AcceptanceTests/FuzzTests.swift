import Foundation
import TestSupport
import Testing

/// What `scripts/fuzz` does for hours under a sanitizer, for some seconds without, so that it never rots; and its findings of old.
@Suite("Broken files of every format are errors and never crashes") struct FuzzTests {
  static let formats = ["tar", "zip", "parquet", "idx", "png", "jpeg", "safetensors", "yaml"]
  let fuzz = Program.built("FuzzProgram")

  static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../..").standardizedFileURL.path

  /// Whole files of a format, as scripts/fuzz takes them.
  private func seeds(_ format: String) throws -> [String] {
    let listed = try Program(path: "\(Self.package)/scripts/fuzz").run(["--seeds", format])
    return listed.output.split(separator: "\n").map { "\(Self.package)/\($0)" }
  }

  @Test("A mutated file is read or refused, without a crash", arguments: formats)
  func brokenFilesAreErrorsAndNothingElse(format: String) throws {
    let outcome = try fuzz.run([format, "--count", "300", "--seed", "1"] + seeds(format))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("\(format): 300 files, "), "\(outcome.output)")
  }

  /// Whole files are read to their end: else nothing would be tried but the first check of each reader.
  @Test("The seeds of the fuzzer are valid files", arguments: formats)
  func whatIsMutatedIsReadAsItIs(
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
  func whatWasFoundIsAnError(format: String) throws {
    let outcome = try fuzz.run([format, "--replay", "\(Self.package)/Tests/FuzzProgram/Findings/\(format)"])
    #expect(outcome.status == 0, "\(outcome.errors)")
  }
}
