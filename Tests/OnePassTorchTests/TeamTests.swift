import Foundation
import OnePassCore
import OnePassTorch
import Synchronization
import Testing

@Suite("The team of threads that compute an operator") struct TeamTests {
  /// The gradients of a convolution, an addition and a pooling, ten times.
  private static func results(threads: Int) throws -> [[Float]] {
    try Engine.setThreadCount(threads)
    var chance = SeededGenerator(seed: 11, .test, 1)
    func noise(_ shape: [Int]) throws -> Tensor {
      let values = (0..<shape.reduce(1, *)).map { _ in Float(chance.nextUnit()) - 0.5 }
      return try Tensor(values, shape: shape).channelsLast()
    }
    let (images, filters) = (try noise([8, 32, 12, 12]), try noise([32, 32, 3, 3]))
    return try (0..<10).map { _ in
      try images.setRequiresGradient(true)
      try images.clearGradient()
      let (branch, skipped) = try images.forked()
      let sum = try conv2d(branch, weight: filters, stride: 1, padding: 1) + skipped
      try sum.maxPool2d(size: 2, stride: 2).sum().backward()
      return try #require(try images.grad).floats()
    }
  }

  @Test("Threads that compute at the same time, with different numbers, have the results of one thread")
  func concurrentCallers() throws {
    let made = Mutex<[[Float]]>([])
    let failures = Mutex<[String]>([])
    let group = DispatchGroup()
    for threads in [1, 2, 7, 3] {
      group.enter()
      let thread = Thread {
        defer { group.leave() }
        do {
          let results = try Self.results(threads: threads)
          made.withLock { $0 += results }
        } catch { failures.withLock { $0.append("\(error)") } }
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    group.wait()
    #expect(failures.withLock { $0 } == [])
    let all = made.withLock { $0 }
    #expect(all.count == 40 && Set(all).count == 1)
  }
}
