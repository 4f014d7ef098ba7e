import Foundation
import Synchronization
import Testing

@testable import OnePassBrokers

@Suite("Values of the background") struct BackgroundValueTests {
  /// What a search finds, after it was allowed to.
  private final class Answers: Sendable {
    let next = Mutex<Int?>(nil)
    let gate = DispatchSemaphore(value: 0)
  }

  private func wait(for condition: () -> Bool) -> Bool {
    let end = ContinuousClock.now + .seconds(5)
    while !condition(), .now < end { Thread.sleep(forTimeInterval: 0.001) }
    return condition()
  }

  @Test("Reading never waits, and a failed search keeps the last value") func latest() {
    let answers = Answers()
    let value = BackgroundValue(every: 0) {
      answers.gate.wait()
      return answers.next.withLock { $0 }
    }
    for _ in 0..<3 { #expect(value.latest == nil) }
    answers.next.withLock { $0 = 7 }
    answers.gate.signal()
    #expect(wait { value.latest == 7 })
    answers.next.withLock { $0 = nil }
    for _ in 0..<3 { answers.gate.signal() }
    for _ in 0..<20 {
      #expect(value.latest == 7)
      Thread.sleep(forTimeInterval: 0.001)
    }
    for _ in 0..<3 { answers.gate.signal() }
  }

  @Test("A value is not searched again before its time") func interval() {
    let count = Mutex(0)
    let value = BackgroundValue(every: 60) {
      count.withLock {
        $0 += 1
        return $0
      }
    }
    #expect(wait { value.latest != nil })
    for _ in 0..<10 { #expect(value.latest == 1) }
  }

  @Test("A call that takes longer than its time has no result") func limit() {
    #expect(result(within: 5) { 3 } == 3)
    let (gate, start) = (DispatchSemaphore(value: 0), ContinuousClock.now)
    #expect(
      result(within: 0.05) {
        gate.wait()
        return 3
      } == nil)
    #expect(.now - start < .seconds(1))
    gate.signal()
  }
}
