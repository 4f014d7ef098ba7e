import Foundation
import OnePassCore

/// Gives broken files of a format to the reader that the program has for it, and fails where the reader does.
///
///     FuzzProgram FORMAT --count N [--seed S] SEEDS…     N mutated files, each a function of seed and number
///     FuzzProgram FORMAT --replay FILES…                 these files as they are
///     FuzzProgram FORMAT --guided OPTIONS… FOLDERS…      libFuzzer's own options, where it is built in (scripts/fuzz)
///
/// SEEDS and FILES may be folders. A finding ends it: a trap, what a sanitizer sees, an error that is no `OnePassError`, more than a
/// second of processor time, or more memory than the format's readers may take. What was read last is then still in the
/// folder that it names.
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
        .usage, "Name a format: \(Format.allCases.map(\.rawValue).joined(separator: ", ")).")
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
      guard !contents.isEmpty else { throw OnePassError(.usage, "There is nothing to mutate: name files.") }
      let mutator = Mutator(format, seeds: contents)
      for number in 0..<count {
        target.read(mutator.file(number: number, seed: seed), called: "number \(number) of seed \(seed)")
      }
    case "--guided": try Guided.run(target, format, rest, whole: contents(of: rest.suffix(1)))
    default: throw OnePassError(.usage, "Say --count, --replay or --guided.")
    }
    target.finish()
  }

  /// What is in the files of these names, or in all files of folders, in a fixed order.
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
