import Foundation
import OnePassCore
import Testing

@testable import OnePassTorch

@Suite("The address on which the store listens") struct BoundSocketTests {
  @Test("A socket is bound to the named address alone")
  func aSocketIsBoundToItsAddress() throws {
    let bound = try #require(try boundSocket(of: "127.0.0.1", port: 0))
    defer { close(bound.descriptor) }
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(bound.descriptor, $0, &length) }
    }
    #expect(status == 0 && UInt32(bigEndian: address.sin_addr.s_addr) == 0x7F00_0001)
    #expect(bound.port > 0 && Int(UInt16(bigEndian: address.sin_port)) == bound.port)
    #expect(listen(bound.descriptor, 1) == 0)
    expectPortInUse(bound.port)
  }

  func expectPortInUse(_ port: Int) {
    #expect {
      _ = try boundSocket(of: "127.0.0.1", port: port)
    } throws: { ($0 as? OnePassError)?.code == .io && "\($0)".contains("\(port)") }
  }

  /// An address for documentation (RFC 5737), which no machine has.
  @Test("An address of another machine has no socket here")
  func anAddressOfAnotherMachineHasNone() throws {
    #expect(try boundSocket(of: "192.0.2.1", port: 0) == nil)
  }
}
