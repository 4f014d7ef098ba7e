import CTorch
import OnePassCore

/// Work on a device that is recorded once and launched repeatedly with a single call (a CUDA graph).
///
/// One launch replaces thousands of kernel launches, between which the device would idle.
///
/// ```swift
/// var losses: Tensor?
/// let graph = try DeviceGraph(on: device) { losses = try model(images, .training) }
/// try images.copy(from: batch)   // each launch reads and writes the same tensors
/// try graph.launch()
/// ```
///
/// On the CPU a launch calls `work` again, so its results are new tensors. For code that works on every device, read the
/// tensors that `work` stored last.
public final class DeviceGraph {
  private let work: () throws -> Void
  private let recorded: OpaquePointer?

  /// Records the work without executing it on the device.
  /// - Parameters:
  ///   - device: The device of all tensors that `work` uses, prepared with ``Engine/prepare(_:)``.
  ///   - work: Uses the same tensors each time and does not wait for the device. It must have run at least once before, so
  ///     that everything created at first use exists.
  /// - Throws: Errors of `work`; `OnePassError` (`engine`) if it cannot be recorded.
  public init(on device: Device, _ work: @escaping () throws -> Void) throws {
    self.work = work
    guard device != .cpu else {
      recorded = nil
      return
    }
    try Engine.synchronise(device)
    var made: OpaquePointer?
    try check("DeviceGraph.init", ct_graph_begin(device.handle, &made))
    guard let made else { throw OnePassError.libtorchReturnedNothing("DeviceGraph.init") }
    // A started recording must end before the device accepts other work.
    let outcome = Result { try work() }
    let ending = Result { try check("DeviceGraph.init", ct_graph_end(made)) }
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

  /// Launches the work; on a CUDA device it still runs when this returns.
  /// - Throws: `OnePassError` (`engine`); on the CPU also errors of `work`.
  public func launch() throws {
    guard let recorded else { return try work() }
    try check("DeviceGraph.launch", ct_graph_launch(recorded))
  }
}
