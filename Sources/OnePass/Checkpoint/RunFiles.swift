import Foundation
import OnePassCore

/// The files of a finished run.
///
/// ```swift
/// let result = try RunFiles.result(in: "runs/first")
/// print(result.accuracy?.top1 ?? 0, try RunFiles("runs/first").modelCard().name)
/// ```
public struct RunFiles {
  /// The path that was passed.
  public let path: String
  let checkpoint: String
  /// The name of the page about a run in its folder.
  package static let pageName = "report.html"

  /// Finds the checkpoint of a run.
  /// - Parameter path: The folder of a run, or the `checkpoint` folder in it.
  /// - Throws: `OnePassError` (`io`) if there is no checkpoint.
  public init(_ path: String) throws {
    self.path = path
    let files = FileManager.default
    let candidates = ["\(path)/\(Checkpoint.folder)", path]
    guard let found = candidates.first(where: { files.fileExists(atPath: "\($0)/model.json") }) else {
      throw OnePassError.noCheckpoint(in: path, exists: files.fileExists(atPath: path))
    }
    checkpoint = found
  }

  /// The result of a finished run.
  /// - Parameter path: The folder of the run.
  /// - Throws: `OnePassError`: `io` if there is no result, `badData` if it is damaged.
  public static func result(in path: String) throws -> RunResult {
    try decode(RunResult.self, from: "\(path)/result.json", unreadable: OnePassError.noResult)
  }

  /// The architecture of the model and the preparation of its images.
  /// - Throws: `OnePassError`: `io` if the file cannot be read, `badData` if it is damaged.
  public func modelCard() throws -> ModelCard { try decode(ModelCard.self, from: "model.json") }

  /// The path of a file of the checkpoint.
  func path(of name: String) -> String { "\(checkpoint)/\(name)" }

  /// The position of the run at the checkpoint.
  /// - Throws: `OnePassError`: `io` if the file cannot be read, `badData` if it is damaged.
  public func position() throws -> TrainingPosition {
    try decode(TrainingPosition.self, from: "progress.json")
  }

  func decode<Value: Decodable>(_ type: Value.Type, from name: String) throws -> Value {
    try Self.decode(type, from: path(of: name), unreadable: OnePassError.incompleteCheckpoint)
  }

  /// The text of a file that only runs with a replay memory have.
  func text(of name: String) throws -> String {
    let data = try Self.data(at: path(of: name), unreadable: OnePassError.noMemoryTable)
    return String(decoding: data, as: UTF8.self)
  }

  private static func data(
    at path: String, unreadable: (_ path: String, _ cause: any Error) -> OnePassError
  ) throws -> Data {
    do { return try Data(contentsOf: URL(fileURLWithPath: path)) } catch { throw unreadable(path, error) }
  }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, from path: String, unreadable: (_ path: String, _ cause: any Error) -> OnePassError
  ) throws -> Value {
    let data = try data(at: path, unreadable: unreadable)
    do { return try JSONDecoder().decode(type, from: data) } catch {
      throw OnePassError.damagedFile(path, cause: error)
    }
  }
}
