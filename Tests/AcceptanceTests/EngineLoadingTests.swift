import Foundation
import TestSupport
import TestTraits
import Testing

/// The dynamic linker of glibc reports the files that a process loads.
@Suite("libtorch is loaded when it is first needed", .waitsForPrograms) struct EngineLoadingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  #if os(macOS)
    static let reportsFiles = false
    static let library = "libOnePassEngine.dylib"
  #else
    static let reportsFiles = true
    static let library = "libOnePassEngine.so"
  #endif

  static let usesNone: [[String]] = [
    ["--help"], ["--version"], ["train", "--help-hidden"], ["--generate-completion-script", "zsh"],
    ["train", "--bogus"], ["train", "--data", "synthetic:8:8:2", "--epochs", "3"],
    ["train", "--data", "synthetic:8:8:2", "--threads", "9999", "--output", "none"],
    ["train", "--data", "synthetic:8:8:2", "--device", "gpu", "--output", "none"],
    ["train", "--data", "folder:@/missing"],
    ["evaluate", "--checkpoint", "@/missing", "--data", "synthetic:8:8:2"],
    ["pack", "synthetic:8:8:2", "--output", "@/packed-%04d.tar"],
    [
      "experiment", "run", "--preset", "opin-table1", "--data", "synthetic:64:8:2", "--dry-run", "--output",
      "@/grid",
    ],
  ]

  /// Commands on the folder of a finished run.
  static let usesRecords: [[String]] = [
    ["memory", "inspect", "@/run"], ["memory", "verify", "@/run"], ["compare", "@/run", "@/run"],
    ["report", "@/run"],
  ]

  /// Runs a command.
  /// - Returns: Whether the process loaded libtorch.
  private func loads(_ arguments: [String]) throws -> Bool {
    let name = "loaded-\(UUID().uuidString)"
    try folder.write([], to: "\(name)/none")
    let outcome = try onepass.run(
      arguments.map { $0.replacing("@", with: folder.path) },
      environment: ["LD_DEBUG": "files", "LD_DEBUG_OUTPUT": folder.file("\(name)/files")])
    #expect(outcome.status != 69, "\(outcome.errors)")
    let reports = try FileManager.default.contentsOfDirectory(atPath: folder.file(name)).filter {
      $0 != "none"
    }
    #expect(reports.count == 1)
    return try reports.contains {
      String(decoding: try folder.bytes(of: "\(name)/\($0)"), as: UTF8.self).contains("libtorch_cpu")
    }
  }

  @Test(
    "Help, completions, refused options and data commands do not load libtorch",
    .enabled(if: reportsFiles, "the dynamic linker does not report files"), arguments: usesNone)
  func notLoaded(arguments: [String]) throws {
    #expect(try !loads(arguments))
  }

  @Test(
    "Training loads libtorch; commands on the records of a finished run do not",
    .enabled(if: reportsFiles, "the dynamic linker does not report files"))
  func loadedByTraining() throws {
    #expect(
      try loads(["train", "--data", "synthetic:32:32:2", "--output", "@/run", "--replay-steps", "1"] + small))
    for arguments in Self.usesRecords { #expect(try !loads(arguments), "\(arguments)") }
  }

  // MARK: Where the engine is

  private func install(_ name: String, as path: String, linked: Bool = false) throws {
    let target = folder.file(path)
    let source = Program.built(name).path
    try FileManager.default.createDirectory(
      atPath: URL(fileURLWithPath: target).deletingLastPathComponent().path, withIntermediateDirectories: true
    )
    if linked {
      try FileManager.default.createSymbolicLink(atPath: target, withDestinationPath: source)
    } else {
      try FileManager.default.copyItem(atPath: source, toPath: target)
    }
  }

  private static let training = ["train", "--data", "synthetic:32:32:2", "--replay-steps", "1"] + small

  @Test("A missing engine ends training with status 69 and the folders that were searched")
  func missing() throws {
    try install("onepass", as: "bin/onepass")
    let program = Program(path: folder.file("bin/onepass"))
    #expect(try program.run(["--version"]).status == 0)
    let outcome = try program.run(Self.training + ["--output", folder.file("run")])
    let root = URL(fileURLWithPath: folder.path).resolvingSymlinksInPath().path
    #expect(outcome.status == 69)
    #expect(
      outcome.errors.hasSuffix(
        "Error: libtorch cannot be loaded: \(Self.library) is neither in \(root)/bin nor in \(root)/lib/onepass; build OnePass "
          + "with make build or swift build, or install it again.\n"), "\(outcome.errors)")
    #expect(!folder.exists("run"))
  }

  @Test("A damaged engine is reported with the reason of the dynamic linker")
  func damaged() throws {
    try install("onepass", as: "bin/onepass")
    try folder.write(Array("no library".utf8), to: "lib/onepass/\(Self.library)")
    let outcome = try Program(path: folder.file("bin/onepass")).run(Self.training + ["--output", "none"])
    #expect(outcome.status == 69)
    #expect(
      outcome.errors.contains("lib/onepass/\(Self.library): file too short; build"), "\(outcome.errors)")
  }

  /// Through a symbolic link, as package managers make them.
  @Test("An installed program finds its engine from any working directory")
  func installed() throws {
    try install("onepass", as: "bin/onepass")
    try install(Self.library, as: "lib/onepass/\(Self.library)", linked: true)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link"), withDestinationPath: "bin/onepass")
    let outcome = try Program(path: folder.file("link")).run(
      Self.training + ["--output", "none"], in: TemporaryFolder())
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  // MARK: Trampolines

  /// Sums of (index + 1) · 3 elements that are index + 0.25, which are exact. The first call on each thread goes through the
  /// resolver, with integers, a floating-point number and a structure as arguments.
  @Test("Calls of several threads before the engine is loaded have their arguments and results")
  func trampolines() throws {
    let outcome = try Program.built("EngineProgram").run([])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let sums = (0..<8).map { "\($0) \(Float(($0 + 1) * 3) * (Float($0) + 0.25))" }
    #expect(outcome.output == (["loaded false"] + sums + ["loaded true", ""]).joined(separator: "\n"))
  }

  @Test("A call without an engine ends the process with status 69 and the reason")
  func callWithoutEngine() throws {
    try install("EngineProgram", as: "bin/program")
    let outcome = try Program(path: folder.file("bin/program")).run([])
    #expect(outcome.status == 69)
    #expect(
      outcome.errors.hasPrefix("Error: libtorch cannot be loaded: \(Self.library) is neither in "),
      "\(outcome.errors)")
  }
}
