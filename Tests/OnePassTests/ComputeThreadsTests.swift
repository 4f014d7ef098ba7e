import Testing

@testable import OnePass
@testable import OnePassCore

@Suite("The default number of compute threads") struct ComputeThreadsTests {
  private func count(
    _ requested: Int? = nil, chosen: Int, quota: Double? = nil, _ environment: [String: String] = [:]
  ) -> Int? {
    ComputeThreads(
      requested, chosen: chosen, available: AvailableProcessors(allowed: 8, online: 8, quota: quota),
      environment: environment
    ).count
  }

  @Test("A quota limits libtorch's choice, but neither a requested number nor a variable of the user")
  func quota() {
    #expect(count(chosen: 8) == nil)
    #expect(count(chosen: 4) == nil)
    #expect(count(chosen: 8, quota: 3.5) == 4)
    #expect(count(chosen: 8, quota: 3.4) == 3)
    #expect(count(chosen: 2, quota: 3.5) == nil)
    #expect(count(6, chosen: 8, quota: 3.5) == 6)
    #expect(count(chosen: 8, quota: 3.5, ["OMP_NUM_THREADS": "8"]) == nil)
    #expect(count(chosen: 8, quota: 3.5, ["MKL_NUM_THREADS": "8"]) == nil)
  }
}
