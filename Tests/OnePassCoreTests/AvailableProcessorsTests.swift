import TestSupport
import Testing

@testable import OnePassCore

/// Files of /proc and /sys as Linux writes them, in a temporary folder.
@Suite("The number of processors that a process may use") struct AvailableProcessorsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let unified = "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
  static let legacy = """
    31 23 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
    33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
    34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset

    """

  /// The quota in a folder with these files.
  func quota(groups: String, mounts: String, _ files: [String: String] = [:]) throws -> Double? {
    let system = ["proc/self/cgroup": groups, "proc/self/mountinfo": mounts]
    for (path, text) in system.merging(files, uniquingKeysWith: { $1 }) {
      try folder.write(Array(text.utf8), to: path)
    }
    return ProcessorLimits(root: folder.path).quota
  }

  @Test("Version 2: the smallest quota of the group and of all groups that contain it counts")
  func unifiedGroups() throws {
    let files = [
      "sys/fs/cgroup/cpu.max": "800000 100000\n", "sys/fs/cgroup/a/cpu.max": "150000 100000\n",
      "sys/fs/cgroup/a/b/cpu.max": "max 100000\n", "sys/fs/cgroup/a/b/c/cpu.max": "500000 50000\n",
      // Of another group.
      "sys/fs/cgroup/d/cpu.max": "10000 100000\n",
    ]
    #expect(try quota(groups: "0::/a/b/c\n", mounts: Self.unified, files) == 1.5)
    #expect(try quota(groups: "0::/a\n", mounts: Self.unified, files) == 1.5)
    #expect(try quota(groups: "0::/\n", mounts: Self.unified, files) == 8)
    #expect(try quota(groups: "0::/d\n", mounts: Self.unified, files) == 0.1)
  }

  @Test("Version 1: the groups of the controller cpu count")
  func legacyGroups() throws {
    let files = [
      "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "300000\n",
      "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
      "sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us": "-1\n",
      "sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us": "100000\n",
      "sys/fs/cgroup/cpuset/x/cpu.cfs_quota_us": "1000\n",
      "sys/fs/cgroup/cpuset/x/cpu.cfs_period_us": "100000\n",
    ]
    let groups = "5:cpuset:/x\n4:cpu,cpuacct:/a/b\n1:name=systemd:/user\n"
    #expect(try quota(groups: groups, mounts: Self.legacy, files) == 3)
    #expect(try quota(groups: "5:cpuset:/x\n", mounts: Self.legacy, files) == nil)
  }

  /// Docker without namespaces of control groups mounts the group of the container as the root.
  @Test("A container sees its own group as the mounted one")
  func containers() throws {
    let mounts = "33 31 0:30 /docker/1 /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
    let files = [
      "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "250000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      "sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us": "50000\n",
      "sys/fs/cgroup/cpu/inner/cpu.cfs_period_us": "100000\n",
    ]
    #expect(try quota(groups: "4:cpu:/docker/1\n", mounts: mounts, files) == 2.5)
    #expect(try quota(groups: "4:cpu:/docker/1/inner\n", mounts: mounts, files) == 0.5)
    // The path of a group outside the namespace.
    #expect(try quota(groups: "4:cpu:/../other\n", mounts: mounts, files) == 2.5)
  }

  @Test("Both versions can be in use, and folders can have spaces")
  func bothVersions() throws {
    let mounts = Self.legacy + "41 31 0:38 / /sys/fs/my\\040groups rw - cgroup2 cgroup2 rw\n"
    let files = [
      "sys/fs/my groups/u/cpu.max": "400000 100000\n",
      "sys/fs/cgroup/cpu,cpuacct/v/cpu.cfs_quota_us": "700000\n",
      "sys/fs/cgroup/cpu,cpuacct/v/cpu.cfs_period_us": "100000\n",
    ]
    #expect(try quota(groups: "1:cpu:/v\n0::/u\n", mounts: mounts, files) == 4)
  }

  @Test(
    "Missing or unreadable files are no quota",
    arguments: [
      "", "max", "max 100000", "100000", "x y", "100000 0", "-1 100000", "0 100000", "nan 100000", "1 2 3",
    ])
  func damaged(text: String) throws {
    #expect(try quota(groups: "0::/a\n", mounts: Self.unified, ["sys/fs/cgroup/a/cpu.max": text]) == nil)
    #expect(try quota(groups: "no line\n\n:::\n0::/a", mounts: "nothing - x\n- - -\n") == nil)
    #expect(ProcessorLimits(root: folder.file("missing")).quota == nil)
  }

  @Test(
    "The affinity of a process is a list of processors",
    arguments: [
      ("Name:\tonepass\nCpus_allowed:\tff\nCpus_allowed_list:\t0-3,8,10-11\nMems_allowed_list:\t0\n", 7),
      ("Cpus_allowed_list:\t5\n", 1), ("Cpus_allowed_list:\t\n", nil),
      ("Cpus_allowed_list:\t3-1\n", nil), ("Cpus_allowed_list:\t0,x\n", nil), ("Name:\tonepass\n", nil),
    ])
  func affinity(text: String, count: Int?) throws {
    try folder.write(Array(text.utf8), to: "proc/self/status")
    #expect(ProcessorLimits(root: folder.path).allowed == count)
    #expect(ProcessorLimits(root: folder.file("missing")).allowed == nil)
  }

  @Test("A quota is rounded to the nearest number of processors, at least one, and its reason is recorded")
  func rounding() {
    func available(_ allowed: Int, of online: Int, _ quota: Double?) -> AvailableProcessors {
      AvailableProcessors(allowed: allowed, online: online, quota: quota)
    }
    var expected = available(8, of: 8, nil)
    #expect(expected.count == 8 && expected.limit == .machine && expected.quota == nil)
    expected = available(3, of: 8, nil)
    #expect(expected.count == 3 && expected.limit == .affinity)
    expected = available(8, of: 8, 2.4)
    #expect(expected.count == 2 && expected.limit == .quota && expected.quota == 2.4)
    expected = available(2, of: 2, 1.5)
    #expect(expected.count == 2 && expected.limit == .quota && expected.quota == 1.5)
    #expect(available(8, of: 8, 0.2).count == 1)
    // A quota that does not limit.
    expected = available(2, of: 8, 2)
    #expect(expected.count == 2 && expected.limit == .affinity && expected.quota == nil)
    #expect(available(8, of: 8, 64).limit == .machine)
  }

  @Test("This process may use at least one processor")
  func thisProcess() { #expect(AvailableProcessors.current.count >= 1) }
}
