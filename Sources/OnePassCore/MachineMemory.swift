import Foundation

/// The memory that this process may use.
package enum MachineMemory {
  /// The smallest of the physical memory, the limits of all control groups of this process and that of its address space
  /// (`ulimit -v`), in bytes.
  package static let bytes = limit(
    physical: min(Int(clamping: ProcessInfo.processInfo.physicalMemory), addressSpace), root: "")

  private static var addressSpace: Int {
    var limit = rlimit()
    #if os(Linux)
      let resource = __rlimit_resource_t(RLIMIT_AS.rawValue)
    #else
      let resource = RLIMIT_AS
    #endif
    return getrlimit(resource, &limit) == 0 ? Int(clamping: limit.rlim_cur) : .max
  }

  /// The smallest limit.
  /// - Parameters:
  ///   - physical: The physical memory, in bytes.
  ///   - root: The folder below which `proc` and `sys` are found; empty for those of the machine.
  package static func limit(physical: Int, root: String) -> Int {
    let groups = (try? String(contentsOfFile: "\(root)/proc/self/cgroup", encoding: .utf8)) ?? ""
    var limit = physical
    for line in groups.split(separator: "\n") {
      // HIERARCHY:CONTROLLERS:PATH. Version 2 has hierarchy 0 without controllers.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      if parts[1].isEmpty {
        limit = min(limit, smallest("\(root)/sys/fs/cgroup", parts[2], "memory.max") ?? limit)
      } else if parts[1].split(separator: ",").contains("memory") {
        limit = min(
          limit, smallest("\(root)/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes") ?? limit)
      }
    }
    return limit
  }

  /// The smallest number in the files of a group and of all groups above it, which limit it too.
  ///
  /// In a container the path can be that of the host, of which only the root is visible.
  private static func smallest(_ root: String, _ path: Substring, _ file: String) -> Int? {
    var names = path.split(separator: "/")
    var numbers: [Int] = []
    while true {
      let folder = ([root[...]] + names).joined(separator: "/")
      let text = (try? String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)) ?? ""
      // Version 2 has the word max for no limit.
      if let number = Int(text.filter { !$0.isWhitespace }), number > 0 { numbers.append(number) }
      if names.popLast() == nil { return numbers.min() }
    }
  }
}
