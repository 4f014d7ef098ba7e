import Foundation
import OnePassData

/// A receiver of the logs of a run.
///
/// All methods are called on the training thread between two steps, so they must be fast. A logger that throws is reported in
/// a notice and not called again; the run continues.
///
/// ```swift
/// final class PrintedLosses: RunLogger {
///   let name = "printed losses"
///   func log(_ point: LogPoint) { print(point.step, point.scalars) }
/// }
/// ```
public protocol RunLogger: AnyObject {
  /// The name of the logger in notices.
  var name: String { get }

  /// Whether the logger uses pictures of the memory, which take time to draw; `false` by default.
  var takesPictures: Bool { get }

  /// Called once, before the first logged step.
  /// - Parameter run: The run.
  func begin(_ run: LoggedRun) throws

  /// Called for each point, in the order of steps. The evaluation has the same step as the last training step.
  /// - Parameter point: The values since the previous point.
  func log(_ point: LogPoint) throws

  /// Called before a checkpoint is saved. All points so far must be present when the run resumes from it.
  func makeDurable() throws

  /// Called once, when the run has ended or was stopped. Its errors are reported in a notice.
  /// - Parameter outcome: How the run ended.
  func end(_ outcome: RunOutcome) throws
}

extension RunLogger {
  /// `false`: the logger uses no pictures.
  public var takesPictures: Bool { false }
  /// Does nothing.
  public func begin(_ run: LoggedRun) throws {}
  /// Does nothing.
  public func makeDurable() throws {}
  /// Does nothing.
  public func end(_ outcome: RunOutcome) throws {}
}

/// How a run ended.
///
/// ```swift
/// final class Alarm: RunLogger {
///   let name = "alarm"
///   func log(_ point: LogPoint) {}
///   func end(_ outcome: RunOutcome) { if outcome == .failed { print("The run failed.") } }
/// }
/// ```
public enum RunOutcome: String, Hashable, Sendable {
  /// The run is complete.
  case finished
  /// The run was stopped by request and can be resumed.
  case stopped
  /// The run ended with an error.
  case failed
}

/// The run that a logger is about to receive.
///
/// ```swift
/// final class Titles: RunLogger {
///   let name = "titles"
///   func begin(_ run: LoggedRun) { print(run.configuration.title, run.plan.steps) }
///   func log(_ point: LogPoint) {}
/// }
/// ```
public struct LoggedRun: Sendable {
  /// The options of the run. Addresses have no signatures.
  public let configuration: RunConfiguration
  /// The plan of the run.
  public let plan: TrainingPlan
  /// The number of steps before this process. Points of later steps, from a process that was interrupted, are logged again.
  public let stepsDone: Int
  /// Whether all steps were done before this process, which evaluates again. The evaluation of an earlier process is replaced.
  package var isTrained = false
}

/// The values that are logged after a step.
///
/// ```swift
/// final class Fill: RunLogger {
///   let name = "fill"
///   func log(_ point: LogPoint) {
///     if let fill = point.scalars.first(where: { $0.name == "memory/fill" }) { print(point.step, fill.value) }
///   }
/// }
/// ```
public struct LogPoint: Sendable {
  /// The number of steps done, from 1.
  public let step: Int
  /// The time of the point.
  public let time: Date
  /// Scalars with names in TensorBoard's groups, as `loss/incoming` and `memory/fill`.
  public var scalars: [(name: String, value: Double)] = []
  /// Histograms of the memory, as `memory/priority`.
  public var histograms: [(name: String, histogram: Histogram)] = []
  /// Pictures of the memory, as `memory/by_priority`.
  public var pictures: [(name: String, picture: Picture)] = []

  var isEmpty: Bool { scalars.isEmpty && histograms.isEmpty && pictures.isEmpty }
}

/// A picture for logs, in 8-bit pixels.
///
/// ```swift
/// final class Files: RunLogger {
///   let name = "files"
///   let takesPictures = true
///   func log(_ point: LogPoint) throws {
///     for (_, picture) in point.pictures { print(try picture.png().count) }
///   }
/// }
/// ```
public struct Picture: Sendable {
  /// The width in pixels.
  public let width: Int
  /// The height in pixels.
  public let height: Int
  /// The number of channels: 1 (grey) or 3 (RGB).
  public let channels: Int
  /// The pixels, `[height, width, channels]`, 0 … 255.
  public let pixels: [UInt8]

  /// Encodes the picture as a PNG file.
  /// - Throws: `OnePassError` (`engine`) if memory is exhausted.
  public func png() throws -> [UInt8] {
    // For photographs, the highest level takes three times as long, and its files are hardly smaller.
    try encodePNG(pixels, width: width, height: height, channels: channels, level: 1)
  }
}
