import ArgumentParser
import Foundation
import OnePass
import OnePassBrokers
import OnePassCore
import OnePassData
import Synchronization

struct SendCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "send",
    abstract: "Send a source to a stream of a broker.",
    discussion: """
      Writes each example as a message that `train --data` reads back from the same URL. Waits until the broker has \
      acknowledged every message. The stream is created if it does not exist.

      Example:
        onepass send fashion-mnist --to redis://localhost/photos --rate 500
      """)

  @Argument(
    help: ArgumentHelp("Source to send, as in `train --data`.", valueName: "SPEC"), completion: .specification
  )
  var source: String

  @Option(
    help: ArgumentHelp(
      "Stream: kafka://HOST:PORT/TOPIC, redis://, nats:// or amqp://HOST:PORT/STREAM.", valueName: "URL"))
  var to: String

  @Option(ifGiven: declared.live.$record, isShown: true) var record
  @Option(declared.live.$brokerConfig, isShown: true, completion: .file()) var brokerConfig
  @Option(declared.data.$limit, isShown: true) var limit

  @Option(help: ArgumentHelp("Maximum number of examples per second (default: no limit).", valueName: "N"))
  var rate: Double?

  @Option(
    name: .customLong("per-message"),
    help: ArgumentHelp("Number of examples in a message, with --record tar.", valueName: "N"))
  var perMessage = 1

  @Flag(name: .customLong("key"), help: "Make the label the key of each message, too.")
  var keyIsLabel = false

  @Flag(help: "Send class names in place of numbers.")
  var names = false

  @Option(help: ArgumentHelp("Seed of the order, for sources that are shuffled.", valueName: "S"))
  var seed: UInt64 = 1

  @Option(declared.data.$labelKey, isShown: true, completion: .words(["cls", "folder", "json:"])) var labelKey
  @Option(declared.data.$imageColumn, isShown: true) var imageColumn
  @Option(declared.data.$labelColumn, isShown: true) var labelColumn

  func validate() throws {
    try declared.data.$limit.check(limit)
    try OptionRange.atLeast(1).check("--per-message", perMessage)
    if let rate, !(rate > 0) || rate.isInfinite { throw OnePassError.impossibleRate(rate) }
    if keyIsLabel, record == .tar { throw OnePassError.keyOfSeveralExamples() }
    if perMessage > 1, record != .tar { throw OnePassError.perMessageWithoutTar(perMessage) }
  }

  func run() throws {
    let address = try BrokerAddress(SourceRegistry.resolved(to))
    let reading = try SourceRegistry.reading(of: source)
    if let notice = reading.notice { Console.note(notice) }
    let source = try SourceRegistry.open(
      reading.specification, seed: seed, labelKey: labelKey?.read(), imageColumn: imageColumn,
      labelColumn: labelColumn)
    if names, source.classNames == nil { throw OnePassError.noNamesToSend(source.specification) }
    var settings = BrokerSettings()
    if let brokerConfig { settings.properties = try BrokerConfig(file: brokerConfig).properties }
    _ = settings.take("group")
    let sender = try MessageSender(
      to: address, settings, form: record ?? .image, perMessage: perMessage, keyIsLabel: keyIsLabel,
      classNames: names ? source.classNames : nil)
    defer { sender.close() }
    let stop = StopRequest()
    let received = Mutex<Int32>(SIGTERM)
    let signals = SignalWatch([SIGINT, SIGTERM] + SignalWatch.hangUp) { number in
      received.withLock { $0 = number }
      stop.stop()
    }
    defer { signals.cancel() }
    let sent = try sender.send(source, limit: limit, rate: rate) { stop.isStopping }
    for notice in source.report.notices(of: source.specification) { Console.note(notice) }
    if !names, let classes = source.classNames, classes.count <= 20 {
      let list = classes.enumerated().map { "\($0) \($1)" }.joined(separator: ", ")
      Console.note("Labels are sent as numbers: \(list).")
    }
    try Console.result(
      "\(stop.isStopping ? "Stopped after sending" : "Sent") \(Figures.count(sent.examples, "example")) "
        + "(\(Figures.count(sent.messages, "message")), \(byteText(sent.bytes))) to \(address).")
    if stop.isStopping { throw ExitCode(128 + received.withLock { $0 }) }
  }
}
