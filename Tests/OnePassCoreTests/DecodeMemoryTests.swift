import Foundation
import TestSupport
import Testing

@testable import OnePassCore

@Suite("The budget for decoding") struct DecodeMemoryTests {
  @Test(
    "The default is a thirty-second of a machine's memory, or a quarter of it up to 2 GiB",
    arguments: [(1_024, 256), (8_192, 2_048), (65_536, 2_048), (1_048_576, 32_768)])
  func theDefaultIsAShare(machine: Int, budget: Int) {
    #expect(DecodeMemory.standard(ofMachine: machine << 20) == budget << 20)
  }

  @Test("The smallest limit of all control groups counts, of version 1 and 2")
  func controlGroupsLimitTheMemory() throws {
    let folder = try TemporaryFolder()
    #expect(MachineMemory.limit(physical: 5_000, root: folder.path) == 5_000)
    try folder.write(Array("0::/job/step\n4:cpu,memory:/old\n3:pids:/x\n".utf8), to: "proc/self/cgroup")
    #expect(MachineMemory.limit(physical: 5_000, root: folder.path) == 5_000)
    try folder.write(Array("max\n".utf8), to: "sys/fs/cgroup/job/step/memory.max")
    try folder.write(Array("4000\n".utf8), to: "sys/fs/cgroup/job/memory.max")
    #expect(MachineMemory.limit(physical: 5_000, root: folder.path) == 4_000)
    // The group of the host is not visible, but the root is.
    try folder.write(Array("3000\n".utf8), to: "sys/fs/cgroup/memory/memory.limit_in_bytes")
    #expect(MachineMemory.limit(physical: 5_000, root: folder.path) == 3_000)
    #expect(MachineMemory.limit(physical: 2_000, root: folder.path) == 2_000)
  }

  @Test("Waiting images are counted until they are released, and large ones leave room for others")
  func waitingImagesAreCounted() {
    let memory = DecodeMemory(bytes: 1_600_000)
    // A quarter of the budget, and a sixteenth of it for images above a 64th.
    var held = (0..<4).map { _ in memory.reserveWaiting(25_000) }
    #expect(held.allSatisfy { $0 != nil } && memory.inFlight == 100_000)
    #expect(memory.reserveWaiting(25_001) == nil)
    held += (0..<12).map { _ in memory.reserveWaiting(25_000) }
    #expect(held.allSatisfy { $0 != nil } && memory.inFlight == 400_000)
    #expect(memory.reserveWaiting(1) == nil)
    held = []
    #expect(memory.inFlight == 0 && memory.peak == 400_000)
    #expect(memory.reserveWaiting(100_000) != nil)
  }

  @Test("Large images wait for each other, and one that is alone is admitted")
  func largeImagesWait() {
    let memory = DecodeMemory(bytes: 1_000_000)
    let running = Occupancy()
    let threads = DispatchGroup()
    for _ in 0..<6 {
      threads.enter()
      Thread {
        for _ in 0..<20 {
          memory.decoding(300_000) { _ in
            running.enter()
            usleep(200)
            running.leave()
          } afterwards: {
            nil
          }
        }
        threads.leave()
      }.start()
    }
    threads.wait()
    #expect(running.most == 1 && memory.peak == 300_000 && memory.inFlight == 0)
    // Two of half the size fit.
    memory.decoding(250_000) { _ in
      memory.decoding(250_000) { _ in
        #expect(memory.inFlight == 500_000)
      } afterwards: {
        nil
      }
    } afterwards: {
      nil
    }
  }

  @Test("Memory of a large image is reused, and is freed when another image needs the room")
  func memoryIsReused() {
    let memory = DecodeMemory(bytes: 1_000_000)
    let base = UnsafeMutableRawPointer.allocate(byteCount: 300_000, alignment: 64)
    memory.decoding(310_000) {
      #expect($0 == nil)
    } afterwards: {
      MemoryBlock(base: base, capacity: 300_000)
    }
    #expect(memory.inFlight == 300_000)
    memory.decoding(310_000) {
      #expect($0?.base == base)
    } afterwards: {
      MemoryBlock(base: base, capacity: 300_000)
    }
    memory.decoding(450_000) { block in
      #expect(block == nil && memory.inFlight == 450_000)
    } afterwards: {
      nil
    }
    #expect(memory.inFlight == 0)
  }

  /// Counts the threads that are inside at the same time.
  private final class Occupancy: @unchecked Sendable {
    private let lock = NSLock()
    private var now = 0
    private(set) var most = 0
    func enter() {
      lock.withLock {
        now += 1
        most = max(most, now)
      }
    }
    func leave() { lock.withLock { now -= 1 } }
  }
}
