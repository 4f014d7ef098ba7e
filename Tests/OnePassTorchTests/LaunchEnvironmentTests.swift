import OnePassCore
import Testing

@testable import OnePassTorch

@Suite("The environment of a launcher") struct LaunchEnvironmentTests {
  struct Case: CustomTestStringConvertible {
    let testDescription: String
    let variables: [String: String]
    let expected: LaunchEnvironment?
  }

  static let standard = [
    "RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "node1", "MASTER_PORT": "29400",
  ]
  static let slurm = [
    "SLURM_PROCID": "5", "SLURM_LOCALID": "1", "SLURM_NTASKS": "8", "SLURM_NODELIST": "gpu[07-09,12]",
    "SLURM_JOB_ID": "1234567",
  ]

  private static func launch(
    _ rank: Int, _ localRank: Int, _ size: Int, _ address: String, _ port: Int,
    _ launcher: LaunchEnvironment.Launcher
  ) -> LaunchEnvironment {
    LaunchEnvironment(
      rank: rank, localRank: localRank, worldSize: size, masterAddress: address, masterPort: port,
      launcher: launcher)
  }

  static let cases: [Case] = [
    Case(testDescription: "no variables", variables: ["PATH": "/bin"], expected: nil),
    Case(
      testDescription: "only empty variables", variables: ["RANK": "", "WORLD_SIZE": "", "MASTER_ADDR": "a"],
      expected: nil),
    Case(
      testDescription: "only an address and a port", variables: ["MASTER_ADDR": "a", "MASTER_PORT": "1"],
      expected: nil),
    Case(
      testDescription: "set manually", variables: standard,
      expected: launch(3, 1, 4, "node1", 29400, .standard)),
    Case(
      testDescription: "Kubernetes, which sets no local rank",
      variables: standard.filter { $0.key != "LOCAL_RANK" },
      expected: launch(3, 0, 4, "node1", 29400, .standard)),
    Case(
      testDescription: "torchrun",
      variables: standard.merging([
        "TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RESTART_COUNT": "0", "LOCAL_WORLD_SIZE": "2",
      ]) { $1 }, expected: launch(3, 1, 4, "node1", 29400, .torchrun)),
    Case(
      testDescription: "torchrun without the store of its agent",
      variables: standard.merging(["TORCHELASTIC_USE_AGENT_STORE": "False"]) { $1 },
      expected: launch(3, 1, 4, "node1", 29400, .standard)),
    Case(testDescription: "Slurm", variables: slurm, expected: launch(5, 1, 8, "gpu07", 19567, .slurm)),
    Case(
      testDescription: "Slurm with a master address",
      variables: slurm.merging(["MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "4000"]) { $1 },
      expected: launch(5, 1, 8, "10.0.0.1", 4000, .slurm)),
    Case(
      testDescription: "standard variables take precedence over Slurm's",
      variables: slurm.merging(standard) { $1 },
      expected: launch(3, 1, 4, "node1", 29400, .standard)),
  ]

  @Test(
    "The rank, the size and the master address are read from the variables of every launcher",
    arguments: cases)
  func environment(_ example: Case) throws {
    #expect(try LaunchEnvironment(example.variables) == example.expected)
  }

  @Test("Rank 0 serves the store unless the agent of torchrun does")
  func storeServer() {
    #expect(Self.launch(0, 0, 2, "a", 1, .standard).servesStore)
    #expect(Self.launch(0, 0, 2, "a", 1, .slurm).servesStore)
    #expect(!Self.launch(1, 0, 2, "a", 1, .standard).servesStore)
    #expect(!Self.launch(0, 0, 2, "a", 1, .torchrun).servesStore)
  }

  static let mistakes: [(change: [String: String], message: String)] = [
    (["RANK": ""], "RANK is not set, but WORLD_SIZE, MASTER_ADDR, MASTER_PORT are; "),
    (["WORLD_SIZE": ""], "WORLD_SIZE is not set, but RANK, MASTER_ADDR, MASTER_PORT are; "),
    (["MASTER_ADDR": ""], "MASTER_ADDR is not set, but RANK, WORLD_SIZE, MASTER_PORT are; "),
    (["MASTER_PORT": ""], "MASTER_PORT is not set, but RANK, WORLD_SIZE, MASTER_ADDR are; "),
    (["RANK": "4"], "RANK must be below WORLD_SIZE (got RANK=4, WORLD_SIZE=4)"),
    (["RANK": "-1"], "RANK must be an integer of at least 0 (got -1)"),
    (["WORLD_SIZE": "two"], "WORLD_SIZE must be an integer of at least 1 (got two)"),
    (["WORLD_SIZE": "0"], "WORLD_SIZE must be an integer of at least 1 (got 0)"),
    (["MASTER_PORT": "70000"], "MASTER_PORT must be an integer from 1 to 65535 (got 70000)"),
    (["LOCAL_RANK": "x"], "LOCAL_RANK must be an integer from 0 to 1023 (got x)"),
    (
      ["LOCAL_WORLD_SIZE": "1"],
      "LOCAL_RANK=1, LOCAL_WORLD_SIZE=1 and WORLD_SIZE=4 contradict each other"
    ),
  ]

  @Test("A missing, invalid or contradictory variable is reported by name", arguments: mistakes)
  func mistake(_ change: [String: String], _ message: String) {
    #expect {
      _ = try LaunchEnvironment(Self.standard.merging(change) { $1 })
    } throws: { error in
      guard let error = error as? OnePassError else { return false }
      return error.code == .usage && error.message.hasPrefix(message)
    }
  }

  @Test("A Slurm job without a host is rejected")
  func slurmWithoutHosts() {
    for list in ["", "[]", ","] {
      #expect(throws: OnePassError.self) {
        try LaunchEnvironment(Self.slurm.merging(["SLURM_NODELIST": list]) { $1 })
      }
    }
  }

  @Test(
    "The first host of an abbreviated Slurm list is found",
    arguments: [
      ("node1", "node1"), ("node[001-004]", "node001"), ("node[7,9-11],login", "node7"), ("a,b[1-2]", "a"),
      ("rack[1-2]-node[03-04]", "rack1-node03"), ("gpu[5].cluster.org,x", "gpu5.cluster.org"),
    ])
  func slurmHosts(list: String, first: String) {
    #expect(firstSlurmHost(in: list) == first)
  }
}

@Suite("The address of this machine") struct OwnAddressTests {
  @Test("Named interfaces take precedence, and the loopback is used only if rank 0 has a loopback address")
  func choice() {
    func own(_ master: String, _ interfaces: String = "") -> OwnAddress {
      OwnAddress(variables: ["GLOO_SOCKET_IFNAME": interfaces], masterAddress: master)
    }
    #expect(own("127.0.0.1", "eth0,eth1") == .interfaces(["eth0", "eth1"]))
    #expect(own("127.0.0.1") == .address("127.0.0.1"))
    #expect(own("no-such-host.invalid") == .ownName)
  }
}

/// Uses a store that this process serves, on a port that the operating system chooses.
@Suite("The key-value store of the ranks") struct KeyValueStoreTests {
  @Test("Keys keep their values, numbers add up, and a wait times out")
  func operations() throws {
    let store = try KeyValueStore.open(address: "127.0.0.1", port: 0, serves: true, timeout: .seconds(5))
    let other = try KeyValueStore.open(
      address: "127.0.0.1", port: store.port, serves: false, timeout: .seconds(5))
    #expect(try !other.has("a"))
    try store.set("a", to: "über")
    // `set` returns before the store has the value.
    #expect(try other.get("a", within: .seconds(1)) == "über")
    #expect(try other.has("a"))
    #expect(try store.add(2, to: "n") == 2)
    #expect(try other.add(-5, to: "n") == -3)
    #expect(try store.compareAndSet("c", expected: "", desired: "first") == "first")
    #expect(try other.compareAndSet("c", expected: "other", desired: "second") == "first")
    #expect(try other.compareAndSet("c", expected: "first", desired: "second") == "second")
    try store.barrier("b", count: 1, within: .seconds(1))

    let start = ContinuousClock.now
    #expect(throws: OnePassError.self) { try other.get("never", within: .milliseconds(200)) }
    #expect(throws: OnePassError.self) { try other.barrier("c", count: 2, within: .milliseconds(200)) }
    #expect(ContinuousClock.now - start < .seconds(3))
  }
}
