import Foundation

/// What the kernel of Linux lets this process use. Other systems have no such files, and no such limits.
struct ProcessorLimits {
  /// The root of the file system, which tests replace.
  var root = ""

  /// The number of processors to which the process is bound; `nil` if it is unknown. (`ProcessInfo` counts all of them.)
  var allowed: Int? {
    let name = "Cpus_allowed_list:"
    guard let line = text("/proc/self/status")?.split(separator: "\n").first(where: { $0.hasPrefix(name) })
    else {
      return nil
    }
    // Numbers and ranges, such as 0-3,8.
    let counts = line.dropFirst(name.count).split(separator: ",").map { part -> Int? in
      let ends = part.split(separator: "-").map { Int($0.trimmingCharacters(in: .whitespaces)) }
      guard let first = ends.first, let first, let last = ends.last, let last, first <= last else {
        return nil
      }
      return last - first + 1
    }
    let known = counts.compactMap(\.self)
    return known.isEmpty || known.count < counts.count ? nil : known.reduce(0, +)
  }

  /// The smallest CPU quota of its control group and of all groups that contain it, in processors; `nil` without one.
  var quota: Double? {
    let mounts = Mount.all(in: text("/proc/self/mountinfo") ?? "")
    let groups = Group.all(in: text("/proc/self/cgroup") ?? "")
    return groups.compactMap { group in
      guard let mount = mounts.first(where: { $0.isUnified == group.isUnified }) else { return nil }
      return folders(of: group, in: mount).compactMap { group.isUnified ? unified($0) : legacy($0) }.min()
    }.min()
  }

  /// A group of the process: a line of `/proc/self/cgroup`, such as `0::/user.slice` or `4:cpu,cpuacct:/docker/1`.
  struct Group: Equatable {
    /// Whether it belongs to version 2, where one hierarchy has all controllers.
    var isUnified: Bool
    var path: String

    /// The groups that can have a CPU quota.
    static func all(in text: String) -> [Group] {
      text.split(separator: "\n").compactMap { line in
        let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3 else { return nil }
        let controllers = fields[1].split(separator: ",")
        guard controllers.isEmpty || controllers.contains("cpu") else { return nil }
        return Group(isUnified: controllers.isEmpty, path: String(fields[2]))
      }
    }
  }

  /// A mounted hierarchy of control groups: a line of `/proc/self/mountinfo`.
  struct Mount: Equatable {
    var isUnified: Bool
    /// The group that is mounted: in a container, often its own.
    var group: String
    var folder: String

    /// The hierarchies that can have a CPU quota.
    static func all(in text: String) -> [Mount] {
      text.split(separator: "\n").compactMap { line in
        let fields = line.split(separator: " ").map(String.init)
        // The fields before the hyphen vary in number; behind it are the type, the device and the options.
        guard let hyphen = fields.firstIndex(of: "-"), hyphen >= 6, fields.count > hyphen + 3 else {
          return nil
        }
        let isUnified = fields[hyphen + 1] == "cgroup2"
        let isLegacy =
          fields[hyphen + 1] == "cgroup" && fields[hyphen + 3].split(separator: ",").contains("cpu")
        guard isUnified || isLegacy else { return nil }
        return Mount(isUnified: isUnified, group: unescaped(fields[3]), folder: unescaped(fields[4]))
      }
    }

    /// Replaces octal numbers such as `\040`, which stand for spaces.
    private static func unescaped(_ text: String) -> String {
      var (bytes, rest) = ([UInt8](), Substring(text))
      while let character = rest.first {
        if character == "\\", let byte = UInt8(rest.dropFirst().prefix(3), radix: 8) {
          bytes.append(byte)
          rest = rest.dropFirst(4)
        } else {
          bytes += Array(String(character).utf8)
          rest = rest.dropFirst()
        }
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  /// The folders of a group and of all groups that contain it, up to the mounted one.
  private func folders(of group: Group, in mount: Mount) -> [String] {
    let outer = components(mount.group)
    var inner = components(group.path)
    // Otherwise the path is that of another namespace, and only the mounted group is known.
    inner = inner.starts(with: outer) && !inner.contains("..") ? Array(inner.dropFirst(outer.count)) : []
    return (0...inner.count).map { ([mount.folder] + inner.prefix($0)).joined(separator: "/") }
  }

  private func components(_ path: String) -> [String] { path.split(separator: "/").map(String.init) }

  /// Version 2: `cpu.max` has the quota and the period in microseconds, such as `150000 100000` or `max 100000`.
  private func unified(_ folder: String) -> Double? {
    let values = text("\(folder)/cpu.max")?.split(whereSeparator: \.isWhitespace).map { Double($0) }
    guard let values, values.count == 2 else { return nil }
    return ratio(values[0], values[1])
  }

  /// Version 1: a file for the quota, -1 without one, and a file for the period.
  private func legacy(_ folder: String) -> Double? {
    ratio(number("\(folder)/cpu.cfs_quota_us"), number("\(folder)/cpu.cfs_period_us"))
  }

  private func ratio(_ quota: Double?, _ period: Double?) -> Double? {
    guard let quota, let period, quota > 0, period > 0 else { return nil }
    return quota / period
  }

  private func number(_ path: String) -> Double? {
    text(path).flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  private func text(_ path: String) -> String? { try? String(contentsOfFile: root + path, encoding: .utf8) }
}
