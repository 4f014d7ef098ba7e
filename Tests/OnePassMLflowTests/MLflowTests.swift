import Foundation
import OnePassCore
import OnePassData
import TestSupport
import Testing

@testable import OnePass
@testable import OnePassMLflow

/// Tests the requests to a local stand-in for a server with failures; the acceptance tests use a real MLflow server.
@Suite("The MLflow logger") struct MLflowTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let quick = HTTPLimits(idle: 0.5, attempts: 2, overall: 20, firstPause: 0.01, longestPause: 0.02)

  func logger(
    _ server: MLflowStandIn, limits: HTTPLimits = quick, environment: [String: String] = [:],
    stepsDone: Int = 0
  ) throws -> MLflowLogger {
    let logger = try MLflowLogger(
      to: MLflowAddress(server.address("photos")), in: folder.path, limits: limits, environment: environment)
    var configuration = RunConfiguration(data: "x")
    configuration.data.classNames = ["a", "b"]
    let plan = try TrainingPlan(configuration, streamExamples: 100_000, classes: 2, classNames: nil)
    logger.begin(LoggedRun(configuration: configuration, plan: plan, stepsDone: stepsDone))
    return logger
  }

  func point(_ step: Int, _ names: [String] = ["loss/incoming", "memory/fill"]) -> LogPoint {
    var point = LogPoint(step: step, time: Date(timeIntervalSince1970: 1e9 + Double(step)))
    point.scalars = names.map { ($0, Double(step)) }
    return point
  }

  /// Waits for the sending thread.
  func wait(until condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<4_000 {
      if try condition() { return true }
      Thread.sleep(forTimeInterval: 0.005)
    }
    return false
  }

  /// Checks that every step was logged exactly once and in order.
  func expectWhole(_ server: MLflowStandIn, _ steps: ClosedRange<Int>, _ comment: Comment? = nil) {
    #expect(server.runs.count == 1, comment)
    for name in ["loss/incoming", "memory/fill"] {
      let metrics = server.runs.first?.metrics.filter { $0.key == name } ?? []
      #expect(metrics.map(\.step) == Array(steps), comment)
      #expect(metrics.map { Double($0.value) } == steps.map(Double.init), comment)
    }
  }

  @Test("A run is sent with its options, its metrics and its status")
  func aRunIsSent() throws {
    for (outcome, status) in [(RunOutcome.finished, "FINISHED"), (.stopped, "KILLED"), (.failed, "FAILED")] {
      let server = try MLflowStandIn()
      try? FileManager.default.removeItem(atPath: folder.file("mlflow.json"))
      let logger = try logger(server)
      for step in 1...300 {
        try logger.log(point(step, (0..<7).map { "n\($0)" } + ["loss/incoming", "memory/fill"]))
      }
      try logger.end(outcome)
      expectWhole(server, 1...300)
      let run = try #require(server.runs.first)
      #expect(run.status == status && run.name == URL(fileURLWithPath: folder.path).lastPathComponent)
      #expect(run.parameters["replay-steps"] == "8" && run.parameters["eval-data"] == "none")
      // The number of classes and their names are one option.
      #expect(run.parameters["classes"] == #"["a", "b"]"#)
      #expect(Set(run.parameters.keys) == Set(RunConfiguration(data: "x").options.map(\.name)))
      #expect(run.tags["onepass.version"] == onePassVersion && run.tags["mlflow.source.name"] == "onepass")
      #expect(server.experiments == ["Default", "photos"])
      #expect(server.largestBatch.metrics <= 1_000 && server.largestBatch.parameters <= 100)
    }
  }

  @Test("NaN and infinite values are logged")
  func nonFiniteValuesAreLogged() throws {
    let server = try MLflowStandIn()
    let logger = try logger(server)
    var odd = point(1)
    odd.scalars = [("a", .nan), ("b", .infinity), ("c", -.infinity)]
    try logger.log(odd)
    try logger.end(.finished)
    #expect(server.runs[0].metrics.map(\.value) == ["NaN", "Infinity", "-Infinity"])
  }

  @Test(
    "Every value arrives exactly once",
    arguments: [
      ("500", MLflowStandIn.Behaviour.status(500)), ("429", .status(429)), ("closed", .close),
      ("lost", .loseAnswer), ("silent", .stall(2)),
    ])
  func everyValueArrivesOnce(name: String, failure: MLflowStandIn.Behaviour) throws {
    // Two of three requests of each kind fail, including the creation of the run.
    let server = try MLflowStandIn()
    let logger = try logger(
      server, limits: HTTPLimits(idle: 0.2, attempts: 2, overall: 60, firstPause: 0.01, longestPause: 0.02))
    server.behave { _, number in number % 3 == 2 ? .answer : failure }
    for step in 1...40 { try logger.log(point(step)) }
    #expect(wait { server.runs.first?.metrics.count == 80 })
    server.behave { _, _ in .answer }
    try logger.end(.finished)
    expectWhole(server, 1...40, "\(name)")
    #expect(server.runs[0].status == "FINISHED")
  }

  @Test("Unsent values are reported and recorded, and a resumed run sends them")
  func unsentValuesAreReportedAndRecorded() throws {
    let server = try MLflowStandIn()
    let first = try logger(server)
    try first.log(point(1))
    #expect(wait { server.runs.first?.metrics.count == 2 })
    server.behave { _, _ in .status(503) }
    for step in 2...5 { try first.log(point(step)) }
    try first.makeDurable()
    for step in 6...7 { try first.log(point(step)) }
    #expect {
      try first.end(.stopped)
    } throws: {
      "\($0)".contains("12 values not confirmed (the server returned status 503); the rest is sent")
    }
    // The first process was killed after the checkpoint of step 5, so the later steps are repeated.
    let resumed = try logger(server, stepsDone: 5)
    server.behave { _, _ in .answer }
    for step in 6...9 { try resumed.log(point(step)) }
    try resumed.end(.finished)
    expectWhole(server, 1...9)
    #expect(server.runs[0].status == "FINISHED")
  }

  @Test("A resumed run does not send values twice")
  func noValueIsSentTwice() throws {
    let server = try MLflowStandIn()
    let first = try logger(server)
    for step in 1...9 { try first.log(point(step)) }
    try first.end(.stopped)
    // From the checkpoint of step 5.
    let resumed = try logger(server, stepsDone: 5)
    for step in 6...12 { try resumed.log(point(step)) }
    try resumed.log(point(12, ["evaluation/top1"]))
    try resumed.end(.finished)
    expectWhole(server, 1...12)
    #expect(server.runs[0].metrics.last?.key == "evaluation/top1")
  }

  @Test("A full queue drops the oldest points and counts them")
  func theQueueIsBounded() throws {
    let server = try MLflowStandIn()
    let logger = try logger(server)
    #expect(wait { server.runs.first?.parameters.isEmpty == false })
    server.behave { _, _ in .close }
    let count = MLflowSender.maximumQueueLength + 5
    for step in 1...count { try logger.log(point(step)) }
    #expect { try logger.end(.finished) } throws: { "\($0)".contains("8,202 values") }
    let record = try #require(try MLflowRecord(in: folder.path, of: MLflowAddress(server.address("photos"))))
    #expect(record.unsent.map(\.step) == Array(6...count))
  }

  @Test("A server that cannot be used is an error before the run, but not when a run is resumed")
  func anUnusableServerIsAnErrorBeforeTheRun() throws {
    let server = try MLflowStandIn { _, _ in .status(503) }
    #expect {
      try logger(server)
    } throws: {
      ($0 as? OnePassError)?.code == .io && "\($0)".contains("the server returned status 503; start it")
    }
    server.behave { _, _ in .status(401) }
    #expect { try logger(server) } throws: { "\($0)".contains("; set MLFLOW_TRACKING_USERNAME") }
    server.behave { _, _ in .answer }
    try logger(server).end(.stopped)
    // A resumed run does not require the server.
    server.behave { _, _ in .close }
    let resumed = try logger(server, stepsDone: 3)
    try resumed.log(point(4))
    server.behave { _, _ in .answer }
    try resumed.end(.finished)
    #expect(server.runs.count == 1 && server.runs[0].metrics.count == 2)
  }

  @Test("A rejected request ends the log and not the run")
  func aRejectionEndsTheLogAndNotTheRun() throws {
    let server = try MLflowStandIn()
    let logger = try logger(server)
    #expect(wait { server.runs.first?.parameters.isEmpty == false })
    server.behave { _, _ in .status(403) }
    var step = 0
    #expect {
      for _ in 0..<4_000 {
        step += 1
        try logger.log(point(step))
        Thread.sleep(forTimeInterval: 0.005)
      }
    } throws: { "\($0)".contains("the server returned status 403") }
  }

  @Test("Credentials are read from the environment and never stored")
  func credentialsAreNeverStored() throws {
    for (environment, sent) in [
      (["MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "s3cr3t"], "Basic YW5uOnMzY3IzdA=="),
      (["MLFLOW_TRACKING_TOKEN": "s3cr3t"], "Bearer s3cr3t"), ([:], "none"),
    ] {
      let server = try MLflowStandIn()
      try? FileManager.default.removeItem(atPath: folder.file("mlflow.json"))
      let logger = try logger(server, environment: environment)
      try logger.log(point(1))
      try logger.end(.finished)
      #expect(server.credentials == [sent])
      #expect(try folder.occurrences(of: "s3cr3t") == 0 && folder.exists("mlflow.json"))
    }
  }

  @Test("An address is parsed, printed in the same form, and rejected if it contains credentials")
  func addressesAreParsedAndPrinted() throws {
    for (text, server, experiment) in [
      ("http://h:5000", "http://h:5000", "Default"), ("https://h/ml/#", "https://h/ml", "Default"),
      ("http://h:5000#a/b c", "http://h:5000", "a/b c"), ("http://h#a%20b%23", "http://h", "a b#"),
    ] {
      let address = try MLflowAddress(text)
      #expect(address.server == server && address.experiment == experiment)
      let read = try LogPlan.destinations([address.description], [MLflowAddress.logScheme])
      #expect(read as? [MLflowAddress] == [address])
    }
    for text in [
      "", "h:5000", "ftp://h", "http://", "http://u:s3cr3t@h", "http://s3cr3t@h#x", "http://h?token=s3cr3t",
    ] {
      #expect {
        try LogPlan.destinations(["mlflow:\(text)"], [MLflowAddress.logScheme])
      } throws: { ($0 as? OnePassError)?.code == .usage && !"\($0)".contains("s3cr3t") }
    }
    #expect { try LogPlan.destinations(["mlflw:http://u:s3cr3t@h"]) } throws: { !"\($0)".contains("s3cr3t") }
  }
}
