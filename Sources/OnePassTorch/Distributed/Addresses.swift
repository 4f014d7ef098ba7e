import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Returns a socket connected to a port of a host; connecting a datagram socket sends nothing.
private func connectedSocket(to host: String, port: Int, forDatagrams: Bool) -> (
  descriptor: Int32?, failure: String
) {
  var hints = addrinfo()
  #if canImport(Glibc)
    hints.ai_socktype = Int32((forDatagrams ? SOCK_DGRAM : SOCK_STREAM).rawValue)
  #else
    hints.ai_socktype = forDatagrams ? SOCK_DGRAM : SOCK_STREAM
  #endif
  var found: UnsafeMutablePointer<addrinfo>?
  let status = getaddrinfo(host, "\(port)", &hints, &found)
  guard status == 0, let first = found else {
    return (nil, String(cString: gai_strerror(status)))
  }
  defer { freeaddrinfo(first) }
  var failure = ""
  for entry in sequence(first: first, next: { $0.pointee.ai_next }) {
    let descriptor = socket(entry.pointee.ai_family, entry.pointee.ai_socktype, 0)
    guard descriptor >= 0 else { continue }
    if connect(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) == 0 { return (descriptor, "") }
    failure = String(cString: strerror(errno))
    close(descriptor)
  }
  return (nil, failure)
}

/// Waits until a port accepts a connection.
/// - Returns: The last failure if the port does not accept a connection in time, otherwise `nil`.
func waitForAnswer(from host: String, port: Int, within timeout: Duration) -> String? {
  let deadline = ContinuousClock.now + timeout
  // A name lookup and a connection attempt can each take minutes.
  let result = outcome(within: timeout) { () -> String? in
    while true {
      let (descriptor, failure) = connectedSocket(to: host, port: port, forDatagrams: false)
      if let descriptor {
        close(descriptor)
        return nil
      }
      // Stop before `outcome` gives up, so that the failure is returned.
      if ContinuousClock.now + .milliseconds(200) > deadline { return failure }
      Thread.sleep(forTimeInterval: 0.1)
    }
  }
  guard let result else { return "no answer" }
  return try? result.get()
}

/// Returns the numeric address of the local interface that routes to `host`; `nil` if there is none.
func localAddress(towards host: String) -> String? {
  guard let descriptor = connectedSocket(to: host, port: 9, forDatagrams: true).descriptor else { return nil }
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
