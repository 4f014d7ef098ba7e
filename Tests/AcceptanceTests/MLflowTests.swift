import Foundation
import TestSupport
import TestTraits
import Testing

/// Runs logged to a stub of an MLflow server that can fail, and to a real server.
@Suite("Runs logged to an MLflow server", .waitsForPrograms) struct MLflowTests {
  let logs: LogTests

  init() throws { logs = try LogTests() }

  var runs: RunFixture { logs.runs }
  var folder: TemporaryFolder { runs.folder }

  /// The options of a run that logs to a server and to its folder.
  func logged(to address: String, _ more: [String] = []) -> [String] {
    ["--log", "jsonl", "--log", "mlflow:\(address)"] + more
  }

  /// A killed run resumes from the checkpoint of its third step, when the server has later steps already.
  func trainInParts(_ name: String, _ address: String) throws {
    try runs.trainUntil(
      step: 6, name, logged(to: address, ["--checkpoint-every", "3", "--keep-checkpoints", "100"]),
      signal: SIGINT)
    let unfinished = folder.file("\(name)/unfinished")
    for step in try FileManager.default.contentsOfDirectory(atPath: unfinished)
    where step.hasPrefix("step-") && step > "step-00000003" {
      try FileManager.default.removeItem(atPath: "\(unfinished)/\(step)")
    }
    let resumed = try runs.resume(name, logged(to: address))
    #expect(!resumed.errors.contains("mlflow"), "\(resumed.errors)")
  }

  /// Compares the values on a server with `metrics.jsonl`: each value occurs once.
  func expectSame(_ metrics: [String: [[Double]]], _ name: String, timeless: Bool) throws {
    let lines = try logs.lines(name)
    #expect(Set(metrics.keys) == Set(lines.flatMap(\.keys)).subtracting(["step", "time"]), "\(name)")
    for (key, points) in metrics {
      let written = lines.filter { $0[key] != nil }
      #expect(points.map { $0[0] } == written.compactMap { $0.number("step") }, "\(name) \(key)")
      // Values of a killed process have other times.
      if timeless, key == "progress/seconds" || key.hasPrefix("throughput/") { continue }
      #expect(points.map { $0[1] } == written.compactMap { $0.number(key) }, "\(name) \(key)")
    }
  }

  func metrics(of run: MLflowStandIn.Run) -> [String: [[Double]]] {
    Dictionary(grouping: run.metrics, by: \.key).mapValues {
      $0.map { [Double($0.step), Double($0.value) ?? .nan] }
    }
  }

  @Test("A resumed run continues the same MLflow run")
  func aResumedRunContinuesItsMLflowRun() throws {
    let server = try MLflowStandIn()
    try trainInParts("parts", server.address("photos"))
    #expect(server.runs.count == 1)
    let run = try #require(server.runs.first)
    #expect(run.status == "FINISHED" && run.name == "parts" && run.parameters["replay-steps"] == "1")
    try expectSame(metrics(of: run), "parts", timeless: true)
  }

  @Test("The MLflow run has the status of the run")
  func theMLflowRunHasTheStatusOfTheRun() throws {
    let server = try MLflowStandIn()
    let stopped = try runs.start("stopped", logged(to: server.address()))
    #expect(stopped.wait(for: "\"event\":\"step\""))
    stopped.signal(SIGINT)
    runs.expectStopped(stopped, "stopped")
    #expect(server.runs.map(\.status) == ["KILLED"])
    let failed = try runs.attempt("failed", logged(to: server.address(), ["--learning-rate", "1e30"]))
    #expect(failed.status == 70 && !folder.exists("failed"))
    #expect(server.runs.map(\.status) == ["KILLED", "FAILED"])
    try runs.resume("stopped", logged(to: server.address()))
    #expect(server.runs.map(\.status) == ["FINISHED", "FAILED"])
    try expectSame(metrics(of: server.runs[0]), "stopped", timeless: false)
  }

  @Test("A failing MLflow server does not change the training")
  func aFailingServerDoesNotChangeTheTraining() throws {
    try runs.train("alone", ["--log", "jsonl"])
    for (name, failure) in [
      ("silent", MLflowStandIn.Behaviour.stall(60)), ("broken", .status(500)), ("closed", .close),
    ] {
      let server = try MLflowStandIn { $0 == "runs/log-batch" && $1 > 0 ? failure : .answer }
      let outcome = try runs.train(name, logged(to: server.address()))
      #expect(
        outcome.errors.contains("The log mlflow is incomplete: MLflow server "), "\(outcome.errors)")
      #expect(outcome.errors.contains(" values not confirmed ("), "\(outcome.errors)")
      try runs.expectSame(name, "alone")
      let record = jsonObject(Data(try folder.bytes(of: "\(name)/mlflow.json")))
      #expect((record["unsent"] as? [Any])?.isEmpty == false)
    }
    // A server that does not answer at the start is reported before the stream is read.
    let absent = try runs.attempt("absent", logged(to: "http://127.0.0.1:1#x"))
    #expect(
      absent.status == 74 && absent.errors.contains("MLflow server http://127.0.0.1:1: "))
    #expect(!folder.exists("absent"))
  }

  @Test(
    "MLflow's own server and client have every option and each value once, also of a run that was killed",
    .enabled(if: PythonMLflow.path != nil, "\(PythonMLflow.reason)"))
  func mlflow() throws {
    let python = Program(path: try #require(PythonMLflow.path))
    let port = try Ranks.freePort()
    let server = Process()
    server.executableURL = URL(fileURLWithPath: python.path)
    // Threads of the tests block the signal that ends the server, and child processes inherit the mask.
    let start = """
      import signal
      signal.pthread_sigmask(signal.SIG_SETMASK, [])
      from mlflow.cli import cli
      cli()
      """
    server.arguments = [
      "-c", start, "server", "--host", "127.0.0.1", "--port", "\(port)", "--workers", "1",
      "--backend-store-uri", "sqlite:///\(folder.file("mlflow.db"))",
      "--artifacts-destination", folder.file("artifacts"),
    ]
    server.environment = ProcessInfo.processInfo.environment.merging(
      ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"]) { $1 }
    (server.standardOutput, server.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    try server.run()
    // The processes of the server end with it.
    defer {
      server.terminate()
      server.waitUntilExit()
    }
    let knock = "import urllib.request as u; u.urlopen('http://127.0.0.1:\(port)/health', timeout=5)"
    var isUp = false
    for _ in 0..<300 where !isUp && server.isRunning {
      isUp = try python.run(["-c", knock]).status == 0
      if !isUp { Thread.sleep(forTimeInterval: 0.2) }
    }
    try #require(isUp)
    let address = "http://127.0.0.1:\(port)#Zwei Läufe"
    let whole = try runs.train("whole", logged(to: address))
    #expect(!whole.errors.contains("mlflow"), "\(whole.errors)")
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Tools/read_mlflow.py").path
    func recorded() throws -> [[String: Any]] {
      let outcome = try python.run([script, "http://127.0.0.1:\(port)", "Zwei Läufe"])
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]] ?? []
    }
    try trainInParts("parts", address)
    let found = try recorded()
    #expect(found.map { $0["name"] as? String } == ["whole", "parts"])
    for (run, name) in zip(found, ["whole", "parts"]) {
      #expect(run["status"] as? String == "FINISHED")
      let parameters = try #require(run["parameters"] as? [String: String])
      #expect(parameters["replay-steps"] == "1" && parameters["data"] == "idx:\(folder.path)")
      #expect(
        (run["tags"] as? [String: String])?["onepass.method"] == "prioritised replay, k = 1, 20% storage")
      try expectSame(try #require(run["metrics"] as? [String: [[Double]]]), name, timeless: true)
    }
  }
}
