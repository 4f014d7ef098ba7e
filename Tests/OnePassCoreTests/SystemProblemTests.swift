import Foundation
import Testing

@testable import OnePassCore

@Suite("Limits of the system") struct SystemProblemTests {
  @Test("Too many open files and a full disk have different remedies, which name the limit and the folder")
  func limitsAreToldApart() throws {
    let open = try #require(SystemProblem.remedy(EMFILE, folder: "/runs"))
    #expect(open.contains("ulimit -n"))
    // As `ulimit -n` prints it.
    #expect(open.contains("may have \(sysconf(Int32(_SC_OPEN_MAX))) open files"))
    #expect(SystemProblem.remedy(ENOSPC, folder: "/runs") == "free space in /runs")
    #expect(SystemProblem.remedy(EACCES, folder: "/runs") == nil)
  }

  @Test("The number of an error is found behind those of Foundation")
  func numbersAreFound() {
    #expect(SystemProblem.number(of: POSIXError(.EDQUOT)) == EDQUOT)
    #expect(SystemProblem.number(of: OnePassError(.io, "x")) == nil)
    #expect(throws: (any Error).self) {
      do { try Data([1]).write(to: URL(fileURLWithPath: "/dev/full")) } catch {
        #expect(SystemProblem.number(of: error) == ENOSPC, "\(error)")
        throw error
      }
    }
  }
}
