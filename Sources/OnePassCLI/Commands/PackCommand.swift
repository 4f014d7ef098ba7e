import ArgumentParser
import Foundation
import OnePass
import OnePassCore
import OnePassData
import Synchronization

struct PackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Pack a source into shuffled WebDataset shards.",
    discussion: """
      Writes the examples to tar shards in a uniformly random order, with an index of the number of examples and \
      the class names. The same seed writes the same bytes.

      Example:
        onepass pack folder:photos/train --output 'shards/train-{0000..0009}.tar'
      """)

  @Argument(
    help: ArgumentHelp("Source to pack, as in `train --data`.", valueName: "SPEC"), completion: .specification
  )
  var source: String

  @Option(
    help: ArgumentHelp(
      "Shards to write: 'DIR/train-{0000..0009}.tar', .tar.gz or .tar.zst.", valueName: "PATTERN"))
  var output: String

  @Option(help: ArgumentHelp("Seed of the random order.", valueName: "S"))
  var seed: UInt64 = 1

  @Option(declared.data.$labelKey, isShown: true, completion: .words(["cls", "folder", "json:"])) var labelKey
  @Option(declared.data.$imageColumn, isShown: true) var imageColumn
  @Option(declared.data.$labelColumn, isShown: true) var labelColumn
  @Flag(declared.data.$strict, isShown: true) var strict

  func run() throws {
    let writer = try ShardWriter(output: output, seed: seed)
    let reading = try SourceRegistry.reading(of: source)
    if let notice = reading.notice { Console.note(notice) }
    let source = try SourceRegistry.open(
      reading.specification, seed: seed, labelKey: labelKey?.read(), imageColumn: imageColumn,
      labelColumn: labelColumn)
    let stop = StopRequest()
    let received = Mutex<Int32>(SIGTERM)
    let signals = SignalWatch([SIGINT, SIGTERM] + SignalWatch.hangUp) { number in
      received.withLock { $0 = number }
      stop.stop()
    }
    defer { signals.cancel() }
    let report = try writer.write(source, isStrict: strict) {
      guard stop.isStopping else { return }
      Console.error("Stopped. Nothing was written.")
      throw ExitCode(128 + received.withLock { $0 })
    }
    if report.removedCount > 0 {
      Console.note(
        "Removed \(Figures.count(report.removedCount, "unfinished file")) of a `pack` that was interrupted.")
    }
    for notice in source.report.notices(of: source.specification) { Console.note(notice) }
    try Console.result(
      "Packed \(Figures.count(report.exampleCount, "example")) (\(byteText(report.byteCount))) into "
        + "\(Figures.count(report.shardPaths.count, "shard")); index: \(report.indexPath)")
  }
}
