import CTorch
import OnePassCore

extension ProcessGroup {
  /// Waits until every process has called this.
  /// - Throws: `OnePassError` (`io`) if another process was lost, as for every operation of the group.
  public func barrier() throws {
    try together { try perform("barrier") { ct_barrier(handle) } }
  }

  // MARK: Tensors, float32 or int64, on the CPU or on `device`

  /// Overwrites the tensors of all other processes with those of rank `root`.
  /// - Precondition: All processes pass tensors of the same shapes in the same order.
  public func broadcast(_ tensors: [Tensor], from root: Int = 0) throws {
    precondition((0..<size).contains(root), "root must be in 0 ..< size.")
    let pending = try tensors.map { tensor in
      try begin("broadcast", tensor) { ct_broadcast(handle, tensor.handle, Int32(root), $0) }
    }
    for work in pending { try work.wait() }
  }

  /// Starts to replace the tensor with its sum over all processes, which is bit-identical on each.
  /// - Returns: The pending operation; wait for it before using the tensor.
  public func beginSum(_ tensor: Tensor) throws -> PendingCollective {
    try begin("sum", tensor) { ct_all_reduce(handle, tensor.handle, $0) }
  }

  /// Replaces the tensor with its sum over all processes, which is bit-identical on each.
  public func sum(_ tensor: Tensor) throws { try beginSum(tensor).wait() }

  /// Returns this process's rows of the sum of a tensor over all processes.
  /// - Parameter tensor: `[N, …]`, contiguous.
  /// - Returns: `[N / size, …]`, the rows from `rank · N / size`.
  /// - Precondition: N is a multiple of ``size``.
  public func reduceScatter(_ tensor: Tensor) throws -> Tensor {
    precondition(
      tensor.shape.first.map { $0 % size == 0 } ?? false, "The number of rows must be a multiple of size.")
    let part = try tensor.narrowed(dimension: 0, from: 0, length: tensor.shape[0] / size).copied()
    try begin("reduceScatter", tensor, part) { ct_reduce_scatter(handle, tensor.handle, part.handle, $0) }
      .wait()
    return part
  }

  // MARK: Values

  /// Returns the element-wise sums over all processes, which must pass the same number of values.
  public func sum(_ values: [Double]) throws -> [Double] {
    var values = values
    try together { try perform("sum") { ct_all_reduce_doubles(handle, &values, Int64(values.count)) } }
    return values
  }

  /// Returns the element-wise sums over all processes, which must pass the same number of values.
  @_disfavoredOverload
  public func sum(_ values: [Int]) throws -> [Int] {
    var sums = values.map(Int64.init)
    try together { try perform("sum") { ct_all_reduce_integers(handle, &sums, Int64(sums.count)) } }
    return sums.map(Int.init)
  }

  /// Returns the value of each process, in the order of ranks.
  public func gather(_ value: Int) throws -> [Int] {
    var values = [Int64](repeating: 0, count: size)
    try together { try perform("gather") { ct_all_gather_integer(handle, Int64(value), &values) } }
    return values.map(Int.init)
  }

  /// Returns the bytes of each process, in the order of ranks; they can differ in length.
  ///
  /// Every process needs memory for ``size`` times the longest. Use ``exchange(_:)`` for data that only one process needs.
  public func gather(_ bytes: [UInt8]) throws -> [[UInt8]] {
    let counts = try gather(bytes.count)
    var all = [UInt8](repeating: 0, count: counts.reduce(0, +))
    try together {
      try perform("gather") { ct_all_gather_bytes(handle, bytes, counts.map(Int64.init), &all) }
    }
    return split(all, counts)
  }

  /// Sends a message to each process and receives one from each (all-to-all).
  /// - Parameter parcels: The message for each rank, including this one; of any length.
  /// - Returns: The message from each rank.
  /// - Precondition: There is one message per rank.
  public func exchange(_ parcels: [[UInt8]]) throws -> [[UInt8]] {
    precondition(parcels.count == size, "There must be one parcel per rank.")
    let sent = parcels.map { Int64($0.count) }
    // A row per sender: the lengths of its messages.
    let counts = try gather(sent.withUnsafeBytes { Array($0) })
    let received = counts.map { row in
      row.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 8 * rank, as: Int64.self)) }
    }
    var all = [UInt8](repeating: 0, count: received.reduce(0, +))
    try together {
      try perform("exchange") {
        ct_all_to_all_bytes(handle, Array(parcels.joined()), sent, received.map(Int64.init), &all)
      }
    }
    return split(all, received)
  }

  private func split(_ bytes: [UInt8], _ counts: [Int]) -> [[UInt8]] {
    var start = 0
    return counts.map { count in
      defer { start += count }
      return Array(bytes[start..<start + count])
    }
  }

  private func begin(
    _ operation: StaticString, _ tensors: Tensor..., call: (TensorSlot) -> OpaquePointer?
  ) throws -> PendingCollective {
    var made: OpaquePointer?
    try together { try perform(operation) { call(&made) } }
    guard let made else { throw OnePassError.libtorchReturnedNothing(operation) }
    return PendingCollective(owning: made, group: self, tensors: tensors)
  }
}

/// A collective operation in progress.
///
/// ```swift
/// let pending = try processes.beginSum(tensor)
/// // … work that does not use the tensor …
/// try pending.wait()
/// ```
public final class PendingCollective {
  private let handle: OpaquePointer
  private let group: ProcessGroup
  private let tensors: [Tensor]

  init(owning handle: OpaquePointer, group: ProcessGroup, tensors: [Tensor]) {
    self.handle = handle
    self.group = group
    self.tensors = tensors
  }

  deinit { ct_work_free(handle) }

  /// Whether the operation has finished, so that ``wait(atMost:)`` returns immediately.
  public var isCompleted: Bool { ct_work_is_completed(handle) }

  /// Waits for the operation to finish.
  /// - Parameter timeout: The maximum time to wait. Default: the `answering` timeout of the group.
  /// - Throws: `OnePassError` (`io`) if it does not finish in time, or another process was lost.
  public func wait(atMost timeout: Duration? = nil) throws {
    try group.together {
      try perform("PendingCollective.wait") { ct_work_wait(handle, timeout?.wholeMilliseconds ?? 0) }
    }
  }
}
