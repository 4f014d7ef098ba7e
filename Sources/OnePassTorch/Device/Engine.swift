import CTorch
import OnePassCore

/// Process-wide state of the tensor library: its version, threads, devices and live tensors.
///
/// A program that depends on OnePass contains libtorch. The program `onepass` loads it when it first needs it, since loading
/// takes longer than most of its commands.
///
/// ```swift
/// try Engine.setThreadCount(2)
/// print("libtorch \(Engine.version), \(Engine.threadCount) threads")
/// ```
public enum Engine {
  /// Loads libtorch, unless it is loaded or part of the program.
  ///
  /// Tensors and devices load it too. Call this before, where a missing libtorch must be an error that can be caught; without it
  /// the process then ends with status 69.
  /// - Throws: `OnePassError`: `unavailable` if libtorch cannot be loaded, `usage` if ``kernels`` has no such value.
  public static func load() throws {
    if let reason = ct_load() { throw OnePassError.libtorchMissing(String(cString: reason)) }
    let kernels = String(cString: ct_kernels())
    guard Kernels(rawValue: kernels) != nil else { throw OnePassError.unknownKernels(kernels) }
  }

  /// Whether libtorch is loaded or part of the program.
  public static var isLoaded: Bool { ct_is_loaded() }

  /// The kernels that compute on the CPU, by the environment variable `ONEPASS_KERNELS`: `own` (the default) or `libtorch`.
  public static var kernels: Kernels { Kernels(rawValue: String(cString: ct_kernels())) ?? .own }

  /// The version of libtorch, such as `2.11.0`.
  public static var version: String { String(cString: ct_version()) }

  /// The number of live `Tensor` objects, for leak tests.
  ///
  /// Two objects count as two even if they share their elements.
  public static var liveTensorCount: Int { Int(ct_live_tensor_count()) }

  /// The number of CPU threads that one operator may use.
  public static var threadCount: Int { Int(ct_thread_count()) }

  /// Sets the number of CPU threads that one operator may use, 1 … 4096.
  ///
  /// Call it before the first operator, since another thread keeps the number with which it first computed. The last bits of
  /// sums of libtorch's operators can depend on it.
  /// - Throws: `OnePassError` (`usage`) for a number outside the range.
  public static func setThreadCount(_ count: Int) throws {
    let range = 1...4096
    guard range.contains(count) else { throw OnePassError.threadCountOutOfRange(count, range) }
    try check("Engine.setThreadCount", ct_set_thread_count(Int32(count)))
  }

  /// How libtorch's threads wait for each other.
  /// - Precondition: libtorch is loaded.
  public static var threadWaiting: ThreadWaiting {
    precondition(ct_load() == nil, "Engine.load must succeed before.")
    let setting = ct_waiting_setting().map { String(cString: $0) }
    return ThreadWaiting(
      setting: setting,
      origin: setting == nil ? .libtorch : ct_is_default_waiting() ? .onepass : .environment)
  }

  /// Reuses freed memory instead of returning it to the operating system; call it when the program starts. Does not load
  /// libtorch.
  ///
  /// Each step allocates and frees the same tensors and images, and the operating system clears every page that it provides.
  /// This takes a tenth of a training step and half of a draw from a memory on disk. The cache for large tensors is limited
  /// to 1.25 times the peak in use plus 64 MB; glibc keeps up to 256 MB more.
  public static func keepFreedMemory() { ct_keep_freed_memory() }

  /// Whether a CUDA device is available; the first call loads the CUDA part of libtorch, if it is installed.
  public static var isCUDAAvailable: Bool { ct_cuda_device_count() > 0 }

  /// The number of available CUDA devices.
  public static var cudaDeviceCount: Int { Int(ct_cuda_device_count()) }

  /// Prepares a CUDA device for training on the calling thread; does nothing for the CPU.
  ///
  /// It enables cuDNN's benchmark mode and gives the thread a separate stream.
  /// - Throws: `OnePassError` (`usage`) if the device does not exist.
  public static func prepare(_ device: Device) throws {
    try check("Engine.prepare", ct_prepare_device(device.handle))
  }

  /// Returns whether the device has finished all work of this thread, without waiting; always `true` for the CPU.
  public static func isIdle(_ device: Device) throws -> Bool {
    var isIdle = false
    try check("Engine.isIdle", ct_is_idle(device.handle, &isIdle))
    return isIdle
  }

  /// Waits until the device has finished all its work; returns immediately for the CPU.
  ///
  /// CUDA devices work asynchronously, so call it before and after a section whose duration is measured.
  /// - Throws: `OnePassError` (`engine`) if work that was still running fails.
  public static func synchronise(_ device: Device) throws {
    try check("Engine.synchronise", ct_synchronise(device.handle))
  }
}

/// Runs `body` without recording operators for a backward pass, which saves memory in evaluation.
///
/// The mode belongs to the calling thread. The previous mode is restored when `body` returns or throws.
public func withoutGradient<Result>(_ body: () throws -> Result) rethrows -> Result {
  let before = ct_set_gradient_mode(false)
  defer { _ = ct_set_gradient_mode(before) }
  return try body()
}
