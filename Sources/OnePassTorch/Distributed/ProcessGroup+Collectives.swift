import CTorch
import OnePassCore

extension ProcessGroup {
  /// Waits until every process has come here.
  public func barrier() throws {
    try together { try perform("barrier") { ct_barrier(handle) } }
  }

  // MARK: Tensors, float32 or int64, on the CPU or on `device`

  /// Overwrites the tensors of all other processes by those of `root`; all give the same shapes in the same order.
  public func broadcast(_ tensors: [Tensor], from root: Int = 0) throws {
    precondition((0..<size).contains(root), "The root is one of the ranks.")
    let pending = try tensors.map { tensor in
      try begin("broadcast", tensor) { ct_broadcast(handle, tensor.handle, Int32(root), $0) }
    }
    for work in pending { try work.wait() }
  }

  /// Begins to replace the tensor by its sum over all processes, the same to the last bit on each.
  /// - Returns: The operation, for whose end to wait before the tensor is touched.
  public func beginSum(_ tensor: Tensor) throws -> PendingCollective {
    try begin("sum", tensor) { ct_all_reduce(handle, tensor.handle, $0) }
  }

  /// Replaces the tensor by its sum over all processes, the same to the last bit on each.
  public func sum(_ tensor: Tensor) throws { try beginSum(tensor).wait() }

  /// This process's part of the sum of all processes' tensors: rows `rank · N / size` and the N / size after it.
  /// - Parameter tensor: `[N, …]`, contiguous.
  /// - Precondition: N is a multiple of `size`.
  public func reduceScatter(_ tensor: Tensor) throws -> Tensor {
    precondition(
      tensor.shape.first.map { $0 % size == 0 } ?? false, "Each rank's part has the same number of rows.")
    let part = try tensor.narrowed(dimension: 0, from: 0, length: tensor.shape[0] / size).copied()
    try begin("reduceScatter", tensor, part) { ct_reduce_scatter(handle, tensor.handle, part.handle, $0) }
      .wait()
    return part
  }

  // MARK: Values

  /// The sums over all processes, each of which gives as many values.
  public func sum(_ values: [Double]) throws -> [Double] {
    var values = values
    try together { try perform("sum") { ct_all_reduce_doubles(handle, &values, Int64(values.count)) } }
    return values
  }

  /// The sums over all processes, each of which gives as many values.
  @_disfavoredOverload
  public func sum(_ values: [Int]) throws -> [Int] {
    var sums = values.map(Int64.init)
    try together { try perform("sum") { ct_all_reduce_integers(handle, &sums, Int64(sums.count)) } }
    return sums.map(Int.init)
  }

  /// The number of each process, in the order of ranks.
  public func gather(_ value: Int) throws -> [Int] {
    var values = [Int64](repeating: 0, count: size)
    try together { try perform("gather") { ct_all_gather_integer(handle, Int64(value), &values) } }
    return values.map(Int.init)
  }

  /// The bytes of each process, in the order of ranks; they may differ in length.
  ///
  /// Each process needs room for `size` times the longest. For what only one process needs there is `exchange`.
  public func gather(_ bytes: [UInt8]) throws -> [[UInt8]] {
    let counts = try gather(bytes.count)
    var all = [UInt8](repeating: 0, count: counts.reduce(0, +))
    try together {
      try perform("gather") { ct_all_gather_bytes(handle, bytes, counts.map(Int64.init), &all) }
    }
    return split(all, counts)
  }

  /// Sends a parcel to each process and receives one from each.
  /// - Parameter parcels: What each rank is sent, this one included; of any length.
  /// - Returns: What each rank has sent to this one.
  /// - Precondition: there is one parcel for each rank.
  public func exchange(_ parcels: [[UInt8]]) throws -> [[UInt8]] {
    precondition(parcels.count == size, "There is one parcel for each rank.")
    let sent = parcels.map { Int64($0.count) }
    // Who sends how much to whom, told to all: a row for each rank.
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
    guard let made else { throw OnePassError(.engine, "libtorch began no \(operation).") }
    return PendingCollective(owning: made, group: self, tensors: tensors)
  }
}

/// An operation of all processes that is under way.
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

  /// Whether its end need not be waited for.
  public var isCompleted: Bool { ct_work_is_completed(handle) }

  /// Waits for its end, as long as the group's timeout allows, or less.
  public func wait(atMost timeout: Duration? = nil) throws {
    try group.together {
      try perform("the end of an operation") { ct_work_wait(handle, timeout?.wholeMilliseconds ?? 0) }
    }
  }
}
