import Foundation
import OnePassCore
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Why a host cannot be reached.
enum Unreachable: Error, Hashable {
  /// Its name has no address; with the message of the resolver.
  case unknownName(String)
  /// It does not accept a connection; with the message of the system.
  case refusing(String)
  /// Neither a name server nor the host has answered yet.
  case silent

  /// What prevents the connection: `connection refused`.
  var reason: String {
    switch self {
    case .unknownName(let detail): "the host name is unknown (\(detail))"
    case .refusing(let detail): detail.prefix(1).lowercased() + detail.dropFirst()
    case .silent: "no answer"
    }
  }
}

/// Looks up the addresses of a host, and calls `body` with them.
/// - Throws: `Unreachable.unknownName`, and what `body` throws.
private func withAddresses<Result>(
  of host: String, port: Int, forDatagrams: Bool, _ body: (UnsafeMutablePointer<addrinfo>) throws -> Result
) throws -> Result {
  var hints = addrinfo()
  #if canImport(Glibc)
    hints.ai_socktype = Int32((forDatagrams ? SOCK_DGRAM : SOCK_STREAM).rawValue)
  #else
    hints.ai_socktype = forDatagrams ? SOCK_DGRAM : SOCK_STREAM
  #endif
  var found: UnsafeMutablePointer<addrinfo>?
  let status = getaddrinfo(host, "\(port)", &hints, &found)
  guard status == 0, let found else { throw Unreachable.unknownName(String(cString: gai_strerror(status))) }
  defer { freeaddrinfo(found) }
  return try body(found)
}

/// Returns a socket that is bound to an address of a host, and its port.
/// - Parameter port: The port; 0 for any.
/// - Returns: `nil` if the host is reachable under none of this machine's own addresses, as behind a forwarded port. The
///   store then has to listen on every interface.
/// - Throws: `Unreachable`; `OnePassError` (`io`) if the port is in use.
func boundSocket(of host: String, port: Int) throws -> (descriptor: Int32, port: Int)? {
  try withAddresses(of: host, port: port, forDatagrams: false) { first in
    for entry in sequence(first: first, next: { $0.pointee.ai_next }) {
      let descriptor = socket(entry.pointee.ai_family, entry.pointee.ai_socktype, 0)
      guard descriptor >= 0 else { continue }
      var yes: Int32 = 1
      setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
      if bind(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) == 0 {
        return (descriptor, try boundPort(of: descriptor))
      }
      let reason = errno
      close(descriptor)
      guard reason == EADDRNOTAVAIL else {
        throw OnePassError.portUnavailable(
          host, port, reason == EADDRINUSE ? "EADDRINUSE" : String(cString: strerror(reason)))
      }
    }
    return nil
  }
}

private func boundPort(of descriptor: Int32) throws -> Int {
  var address = sockaddr_storage()
  var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
  return try withUnsafeMutablePointer(to: &address) { pointer in
    try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
      guard getsockname(descriptor, name, &length) == 0 else {
        throw Unreachable.refusing(String(cString: strerror(errno)))
      }
    }
    // The port is at the same place for both families.
    return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
      Int(UInt16(bigEndian: $0.pointee.sin_port))
    }
  }
}

/// Returns a socket connected to a port of a host; connecting a datagram socket sends nothing.
/// - Throws: `Unreachable`.
private func connectedSocket(to host: String, port: Int, forDatagrams: Bool) throws -> Int32 {
  try withAddresses(of: host, port: port, forDatagrams: forDatagrams) { first in
    var failure = Unreachable.silent
    for entry in sequence(first: first, next: { $0.pointee.ai_next }) {
      let descriptor = socket(entry.pointee.ai_family, entry.pointee.ai_socktype, 0)
      guard descriptor >= 0 else { continue }
      if connect(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) == 0 { return descriptor }
      failure = .refusing(String(cString: strerror(errno)))
      close(descriptor)
    }
    throw failure
  }
}

/// Waits until a port accepts a connection.
/// - Parameter meanwhile: Called about once a second with the last failure.
/// - Throws: `Unreachable`, the last failure, if the port does not accept a connection in time.
func waitForAnswer(
  from host: String, port: Int, within timeout: Duration, meanwhile: (Unreachable) -> Void = { _ in }
) throws {
  try retry(within: timeout, meanwhile: meanwhile) {
    close(try connectedSocket(to: host, port: port, forDatagrams: false))
  }
}

/// Waits until a host name has an address. The name of a container can appear later than its processes.
/// - Parameter meanwhile: Called about once a second with the last failure.
/// - Throws: `Unreachable`, the last failure, if the name has no address in time.
func waitForName(_ host: String, within timeout: Duration, meanwhile: (Unreachable) -> Void = { _ in })
  throws
{
  try retry(within: timeout, meanwhile: meanwhile) {
    try withAddresses(of: host, port: 0, forDatagrams: false) { _ in }
  }
}

/// Makes attempts until one succeeds, on another thread, since a name lookup or a connection attempt can take minutes.
private func retry(
  within timeout: Duration, meanwhile: (Unreachable) -> Void, _ attempt: @escaping @Sendable () throws -> Void
) throws {
  let deadline = ContinuousClock.now + timeout
  let last = LastFailure()
  let result = outcome(
    within: timeout, meanwhile: { meanwhile(last.value.withLock { $0 }) },
    of: {
      var pause = 0.1
      while true {
        do { return try attempt() } catch let failure as Unreachable {
          last.value.withLock { $0 = failure }
          // Stop before `outcome` gives up.
          if ContinuousClock.now + .seconds(pause * 2) > deadline { throw failure }
        }
        Thread.sleep(forTimeInterval: pause)
        // Many ranks share a name server.
        pause = min(1, pause * 1.2)
      }
    })
  guard let result else { throw last.value.withLock { $0 } }
  try result.get()
}

private final class LastFailure: Sendable {
  let value = Mutex(Unreachable.silent)
}

/// Returns the numeric address of the local interface that routes to `host`; `nil` if there is none.
func localAddress(towards host: String) -> String? {
  guard let descriptor = try? connectedSocket(to: host, port: 9, forDatagrams: true) else { return nil }
  defer { close(descriptor) }
  var storage = sockaddr_storage()
  var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
  var name = [CChar](repeating: 0, count: 128)
  let isNamed = withUnsafeMutablePointer(to: &storage) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      getsockname(descriptor, $0, &length) == 0
        && getnameinfo($0, length, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0
    }
  }
  return isNamed ? String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
}

/// How the other processes reach this machine.
enum OwnAddress: Hashable {
  /// Through these network interfaces.
  case interfaces([String])
  /// At this address.
  case address(String)
  /// At the address to which the host name of this machine resolves.
  case ownName

  /// Chooses the interfaces in GLOO_SOCKET_IFNAME, as `torch.distributed` does, or else the address that routes to rank 0.
  ///
  /// The host name is the last choice, since on many machines it resolves to the loopback, which other machines cannot
  /// reach. A loopback address is used only if rank 0 has one, so that all processes share this machine.
  init(variables: [String: String], masterAddress: String) {
    let named = (variables["GLOO_SOCKET_IFNAME"] ?? "").split(separator: ",").map(String.init)
    if !named.isEmpty {
      self = .interfaces(named)
    } else if let address = localAddress(towards: masterAddress),
      !Self.isLoopback(address) || Self.isLoopback(masterAddress)
    {
      self = .address(address)
    } else {
      self = .ownName
    }
  }

  private static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host.hasPrefix("127.") || host == "::1"
  }
}
