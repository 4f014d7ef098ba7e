import CTorch
import OnePassCore

/// Work on a device that is recorded once and launched as a whole: one call in place of a thousand small ones, between
/// which the device would wait for the processor (CUDA graphs).
///
/// ```swift
/// var losses: Tensor?
/// let graph = try DeviceGraph(on: device) { losses = try model(images, .training) }
/// try images.copy(from: batch)   // the work reads and writes the same tensors each time
/// try graph.launch()
/// ```
///
/// On the CPU, which has no such thing, a launch does the work as it stands, and its results are new tensors; so whoever
/// uses this reads what the work has stored last, on any device.
public final class DeviceGraph {
  private let work: () throws -> Void
  private let recorded: OpaquePointer?

  /// Records the work; nothing of it is done yet.
  /// - Parameters:
  ///   - device: Where all tensors of the work lie; prepared by `Engine.prepare(_:)`.
  ///   - work: Uses the same tensors each time, and waits for nothing. It must have been done before at least
  ///     once as it stands, so that what is made at the first use is there.
  /// - Throws: What `work` throws; `OnePassError` (`engine`) if it cannot be recorded.
  public init(on device: Device, _ work: @escaping () throws -> Void) throws {
    self.work = work
    guard device != .cpu else {
      recorded = nil
      return
    }
    try Engine.synchronise(device)
    var made: OpaquePointer?
    try check("the beginning of a recording", ct_graph_begin(device.handle, &made))
    guard let made else { throw OnePassError(.engine, "libtorch made no graph.") }
    // A recording that was begun has to end before anything else is asked of the device.
    let outcome = Result { try work() }
    let ending = Result { try check("the end of a recording", ct_graph_end(made)) }
    do {
      try outcome.get()
      try ending.get()
    } catch {
      ct_graph_free(made)
      throw error
    }
    recorded = made
  }

  deinit { recorded.map(ct_graph_free) }

  /// Does the work. On a CUDA device it is under way when this returns.
  /// - Throws: `OnePassError` (`engine`), and on the CPU what the work throws.
  public func launch() throws {
    guard let recorded else { return try work() }
    try check("the launch of a graph", ct_graph_launch(recorded))
  }
}
