import ArgumentParser
import OnePass
import OnePassCore
import OnePassData

struct PackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Put any source into well shuffled WebDataset shards.",
    discussion: """
      Writes tar shards in a uniformly random order, and beside them an index with the number of examples and \
      the names of the classes. The same seed writes the same bytes.

        onepass pack folder:photos/train --output 'shards/train-{0000..0009}.tar' --seed 1
      """)

  @Argument(
    help: ArgumentHelp("What to pack, as in `train --data`.", valueName: "SPEC"), completion: .specification)
  var source: String

  @Option(
    help: ArgumentHelp(
      "The shards to write: 'DIR/train-{0000..0009}.tar', .tar.gz or .tar.zst.", valueName: "PATTERN"))
  var output: String

  @Option(help: ArgumentHelp("Fixes the order.", valueName: "S"))
  var seed: UInt64 = 1

  func run() throws {
    let writer = try ShardWriter(output: output, seed: seed)
    let report = try writer.write(SourceRegistry.open(source, seed: seed))
    try Console.result(
      "Packed \(Figures.count(report.exampleCount)) examples (\(byteText(report.byteCount))) into "
        + "\(report.shardPaths.count) shards, with the index \(report.indexPath).")
  }
}
