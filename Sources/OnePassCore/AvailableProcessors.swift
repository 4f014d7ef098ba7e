import Foundation

/// The number of processors that this process may use, and what limits it.
///
/// ```swift
/// print(AvailableProcessors.current.count)
/// ```
public struct AvailableProcessors: Codable, Hashable, Sendable {
  /// What limits the number of processors.
  ///
  /// ```swift
  /// if AvailableProcessors.current.limit == .quota { print("a container with a CPU limit") }
  /// ```
  public enum Limit: String, Codable, Sendable {
    /// The machine has no more.
    case machine
    /// The process is bound to some processors, as by `taskset` or a batch system.
    case affinity
    /// The time on processors has a quota, as in containers (control groups of Linux).
    case quota
  }

  /// The number of threads that can run at the same time without waiting, at least 1.
  public var count: Int
  /// What limits it.
  public var limit: Limit
  /// The quota in processors, such as 1.5, if it is the limit.
  public var quota: Double?

  /// The processors of this process.
  public static let current: AvailableProcessors = {
    let online = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let limits = ProcessorLimits()
    return AvailableProcessors(allowed: limits.allowed ?? online, online: online, quota: limits.quota)
  }()

  /// - Parameters:
  ///   - allowed: The number of processors to which the process is bound.
  ///   - online: The number of processors of the machine that are in use.
  ///   - quota: The time on processors per time; `nil` if it is not limited.
  ///
  /// A quota is rounded to the nearest number, at least 1. With a fraction of a half or more, a further thread is faster although the
  /// kernel suspends all threads in each period (docs/randomness-and-threads.md has a measurement).
  init(allowed: Int, online: Int, quota: Double?) {
    if let quota, quota < Double(allowed) {
      (count, limit, self.quota) = (max(1, Int(quota.rounded())), .quota, quota)
    } else {
      (count, limit) = (max(1, allowed), allowed < online ? .affinity : .machine)
    }
  }
}
