import ArgumentParser
import OnePass
import OnePassCore
import OnePassData

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
  @Flag(declared.data.$strict, isShown: true) var strict

  func run() throws {
    let writer = try ShardWriter(output: output, seed: seed)
    let reading = try SourceRegistry.reading(of: source)
    if let notice = reading.notice { Console.note(notice) }
    let source = try SourceRegistry.open(reading.specification, seed: seed, labelKey: labelKey?.read())
    let report = try writer.write(source, isStrict: strict)
    for notice in source.report.notices(of: source.specification) { Console.note(notice) }
    try Console.result(
      "Packed \(Figures.count(report.exampleCount, "example")) (\(byteText(report.byteCount))) into "
        + "\(Figures.count(report.shardPaths.count, "shard")); index: \(report.indexPath)")
  }
}
