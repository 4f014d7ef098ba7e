import Foundation
import OnePassCore

/// Passes damaged files of a format to its reader, and fails if the reader crashes or misbehaves.
///
/// ```sh
/// FuzzProgram FORMAT --count N [--seed S] SEEDS…     # N mutated files, each a function of seed and number
/// FuzzProgram FORMAT --replay FILES…                 # these files, unchanged
/// FuzzProgram FORMAT --guided OPTIONS… FOLDERS…      # options of libFuzzer, if it is built in (scripts/fuzz)
/// ```
///
/// SEEDS and FILES can be folders. The program ends at the first finding: a trap, a report of a sanitizer, an error other than
/// `OnePassError`, more than a second of processor time, or more memory than the limit of the format. The file is then still in
/// the folder that the message names.
@main
struct FuzzProgram {
  static func main() {
    do { try run(Array(CommandLine.arguments.dropFirst())) } catch {
      FileHandle.standardError.write(Data("error: \(error)\n".utf8))
      exit((error as? OnePassError)?.code.exitStatus ?? 1)
    }
  }

  private static func run(_ arguments: [String]) throws {
    guard let name = arguments.first, let format = Format(rawValue: name) else {
      throw OnePassError(
        .usage, "The format must be one of \(Format.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    let mode = arguments.dropFirst().first
    let target = try Target(format, isWatched: mode == "--guided")
    let rest = Array(arguments.dropFirst(2))
    switch mode {
    case "--replay":
      for file in try contents(of: rest) { target.read(file) }
    case "--count":
      var (count, seed, seeds) = (0, UInt64(1), rest)
      if let number = seeds.first.flatMap({ Int($0) }) { (count, seeds) = (number, Array(seeds.dropFirst())) }
      if seeds.first == "--seed", let number = seeds.dropFirst().first.flatMap({ UInt64($0) }) {
        (seed, seeds) = (number, Array(seeds.dropFirst(2)))
      }
      let contents = try contents(of: seeds)
      guard !contents.isEmpty else { throw OnePassError(.usage, "--count requires files to mutate.") }
      let mutator = Mutator(format, seeds: contents)
      for number in 0..<count {
        target.read(mutator.file(number: number, seed: seed), called: "number \(number) of seed \(seed)")
      }
    case "--guided": try Guided.run(target, format, rest, whole: contents(of: rest.suffix(1)))
    default: throw OnePassError(.usage, "--count, --replay or --guided is required.")
    }
    target.finish()
  }

  /// Returns the contents of files, and of all files in folders, in a fixed order.
  private static func contents(of names: [String]) throws -> [[UInt8]] {
    try names.flatMap { name in
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: name, isDirectory: &isFolder), isFolder.boolValue else {
        return [name]
      }
      return try FileManager.default.contentsOfDirectory(atPath: name).sorted().map { "\(name)/\($0)" }
    }.map { Array(try Data(contentsOf: URL(fileURLWithPath: $0))) }
  }
}
