import CTorch
import OnePassCore

/// What holds for the whole process: the tensor engine's version, its threads, its live tensors.
///
/// ```swift
/// try Engine.setThreadCount(2)
/// print("libtorch \(Engine.version), \(Engine.threadCount) threads")
/// ```
public enum Engine {
  /// The version of libtorch, such as `2.11.0`.
  public static var version: String { String(cString: ct_version()) }

  /// The number of tensors that Swift holds at this moment; for tests of leaks.
  ///
  /// Two `Tensor` objects count as two, even where they share their elements.
  public static var liveTensorCount: Int { Int(ct_live_tensor_count()) }

  /// The number of CPU threads that one operator may use.
  public static var threadCount: Int { Int(ct_thread_count()) }

  /// Sets the number of CPU threads that one operator may use, 1 or more.
  ///
  /// Call it before the first operator: a thread that has computed keeps the number that it began with.
  /// The sums of a parallel operator depend on the number of threads in their last bits.
  /// - Throws: `OnePassError` (`usage`) for a number below 1.
  public static func setThreadCount(_ count: Int) throws {
    guard count >= 1, count <= 4096 else {
      throw OnePassError(.usage, "\(count) threads are not possible: give a number from 1 to 4096.")
    }
    try check("setThreadCount", ct_set_thread_count(Int32(count)))
  }

  /// Keeps freed memory for what comes next, instead of giving it back to the system and asking again.
  ///
  /// Tensors and encoded images come and go with each step, and the system has to clear every page that it hands out anew:
  /// a tenth of the time of a training step, half the time of a draw from a memory on disk. Large tensors take
  /// no more than 1.25 times the most that was ever in use, and 64 MB; glibc, where it is the C library, keeps up to
  /// 256 MB. For a program to call when it starts.
  public static func keepFreedMemory() { ct_keep_freed_memory() }

  /// Whether a CUDA device can be used; the first call loads libtorch's CUDA part where there is one.
  public static var isCUDAAvailable: Bool { ct_cuda_device_count() > 0 }

  /// The number of CUDA devices that can be used.
  public static var cudaDeviceCount: Int { Int(ct_cuda_device_count()) }

  /// Makes a device ready for a thread that trains on it: its kernels are chosen by measuring, and the thread's work has
  /// a place of its own in the device's order. Nothing on the CPU.
  public static func prepare(_ device: Device) throws {
    try check("the preparation of a device", ct_prepare_device(device.handle))
  }

  /// Whether the device has done all that this thread asked of it; does not wait. Always so on the CPU.
  public static func isIdle(_ device: Device) throws -> Bool {
    var isIdle = false
    try check("isIdle", ct_is_idle(device.handle, &isIdle))
    return isIdle
  }

  /// Waits until the device has finished what it was given; returns at once for the CPU.
  ///
  /// A CUDA device works on while Swift goes ahead, so a measured time needs this at both of its ends.
  /// - Throws: `OnePassError` (`engine`) for a failure of work that was still under way.
  public static func synchronise(_ device: Device) throws {
    try check("synchronise", ct_synchronise(device.handle))
  }
}

/// Runs `body` without recording what a backward pass would need: for evaluation, with less memory.
///
/// The mode belongs to the calling thread and is restored however `body` ends.
public func withoutGradient<Result>(_ body: () throws -> Result) rethrows -> Result {
  let before = ct_set_gradient_mode(false)
  defer { _ = ct_set_gradient_mode(before) }
  return try body()
}
