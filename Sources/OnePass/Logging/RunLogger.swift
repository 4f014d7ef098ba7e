import Foundation
import OnePassData

/// Receives what is logged of a run, while it trains.
///
/// Everything is called on the thread that trains, between two steps, so it has to be quick. A logger that throws gets one
/// notice and is not called again; the run goes on.
///
/// ```swift
/// final class PrintedLosses: RunLogger {
///   let name = "printed losses"
///   func log(_ point: LogPoint) { print(point.step, point.scalars) }
/// }
/// ```
public protocol RunLogger: AnyObject {
  /// What a notice calls it.
  var name: String { get }

  /// Whether it takes pictures of the memory, which cost time to make. Not by default.
  var takesPictures: Bool { get }

  /// Called once, before the first step that is to be logged.
  /// - Parameter run: What is about to be trained.
  func begin(_ run: LoggedRun) throws

  /// Called for each point, with steps that increase; only the evaluation comes after the last step once more.
  /// - Parameter point: What was found since the point before.
  func log(_ point: LogPoint) throws

  /// Called before a checkpoint is saved: what was logged so far has to be there when the run goes on from it.
  func makeDurable() throws

  /// Called once, when the run has ended or is broken off. What it throws is told; the run is as it is.
  /// - Parameter outcome: How the run ended.
  func end(_ outcome: RunOutcome) throws
}

extension RunLogger {
  public var takesPictures: Bool { false }
  public func begin(_ run: LoggedRun) throws {}
  public func makeDurable() throws {}
  public func end(_ outcome: RunOutcome) throws {}
}

/// How a run ended.
public enum RunOutcome: String, Hashable, Sendable {
  /// It has come to its end.
  case finished
  /// It was asked to stop, and may go on later.
  case stopped
  case failed
}

/// A run that is about to be logged.
public struct LoggedRun: Sendable {
  /// What it was asked to do, without what opens an address.
  public let configuration: RunConfiguration
  public let plan: TrainingPlan
  /// The steps that were done before. What was logged beyond them, by a process that was broken off, comes once more.
  public let stepsDone: Int
}

/// What is logged of a run after a step.
public struct LogPoint: Sendable {
  /// Steps done, from 1.
  public let step: Int
  public let time: Date
  /// Named as TensorBoard groups them: `loss/incoming`, `memory/fill`.
  public var scalars: [(name: String, value: Double)] = []
  public var histograms: [(name: String, histogram: Histogram)] = []
  public var pictures: [(name: String, picture: Picture)] = []

  var isEmpty: Bool { scalars.isEmpty && histograms.isEmpty && pictures.isEmpty }
}

/// 8-bit pixels.
public struct Picture: Sendable {
  public let width: Int
  public let height: Int
  /// 1 (grey) or 3 (RGB).
  public let channels: Int
  /// `[height, width, channels]`, row by row.
  public let pixels: [UInt8]

  /// The picture as a PNG file.
  /// - Throws: `OnePassError` (`engine`) without memory.
  public func png() throws -> [UInt8] {
    // Of photographs, the best level makes files that are hardly smaller and takes three times as long.
    try encodePNG(pixels, width: width, height: height, channels: channels, level: 1)
  }
}
