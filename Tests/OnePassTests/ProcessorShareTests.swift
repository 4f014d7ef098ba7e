import Foundation
import TestSupport
import Testing

@testable import OnePass
@testable import OnePassCore

@Suite("The processor time of a run") struct ProcessorShareTests {
  private func share(
    _ used: Double, wait: Double?, seconds: Double = 10, threads: Int = 2, processors: Int = 2,
    quota: Double? = nil
  ) -> ProcessorShare {
    ProcessorShare(
      time: ProcessorTime(seconds: used, waitSeconds: wait), seconds: seconds, threads: threads,
      processors: AvailableProcessors(allowed: processors, online: processors, quota: quota))
  }

  @Test("A run that gets less than half of its processor time says so, if its threads waited for processors")
  func crowded() throws {
    let notice = try #require(share(7, wait: 9).notice)
    #expect(
      notice.contains("35 %") && notice.contains("2 compute threads") && notice.contains("other processes"))
    #expect(share(10.1, wait: 9).notice == nil)
    // A stream that is slow, next to another process.
    #expect(share(1, wait: 0.5).notice == nil)
    // Small operators, other ranks, or a silent stream.
    #expect(share(3, wait: 0.2).notice == nil)
    // A system that does not count waits.
    #expect(share(3, wait: nil).notice == nil)
  }

  @Test("More threads than processors could not have had more than the processors")
  func manyThreads() {
    #expect(abs(share(19, wait: 60, threads: 8).value - 0.95) < 1e-12)
    #expect(share(19, wait: 60, threads: 8).notice == nil)
  }

  @Test("A quota is named as the cause")
  func quota() throws {
    let notice = try #require(share(3, wait: 9, threads: 4, processors: 4, quota: 1.5).notice)
    #expect(notice.contains("CPU quota of 1.5") && notice.contains("15 %"))
  }

  @Test("Times are differences and sums; an unknown wait stays unknown")
  func arithmetic() {
    let (a, b) = (ProcessorTime(seconds: 5, waitSeconds: 2), ProcessorTime(seconds: 3, waitSeconds: 1))
    #expect(
      a - b == ProcessorTime(seconds: 2, waitSeconds: 1) && a + b == ProcessorTime(seconds: 8, waitSeconds: 3)
    )
    #expect((a - ProcessorTime(seconds: 1)).waitSeconds == nil)
    // A thread ended between the two.
    #expect((b - ProcessorTime(seconds: 2, waitSeconds: 4)).waitSeconds == 0)
    #expect(ProcessorTime(seconds: 3, waitSeconds: 1).waitShare == 0.25)
    #expect(ProcessorTime(seconds: 0, waitSeconds: 0).waitShare == 0)
  }

  @Test("The waits of threads are read from the scheduler's statistics")
  func statistics() throws {
    let folder = try TemporaryFolder()
    for (thread, text) in [("1", "500000000 1500000000 7\n"), ("2", "9 500000000 1\n"), ("3", "broken\n")] {
      try FileManager.default.createDirectory(
        atPath: "\(folder.path)/\(thread)", withIntermediateDirectories: true)
      try text.write(toFile: "\(folder.path)/\(thread)/schedstat", atomically: true, encoding: .utf8)
    }
    #expect(ProcessorTime.waitSeconds(in: folder.path) == 2)
    #expect(ProcessorTime.waitSeconds(in: "\(folder.path)/absent") == nil)
  }

  /// The clock of the C library, read before and after, is the independent truth: other tests compute at the same time.
  @Test("The processor time of this process is that of the C library's clock")
  func ownTime() {
    func seconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
    let first = seconds()
    let before = ProcessorTime.current()
    let second = seconds()
    while seconds() < second + 0.05 {}
    let third = seconds()
    let spent = (ProcessorTime.current() - before).seconds
    let last = seconds()
    #expect(spent >= third - second - 1e-4 && spent <= last - first + 1e-4)
  }
}
