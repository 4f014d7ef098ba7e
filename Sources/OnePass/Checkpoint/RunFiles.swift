import Foundation
import OnePassCore

/// Finds and reads the files of a finished run.
public struct RunFiles {
  /// The path as it was given.
  public let path: String
  let checkpoint: String

  /// - Parameter path: The folder of a run, or the `checkpoint` folder in it.
  /// - Throws: `OnePassError` (`io`) if there is neither.
  public init(_ path: String) throws {
    self.path = path
    let files = FileManager.default
    let candidates = ["\(path)/\(Checkpoint.folder)", path]
    guard let found = candidates.first(where: { files.fileExists(atPath: "\($0)/model.json") }) else {
      let problem = files.fileExists(atPath: path) ? "holds no checkpoint" : "does not exist"
      throw OnePassError(.io, "\(path) \(problem): give the folder that `onepass train --output` made.")
    }
    checkpoint = found
  }

  /// The result of the run in a folder.
  /// - Throws: `OnePassError`: `io` if there is none, `badData` if it is damaged.
  public static func result(in path: String) throws -> RunResult {
    try decode(
      RunResult.self, from: "\(path)/result.json",
      remedy: "give the folder that `onepass train --output` made.")
  }

  /// How the model is built and its images are prepared.
  public func modelCard() throws -> ModelCard { try decode(ModelCard.self, from: "model.json") }

  /// Where a file of the checkpoint lies.
  func path(of name: String) -> String { "\(checkpoint)/\(name)" }

  /// Where the run stood when the checkpoint was written.
  public func position() throws -> TrainingPosition {
    try decode(TrainingPosition.self, from: "progress.json")
  }

  func decode<Value: Decodable>(_ type: Value.Type, from name: String) throws -> Value {
    try Self.decode(type, from: path(of: name), remedy: "the checkpoint is incomplete.")
  }

  func text(of name: String) throws -> String {
    String(
      decoding: try Self.data(at: path(of: name), remedy: "the run had no replay memory."), as: UTF8.self)
  }

  private static func data(at path: String, remedy: String) throws -> Data {
    do { return try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw OnePassError(.io, "\(path) cannot be read: \(remedy)", cause: error)
    }
  }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, from path: String, remedy: String
  ) throws -> Value {
    let data = try data(at: path, remedy: remedy)
    do { return try JSONDecoder().decode(type, from: data) } catch {
      throw OnePassError(.badData, "\(path) is damaged: it is not what onepass wrote.", cause: error)
    }
  }
}
