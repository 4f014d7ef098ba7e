import Foundation
import TestSupport
import Testing

/// Options of logs with images of the stream.
let picturedLogs = ["--log", "jsonl", "--log", "tensorboard:pictures"]

/// A temporary folder with data, and with runs of the built program in folders by name.
struct RunFixture: Sendable {
  let folder: TemporaryFolder
  let data: String
  let evaluationData: String?
  /// Options of all runs, apart from the data. The last of repeated options counts.
  let options: [String]

  /// Runs on data from the test itself.
  init(_ folder: TemporaryFolder, data: String, evaluationData: String? = nil, options: [String] = small) {
    (self.folder, self.data, self.evaluationData) = (folder, data, evaluationData)
    self.options = options
  }

  /// Runs on striped images, with an evaluation on other ones if present.
  init(_ images: StripedImages, evaluation: StripedImages? = nil, options: [String] = small) throws {
    let folder = try TemporaryFolder()
    try images.write(to: folder)
    try evaluation?.write(to: folder, prefix: "t10k")
    self.init(
      folder, data: "idx:\(folder.path)", evaluationData: evaluation.map { _ in "idx:\(folder.path):test" },
      options: options)
  }

  // MARK: Running

  /// The arguments of `onepass train`. In the options, `@memory` is replaced by a memory directory of the run.
  /// - Parameter name: The folder of the run; `nil` for a run without output.
  func arguments(_ name: String?, _ more: [String] = [], data: String? = nil) -> [String] {
    ["train", "--data", data ?? self.data] + (evaluationData.map { ["--eval-data", $0] } ?? []) + common(more)
      + ["--output", name.map(folder.file) ?? "none"]
      + more.map { $0 == "@memory" ? folder.file("\(name ?? "run")-memory") : $0 }
  }

  /// The options of all runs without those of replay if a run has another method, as a grid leaves them out.
  private func common(_ more: [String]) -> [String] {
    guard let method = more.firstIndex(of: "--method"), more[method + 1] != "replay" else { return options }
    var (common, isValue) = ([String](), false)
    for option in options {
      if !isValue, !["--replay-steps", "--storage"].contains(option) { common.append(option) }
      isValue = !isValue && ["--replay-steps", "--storage"].contains(option)
    }
    return common
  }

  /// Trains, whether that succeeds or fails.
  func attempt(
    _ name: String?, _ more: [String] = [], data: String? = nil, input: String? = nil,
    environment: [String: String] = [:]
  ) throws -> Program.Outcome {
    try onepass.run(arguments(name, more, data: data), input: input, environment: environment)
  }

  /// Trains, and expects success.
  @discardableResult
  func train(
    _ name: String?, _ more: [String] = [], data: String? = nil, input: String? = nil,
    at location: SourceLocation = #_sourceLocation
  ) throws -> Program.Outcome {
    let outcome = try attempt(name, more, data: data, input: input)
    #expect(outcome.status == 0, "\(more): \(outcome.errors)", sourceLocation: location)
    return outcome
  }

  /// Resumes a run that was stopped or killed.
  @discardableResult
  func resume(
    _ name: String, _ more: [String] = [], data: String? = nil, input: String? = nil,
    at location: SourceLocation = #_sourceLocation
  ) throws -> Program.Outcome {
    try train(name, more + ["--resume"], data: data, input: input, at: location)
  }

  /// Starts a training.
  func start(
    _ name: String, _ more: [String] = [], data: String? = nil, input: String? = nil
  ) throws -> RunningProgram {
    try RunningProgram(onepass, arguments(name, more, data: data), input: input)
  }

  /// Trains until the checkpoint of a step exists, and then ends the run with a signal.
  @discardableResult
  func trainUntil(
    step: Int, _ name: String, _ more: [String] = [], signal: Int32 = SIGTERM,
    at location: SourceLocation = #_sourceLocation
  ) throws -> RunningProgram {
    let running = try start(name, more)
    #expect(
      running.wait { hasCheckpoint(of: step, name) }, "\(running.errors)", sourceLocation: location)
    running.signal(signal)
    if signal == SIGKILL { _ = running.wait() } else { expectStopped(running, name, at: location) }
    return running
  }

  /// Waits for a run that got a signal: it is saved (status 75), or it was already at its end.
  func expectStopped(
    _ running: RunningProgram, _ name: String, at location: SourceLocation = #_sourceLocation
  ) {
    let status = running.wait()
    let isFinished = folder.exists("\(name)/result.json")
    #expect(status == (isFinished ? 0 : 75), "\(running.errors)", sourceLocation: location)
  }

  /// Packs the images into shards.
  /// - Returns: The specification of these shards.
  @discardableResult
  func pack(_ pattern: String, _ more: [String] = ["--seed", "3"]) throws -> String {
    let packed = try onepass.run(["pack", data, "--output", folder.file(pattern)] + more)
    #expect(packed.status == 0, "\(packed.errors)")
    return "wds:\(folder.file(pattern))"
  }

  // MARK: Files of a run

  func hasCheckpoint(of step: Int, _ name: String) -> Bool {
    let digits = String(step)
    return folder.exists(
      "\(name)/unfinished/step-" + String(repeating: "0", count: 8 - digits.count) + digits)
  }

  func text(_ file: String) throws -> String { String(decoding: try folder.bytes(of: file), as: UTF8.self) }

  func result(_ name: String) throws -> [String: Any] {
    jsonObject(Data(try folder.bytes(of: "\(name)/result.json")))
  }

  func weights(_ name: String) throws -> [UInt8] {
    try folder.bytes(of: "\(name)/checkpoint/model.safetensors")
  }

  /// The table of a run's memory, one row per item: id, label, loss, priority, …
  func memory(_ name: String) throws -> [[String]] {
    try text("\(name)/checkpoint/memory.csv").split(separator: "\n").dropFirst()
      .map { $0.split(separator: ",").map(String.init) }
  }

  /// A column of a run's curve.
  func column(_ title: String, of name: String) throws -> [String] {
    let rows = try text("\(name)/curve.csv").split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let place = try #require(rows[0].firstIndex(of: title))
    return rows.dropFirst().map { $0[place] }
  }

  /// Expects the same bytes in files of two runs.
  func expectSame(
    _ a: String, _ b: String, _ files: [String] = ["checkpoint/model.safetensors"],
    at location: SourceLocation = #_sourceLocation
  ) throws {
    for file in files {
      let isSame = try folder.bytes(of: "\(a)/\(file)") == folder.bytes(of: "\(b)/\(file)")
      #expect(isSame, "\(file) of \(a) and \(b)", sourceLocation: location)
    }
  }

  /// Expects that the ledger and the memory of a run are valid.
  func expectVerified(_ name: String, at location: SourceLocation = #_sourceLocation) throws {
    let verified = try onepass.run(["memory", "verify", folder.file(name)])
    #expect(verified.status == 0, "\(verified.errors)", sourceLocation: location)
  }
}
