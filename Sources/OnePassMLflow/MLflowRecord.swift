import Foundation
import OnePass

/// What the folder of a run keeps of its run on an MLflow server, so that the run goes on there.
struct MLflowRecord: Codable, Equatable {
  static let fileName = RunLogFiles.mlflow

  /// The scalars of a point.
  struct Point: Codable, Equatable {
    var step: Int
    /// Milliseconds since 1970.
    var timestamp: Int
    var values: [String: Double]

    init(_ point: LogPoint) {
      step = point.step
      timestamp = Self.timestamp(point.time)
      values = Dictionary(point.scalars.map { ($0.name, $0.value) }) { $1 }
    }

    static func timestamp(_ time: Date) -> Int { Int((time.timeIntervalSince1970 * 1_000).rounded()) }
  }

  var server: String
  var experiment: String
  /// A tag of the run, by which it is found if the server's answer to its making was lost.
  var key = UUID().uuidString
  /// The run's name to the server, once it has said it.
  var run: String?
  /// What it has not confirmed, in the order of the steps.
  var unsent: [Point] = []

  init(_ address: MLflowAddress) { (server, experiment) = (address.server, address.experiment) }

  /// What an earlier process left; `nil` if it is of another server or experiment, or there is nothing.
  /// - Throws: `OnePassError`: `badData` if it is damaged, `io` if it cannot be read.
  init?(in output: String, of address: MLflowAddress) throws {
    let path = "\(output)/\(Self.fileName)"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      self = try Self.decoder.decode(Self.self, from: data)
    } catch let error as DecodingError {
      throw OnePassError(
        .badData, "\(path) is damaged: remove it, and the rest is logged to a new run of MLflow.",
        cause: error)
    } catch {
      throw OnePassError(.io, "\(path) cannot be read: check the disk.", cause: error)
    }
    guard server == address.server, experiment == address.experiment else { return nil }
  }

  /// - Throws: `OnePassError` (`io`).
  func write(in output: String) throws {
    let data: Data
    do { data = try Self.encoder.encode(self) } catch {
      throw OnePassError(.engine, "What MLflow has not confirmed cannot be written.", cause: error)
    }
    try DurableFile.write(data, to: "\(output)/\(Self.fileName)")
  }

  private static let (infinity, minusInfinity, nan) = ("Infinity", "-Infinity", "NaN")

  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: infinity, negativeInfinity: minusInfinity, nan: nan)
    return encoder
  }

  private static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: infinity, negativeInfinity: minusInfinity, nan: nan)
    return decoder
  }
}
